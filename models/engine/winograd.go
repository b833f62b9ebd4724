package engine

// Winograd's minimal filtering F(m x m, 3x3) (Lavin and Gray, 2016, section 4
// and eqs. 8-10): a tile of (m+2)x(m+2) inputs gives m x m outputs with as many
// products per pair of channels as it has inputs: 36 for m = 4, where the direct
// way needs 144, and 49 for m = 5 instead of 225.
//
//	Y = A' [ sum over channels of (G g G') * (B' d B) ] A
//
// The backward pass of a convolution by g is one by g turned by half a circle,
// over a gradient with two more rows and columns on each side; or the transpose
// of the equation, which needs the tiles of the forward pass, fewer where there
// is no padding. Tiles of dX overlap then and are added up:
//
//	dX = sum over tiles of B [ sum over channels of (G g G') * (A dY A') ] B'

// winoForm is one m.
type winoForm struct {
	// tile is m, side m + 2, cells the number of products.
	tile, side, cells int
	// transform is what transforming a number costs, in products.
	transform int
	// g is G: the powers of each point, over the product of its distances from
	// the others; of infinity, the last, the highest power alone.
	g [][3]float64
}

// The points decide the accuracy. Among multiples of 1/16, with which float32
// computes exactly, these are about the best: relative errors of 128 channels are
// 8e-7 forward and 1.0e-6 backward for m = 4, and 1.7e-6 and 2.2e-6 for m = 5
// (TestWinogradErrors). With the usual 0, 1, -1, 2, -2 they are 1.8e-6 and 2.3e-6,
// and with -1/2 besides 2.9e-6 and 3.6e-6. The points are in
// generic_winograd.go, and the assembly has the same.
var (
	wino4 = newWinoForm(6, 0, p4, -p4, q4, -q4)
	wino5 = newWinoForm(7, p5, -p5, q5, -q5, r5, -r5)
	// winoForms is in the order of kernelSet's.
	winoForms = [2]*winoForm{wino4, wino5}
)

// maxCells is the largest number of products.
const maxCells = 49

func newWinoForm(transform int, points ...float64) *winoForm {
	side := len(points) + 1
	f := &winoForm{tile: side - 2, side: side, cells: side * side, transform: transform}
	for i, p := range points {
		n := 1.0
		for j, q := range points {
			if i != j {
				n *= p - q
			}
		}
		f.g = append(f.g, [3]float64{1 / n, p / n, float64(p*p) / n})
	}
	f.g = append(f.g, [3]float64{0, 0, 1})
	return f
}

// filter writes G g G' for a 3x3 filter, to u[0], u[step], ...
func (f *winoForm) filter(g [3][3]float64, u []float32, step int) {
	for i := range f.side {
		var t [3]float64
		for j := range t {
			for k := range 3 {
				t[j] += float64(f.g[i][k] * g[k][j])
			}
		}
		for j := range f.side {
			sum := 0.0
			for k := range 3 {
				sum += float64(t[k] * f.g[j][k])
			}
			u[(i*f.side+j)*step] = float32(sum)
		}
	}
}

// tiles is the number of tiles over an image, per axis.
func (f *winoForm) tiles(s Shape) (h, w int) {
	return (s.H + f.tile - 1) / f.tile, (s.W + f.tile - 1) / f.tile
}

// winoWay is how a pass of a convolution is done: in tiles of a form over the
// result, or adjoint, over the gradient it comes from.
type winoWay struct {
	form    *winoForm
	adjoint bool
}

// mostOverlapping is the largest number of an image's tiles that overlap: one
// worker adds them up, and larger images have little to gain.
const mostOverlapping = 64

// winograd is the cheapest way from x to y, nil if that is the direct one. What
// a batch could share does not count, since the choice must not depend on the
// batch.
func (pl *plan) winograd(c *Conv, x, y Shape, backward bool) *winoWay {
	if pl.profile.Algorithm != Winograd ||
		c.KernelH != 3 || c.KernelW != 3 || c.StrideH != 1 || c.StrideW != 1 || c.DilationH != 1 || c.DilationW != 1 || c.Groups != 1 ||
		max(c.Pad.Top, c.Pad.Bottom, c.Pad.Left, c.Pad.Right) > 2 || x.C <= thin {
		return nil
	}
	// Of the widest family's lanes, so that all families choose the same.
	const lanes = 16
	cx, cy := roundUp(x.C, lanes), roundUp(y.C, lanes)
	direct := y.H * y.W * 9 * x.C * cy
	best, way := direct*8/10, (*winoWay)(nil)
	consider := func(f *winoForm, adjoint bool) {
		tiled := y
		if adjoint {
			tiled = x
		}
		h, w := f.tiles(tiled)
		if adjoint && h*w > mostOverlapping {
			return
		}
		if cost := h * w * f.cells * (x.C*cy + f.transform*(cx+cy)); cost < best {
			best, way = cost, &winoWay{f, adjoint}
		}
	}
	for _, f := range winoForms {
		consider(f, false)
		if backward && c.Pad.Top == 0 && c.Pad.Left == 0 {
			consider(f, true)
		}
	}
	return way
}

