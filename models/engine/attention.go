package engine

import "unsafe"

// The steps of attention: a unit is one group of one image.

// attentionStep is the forward pass; with dy set it is the backward pass.
type attentionStep struct {
	op *attention
	x  []*tensor
	// y is the result, scores the softmax's: queries x keys, padded, a group.
	y, scores *tensor
	// places of rows in the tensors' memory.
	q, k, v, to []int
	bias        []paddedBias

	dy *tensor
	dx []*tensor
	// add: the gradient of that input is added to what is there.
	add []bool
	// places of rows in gradients.
	dq, dk, dv, dto []int

	padded int // keys, in whole blocks
	// columns of a transposed matrix of scores, as taps.
	taps []int64
}

// paddedBias is an attentionBias with padded rows.
type paddedBias struct {
	tables [][]float32
	of     []int32
}

// attentionScratch is a worker's memory for one group.
type attentionScratch struct{ a, b, panels, scores, result []float32 }

// attentionSize is what is needed of it.
type attentionSize struct{ rows, panels, scores int }

func (z attentionSize) alloc() attentionScratch {
	return attentionScratch{aligned(z.rows), aligned(z.rows), aligned(z.panels), aligned(z.scores), aligned(z.rows)}
}

func (z attentionSize) floats() int { return 3*z.rows + z.panels + z.scores }

// physical are the places in a tensor's memory of floats counted pixel by pixel.
func (t *tensor) physical(list []int32) []int {
	out := make([]int, len(list))
	for k, at := range list {
		out[k] = t.floatAt(int(at))
	}
	return out
}

// floatAt is the place in the memory of an image of float k, counted pixel by pixel.
func (t *tensor) floatAt(k int) int {
	p, c := k/t.C, k%t.C
	return t.origin + p/t.W*t.row + p%t.W*t.cs + c
}

func (pl *plan) attentionForward(op *attention, ly *layer) maker {
	s := &attentionStep{op: op, y: ly.out.t, padded: roundUp(op.keys, block)}
	for _, v := range ly.in {
		s.x = append(s.x, v.t)
	}
	s.q, s.k, s.v = s.x[op.q.in].physical(op.q.rows), s.x[op.k.in].physical(op.k.rows), s.x[op.v.in].physical(op.v.rows)
	s.to = s.y.physical(op.to.rows)
	s.scores = pl.tensor(Shape{s.padded, op.groups, op.queries})
	s.scores.layOut()
	for q := range op.queries {
		s.taps = append(s.taps, int64(4*q*s.padded))
	}
	for _, b := range op.bias {
		p := paddedBias{of: b.of}
		for _, t := range b.tables {
			table := pl.weights.take(op.queries * s.padded)
			for q := range op.queries {
				copy(table[q*s.padded:][:op.keys], t[q*op.keys:])
			}
			p.tables = append(p.tables, table)
		}
		s.bias = append(s.bias, p)
	}
	z, lanes := &pl.attention, pl.kernels.lanes
	longest, widest := max(op.queries, op.keys), roundUp(max(op.depth, op.width), lanes)
	z.rows = max(z.rows, longest*widest)
	z.panels = max(z.panels, longest*widest, max(op.depth, op.width)*s.padded)
	z.scores = max(z.scores, op.queries*s.padded)
	ly.attention = s
	return s
}

func (pl *plan) attentionBackward(op *attention, ly *layer) {
	s := *ly.attention
	s.dy = ly.out.pending
	s.dto = s.dy.physical(op.to.rows)
	read := make([]int, len(ly.in))
	for k, r := range []rows{op.q, op.k, op.v} {
		read[r.in] += len(r.rows) * []int{op.depth, op.depth, op.width}[k]
	}
	var masks []*addStep
	for k, v := range ly.in {
		to := pl.contribute(v)
		s.dx, s.add = append(s.dx, to.y), append(s.add, to.add != nil || read[k] < v.shape.Len())
		pl.begin(to, read[k] == v.shape.Len())
		if to.mask != nil {
			masks = append(masks, &addStep{y: to.y, a: to.y, mask: to.mask, hi: to.hi})
		}
	}
	s.dq, s.dk, s.dv = s.dx[op.q.in].physical(op.q.rows), s.dx[op.k.in].physical(op.k.rows), s.dx[op.v.in].physical(op.v.rows)
	pl.backward = append(pl.backward, &s)
	for _, m := range masks {
		pl.backward = append(pl.backward, m)
	}
}

// begin makes the tensor of a contribution ready to be added to, or, where all of
// it will be written, to be written.
func (pl *plan) begin(to contribution, all bool) {
	switch {
	case to.add == nil && !all:
		pl.backward = append(pl.backward, &addStep{y: to.y})
	case to.add != nil && to.add != to.y:
		pl.backward = append(pl.backward, &addStep{y: to.y, a: to.add})
	}
}

