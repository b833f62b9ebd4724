package engine

// Layers that copy, and those that work on each entry by itself.

// moveStep is y[h,w,c] = x[h*mulH+offH, w*mulW+offW, c+dc], plus add and
// masked. With div it goes the other way: pixels of y that are not on the grid
// h*divH, w*divW get 0 from x.
type moveStep struct {
	rowStep
	x, y, add, mask *tensor
	hi              float32
	mulH, mulW      int
	divH, divW      int
	offH, offW      int
	// c0 and c1 are the channels of y that are written.
	dc, c0, c1 int
	// from, if there, is the channel of x for each channel of y instead.
	from []int
}

func (s *moveStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H, 4*s.y.W*(s.c1-s.c0), threads)}}
}

// source maps a coordinate of y to x; ok is false where x has nothing.
func source(i, mul, div, off, n int) (int, bool) {
	if i%div != 0 {
		return 0, false
	}
	j := i/div*mul + off
	return j, j >= 0 && j < n
}

func (s *moveStep) run(w *worker, unit int) {
	x, y := s.x, s.y
	lanes := w.r.plan.kernels.lanes
	vectors := s.from == nil && s.dc%lanes == 0 && s.c0%lanes == 0 && s.c1%lanes == 0 && x.cs%lanes == 0 && y.cs%lanes == 0
	s.each(unit, func(image, h int) {
		sh, inside := source(h, s.mulH, s.divH, s.offH, x.H)
		for c := range y.W {
			sw, ok := source(c, s.mulW, s.divW, s.offW, x.W)
			px := func(t *tensor) []float32 {
				if t == nil {
					return nil
				}
				return w.of(t)[image*t.size+t.origin+h*t.row+c*t.cs:][s.c0:s.c1]
			}
			dst, add, mask := px(y), px(s.add), px(s.mask)
			if !inside || !ok {
				s.pixel(dst, nil, add, mask)
				continue
			}
			src := w.of(x)[image*x.size+x.origin+sh*x.row+sw*x.cs:][:x.C]
			if vectors && s.c0+s.dc >= 0 && s.c1+s.dc <= x.C {
				w.combine(dst, src[s.c0+s.dc:s.c1+s.dc], add, mask, false, s.hi)
			} else {
				s.pixel(dst, src, add, mask)
			}
		}
	})
}

// pixel is one pixel of y; add may be the same memory.
func (s *moveStep) pixel(dst, src, add, mask []float32) {
	for i := range dst {
		v := float32(0)
		c := s.c0 + i + s.dc
		if s.from != nil {
			c = s.from[s.c0+i]
		}
		if c >= 0 && c < len(src) {
			v = src[c]
		}
		if add != nil {
			v += add[i]
		}
		if mask != nil && !(mask[i] > 0 && mask[i] < s.hi) {
			v = 0
		}
		dst[i] = v
	}
}

// moves returns the copies that a layer makes of each of its inputs, with x and
// y unset, or nil if it is not a copying layer.
func moves(ly *layer) []*moveStep {
	plain := func() *moveStep {
		return &moveStep{mulH: 1, mulW: 1, divH: 1, divW: 1, c1: ly.out.shape.C}
	}
	switch op := ly.op.(type) {
	case *Concat:
		var ms []*moveStep
		at := 0
		for _, v := range ly.in {
			m := plain()
			m.dc, m.c0, m.c1 = -at, at, at+v.shape.C
			at += v.shape.C
			ms = append(ms, m)
		}
		return ms
	case *Slice:
		m := plain()
		m.mulH, m.mulW = op.StrideH, op.StrideW
		m.dc, _ = op.channels(ly.in[0].shape)
		return []*moveStep{m}
	case *PadChannels:
		m := plain()
		m.dc = -op.Before
		return []*moveStep{m}
	case *Pad2D:
		if op.Value != 0 {
			return nil
		}
		m := plain()
		m.offH, m.offW = -op.Pad.Top, -op.Pad.Left
		return []*moveStep{m}
	case *ChannelShuffle:
		m := plain()
		per := ly.out.shape.C / op.Groups
		for c := range ly.out.shape.C {
			m.from = append(m.from, c%op.Groups*per+c/op.Groups)
		}
		return []*moveStep{m}
	}
	return nil
}

func (pl *plan) moveForward(ly *layer, ms []*moveStep) {
	for i, m := range ms {
		m.x, m.y = ly.in[i].t, ly.out.t
		pl.forward = append(pl.forward, m)
	}
}

func (pl *plan) moveBackward(ly *layer, ms []*moveStep) {
	for i, m := range ms {
		v := ly.in[i]
		to := pl.contribute(v)
		b := &moveStep{x: ly.out.pending, y: to.y, add: to.add, mask: to.mask, hi: to.hi,
			mulH: m.divH, mulW: m.divW, divH: m.mulH, divW: m.mulW, offH: -m.offH, offW: -m.offW, dc: -m.dc, c1: v.shape.C}
		if m.from != nil {
			b.from = make([]int, len(m.from))
			for c, f := range m.from {
				b.from[f] = c
			}
		}
		pl.backward = append(pl.backward, b)
	}
}

// spreadStep gives every pixel of y the only pixel of dy times scale: the
// backward pass of a mean over the image.
type spreadStep struct {
	rowStep
	dy, y, add, mask *tensor
	hi, scale        float32
}

func (s *spreadStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H, 2*s.y.W*s.y.C, threads)}}
}

func (s *spreadStep) run(w *worker, unit int) {
	s.each(unit, func(image, h int) {
		line := func(t *tensor, h int) []float32 {
			if t == nil {
				return nil
			}
			return w.of(t)[image*t.size+t.origin+h*t.row:][:t.W*t.cs]
		}
		pixel := w.pixel[:s.dy.cs]
		for c, v := range line(s.dy, 0) {
			pixel[c] = float32(v * s.scale)
		}
		w.combine(line(s.y, h), pixel, line(s.add, h), line(s.mask, h), false, s.hi)
	})
}
