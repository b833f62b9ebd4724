package engine

import "unsafe"

// A block of tiles goes through three stages: the transform of all its
// channels, then for each panel of output channels the products (matrix
// products by the tile kernel) and their transform with its epilogue.

// winoArgs is what the transforms get. The assembly knows these offsets.
// Distances are in bytes.
type winoArgs struct {
	p        unsafe.Pointer // the tile's first pixel in the image
	row, pix uintptr
	t        unsafe.Pointer // the tile's first factor or product
	slab     uintptr        // from one product to the next
	vecs     int            // vectors of channels
	scratch  unsafe.Pointer // maxCells vectors
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
	overRows int // rows and columns that earlier tiles have written (collect)
	overCols int
	hi       float32
	consts   [6]float32 // winoConsts
}

// winoConsts are the constants of the transforms.
var winoConsts = [6]float32{2, 4, 5, 8, 16, 0.5}

// winoKernels are the transforms of a form: B' and A', and for the adjoint way
// A (spread) and B (collect).
type winoKernels struct{ in, out, spread, collect func(*winoArgs) }

// winoRun is a winoStep for one batch size.
type winoRun struct {
	*winoStep
	in, out       func(*winoArgs)
	th, tw, total int
	// A block is up to perBlock tiles of consecutive numbers.
	blocks, perBlock int
	// slab and pslab are the distances between the factors and products of a
	// tile, in floats.
	slab, pslab int
}

// winoBytes is how much memory the factors of a block may take: half of a
// core's level-2 cache of 1 MB.
const winoBytes = 512 << 10

// most is the largest number of tiles of a block, of pixels of cs floats.
func (f *winoForm) most(cs int) int { return min(max(winoBytes/(4*f.cells*cs), 14), 56) }

func (s *winoStep) prepare(f *fast, batch, threads int) []scheduled {
	r := &winoRun{winoStep: s}
	for i, k := range f.plan.kernels.wino {
		if winoForms[i] == s.form {
			r.in, r.out = k.in, k.out
			if s.adjoint {
				r.in, r.out = k.spread, k.collect
			}
		}
	}
	// A block is made of atoms: whole images where tiles overlap.
	tiled, atom := s.y.Shape, 1
	if s.adjoint {
		tiled = s.x.Shape
	}
	r.th, r.tw = s.form.tiles(tiled)
	if s.adjoint {
		atom = r.th * r.tw
	}
	r.total = batch * r.th * r.tw
	atoms, most := r.total/atom, max(s.form.most(s.x.cs)/atom, 1)
	r.blocks = (atoms + most - 1) / most
	if threads > 1 && r.blocks > 1 {
		r.blocks = roundUp(r.blocks, threads)
	}
	r.perBlock = (atoms + r.blocks - 1) / r.blocks * atom
	r.blocks = (r.total + r.perBlock - 1) / r.perBlock
	// The odd line keeps the slabs off each other's cache sets.
	r.slab = r.perBlock*s.x.cs + lineFloats
	width := f.plan.nvMax() * f.plan.kernels.lanes
	r.pslab = r.perBlock*width + lineFloats
	f.wino = max(f.wino, s.form.cells*r.pslab)
	if threads == 1 || r.blocks >= 3*threads || r.even(threads) {
		f.winoIn = max(f.winoIn, s.form.cells*r.slab)
		return []scheduled{{&winoBlocks{r}, r.blocks}}
	}
	f.shared = max(f.shared, r.blocks*s.form.cells*r.slab)
	in := &winoInputs{winoRun: r}
	units := in.cut(1, r.total, s.x.cs*s.form.cells*6, threads)
	return []scheduled{{in, units}, {&winoProducts{r}, r.blocks * len(s.panels)}}
}

// even reports that whole blocks leave no thread more than a twentieth above
// its share.
func (s *winoRun) even(threads int) bool {
	longest := (s.blocks + threads - 1) / threads * s.perBlock
	return 20*longest*threads <= 21*s.total
}

// winoBlocks does whole blocks.
type winoBlocks struct{ *winoRun }

func (s *winoBlocks) run(w *worker, block int) {
	first, n := block*s.perBlock, min(s.perBlock, s.total-block*s.perBlock)
	for i := range n {
		s.factors(w, w.winoIn[i*s.x.cs:], first+i)
	}
	for p := range s.panels {
		s.products(w, w.winoIn, first, n, &s.panels[p])
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
		s.factors(w, w.r.sharedIn[block*s.form.cells*s.slab+(tile-block*s.perBlock)*s.x.cs:], tile)
	})
}

type winoProducts struct{ *winoRun }

func (s *winoProducts) run(w *worker, unit int) {
	block := unit / len(s.panels)
	first, n := block*s.perBlock, min(s.perBlock, s.total-block*s.perBlock)
	s.products(w, w.r.sharedIn[block*s.form.cells*s.slab:], first, n, &s.panels[unit%len(s.panels)])
}

// place finds a tile: its image and its position there.
func (s *winoRun) place(tile int) (image, row, col int) {
	image, tile = tile/(s.th*s.tw), tile%(s.th*s.tw)
	return image, tile / s.tw * s.form.tile, tile % s.tw * s.form.tile
}

// factors transforms a tile of x; the results begin at v[0], v[slab], ...
func (s *winoRun) factors(w *worker, v []float32, tile int) {
	image, row, col := s.place(tile)
	if !s.adjoint {
		row, col = row-s.top, col-s.left
	}
	x := s.x
	a := &w.wino
	a.p = unsafe.Pointer(&w.of(x)[image*x.size+x.origin+row*x.row+col*x.cs])
	a.row, a.pix = bytes(x.row), bytes(x.cs)
	a.t, a.slab = unsafe.Pointer(&v[0]), bytes(s.slab)
	a.vecs = x.cs / w.r.plan.kernels.lanes
	s.in(a)
}

// products multiplies n transformed tiles with a panel and finishes them.
func (s *winoRun) products(w *worker, v []float32, first, n int, p *winoPanel) {
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
	for k := range s.form.cells {
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
	extent := s.form.tile
	if s.adjoint {
		extent = s.form.side
	}
	for i := range n {
		image, row, col := s.place(first + i)
		at := func(t *tensor) unsafe.Pointer {
			return unsafe.Pointer(&w.of(t)[image*t.size+t.origin+row*t.row+col*t.cs+p.col])
		}
		a.p, a.t = at(y), unsafe.Pointer(&w.winoOut[i*width])
		a.rows, a.cols = min(extent, y.H-row), min(extent, y.W-col)
		a.overRows, a.overCols = min(row, 2), min(col, 2, a.cols)
		switch {
		case s.add == nil:
		case s.adjoint && s.add == y:
			a.overRows = a.rows // all pixels hold what is to be added
		default:
			a.add, a.arow, a.apix = at(s.add), bytes(s.add.row), bytes(s.add.cs)
		}
		if s.mask != nil {
			a.mask, a.mrow, a.mpix, a.hi = at(s.mask), bytes(s.mask.row), bytes(s.mask.cs), s.maskHi
		}
		s.out(a)
	}
}