func (s *attentionStep) operands() ([]*tensor, int) {
	ts := append([]*tensor{s.y, s.scores, s.dy}, s.x...)
	return append(ts, s.dx...), 0
}

func (s *attentionStep) prepare(_ *fast, batch, _ int) []scheduled {
	return []scheduled{{s, batch * s.op.groups}}
}

func (s *attentionStep) run(w *worker, unit int) {
	image, group := unit/s.op.groups, unit%s.op.groups
	if s.dy == nil {
		s.forward(w, image, group)
	} else {
		s.backward(w, image, group)
	}
}

// of are the places of a group's rows.
func (s *attentionStep) of(list []int, group, n int) []int { return list[group*n:][:n] }

// probabilities are the softmax of a group.
func (s *attentionStep) probabilities(w *worker, image, group int) []float32 {
	n := s.op.queries * s.padded
	return w.of(s.scores)[image*s.scores.size+group*n:][:n]
}

// from is a tensor's memory from an image on.
func (w *worker) from(t *tensor, image int) []float32 { return w.of(t)[image*t.size:] }

func (s *attentionStep) forward(w *worker, image, group int) {
	op, z, lanes := s.op, &w.attention, w.r.plan.kernels.lanes
	x := func(r rows) []float32 { return w.from(s.x[r.in], image) }
	collect(z.a, op.depth, x(op.q), s.of(s.q, group, op.queries), op.depth, float32(op.scale))
	w.panelsTransposed(z.panels, x(op.k), s.of(s.k, group, op.keys), op.depth, s.padded)
	p := s.probabilities(w, image, group)
	var add []float32
	if len(s.bias) > 0 {
		add = s.bias[0].tables[s.bias[0].of[group]]
	}
	w.times(p, s.padded, op.queries, s.padded, z.a, op.depth, nil, op.depth, z.panels, add)
	for k := 1; k < len(s.bias); k++ {
		w.combine(p, p, s.bias[k].tables[s.bias[k].of[group]], nil, false, 0)
	}
	for q := range op.queries {
		row := p[q*s.padded:][:s.padded]
		for k := op.keys; k < s.padded; k++ {
			row[k] = -3e38
		}
		w.softmax(row)
	}
	width := roundUp(op.width, lanes)
	w.panelsOf(z.panels, x(op.v), s.of(s.v, group, op.keys), op.width, 1)
	w.times(z.result, width, op.queries, width, p, s.padded, nil, op.keys, z.panels, nil)
	deliver(w.from(s.y, image), s.of(s.to, group, op.queries), z.result, width, op.width, 1, false)
}

func (s *attentionStep) backward(w *worker, image, group int) {
	op, z, lanes := s.op, &w.attention, w.r.plan.kernels.lanes
	ks := &w.r.plan.kernels.rows
	x := func(r rows) []float32 { return w.from(s.x[r.in], image) }
	depth, width := roundUp(op.depth, lanes), roundUp(op.width, lanes)
	p, dy := s.probabilities(w, image, group), s.of(s.dto, group, op.queries)

	// dP = dO V'
	collect(z.a, op.width, w.from(s.dy, image), dy, op.width, 1)
	w.panelsTransposed(z.panels, x(op.v), s.of(s.v, group, op.keys), op.width, s.padded)
	w.times(z.scores, s.padded, op.queries, s.padded, z.a, op.width, nil, op.width, z.panels, nil)
	// dV = P' dO
	w.panelsOf(z.panels, w.from(s.dy, image), dy, op.width, 1)
	w.times(z.result, width, op.keys, width, p, 1, s.taps, 1, z.panels, nil)
	deliver(w.from(s.dx[op.v.in], image), s.of(s.dv, group, op.keys), z.result, width, op.width, 1, s.add[op.v.in])
	// dS = P*(dP - sum(P*dP))
	a := &w.row
	for q := range op.queries {
		row, d := p[q*s.padded:], z.scores[q*s.padded:]
		a.x, a.z, a.y, a.n = unsafe.Pointer(&row[0]), unsafe.Pointer(&d[0]), unsafe.Pointer(&d[0]), s.padded/block
		a.s = [block]float32{}
		ks.dot(a)
		a.a = total(&a.s)
		ks.softmaxGrad(a)
	}
	// dQ = scale*dS K
	w.panelsOf(z.panels, x(op.k), s.of(s.k, group, op.keys), op.depth, 1)
	w.times(z.result, depth, op.queries, depth, z.scores, s.padded, nil, op.keys, z.panels, nil)
	deliver(w.from(s.dx[op.q.in], image), s.of(s.dq, group, op.queries), z.result, depth, op.depth, float32(op.scale), s.add[op.q.in])
	// dK = scale*dS' Q
	w.panelsOf(z.panels, x(op.q), s.of(s.q, group, op.queries), op.depth, float32(op.scale))
	w.times(z.result, depth, op.keys, depth, z.scores, 1, s.taps, 1, z.panels, nil)
	deliver(w.from(s.dx[op.k.in], image), s.of(s.dk, group, op.keys), z.result, depth, op.depth, 1, s.add[op.k.in])
}

