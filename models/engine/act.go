package engine

// actStep is a function of each entry: a kernel of rows where there is one, or
// else rounded once from double precision. With dy set it is the backward pass.
type actStep struct {
	rowStep
	f                   *Activation
	x, y, dy, add, mask *tensor
	hi                  float32
}

// prepare makes items of pixels, since tokens are all in one row.
func (s *actStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	if value, _ := s.kernels(&plainRows); value != nil {
		n := pieces(s.y.W, s.y.cs)
		return []scheduled{{&c, c.cut(batch, s.y.H*n, 20*s.y.W*s.y.cs/n, threads)}}
	}
	return []scheduled{{&c, c.cut(batch, s.y.H*s.y.W, 100*s.y.C, threads)}}
}

// kernels are the function's kernels of rows, or nil.
func (s *actStep) kernels(ks *rowKernels) (value, grad func(*rowArgs)) {
	switch s.f.Func {
	case Gelu:
		return ks.gelu, ks.geluGrad
	case GeluTanh:
		return ks.geluTanh, ks.geluTanhGrad
	case SiLU:
		return ks.silu, ks.siluGrad
	case Sigmoid:
		return ks.sigmoid, ks.sigmoidGrad
	}
	return nil, nil
}

// vectors does a unit by kernels: pieces of rows at a time, or pixels where they
// do not follow each other.
func (s *actStep) vectors(w *worker, unit int, kernel func(*rowArgs)) {
	n := pieces(s.y.W, s.y.cs)
	each := 1 // pixels
	if s.x.cs == s.x.C && s.y.cs == s.x.C && (s.dy == nil || s.dy.cs == s.x.C) {
		each = s.y.W
	}
	s.each(unit, func(image, part int) {
		h, first, end := part/n, part%n*s.y.W/n, (part%n+1)*s.y.W/n
		for p := first; p < end; p += each {
			floats := min(each, end-p) * s.x.C
			of := func(t *tensor) []float32 {
				if t == nil {
					return nil
				}
				return w.of(t)[image*t.size+t.origin+h*t.row+p*t.cs:][:floats]
			}
			y, add, mask := of(s.y), of(s.add), of(s.mask)
			out := y
			if add != nil {
				out = w.pieceOf(floats)
			}
			w.row.read(out, of(s.x), of(s.dy), nil, nil)
			w.rows(kernel, floats, 0)
			for i := range add {
				y[i] = out[i] + add[i]
			}
			if mask != nil {
				keepInside(y, mask, s.hi)
			}
		}
	})
}

func (s *actStep) run(w *worker, unit int) {
	if value, grad := s.kernels(&w.r.plan.kernels.rows); value != nil {
		if s.dy != nil {
			value = grad
		}
		s.vectors(w, unit, value)
		return
	}
	value, slope := s.f.value, s.f.slope
	if f, ok := functions[s.f.Func]; ok { // not looked up for every entry
		value = func(x float64) float64 { return f.value(s.f, x) }
		slope = func(x float64) float64 { return f.slope(s.f, x) }
	}
	s.each(unit, func(image, p int) {
		px := func(t *tensor) []float32 {
			if t == nil {
				return nil
			}
			return w.of(t)[image*t.size+t.origin+p/t.W*t.row+p%t.W*t.cs:][:t.C]
		}
		x, y, dy, add, mask := px(s.x), px(s.y), px(s.dy), px(s.add), px(s.mask)
		for i, v := range x {
			if dy == nil {
				y[i] = float32(value(float64(v)))
				continue
			}
			g := float32(float64(dy[i]) * slope(float64(v)))
			if add != nil {
				g += add[i]
			}
			if mask != nil && !(mask[i] > 0 && mask[i] < s.hi) {
				g = 0
			}
			y[i] = g
		}
	})
}
