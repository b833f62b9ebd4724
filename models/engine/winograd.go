package engine

import "unsafe"

// Winograd's minimal filtering F(4x4,3x3) (Lavin and Gray, 2016, section 4.2
// and eqs. 8-10): a tile of 6x6 inputs gives 4x4 outputs with 36 products per
// pair of channels, where the direct way needs 144.
//
//	Y = A' [ sum over channels of (G g G') * (B' d B) ] A
//
// A block of tiles goes through three stages: the input transform of all its
// channels, then for each panel of output channels the products (36 matrix
// products by the tile kernel) and the output transform with its epilogue.

// winoArgs is what the transforms get. The assembly knows these offsets.
// Distances are in bytes.
type winoArgs struct {
	p        unsafe.Pointer // the tile's first pixel in the image
	row, pix uintptr
	t        unsafe.Pointer // the tile's first of 36 products
	slab     uintptr        // from one product to the next
	vecs     int            // vectors of channels
	scratch  unsafe.Pointer // 36 vectors
	bias     unsafe.Pointer
	add      unsafe.Pointer // or nil
	arow     uintptr
	apix     uintptr
	mask     unsafe.Pointer // or nil
	mrow     uintptr
	mpix     uintptr
	act      uintptr // 0 none, 1 clamp to [0, hi]
	rows     int     // rows and columns of the tile inside the image
	cols     int
	hi       float32
	consts   [4]float32
}

const (
	winoTile  = 4                   // outputs of a tile, per side
	winoSide  = winoTile + 2        // inputs
	winoCells = winoSide * winoSide // products
)

// winoG is G: the transform of the weights.
var winoG = [winoSide][3]float64{
	{1. / 4, 0, 0},
	{-1. / 6, -1. / 6, -1. / 6},
	{-1. / 6, 1. / 6, -1. / 6},
	{1. / 24, 1. / 12, 1. / 6},
	{1. / 24, -1. / 12, 1. / 6},
	{0, 0, 1},
}

// winoFilter returns G g G' for a 3x3 filter.
func winoFilter(g [3][3]float64) (u [winoCells]float32) {
	var t [winoSide][3]float64
	for i := range t {
		for j := range 3 {
			for k := range 3 {
				t[i][j] += float64(winoG[i][k] * g[k][j])
			}
		}
	}
	for i := range winoSide {
		for j := range winoSide {
			sum := 0.0
			for k := range 3 {
				sum += float64(t[i][k] * winoG[j][k])
			}
			u[i*winoSide+j] = float32(sum)
		}
	}
	return u
}

// winoPanel is a block of output channels: u is [36][channels][nv*lanes].
type winoPanel struct {
	nv, col int
	u, bias []float32
}

// winoStep is a 3x3 convolution of stride 1, forward or backward.
type winoStep struct {
	x, y, add, mask *tensor
	// top and left are the rows and columns before the first output that its
	// window begins.
	top, left  int
	act        bool
	hi, maskHi float32
	channels   int // of x
	panels     []winoPanel
}

// tiles is the number of tiles of an image, per axis.
func (s *winoStep) tiles() (h, w int) {
	return (s.y.H + winoTile - 1) / winoTile, (s.y.W + winoTile - 1) / winoTile
}

// winograd reports that Winograd is worth it: its products and transforms cost
// less than the direct products. What a batch could share does not count,
// since the choice must not depend on the batch.
func (pl *plan) winograd(c *Conv, in, out Shape) bool {
	if pl.profile.Algorithm != Winograd || pl.kernels.winoIn == nil ||
		c.KernelH != 3 || c.KernelW != 3 || c.StrideH != 1 || c.StrideW != 1 || c.DilationH != 1 || c.DilationW != 1 || c.Groups != 1 ||
		max(c.Pad.Top, c.Pad.Bottom, c.Pad.Left, c.Pad.Right) > 2 || in.C <= thin {
		return false
	}
	lanes := pl.kernels.lanes
	ci, co := roundUp(in.C, lanes), roundUp(out.C, lanes)
	tiles := (out.H + winoTile - 1) / winoTile * ((out.W + winoTile - 1) / winoTile)
	const transform = 6 // products' worth of one transformed number
	direct := out.H * out.W * 9 * in.C * co
	fast := tiles * winoCells * (in.C*co + transform*(ci+co))
	return 10*fast < 8*direct
}