// softmax makes a row of whole blocks its softmax.
func (w *worker) softmax(row []float32) {
	a, ks := &w.row, &w.r.plan.kernels.rows
	a.x, a.y, a.n = unsafe.Pointer(&row[0]), unsafe.Pointer(&row[0]), len(row)/block
	for i := range a.s {
		a.s[i] = row[i]
	}
	ks.top(a)
	a.a = largest(&a.s)
	a.s = [block]float32{}
	ks.exp(a)
	a.a = 1 / total(&a.s)
	ks.scale(a)
}

// collect copies rows of width floats, times scale, next to each other.
func collect(to []float32, stride int, from []float32, rows []int, width int, scale float32) {
	for i, at := range rows {
		dst, src := to[i*stride:][:width], from[at:][:width]
		if scale == 1 {
			copy(dst, src)
			continue
		}
		for c, v := range src {
			dst[c] = v * scale
		}
	}
}

// deliver copies rows to where they belong, times scale, or adds them there.
func deliver(to []float32, rows []int, from []float32, stride, width int, scale float32, add bool) {
	for i, at := range rows {
		dst, src := to[at:][:width], from[i*stride:][:width]
		switch {
		case !add && scale == 1:
			copy(dst, src)
		case !add:
			for c, v := range src {
				dst[c] = v * scale
			}
		default:
			for c, v := range src {
				dst[c] += float32(v * scale)
			}
		}
	}
}

// panelWidth is the number of columns of the next panel where so many are left.
func (w *worker) panelWidth(left int) int {
	ks := w.r.plan.kernels
	if left >= 2*ks.lanes && ks.tile[2] != nil {
		return 2 * ks.lanes
	}
	return ks.lanes
}

// panelsOf packs a matrix of rows of width floats, times scale, for times.
func (w *worker) panelsOf(to, from []float32, rows []int, width int, scale float32) {
	padded := roundUp(width, w.r.plan.kernels.lanes)
	for c0 := 0; c0 < padded; {
		n := w.panelWidth(padded - c0)
		have := min(n, width-c0)
		for i, at := range rows {
			dst, src := to[i*n:][:n], from[at+c0:][:have]
			if scale == 1 {
				copy(dst, src)
			} else {
				for c, v := range src {
					dst[c] = v * scale
				}
			}
			clear(dst[have:])
		}
		to = to[len(rows)*n:]
		c0 += n
	}
}

// panelsTransposed packs the transpose of a matrix of rows of width floats, with
// zeros up to a padded number of columns.
func (w *worker) panelsTransposed(to, from []float32, rows []int, width, padded int) {
	for c0 := 0; c0 < padded; {
		n := w.panelWidth(padded - c0)
		for c := range n {
			if c0+c >= len(rows) {
				for d := range width {
					to[d*n+c] = 0
				}
				continue
			}
			for d, v := range from[rows[c0+c]:][:width] {
				to[d*n+c] = v
			}
		}
		to = to[width*n:]
		c0 += n
	}
}

// times computes y = x*panels + add for n rows of x, xpix floats apart, of cols
// padded columns: the sum over taps (nil for one of no offset) of k floats each.
// Rows of y and add are ypix apart.
func (w *worker) times(y []float32, ypix, n, cols int, x []float32, xpix int, taps []int64, k int, panels, add []float32) {
	a, ks := &w.args, w.r.plan.kernels
	a.act, a.mask, a.add, a.bias = 0, nil, nil, unsafe.Pointer(&w.zeros[0])
	a.taps, a.ntaps, a.k = unsafe.Pointer(&w.noOffset), 1, k
	if taps != nil {
		a.taps, a.ntaps = unsafe.Pointer(&taps[0]), len(taps)
	}
	a.xpix, a.ypix, a.apix = bytes(xpix), bytes(ypix), bytes(ypix)
	for c0 := 0; c0 < cols; {
		width := w.panelWidth(cols - c0)
		tiles := ks.tile[width/ks.lanes]
		calls := (n + len(tiles) - 2) / (len(tiles) - 1)
		mr, longer := n/calls, n%calls
		a.w = unsafe.Pointer(&panels[0])
		run := func(first, mr, count int) {
			a.x, a.y, a.tiles = unsafe.Pointer(&x[first*xpix]), unsafe.Pointer(&y[first*ypix+c0]), count
			if add != nil {
				a.add = unsafe.Pointer(&add[first*ypix+c0])
			}
			tiles[mr](a)
		}
		if longer > 0 {
			run(0, mr+1, longer)
		}
		if calls > longer {
			run(longer*(mr+1), mr, calls-longer)
		}
		panels = panels[width*a.ntaps*k:]
		c0 += width
	}
}
