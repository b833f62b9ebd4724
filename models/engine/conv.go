package engine

// Convolutions and dense layers as tapSteps.

// floorDiv and mod are division and remainder towards minus infinity.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func mod(a, b int) int { return a - floorDiv(a, b)*b }

// axis is one dimension of a convolution.
type axis struct{ k, s, d, pad, in, out int }

func (c *Conv) axes(in, out Shape) (h, w axis) {
	return axis{c.KernelH, c.StrideH, c.DilationH, c.Pad.Top, in.H, out.H}, axis{c.KernelW, c.StrideW, c.DilationW, c.Pad.Left, in.W, out.W}
}

// forwardHalo is how far windows reach beyond the input.
func (a axis) forwardHalo() (lo, hi int) {
	return a.pad, max(0, (a.out-1)*a.s+(a.k-1)*a.d-a.pad-(a.in-1))
}

// phaseTap says that input entries phase, phase+s, ... receive kernel entry k
// from output entries off, off+1, ...
type phaseTap struct{ k, off int }

// phase lists the taps of the input entries ph, ph+s, ... in order of the
// output they read, and the number of these entries.
func (a axis) phase(ph int) (taps []phaseTap, n int) {
	for k := a.k - 1; k >= 0; k-- {
		if d := ph + a.pad - k*a.d; mod(d, a.s) == 0 {
			taps = append(taps, phaseTap{k, floorDiv(d, a.s)})
		}
	}
	if ph < a.in {
		n = (a.in - ph + a.s - 1) / a.s
	}
	return taps, n
}

// backwardHalo is how far the gradient's windows reach beyond the output.
func (a axis) backwardHalo() (lo, hi int) {
	for ph := 0; ph < a.s; ph++ {
		taps, n := a.phase(ph)
		for _, t := range taps {
			if n > 0 {
				lo, hi = max(lo, -t.off), max(hi, t.off+n-1-(a.out-1))
			}
		}
	}
	return lo, hi
}

// convHalo widens the halos of the input and of the output's gradient.
func (pl *plan) convHalo(c *Conv, ly *layer) {
	x, dy := ly.in[0].t, ly.out.g
	h, w := c.axes(x.Shape, dy.Shape)
	var p Padding
	p.Top, p.Bottom = h.forwardHalo()
	p.Left, p.Right = w.forwardHalo()
	x.need(p)
	if way := pl.winograd(c, x.Shape, dy.Shape, false); way != nil {
		way.halo(x, c.Pad.Top, c.Pad.Left, dy.Shape)
	}
	if c.byPixel(x) {
		return
	}
	if way := pl.winograd(c, dy.Shape, x.Shape, true); way != nil {
		way.halo(dy, 2-c.Pad.Top, 2-c.Pad.Left, x.Shape)
		return
	}
	p.Top, p.Bottom = h.backwardHalo()
	p.Left, p.Right = w.backwardHalo()
	dy.need(p)
}

// byPixel reports that the backward pass multiplies each pixel of dy by all
// taps and scatters: the way for images of a few channels, which would
// otherwise fill a fraction of a vector.
func (c *Conv) byPixel(x *tensor) bool { return x.thin }

// isDepthwise reports that every channel is convolved by itself.
func (pl *plan) isDepthwise(c *Conv, x *tensor) bool {
	return c.Groups == c.In && c.In == c.Out && x.whole() && pl.kernels.depthwise != nil
}

// group is the range of input channels that output channels [c0,c1) read.
func (c *Conv) group(c0, c1 int) (lo, hi int) {
	cog, cig := c.Out/c.Groups, c.In/c.Groups
	return c0 / cog * cig, ((c1-1)/cog + 1) * cig
}

// at is the weight from input channel i to output channel o, 0 across groups.
func (c *Conv) at(o, i, kh, kw int) float32 {
	cog, cig := c.Out/c.Groups, c.In/c.Groups
	if o/cog != i/cig {
		return 0
	}
	return c.W[((o*cig+i%cig)*c.KernelH+kh)*c.KernelW+kw]
}

func (pl *plan) nvMax() int {
	if pl.kernels.tile[2] != nil {
		return 2
	}
	return 1
}

// longRow is the number of pixels from which a row alone keeps the tiles full;
// the rows of larger images are shared among the workers.
const longRow = 28

// flattenRows makes one row of all pixels where the image is narrow and no
// operand has a halo.
func (s *tapStep) flattenRows() {
	if s.cols >= longRow {
		return
	}
	vs := []*view{&s.x, &s.y, &s.add, &s.mask}
	for _, v := range vs {
		if v.t != nil && v.row != s.cols*v.pix {
			return
		}
	}
	for _, v := range vs {
		v.row = 0
	}
	s.rows, s.cols = 1, s.rows*s.cols
}

