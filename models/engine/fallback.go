package engine

// Layers without kernels of their own run image by image on the
// double-precision reference, and are rounded to float32 once.

// refSize is the scratch that a worker needs.
type refSize struct{ inputs, numbers int }

type refScratch struct {
	buf     []float64
	xs, dxs [][]float64
}

func (z refSize) alloc() refScratch {
	return refScratch{make([]float64, z.numbers), make([][]float64, z.inputs), make([][]float64, z.inputs)}
}

// refStep runs one layer. With dy set it is the backward pass.
type refStep struct {
	op reference
	// general is op, if it is one of arrays: its entries need not be moved.
	general *General
	in      []Shape
	out     Shape
	x       []*tensor
	y       *tensor
	act     bool
	hi      float32

	dy *tensor
	dx []contribution
}

func (pl *plan) ref(ly *layer) *refStep {
	s := &refStep{op: ly.op.(reference), out: ly.out.shape, y: ly.out.t}
	s.general, _ = ly.op.(*General)
	numbers := 2 * s.out.Len()
	for _, v := range ly.in {
		s.in, s.x = append(s.in, v.shape), append(s.x, v.t)
		numbers += 2 * v.shape.Len()
	}
	pl.scratch.inputs = max(pl.scratch.inputs, len(ly.in))
	pl.scratch.numbers = max(pl.scratch.numbers, numbers)
	return s
}

func (pl *plan) refForward(ly *layer) maker {
	s := pl.ref(ly)
	s.act, s.hi = ly.act, ly.hi
	return s
}

func (pl *plan) refBackward(ly *layer) {
	s := pl.ref(ly)
	s.dy = ly.out.pending
	for _, v := range ly.in {
		s.dx = append(s.dx, pl.contribute(v))
	}
	pl.backward = append(pl.backward, s)
}

func (s *refStep) prepare(_ *fast, batch, _ int) []scheduled { return []scheduled{{s, batch}} }

func (s *refStep) run(w *worker, image int) {
	rest := w.ref.buf
	take := func(n int) []float64 {
		v := rest[:n:n]
		rest = rest[n:]
		return v
	}
	xs, dxs := w.ref.xs[:len(s.x)], w.ref.dxs[:len(s.x)]
	for i, t := range s.x {
		xs[i] = take(t.Len())
		t.gather(w, image, s.rows(i), xs[i])
	}
	y := take(s.out.Len())
	switch {
	case s.general == nil:
		s.op.forward64(s.in, s.out, 1, xs, y)
	case s.dy == nil:
		s.general.forwardOwn(xs, y)
	default:
		s.y.gather(w, image, s.general.RowsFirst, y)
	}
	if s.dy == nil && s.rows(-1) && !s.act {
		s.y.pixels(w, image, func(p int, px []float32) {
			for c, v := range y[p*len(px):][:len(px)] {
				px[c] = float32(v)
			}
		})
		return
	}
	if s.dy == nil {
		s.y.scatter(w, image, s.rows(-1), func(k int, _ float32) float32 {
			v := float32(y[k])
			if s.act {
				v = min(max(v, 0), s.hi)
			}
			return v
		})
		return
	}
	dy := take(s.out.Len())
	s.dy.gather(w, image, s.rows(-1), dy)
	for i, t := range s.x {
		dxs[i] = take(t.Len())
		fill(dxs[i], 0)
	}
	if s.general != nil {
		s.general.backwardOwn(xs, y, dy, dxs)
	} else {
		s.op.backward64(s.in, s.out, 1, xs, y, dy, dxs)
	}
	for i, to := range s.dx {
		rows := s.rows(i)
		if rows && (to.add == nil || to.add == to.y) && to.mask == nil {
			to.y.pixels(w, image, func(p int, px []float32) {
				for c, v := range dxs[i][p*len(px):][:len(px)] {
					if to.add == nil {
						px[c] = float32(v)
					} else {
						px[c] += float32(v)
					}
				}
			})
			continue
		}
		// One after the other: two inputs may be the same value.
		if to.add != nil && to.add != to.y {
			to.y.scatter(w, image, rows, func(k int, _ float32) float32 { return to.add.entry(w, image, rows, k) })
		}
		to.y.scatter(w, image, rows, func(k int, old float32) float32 {
			v := float32(dxs[i][k])
			if to.add != nil {
				v += old
			}
			if to.mask != nil {
				if m := to.mask.entry(w, image, rows, k); !(m > 0 && m < to.hi) {
					v = 0
				}
			}
			return v
		})
	}
}

// rows says whether the entries of input i, or of the output for -1, are in the
// order H x W x C.
func (s *refStep) rows(i int) bool {
	switch {
	case s.general == nil:
		return false
	case i < 0:
		return s.general.RowsFirst || s.y.H*s.y.W == 1
	}
	return s.general.inputs()[i].RowsFirst || s.x[i].H*s.x[i].W == 1
}

// place is where entry k of an image is: in the order C x H x W, or H x W x C
// with rows.
func (t *tensor) place(image int, rows bool, k int) int {
	c, h, w := k/(t.H*t.W), k/t.W%t.H, k%t.W
	if rows {
		c, h, w = k%t.C, k/t.C/t.W, k/t.C%t.W
	}
	return image*t.size + t.origin + h*t.row + w*t.cs + c
}

func (t *tensor) entry(w *worker, image int, rows bool, k int) float32 {
	return w.of(t)[t.place(image, rows, k)]
}

// pixels calls f for every pixel of an image, in the order of rows and columns.
func (t *tensor) pixels(w *worker, image int, f func(p int, px []float32)) {
	buf := w.of(t)
	for p := range t.H * t.W {
		f(p, buf[image*t.size+t.origin+p/t.W*t.row+p%t.W*t.cs:][:t.C])
	}
}

// gather copies an image out.
func (t *tensor) gather(w *worker, image int, rows bool, to []float64) {
	buf := w.of(t)
	if rows || t.H*t.W == 1 {
		t.pixels(w, image, func(p int, px []float32) {
			at := to[p*t.C:][:len(px)]
			for c, v := range px {
				at[c] = float64(v)
			}
		})
		return
	}
	for k := range to {
		to[k] = float64(buf[t.place(image, false, k)])
	}
}

// scatter sets every entry of an image from its index and its old value.
func (t *tensor) scatter(w *worker, image int, rows bool, f func(k int, old float32) float32) {
	buf := w.of(t)
	if rows || t.H*t.W == 1 {
		t.pixels(w, image, func(p int, px []float32) {
			for c, v := range px {
				px[c] = f(p*t.C+c, v)
			}
		})
		return
	}
	for k := 0; k < t.Len(); k++ {
		p := t.place(image, false, k)
		buf[p] = f(k, buf[p])
	}
}