// winoHalo widens x for tiles that begin top and left before the outputs of
// shape out and reach past their end.
func winoHalo(x *tensor, top, left int, out Shape) {
	th, tw := roundUp(out.H, winoTile), roundUp(out.W, winoTile)
	x.need(Padding{Top: top, Left: left, Bottom: max(0, th+2-top-x.H), Right: max(0, tw+2-left-x.W)})
}

// winoPanels transforms and packs the filters; filter gives the one from input
// channel i to output channel o.
func (pl *plan) winoPanels(in, out int, bias []float32, filter func(i, o int) [3][3]float64) []winoPanel {
	lanes := pl.kernels.lanes
	var panels []winoPanel
	for c0 := 0; c0 < out; {
		nv := min(pl.nvMax(), (out-c0+lanes-1)/lanes)
		width := nv * lanes
		p := winoPanel{nv: nv, col: c0, u: pl.weights.take(winoCells * in * width), bias: make([]float32, width)}
		for o := c0; o < min(c0+width, out); o++ {
			if bias != nil {
				p.bias[o-c0] = bias[o]
			}
			for i := range in {
				for k, v := range winoFilter(filter(i, o)) {
					p.u[(k*in+i)*width+o-c0] = v
				}
			}
		}
		panels = append(panels, p)
		c0 += width
	}
	return panels
}

func (pl *plan) winoForward(c *Conv, ly *layer) maker {
	s := &winoStep{x: ly.in[0].t, y: ly.out.t, top: c.Pad.Top, left: c.Pad.Left, act: ly.act, hi: ly.hi, channels: c.In}
	if ly.residual != nil {
		s.add = ly.residual.t
	}
	s.panels = pl.winoPanels(c.In, c.Out, c.B, func(i, o int) (g [3][3]float64) {
		for h := range g {
			for w := range g[h] {
				g[h][w] = float64(c.at(o, i, h, w))
			}
		}
		return g
	})
	return s
}

func (pl *plan) winoBackward(c *Conv, ly *layer) {
	to := pl.contribute(ly.in[0])
	s := &winoStep{x: ly.out.pending, y: to.y, add: to.add, mask: to.mask, maskHi: to.hi, top: 2 - c.Pad.Top, left: 2 - c.Pad.Left, channels: c.Out}
	s.panels = pl.winoPanels(c.Out, c.In, nil, func(o, i int) (g [3][3]float64) {
		for h := range g {
			for w := range g[h] {
				g[h][w] = float64(c.at(o, i, 2-h, 2-w))
			}
		}
		return g
	})
	pl.backward = append(pl.backward, s)
}

// winoRun is a winoStep for one batch size.
type winoRun struct {
	*winoStep
	th, tw, total int
	// A block is up to perBlock tiles of consecutive numbers.
	blocks, perBlock int
	// slab and pslab are the distances between the 36 inputs and products of a
	// tile, in floats.
	slab, pslab int
}

// winoBytes is how much memory the transformed input of a block may take: half
// of a core's level-2 cache of 1 MB.
const winoBytes = 512 << 10

func (s *winoStep) prepare(f *fast, batch, threads int) []scheduled {
	r := &winoRun{winoStep: s}
	r.th, r.tw = s.tiles()
	r.total = batch * r.th * r.tw
	most := min(max(winoBytes/(4*winoCells*s.x.cs), 14), 56)
	r.blocks = (r.total + most - 1) / most
	if threads > 1 && r.blocks > 1 {
		r.blocks = roundUp(r.blocks, threads)
	}
	r.perBlock = (r.total + r.blocks - 1) / r.blocks
	r.blocks = (r.total + r.perBlock - 1) / r.perBlock
	// The odd line keeps the slabs off each other's cache sets.
	r.slab = r.perBlock*s.x.cs + lineFloats
	width := f.plan.nvMax() * f.plan.kernels.lanes
	r.pslab = r.perBlock*width + lineFloats
	f.wino = max(f.wino, winoCells*r.pslab)
	if threads == 1 || r.blocks >= 3*threads || r.blocks%threads == 0 {
		f.winoIn = max(f.winoIn, winoCells*r.slab)
		return []scheduled{{&winoBlocks{r}, r.blocks}}
	}
	f.shared = max(f.shared, r.blocks*winoCells*r.slab)
	in := &winoInputs{winoRun: r}
	units := in.cut(1, r.total, s.x.cs*winoCells*6, threads)
	return []scheduled{{in, units}, {&winoProducts{r}, r.blocks * len(s.panels)}}
}

// winoBlocks does whole blocks.
type winoBlocks struct{ *winoRun }