func (pl *plan) convForward(c *Conv, ly *layer) maker {
	if way := pl.winograd(c, ly.in[0].shape, ly.out.shape, false); way != nil {
		return pl.winoForward(way, c, ly)
	}
	x, y := ly.in[0].t, ly.out.t
	s := &tapStep{
		x: x.grid(-c.Pad.Top, -c.Pad.Left, c.StrideH, c.StrideW), y: y.grid(0, 0, 1, 1),
		rows: y.H, cols: y.W, act: ly.act, hi: ly.hi,
	}
	if ly.residual != nil {
		s.add = ly.residual.t.grid(0, 0, 1, 1)
	}
	if pl.isDepthwise(c, x) {
		s.depthwise = true
		s.panels = pl.packPanels(1, c.Out, c.B,
			func(c0, _ int) (taps []int64, k int) {
				for kh := 0; kh < c.KernelH; kh++ {
					for kw := 0; kw < c.KernelW; kw++ {
						taps = append(taps, int64(4*(kh*c.DilationH*x.row+kw*c.DilationW*x.cs+c0)))
					}
				}
				return taps, 1
			},
			func(_, t, _, o int) float32 { return c.at(o, o, t/c.KernelW, t%c.KernelW) })
		return s
	}
	// With all channels of neighbouring columns side by side, a row of the
	// kernel is one tap.
	merged := x.cs == x.C && c.DilationW == 1 && c.Groups == 1
	ktaps := func(c0, c1 int) (taps []int64, k int) {
		lo, hi := c.group(c0, c1)
		for kh := 0; kh < c.KernelH; kh++ {
			row := kh * c.DilationH * x.row
			if merged {
				taps = append(taps, int64(4*row))
				continue
			}
			for kw := 0; kw < c.KernelW; kw++ {
				taps = append(taps, int64(4*(row+kw*c.DilationW*x.cs+lo)))
			}
		}
		if merged {
			return taps, c.KernelW * x.C
		}
		return taps, hi - lo
	}
	if c.Groups > 1 {
		s.panels = pl.packPanels(pl.nvMax(), c.Out, c.B, ktaps, func(c0, t, k, o int) float32 {
			lo, _ := c.group(c0, min(c0+1, c.Out))
			return c.at(o, lo+k, t/c.KernelW, t%c.KernelW)
		})
	} else {
		taps, k := ktaps(0, c.Out)
		area := c.KernelH * c.KernelW
		entries := table(len(taps)*k, func(j int) int { return j%c.In*area + j/c.In })
		s.panels = pl.packTable(c.B, taps, k, table(c.Out, func(o int) int { return o * c.In * area }), entries, c.W)
	}
	s.flattenRows()
	return s
}

// table has f(0) to f(n-1).
func table(n int, f func(i int) int) []int {
	t := make([]int, n)
	for i := range t {
		t[i] = f(i)
	}
	return t
}

func (pl *plan) convBackward(c *Conv, ly *layer) {
	v, dy := ly.in[0], ly.out.pending
	if c.byPixel(v.t) {
		pl.convBackwardByPixel(c, ly)
		return
	}
	if way := pl.winograd(c, ly.out.shape, v.shape, true); way != nil {
		pl.winoBackward(way, c, ly)
		return
	}
	to := pl.contribute(v)
	ah, aw := c.axes(v.shape, ly.out.shape)
	for ph := 0; ph < c.StrideH; ph++ {
		for pw := 0; pw < c.StrideW; pw++ {
			th, rows := ah.phase(ph)
			tw, cols := aw.phase(pw)
			if rows == 0 || cols == 0 {
				continue
			}
			grid := func(t *tensor) view {
				if t == nil {
					return view{}
				}
				return t.grid(ph, pw, c.StrideH, c.StrideW)
			}
			s := &tapStep{x: dy.grid(0, 0, 1, 1), y: grid(to.y), add: grid(to.add), mask: grid(to.mask), maskHi: to.hi, rows: rows, cols: cols}
			if pl.isDepthwise(c, v.t) {
				s.depthwise = true
				s.panels = pl.packPanels(1, c.In, nil,
					func(c0, _ int) (taps []int64, k int) {
						for _, h := range th {
							for _, w := range tw {
								taps = append(taps, int64(4*(h.off*dy.row+w.off*dy.cs+c0)))
							}
						}
						return taps, 1
					},
					func(_, t, _, i int) float32 { return c.at(i, i, th[t/len(tw)].k, tw[t%len(tw)].k) })
				pl.backward = append(pl.backward, s)
				continue
			}
			merged := dy.cs == dy.C && c.Groups == 1 && consecutive(tw)
			ktaps := func(c0, c1 int) (taps []int64, k int) {
				lo, hi := c.groupBack(c0, c1)
				for _, h := range th {
					for _, w := range tw {
						taps = append(taps, int64(4*(h.off*dy.row+w.off*dy.cs+lo)))
						if merged {
							break
						}
					}
				}
				if merged {
					return taps, len(tw) * dy.C
				}
				return taps, hi - lo
			}
			if c.Groups > 1 {
				s.panels = pl.packPanels(pl.nvMax(), c.In, nil, ktaps, func(c0, t, k, i int) float32 {
					lo, _ := c.groupBack(c0, c0+1)
					return c.at(lo+k, i, th[t/len(tw)].k, tw[t%len(tw)].k)
				})
			} else {
				taps, k := ktaps(0, c.In)
				area := c.KernelH * c.KernelW
				entries := table(len(taps)*k, func(j int) int {
					t := j / c.Out // taps that are merged are counted one by one too
					return j%c.Out*c.In*area + th[t/len(tw)].k*c.KernelW + tw[t%len(tw)].k
				})
				s.panels = pl.packTable(nil, taps, k, table(c.In, func(i int) int { return i * area }), entries, c.W)
			}
			s.flattenRows()
			pl.backward = append(pl.backward, s)
		}
	}
}

