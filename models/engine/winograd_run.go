package engine

import "unsafe"

// Tiles go through three stages: the transform of all their channels to factors,
// then for each panel of output channels the products (matrix products by the
// tile kernel) and their transform with its epilogue.

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
	overRows int // those that earlier tiles have written (collect)
	overCols int
	ahead    unsafe.Pointer // the next tile's p, and mask or nil
	mahead   unsafe.Pointer
	hi       float32
}

// winoKernels are the transforms of a form: B' and A', and for the adjoint way
// A (spread) and B (collect).
type winoKernels struct{ in, out, spread, collect func(*winoArgs) }

// winoRun is a winoStep for one batch size, or a part of the batch.
type winoRun struct {
	*winoStep
	in, out func(*winoArgs)
	// The run does total tiles from number first on, th x tw of them an image.
	first, total, th, tw int
	// A block is up to perBlock tiles of consecutive numbers; whole images where
	// tiles overlap, since they are added up in order.
	blocks, perBlock int
	// slab and pslab are the distances between the factors and products of a
	// tile, in floats.
	slab, pslab int
}

// winoChunk is how many tiles go through the three stages at a time: so few that
// their factors and products and a panel's filters stay in a core's level-2
// cache, and as many as the largest tile kernel has pixels.
const winoChunk = 14

// chunk is the size of the first of n tiles' chunks.
func chunk(n int) int { return ceil(n, ceil(n, winoChunk)) }

func ceil(a, b int) int { return (a + b - 1) / b }

func (s *winoStep) prepare(f *fast, batch, threads int) []scheduled {
	r := winoRun{winoStep: s}
	for i, k := range f.plan.kernels.wino {
		if winoForms[i] == s.form {
			r.in, r.out = k.in, k.out
			if s.adjoint {
				r.in, r.out = k.spread, k.collect
			}
		}
	}
	tiled, atom := s.y.Shape, 1
	if s.adjoint {
		tiled = s.x.Shape
	}
	r.th, r.tw = s.form.tiles(tiled)
	if s.adjoint {
		atom = r.th * r.tw
	}
	atoms := batch * r.th * r.tw / atom
	units := ceil(atoms*atom, winoChunk)
	per := ceil(atoms, roundUp(units, threads))
	// Whole blocks are best, if they leave no thread more than a twentieth above
	// its share.
	longest := ceil(ceil(atoms, per), threads) * per
	whole := 0
	switch {
	case threads == 1 || 20*longest*threads <= 21*atoms || !s.adjoint && units >= 3*threads:
		whole = atoms
	case s.adjoint:
		whole = atoms / threads * threads
		if per = max(whole/roundUp(units, threads), 1); whole%(per*threads) != 0 {
			per = whole / threads
		}
	}
	var list []scheduled
	if whole > 0 {
		list = r.private(f, whole*atom, per*atom)
	}
	if whole < atoms {
		r.first = whole * atom
		list = append(list, r.shared(f, (atoms-whole)*atom, atom, threads)...)
	}
	return list
}

// layOut fixes the distances, for the factors of n tiles.
func (s *winoRun) layOut(f *fast, n int) {
	// The odd line keeps the slabs off each other's cache sets.
	s.slab = n*s.x.cs + lineFloats
	s.pslab = winoChunk*f.plan.nvMax()*f.plan.kernels.lanes + lineFloats
	f.wino = max(f.wino, s.form.cells*s.pslab)
}

// private plans units of whole blocks.
func (s winoRun) private(f *fast, total, perBlock int) []scheduled {
	s.total, s.perBlock, s.blocks = total, perBlock, ceil(total, perBlock)
	s.layOut(f, winoChunk)
	f.winoIn = max(f.winoIn, s.form.cells*s.slab)
	return []scheduled{{&winoBlocks{&s}, s.blocks}}
}

// shared plans the stages one by one, for few tiles: all workers transform, then
// each takes panels.
func (s winoRun) shared(f *fast, total, atom, threads int) []scheduled {
	s.total, s.perBlock = total, max(chunk(total), atom)
	if atom > 1 {
		s.perBlock = atom
	}
	s.blocks = ceil(total, s.perBlock)
	s.layOut(f, s.perBlock)
	f.shared = max(f.shared, s.blocks*s.form.cells*s.slab)
	in := &winoInputs{winoRun: &s}
	units := in.cut(1, total, s.x.cs*s.form.cells*6, threads)
	return []scheduled{{in, units}, {&winoProducts{&s}, s.blocks * len(s.panels)}}
}

// block is a block's tiles.
func (s *winoRun) block(i int) (first, n int) {
	return s.first + i*s.perBlock, min(s.perBlock, s.total-i*s.perBlock)
}

// winoBlocks does whole blocks.
type winoBlocks struct{ *winoRun }

func (s *winoBlocks) run(w *worker, block int) {
	for first, n := s.block(block); n > 0; {
		c := chunk(n)
		for i := range c {
			s.factors(w, w.winoIn[i*s.x.cs:], first+i)
		}
		for p := range s.panels {
			s.products(w, w.winoIn, first, c, &s.panels[p])
		}
		first, n = first+c, n-c
	}
}

// winoInputs and winoProducts are the stages one by one.
type winoInputs struct {
	rowStep
	*winoRun
}

func (s *winoInputs) run(w *worker, unit int) {
	s.each(unit, func(_, tile int) {
		block := tile / s.perBlock
		s.factors(w, w.r.sharedIn[block*s.form.cells*s.slab+(tile-block*s.perBlock)*s.x.cs:], s.first+tile)
	})
}

type winoProducts struct{ *winoRun }

func (s *winoProducts) run(w *worker, unit int) {
	block := unit / len(s.panels)
	v := w.r.sharedIn[block*s.form.cells*s.slab:]
	for first, n := s.block(block); n > 0; {
		c := chunk(n)
		s.products(w, v, first, c, &s.panels[unit%len(s.panels)])
		first, n, v = first+c, n-c, v[c*s.x.cs:]
	}
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
	image, row, col := s.place(first)
	for i := range n {
		nextImage, nextRow, nextCol := s.place(min(first+i+1, s.first+s.total-1))
		at := func(t *tensor) unsafe.Pointer {
			return unsafe.Pointer(&w.of(t)[image*t.size+t.origin+row*t.row+col*t.cs+p.col])
		}
		next := func(t *tensor) unsafe.Pointer {
			return unsafe.Pointer(&w.of(t)[nextImage*t.size+t.origin+nextRow*t.row+nextCol*t.cs+p.col])
		}
		a.p, a.t = at(y), unsafe.Pointer(&w.winoOut[i*width])
		a.ahead, a.mahead = next(y), nil
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
			a.mahead = next(s.mask)
		}
		s.out(a)
		image, row, col = nextImage, nextRow, nextCol
	}
}
