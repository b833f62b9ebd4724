package engine

import "unsafe"

// poolTap is one entry of a max pool's window: where it is, in bytes, and its
// number in row order.
type poolTap struct {
	off    int64
	number float32
	_      float32
}

// needs widens the halo of the output's gradient to all windows that the
// backward pass looks at.
func (p *MaxPool) needs(x, dy *tensor) {
	h, w := p.window().axes(x.Shape, dy.Shape)
	var pad Padding
	pad.Top, pad.Bottom = h.backwardHalo()
	pad.Left, pad.Right = w.backwardHalo()
	dy.need(pad)
}

func (w window) axes(in, out Shape) (h, v axis) {
	return axis{w.kh, w.sh, 1, w.pad.Top, in.H, out.H}, axis{w.kw, w.sw, 1, w.pad.Left, in.W, out.W}
}

// inside is the part of window number o that is inside the input.
func (a axis) inside(o int) (k0, k1 int) {
	first := o*a.s - a.pad
	return max(0, -first), min(a.k, a.in-first)
}

// maxForwardStep finds each window's largest entry and its number.
type maxForwardStep struct {
	rowStep
	w           window
	x, y, index *tensor
}

func (s *maxForwardStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H, s.y.W*s.y.cs*s.w.kh*s.w.kw, threads)}}
}

func (s *maxForwardStep) run(wk *worker, unit int) {
	ah, aw := s.w.axes(s.x.Shape, s.y.Shape)
	x, y, index := wk.of(s.x), wk.of(s.y), wk.of(s.index)
	a := &wk.args
	a.taps = unsafe.Pointer(&wk.taps[0])
	a.xpix, a.ypix, a.ipix = bytes(s.w.sw*s.x.cs), bytes(s.y.cs), bytes(s.index.cs)
	a.vecs = s.y.cs / wk.r.plan.kernels.lanes
	s.each(unit, func(image, oh int) {
		h0, h1 := ah.inside(oh)
		for ow := 0; ow < s.y.W; {
			w0, w1 := aw.inside(ow)
			a.tiles = 1
			// Whole windows go in one call.
			for w1-w0 == aw.k && ow+a.tiles < s.y.W {
				if n0, n1 := aw.inside(ow + a.tiles); n1-n0 != aw.k {
					break
				}
				a.tiles++
			}
			taps := wk.taps[:0]
			for kh := h0; kh < h1; kh++ {
				for kw := w0; kw < w1; kw++ {
					taps = append(taps, poolTap{off: int64(4 * ((kh-h0)*s.x.row + (kw-w0)*s.x.cs)), number: float32(kh*aw.k + kw)})
				}
			}
			a.ntaps = len(taps)
			a.x = unsafe.Pointer(&x[image*s.x.size+s.x.origin+(oh*ah.s-ah.pad+h0)*s.x.row+(ow*aw.s-aw.pad+w0)*s.x.cs])
			a.y = unsafe.Pointer(&y[image*s.y.size+s.y.origin+oh*s.y.row+ow*s.y.cs])
			a.index = unsafe.Pointer(&index[image*s.index.size+s.index.origin+oh*s.index.row+ow*s.index.cs])
			wk.r.plan.kernels.maxForward(a)
			ow += a.tiles
		}
	})
}

// maxBackwardStep collects the gradients of the windows that chose each entry,
// for the entries of one phase (rows ph, ph+sh, ... and columns likewise).
type maxBackwardStep struct {
	rowStep
	dy, index          *tensor
	y, add, mask       view
	hi                 float32
	taps               []poolTap
	rowCount, colCount int
}

func (pl *plan) maxBackward(w window, ly *layer) {
	v, dy := ly.in[0], ly.out.pending
	if dy != ly.out.g {
		pl.backward = append(pl.backward, &addStep{y: ly.out.g, a: dy})
		dy = ly.out.g
	}
	to := pl.contribute(v)
	ah, aw := w.axes(v.shape, ly.out.shape)
	for ph := 0; ph < w.sh; ph++ {
		for pw := 0; pw < w.sw; pw++ {
			th, rows := ah.phase(ph)
			tw, cols := aw.phase(pw)
			if rows == 0 || cols == 0 {
				continue
			}
			s := &maxBackwardStep{dy: dy, index: ly.index, hi: to.hi, rowCount: rows, colCount: cols}
			s.y = to.y.grid(ph, pw, w.sh, w.sw)
			if to.add != nil {
				s.add = to.add.grid(ph, pw, w.sh, w.sw)
			}
			if to.mask != nil {
				s.mask = to.mask.grid(ph, pw, w.sh, w.sw)
			}
			for _, h := range th {
				for _, v := range tw {
					s.taps = append(s.taps, poolTap{off: int64(4 * (h.off*dy.row + v.off*dy.cs)), number: float32(h.k*w.kw + v.k)})
				}
			}
			pl.backward = append(pl.backward, s)
		}
	}
}

func (s *maxBackwardStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.rowCount, s.colCount*s.dy.cs*max(1, len(s.taps)), threads)}}
}

func (s *maxBackwardStep) run(wk *worker, unit int) {
	a := &wk.args
	a.taps, a.ntaps = nil, len(s.taps)
	if len(s.taps) > 0 {
		a.taps = unsafe.Pointer(&s.taps[0])
	}
	a.hi = s.hi
	a.xpix, a.ipix, a.ypix = bytes(s.dy.cs), bytes(s.index.cs), bytes(s.y.pix)
	a.vecs = s.dy.cs / wk.r.plan.kernels.lanes
	a.tiles = s.colCount
	dy, index, y := wk.of(s.dy), wk.of(s.index), wk.of(s.y.t)
	s.each(unit, func(image, row int) {
		a.x = unsafe.Pointer(&dy[image*s.dy.size+s.dy.origin+row*s.dy.row])
		a.index = unsafe.Pointer(&index[image*s.index.size+s.index.origin+row*s.index.row])
		a.y = unsafe.Pointer(&y[image*s.y.t.size+s.y.off+row*s.y.row])
		a.add, a.mask = nil, nil
		if s.add.t != nil {
			a.add, a.apix = unsafe.Pointer(&wk.of(s.add.t)[image*s.add.t.size+s.add.off+row*s.add.row]), bytes(s.add.pix)
		}
		if s.mask.t != nil {
			a.mask, a.mpix = unsafe.Pointer(&wk.of(s.mask.t)[image*s.mask.t.size+s.mask.off+row*s.mask.row]), bytes(s.mask.pix)
		}
		wk.r.plan.kernels.maxBackward(a)
	})
}