func (s *winoBlocks) run(w *worker, block int) {
	first, n := block*s.perBlock, min(s.perBlock, s.total-block*s.perBlock)
	for i := range n {
		s.input(w, w.winoIn[i*s.x.cs:], first+i)
	}
	for p := range s.panels {
		s.output(w, w.winoIn, first, n, &s.panels[p])
	}
}

// winoInputs and winoProducts are the stages one by one, for batches of few
// tiles: all workers transform, then each takes panels.
type winoInputs struct {
	rowStep
	*winoRun
}

func (s *winoInputs) run(w *worker, unit int) {
	s.each(unit, func(_, tile int) {
		block := tile / s.perBlock
		s.input(w, w.r.sharedIn[block*winoCells*s.slab+(tile-block*s.perBlock)*s.x.cs:], tile)
	})
}

type winoProducts struct{ *winoRun }

func (s *winoProducts) run(w *worker, unit int) {
	block := unit / len(s.panels)
	first, n := block*s.perBlock, min(s.perBlock, s.total-block*s.perBlock)
	s.output(w, w.r.sharedIn[block*winoCells*s.slab:], first, n, &s.panels[unit%len(s.panels)])
}

// place finds a tile: its image and the position of its first output.
func (s *winoRun) place(tile int) (image, row, col int) {
	image, tile = tile/(s.th*s.tw), tile%(s.th*s.tw)
	return image, tile / s.tw * winoTile, tile % s.tw * winoTile
}

// input transforms a tile; its 36 inputs begin at v[0], v[slab], ...
func (s *winoRun) input(w *worker, v []float32, tile int) {
	image, row, col := s.place(tile)
	x := s.x
	a := &w.wino
	a.p = unsafe.Pointer(&w.of(x)[image*x.size+x.origin+(row-s.top)*x.row+(col-s.left)*x.cs])
	a.row, a.pix = bytes(x.row), bytes(x.cs)
	a.t, a.slab = unsafe.Pointer(&v[0]), bytes(s.slab)
	a.vecs = x.cs / w.r.plan.kernels.lanes
	w.r.plan.kernels.winoIn(a)
}

// output multiplies n transformed tiles with a panel and finishes them.
func (s *winoRun) output(w *worker, v []float32, first, n int, p *winoPanel) {
	ks := w.r.plan.kernels
	width := p.nv * ks.lanes
	t := &w.args
	tiles := ks.tile[p.nv]
	t.add, t.mask, t.act = nil, nil, 0
	t.bias = unsafe.Pointer(&w.zeros[0])
	t.taps, t.ntaps, t.k = unsafe.Pointer(&w.noOffset), 1, s.channels
	t.xpix, t.ypix = bytes(s.x.cs), bytes(width)
	calls := (n + len(tiles) - 2) / (len(tiles) - 1)
	mr, longer := n/calls, n%calls
	for k := range winoCells {
		t.w = unsafe.Pointer(&p.u[k*s.channels*width])
		x, y := k*s.slab, k*s.pslab
		if longer > 0 {
			t.x, t.y, t.tiles = unsafe.Pointer(&v[x]), unsafe.Pointer(&w.winoOut[y]), longer
			tiles[mr+1](t)
			x, y = x+longer*(mr+1)*s.x.cs, y+longer*(mr+1)*width
		}
		t.x, t.y, t.tiles = unsafe.Pointer(&v[x]), unsafe.Pointer(&w.winoOut[y]), calls-longer
		tiles[mr](t)
	}

	a := &w.wino
	a.slab, a.vecs, a.bias = bytes(s.pslab), p.nv, unsafe.Pointer(&p.bias[0])
	a.act, a.hi = 0, s.hi
	if s.act {
		a.act = 1
	}
	y := s.y
	a.row, a.pix = bytes(y.row), bytes(y.cs)
	a.add, a.mask = nil, nil
	for i := range n {
		image, row, col := s.place(first + i)
		at := func(t *tensor) unsafe.Pointer {
			return unsafe.Pointer(&w.of(t)[image*t.size+t.origin+row*t.row+col*t.cs+p.col])
		}
		a.p, a.t = at(y), unsafe.Pointer(&w.winoOut[i*width])
		a.rows, a.cols = min(winoTile, y.H-row), min(winoTile, y.W-col)
		if s.add != nil {
			a.add, a.arow, a.apix = at(s.add), bytes(s.add.row), bytes(s.add.cs)
		}
		if s.mask != nil {
			a.mask, a.mrow, a.mpix, a.hi = at(s.mask), bytes(s.mask.row), bytes(s.mask.cs), s.maskHi
		}
		ks.winoOut(a)
	}
}