// groupBack is the range of output channels that input channels [c0,c1) reach.
func (c *Conv) groupBack(c0, c1 int) (lo, hi int) {
	cog, cig := c.Out/c.Groups, c.In/c.Groups
	return c0 / cig * cog, ((c1-1)/cig + 1) * cog
}

// consecutive reports that taps read one pixel after the other.
func consecutive(taps []phaseTap) bool {
	for i := range taps {
		if taps[i].off != taps[0].off+i {
			return false
		}
	}
	return len(taps) > 0
}

// convBackwardByPixel computes, for every pixel of dy, its products with all
// KernelH*KernelW*C weights, and then adds them where they belong.
func (pl *plan) convBackwardByPixel(c *Conv, ly *layer) {
	v, dy := ly.in[0], ly.out.pending
	n := c.KernelH * c.KernelW * c.In
	products := pl.tensor(Shape{n, dy.H, dy.W})
	products.layOut()
	s := &tapStep{x: dy.grid(0, 0, 1, 1), y: products.grid(0, 0, 1, 1), rows: dy.H, cols: dy.W}
	cell := func(j int) (kh, kw, ci int) { return j / (c.KernelW * c.In), j / c.In % c.KernelW, j % c.In }
	s.panels = pl.packPanels(pl.nvMax(), n, nil,
		func(int, int) ([]int64, int) { return []int64{0}, c.Out },
		func(_, _, o, j int) float32 { kh, kw, ci := cell(j); return c.at(o, ci, kh, kw) })
	s.flattenRows()
	to := pl.contribute(v)
	pl.backward = append(pl.backward, s, &scatterStep{c: c, p: products, y: to.y, add: to.add})
}

// denseIndex maps the place of an entry of t (row h, offset j in the row) to
// its index in the flattened (C,H,W) order, or -1 for padding.
func denseIndex(t *tensor, h, j int) int {
	c, w := j%t.cs, j/t.cs
	if c >= t.C {
		return -1
	}
	return (c*t.H+h)*t.W + w
}

func (pl *plan) denseForward(d *Dense, ly *layer) maker {
	x, y := ly.in[0].t, ly.out.t
	s := &tapStep{x: x.images(), y: y.images(), rows: 1, act: ly.act, hi: ly.hi}
	ktaps := func(int, int) (taps []int64, k int) {
		if x.bare() {
			return []int64{0}, x.H * x.W * x.cs
		}
		for h := 0; h < x.H; h++ {
			taps = append(taps, int64(4*h*x.row))
		}
		return taps, x.W * x.cs
	}
	taps, k := ktaps(0, d.Out)
	entries := table(len(taps)*k, func(j int) int { return denseIndex(x, j/(x.W*x.cs), j%(x.W*x.cs)) })
	s.panels = pl.packTable(d.B, taps, k, table(d.Out, func(o int) int { return o * d.In }), entries, d.W)
	return s
}

func (pl *plan) denseBackward(d *Dense, ly *layer) {
	v, dy := ly.in[0], ly.out.pending
	// Without a halo the image is one row, whose last vector may reach into
	// the padding at its end.
	rows, width := v.shape.H, v.shape.W*v.t.cs
	if v.t.bare() && v.g.bare() {
		rows, width = 1, rows*width
	} else if !v.t.whole() {
		pl.refBackward(ly)
		return
	}
	to := pl.contribute(v)
	images := func(t *tensor) view {
		if t == nil {
			return view{}
		}
		return t.images()
	}
	s := &tapStep{x: dy.images(), y: images(to.y), add: images(to.add), mask: images(to.mask), maskHi: to.hi, rows: 1}
	for h := 0; h < rows; h++ {
		// A row longer than the image's runs through all rows.
		columns := table(width, func(j int) int { return denseIndex(v.t, h+j/(v.shape.W*v.t.cs), j%(v.shape.W*v.t.cs)) })
		row := pl.packTable(nil, []int64{0}, d.Out, columns, table(d.Out, func(o int) int { return o * d.In }), d.W)
		for i := range row {
			row[i].row = h
		}
		s.panels = append(s.panels, row...)
	}
	pl.backward = append(pl.backward, s)
}
