package engine

import "unsafe"

// The steps that move and combine whole tensors.

// rowStep is the part shared by steps whose units are rows of pixels.
type rowStep struct{ rows, perUnit, items int }

func (s *rowStep) cut(batch, rows, rowCost, threads int) int {
	s.rows, s.items = rows, batch*rows
	s.perUnit = unitSize(s.items, rowCost, threads)
	return (s.items + s.perUnit - 1) / s.perUnit
}

// each calls f for every row of a unit.
func (s *rowStep) each(unit int, f func(image, row int)) {
	for i := unit * s.perUnit; i < min((unit+1)*s.perUnit, s.items); i++ {
		f(i/s.rows, i%s.rows)
	}
}

// importStep copies the caller's NCHW numbers into a tensor, as x*scale +
// shift per channel.
type importStep struct {
	rowStep
	t            *tensor
	scale, shift []float64
	// logits: from the caller's gradient of the logits, not the images.
	logits bool
}

func (s *importStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.t.H, 4*s.t.W*s.t.C, threads)}}
}

func (s *importStep) run(w *worker, unit int) {
	t, from := s.t, w.r.in
	to := w.of(t)
	s.each(unit, func(image, h int) {
		line := to[image*t.size+t.origin+h*t.row:]
		for c := 0; c < t.C; c++ {
			src := from[(((w.image+image)*t.C+c)*t.H+h)*t.W:][:t.W]
			if s.scale == nil || s.scale[c] == 1 && s.shift[c] == 0 {
				for x, v := range src {
					line[x*t.cs+c] = v
				}
				continue
			}
			scale, shift := s.scale[c], s.shift[c]
			for x, v := range src {
				line[x*t.cs+c] = float32(float64(float64(v)*scale) + shift)
			}
		}
	})
}

// exportStep copies a tensor to the caller's NCHW numbers, times scale.
type exportStep struct {
	rowStep
	t     *tensor
	scale []float64
	// logits: to the caller's logits, not the gradient of the images.
	logits bool
}

func (s *exportStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.t.H, 4*s.t.W*s.t.C, threads)}}
}

func (s *exportStep) run(w *worker, unit int) {
	t, to := s.t, w.r.out
	from := w.of(t)
	s.each(unit, func(image, h int) {
		line := from[image*t.size+t.origin+h*t.row:]
		for c := 0; c < t.C; c++ {
			dst := to[(((w.image+image)*t.C+c)*t.H+h)*t.W:][:t.W]
			if s.scale == nil || s.scale[c] == 1 {
				for x := range dst {
					dst[x] = line[x*t.cs+c]
				}
				continue
			}
			scale := s.scale[c]
			for x := range dst {
				dst[x] = float32(float64(line[x*t.cs+c]) * scale)
			}
		}
	})
}

// piece is the number of floats of a row that are done at a time, roughly.
const piece = 4096

// pieces is the number of pieces of a row of w pixels of cs floats.
func pieces(w, cs int) int { return min(w, max(1, w*cs/piece)) }

// addStep is y = a + b, clamped or masked; b may be nil. y may be a or b; without
// an a it is zeros.
type addStep struct {
	rowStep
	y, a, b, mask *tensor
	act           bool
	hi            float32
}

func (s *addStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	n := pieces(s.y.W, s.y.cs)
	return []scheduled{{&c, c.cut(batch, s.y.H*n, 2*s.y.W*s.y.cs/n, threads)}}
}

func (s *addStep) run(w *worker, unit int) {
	n := pieces(s.y.W, s.y.cs)
	s.each(unit, func(image, part int) {
		h, first, end := part/n, part%n*s.y.W/n, (part%n+1)*s.y.W/n
		line := func(t *tensor) []float32 {
			if t == nil {
				return nil
			}
			return w.of(t)[image*t.size+t.origin+h*t.row+first*t.cs:][:(end-first)*t.cs]
		}
		y, a, b, mask := line(s.y), line(s.a), line(s.b), line(s.mask)
		if a == nil {
			clear(y)
			return
		}
		if ks := w.r.plan.kernels; s.y.cs%ks.lanes == 0 {
			w.combine(y, a, b, mask, s.act, s.hi)
			return
		}
		for i, v := range a {
			if b != nil {
				v += b[i]
			}
			y[i] = v
		}
		if s.act {
			clamp(y, s.hi)
		}
		if mask != nil {
			keepInside(y, mask, s.hi)
		}
	})
}