// halo widens x for tiles that begin top and left before the outputs of shape y
// and reach past their end.
func (way *winoWay) halo(x *tensor, top, left int, y Shape) {
	f := way.form
	if way.adjoint {
		x.need(Padding{Bottom: roundUp(x.H, f.tile) - x.H, Right: roundUp(x.W, f.tile) - x.W})
		return
	}
	th, tw := roundUp(y.H, f.tile), roundUp(y.W, f.tile)
	x.need(Padding{Top: top, Left: left, Bottom: max(0, th+2-top-x.H), Right: max(0, tw+2-left-x.W)})
}

// winoPanel is a block of output channels: u is [cells][channels][nv*lanes].
type winoPanel struct {
	nv, col int
	u, bias []float32
}

// winoStep is a 3x3 convolution of stride 1, forward or backward.
type winoStep struct {
	*winoWay
	backward        bool
	x, y, add, mask *tensor
	// top and left are the rows and columns before the first output that its
	// window begins.
	top, left  int
	act        bool
	hi, maskHi float32
	channels   int // of x
	panels     []winoPanel
}

// addPanels makes the panels of a convolution and packs them.
func (s *winoStep) addPanels(pl *plan, c *Conv, bias []float32) {
	s.channels = c.In
	out := c.Out
	if s.backward {
		s.channels, out = out, s.channels
	}
	lanes := pl.kernels.lanes
	for c0 := 0; c0 < out; {
		nv := min(pl.nvMax(), (out-c0+lanes-1)/lanes)
		width := nv * lanes
		p := winoPanel{nv: nv, col: c0, u: pl.weights.take(s.form.cells * s.channels * width), bias: make([]float32, width)}
		if bias != nil {
			copy(p.bias, bias[c0:])
		}
		s.panels = append(s.panels, p)
		c0 += width
	}
	share(len(s.panels), 16*c.In*c.Out, func(i int) { s.pack(c, &s.panels[i]) })
}

// pack transforms the panel's filters of a convolution, those of a few channels at
// a time, so that runs of some length are written.
func (s *winoStep) pack(c *Conv, p *winoPanel) {
	const most, few = 32, 8 // channels of a panel: two vectors
	width, out := len(p.bias), c.Out
	if s.backward {
		out = c.In
	}
	var cells [maxCells * few * most]float32
	for i0 := 0; i0 < s.channels; i0 += few {
		some := min(few, s.channels-i0)
		for i := range some {
			for o := p.col; o < min(p.col+width, out); o++ {
				s.form.filter(s.filter(c, i0+i, o), cells[i*width+o-p.col:], few*most)
			}
		}
		for k := range s.form.cells {
			copy(p.u[(k*s.channels+i0)*width:][:some*width], cells[k*few*most:])
		}
	}
}

// filter leads from channel i of x to channel o of y.
func (s *winoStep) filter(c *Conv, i, o int) (g [3][3]float64) {
	for h := range g {
		for w := range g[h] {
			switch {
			case !s.backward:
				g[h][w] = float64(c.at(o, i, h, w))
			case s.adjoint:
				g[h][w] = float64(c.at(i, o, h, w))
			default:
				g[h][w] = float64(c.at(i, o, 2-h, 2-w))
			}
		}
	}
	return g
}

func (pl *plan) winoForward(way *winoWay, c *Conv, ly *layer) maker {
	s := &winoStep{winoWay: way, x: ly.in[0].t, y: ly.out.t, top: c.Pad.Top, left: c.Pad.Left, act: ly.act, hi: ly.hi}
	if ly.residual != nil {
		s.add = ly.residual.t
	}
	s.addPanels(pl, c, c.B)
	return s
}

func (pl *plan) winoBackward(way *winoWay, c *Conv, ly *layer) {
	to := pl.contribute(ly.in[0])
	s := &winoStep{winoWay: way, backward: true, x: ly.out.pending, y: to.y, add: to.add, mask: to.mask, maskHi: to.hi, top: 2 - c.Pad.Top, left: 2 - c.Pad.Left}
	s.addPanels(pl, c, nil)
	pl.backward = append(pl.backward, s)
}
