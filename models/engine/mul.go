package engine

// Products of two values: of one shape, or of an image and a gate of one pixel.

// mulStep is y = a*b (+ add), masked; where b has one pixel, it is for all.
type mulStep struct {
	pixelStep
	a, b, y, add, mask *tensor
	hi                 float32
}

// mul is the forward step of a product with a kernel, or nil.
func (pl *plan) mul(ly *layer) *mulStep {
	if len(ly.in) != 2 {
		return nil
	}
	a, b := ly.in[0].t, ly.in[1].t
	if a.H*a.W == 1 && b.H*b.W > 1 {
		a, b = b, a
	}
	if a.Shape != ly.out.shape || b.Shape != a.Shape && b.Shape != (Shape{a.C, 1, 1}) {
		return nil
	}
	return &mulStep{a: a, b: b, y: ly.out.t}
}

func (pl *plan) mulBackward(ly *layer) {
	dy := ly.out.pending
	for k, v := range ly.in {
		other := ly.in[1-k].t
		to := pl.contribute(v)
		if v.t.H*v.t.W == 1 && other.H*other.W > 1 {
			pl.backward = append(pl.backward, &gateStep{a: other, b: dy, y: to.y, add: to.add, mask: to.mask, hi: to.hi})
			continue
		}
		pl.backward = append(pl.backward, &mulStep{a: dy, b: other, y: to.y, add: to.add, mask: to.mask, hi: to.hi})
	}
}

func (s *mulStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H*s.y.W, 2*s.y.C, threads)}}
}

func (s *mulStep) run(w *worker, unit int) {
	a, ks := &w.row, &w.r.plan.kernels.rows
	gate := s.b.H*s.b.W == 1
	s.each(unit, func(image, p int) {
		q := p
		if gate {
			q = 0
		}
		y, add := w.pixelOf(s.y, image, p), w.pixelOf(s.add, image, p)
		a.read(y, w.pixelOf(s.a, image, p), w.pixelOf(s.b, image, q), nil, add)
		if add == nil {
			w.rows(ks.mul, s.y.C, 0)
		} else {
			w.rows(ks.mulAdd, s.y.C, 0)
		}
		if s.mask != nil {
			keepInside(y, w.pixelOf(s.mask, image, p), s.hi)
		}
	})
}

// gateStep is the gradient of a gate: the sum of a*b over the pixels, in their
// order. Its items are runs of channels.
type gateStep struct {
	rowStep
	a, b, y, add, mask *tensor
	hi                 float32
}

// gateRun is the number of channels of an item: a cache line or four.
const gateRun = 64

func (s *gateStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, (s.y.C+gateRun-1)/gateRun, 2*s.a.H*s.a.W*gateRun, threads)}}
}

func (s *gateStep) run(w *worker, unit int) {
	ks := &w.r.plan.kernels.rows
	s.each(unit, func(image, part int) {
		c0, c1 := part*gateRun, min(s.y.C, (part+1)*gateRun)
		y := w.pixelOf(s.y, image, 0)[c0:c1]
		sum := w.pixel[:c1-c0]
		if s.add == nil {
			clear(sum)
		} else {
			copy(sum, w.pixelOf(s.add, image, 0)[c0:c1])
		}
		for p := range s.a.H * s.a.W {
			w.row.read(sum, w.pixelOf(s.a, image, p)[c0:c1], w.pixelOf(s.b, image, p)[c0:c1], nil, sum)
			w.rows(ks.mulAdd, c1-c0, 0)
		}
		copy(y, sum)
		if s.mask != nil {
			keepInside(y, w.pixelOf(s.mask, image, 0)[c0:c1], s.hi)
		}
	})
}