// combine is y = x + add, clamped or masked; add and mask may be nil, and the
// lengths are whole vectors. An x shorter than y is repeated.
func (w *worker) combine(y, x, add, mask []float32, act bool, hi float32) {
	a := &w.args
	ks := w.r.plan.kernels
	a.tiles, a.vecs, a.hi = len(y)/len(x), len(x)/ks.lanes, hi
	a.xpix, a.ypix, a.apix, a.mpix, a.ipix = 0, bytes(len(x)), bytes(len(x)), bytes(len(x)), 0
	a.x, a.y, a.add, a.mask, a.act = unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0]), nil, nil, 0
	if add != nil {
		a.add = unsafe.Pointer(&add[0])
	}
	if mask != nil {
		a.mask = unsafe.Pointer(&mask[0])
	}
	if act {
		a.act = 1
	}
	ks.combine(a)
}

func clamp(y []float32, hi float32) {
	for i, v := range y {
		if v < 0 {
			y[i] = 0
		} else if v > hi {
			y[i] = hi
		}
	}
}

// scatterStep adds the products of each pixel of dy (see convBackwardByPixel)
// to the pixels of the image they belong to, row by row of the image.
type scatterStep struct {
	rowStep
	c         *Conv
	p, y, add *tensor
}

func (s *scatterStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H, 2*s.p.W*s.c.KernelH*s.c.KernelW*s.c.In, threads)}}
}

func (s *scatterStep) run(w *worker, unit int) {
	c, p, y := s.c, s.p, s.y
	products, to := w.of(p), w.of(y)
	run := c.KernelW * c.In // products of one row of the kernel
	s.each(unit, func(image, h int) {
		line := to[image*y.size+y.origin+h*y.row:][:y.W*y.cs]
		if s.add == nil {
			clear(line)
		} else if s.add != y {
			copy(line, w.of(s.add)[image*s.add.size+s.add.origin+h*s.add.row:][:y.W*y.cs])
		}
		for kh := 0; kh < c.KernelH; kh++ {
			oh := h + c.Pad.Top - kh*c.DilationH
			if oh < 0 || oh%c.StrideH != 0 || oh/c.StrideH >= p.H {
				continue
			}
			src := products[image*p.size+p.origin+oh/c.StrideH*p.row:][:p.W*p.cs]
			for ow := 0; ow < p.W; ow++ {
				v := src[ow*p.cs+kh*run:][:run]
				at := (ow*c.StrideW - c.Pad.Left) * c.In
				if run == 9 && c.DilationW == 1 && at >= 0 && at+9 <= len(line) {
					// 3x3 filters on three channels, the usual case.
					d, v := (*[9]float32)(line[at:]), (*[9]float32)(v)
					d[0] += v[0]
					d[1] += v[1]
					d[2] += v[2]
					d[3] += v[3]
					d[4] += v[4]
					d[5] += v[5]
					d[6] += v[6]
					d[7] += v[7]
					d[8] += v[8]
					continue
				}
				if c.DilationW == 1 && at >= 0 && at+run <= len(line) {
					d, v := line[at:at+run:at+run], v[:run:run]
					for j := range d {
						d[j] += v[j]
					}
					continue
				}
				for kw := 0; kw < c.KernelW; kw++ {
					at := at + kw*c.DilationW*c.In
					if at < 0 || at >= len(line) {
						continue
					}
					for j := 0; j < c.In; j++ {
						line[at+j] += v[kw*c.In+j]
					}
				}
			}
		}
	})
}
