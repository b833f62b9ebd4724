package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The one loop that every product of this package goes through: for each pixel
// of a grid and each panel of output channels,
//
//	y[pixel][panel] = bias + sum over taps t, entries k of x[pixel + tap[t] + k] * w[t][k][panel]
//
// followed by an epilogue (add, clamp, mask) while the sums are in registers. A
// tap is a run of consecutive floats of the input: one kernel serves
// convolutions of any size and stride, their backward passes, dense layers
// over a batch and Winograd's products.

// tileArgs is what a kernel gets for a run of tiles in one row. The assembly
// knows these offsets. Distances are in bytes.
type tileArgs struct {
	x     unsafe.Pointer // input of the first pixel
	xpix  uintptr        // from one pixel to the next
	taps  unsafe.Pointer // int64 offsets from a pixel
	ntaps int
	k     int            // floats of a tap
	w     unsafe.Pointer // [tap][k][nv*lanes]
	bias  unsafe.Pointer // [nv*lanes]
	y     unsafe.Pointer
	ypix  uintptr
	add   unsafe.Pointer // added to the sum, or nil
	apix  uintptr
	mask  unsafe.Pointer // results where !(0 < mask < hi) become 0; or nil
	mpix  uintptr
	act   uintptr // 0 none, 1 clamp to [0, hi]
	tiles int     // tiles to do, at least 1
	hi    float32 // upper end of the clamp and of the mask, +Inf for ReLU
	_     float32
	index unsafe.Pointer // numbers of the chosen taps (max pool)
	ipix  uintptr
	vecs  int // vectors of a pixel (max pool)
}

// kernelSet is one family's code. tile[nv][mr] does tiles of mr pixels by nv
// vectors of channels; entries for nv = 0 or mr = 0 are nil.
type kernelSet struct {
	lanes int
	tile  [3][]func(*tileArgs)
	// depthwise[mr] does tiles of mr pixels by one vector, each channel with
	// its own weight: w is [tap][lanes] and a tap one vector.
	depthwise []func(*tileArgs)
	// maxForward and maxBackward walk tiles pixels of vecs vectors each. Their
	// taps are poolTaps.
	maxForward, maxBackward func(*tileArgs)
	// combine is y = x + add, clamped or masked, for the same walk.
	combine func(*tileArgs)
	// wino are Winograd's transforms of a tile, in the order of winoForms.
	wino [2]winoKernels
	// rows are the kernels of norms, softmax and activations.
	rows rowKernels
}

// panel is a block of output channels and the weights that lead to it.
type panel struct {
	// nv is the number of vectors of the block: 1 or 2.
	nv int
	// row and col say where in the output view the block begins.
	row, col int
	taps     []int64
	k        int
	// w is [len(taps)][k][nv*lanes], bias [nv*lanes].
	w, bias []float32
	// cost is the number of multiplications for one pixel.
	cost int
}

// tapStep is that loop with its operands.
type tapStep struct {
	x, y, add, mask view
	// rows and cols are the grid; cols of 0 stands for the batch, whose
	// images are then the pixels.
	rows, cols int
	panels     []panel
	// depthwise: the panels are single vectors, see kernelSet.
	depthwise  bool
	act        bool
	hi, maskHi float32

	// An item is one row of one panel of one image; a unit is several.
	images, items, perUnit int
}

func (s *tapStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.schedule(batch, threads)}}
}

// schedule decides how a batch is cut into units for a number of threads.
func (s *tapStep) schedule(batch, threads int) int {
	s.images = batch
	if s.cols == 0 {
		s.images, s.cols = 1, batch
	}
	s.items = s.images * len(s.panels) * s.rows
	cost := 0
	for _, p := range s.panels {
		cost += p.cost * s.cols
	}
	cost /= len(s.panels)
	s.perUnit = unitSize(s.items, cost, threads)
	return (s.items + s.perUnit - 1) / s.perUnit
}

// unitSize groups items that cost so many multiplications each: enough units to
// share evenly, each long enough (about 10 us) to be worth claiming.
func unitSize(items, cost, threads int) int {
	if threads == 1 {
		return max(items, 1)
	}
	const unitCost = 300_000
	size := max(1, unitCost/max(cost, 1))
	return max(1, min(size, (items+threads-1)/threads))
}

// run does a unit's items, row by row. A row of pixels is cut into tiles as
// equal as can be: longer tiles of mr+1 pixels, then tiles of mr.
func (s *tapStep) run(w *worker, unit int) {
	first := unit * s.perUnit
	last := min(first+s.perUnit, s.items)
	a := &w.args
	ks := w.r.plan.kernels
	a.act = 0
	if s.act {
		a.act = 1
	}
	a.hi = s.hi
	if s.mask.t != nil {
		a.hi = s.maskHi
	}
	x, y := w.of(s.x.t), w.of(s.y.t)
	a.xpix, a.ypix = bytes(s.x.pix), bytes(s.y.pix)
	var add, mask []float32
	a.add, a.mask = nil, nil
	if s.add.t != nil {
		add, a.apix = w.of(s.add.t), bytes(s.add.pix)
	}
	if s.mask.t != nil {
		mask, a.mpix = w.of(s.mask.t), bytes(s.mask.pix)
	}
	for item := first; item < last; {
		image, rest := item/(len(s.panels)*s.rows), item%(len(s.panels)*s.rows)
		var p *panel
		var row, rows int
		var tiles []func(*tileArgs)
		if s.depthwise {
			// All channels of a row together, as they share cache lines.
			p, row, rows, tiles = &s.panels[rest%len(s.panels)], rest/len(s.panels), 1, ks.depthwise
		} else {
			p, row, tiles = &s.panels[rest/s.rows], rest%s.rows, ks.tile[s.panels[rest/s.rows].nv]
			rows = min(s.rows-row, last-item)
		}
		item += rows
		a.k, a.ntaps = p.k, len(p.taps)
		if len(p.taps) > 0 {
			a.taps, a.w = unsafe.Pointer(&p.taps[0]), unsafe.Pointer(&p.w[0])
		}
		a.bias = unsafe.Pointer(&p.bias[0])
		n := (s.cols + len(tiles) - 2) / (len(tiles) - 1)
		mr, longer := s.cols/n, s.cols%n
		for ; rows > 0; rows, row = rows-1, row+1 {
			xi := image*s.x.t.size + s.x.off + row*s.x.row
			yi := image*s.y.t.size + s.y.off + row*s.y.row + p.row*s.y.t.row + p.col
			a.x, a.y = unsafe.Pointer(&x[xi]), unsafe.Pointer(&y[yi])
			if add != nil {
				a.add = unsafe.Pointer(&add[image*s.add.t.size+s.add.off+row*s.add.row+p.row*s.add.t.row+p.col])
			}
			if mask != nil {
				a.mask = unsafe.Pointer(&mask[image*s.mask.t.size+s.mask.off+row*s.mask.row+p.row*s.mask.t.row+p.col])
			}
			if longer > 0 {
				a.tiles = longer
				tiles[mr+1](a)
				done := uintptr(longer * (mr + 1))
				a.x, a.y = unsafe.Add(a.x, done*a.xpix), unsafe.Add(a.y, done*a.ypix)
				if add != nil {
					a.add = unsafe.Add(a.add, done*a.apix)
				}
				if mask != nil {
					a.mask = unsafe.Add(a.mask, done*a.mpix)
				}
			}
			a.tiles = n - longer
			tiles[mr](a)
		}
	}
}

func bytes(floats int) uintptr { return uintptr(floats) * 4 }

// cutPanels makes the panels of n output channels, their weights zero. For the
// block of channels [c0,c1) it asks ktaps for the taps and their length.
func (pl *plan) cutPanels(nvMax, n int, bias []float32, ktaps func(c0, c1 int) (taps []int64, k int)) []panel {
	lanes := pl.kernels.lanes
	var panels []panel
	for c0 := 0; c0 < n; {
		nv := min(nvMax, (n-c0+lanes-1)/lanes)
		width := nv * lanes
		c1 := min(c0+width, n)
		taps, k := ktaps(c0, c1)
		p := panel{nv: nv, col: c0, taps: taps, k: k, bias: make([]float32, width), w: pl.weights.take(len(taps) * k * width)}
		if bias != nil {
			copy(p.bias, bias[c0:c1])
		}
		p.cost = len(taps)*k*width + width
		panels = append(panels, p)
		c0 = c1
	}
	return panels
}

// packPanels builds the panels of n output channels, asking weight for the factor
// of tap t, entry k and channel c of the block that begins at c0.
func (pl *plan) packPanels(nvMax, n int, bias []float32,
	ktaps func(c0, c1 int) (taps []int64, k int),
	weight func(c0, t, k, c int) float32) []panel {
	panels := pl.cutPanels(nvMax, n, bias, ktaps)
	for _, p := range panels {
		width := p.nv * pl.kernels.lanes
		for t := range p.taps {
			for j := range p.k {
				for c := p.col; c < min(p.col+width, n); c++ {
					p.w[(t*p.k+j)*width+c-p.col] = weight(p.col, t, j, c)
				}
			}
		}
	}
	return panels
}

// packTable builds the panels of len(columns) output channels that all have the
// same taps: the factor of entry j, taps counted through, and channel c is
// w[columns[c] + entries[j]], or 0 where either is negative.
func (pl *plan) packTable(bias []float32, taps []int64, k int, columns, entries []int, w []float32) []panel {
	panels := pl.cutPanels(pl.nvMax(), len(columns), bias, func(int, int) ([]int64, int) { return taps, k })
	share(len(panels), len(entries)*len(columns), func(i int) {
		p, width := panels[i], panels[i].nv*pl.kernels.lanes
		columns := columns[p.col:min(p.col+width, len(columns))]
		// A few entries of each channel at a time, so that what is read and what
		// is written stay near.
		const few = 16
		for j0 := 0; j0 < len(entries); j0 += few {
			some := entries[j0:min(j0+few, len(entries))]
			for c, at := range columns {
				if at < 0 {
					continue
				}
				to := p.w[j0*width+c:]
				for j, e := range some {
					if e >= 0 {
						to[j*width] = w[at+e]
					}
				}
			}
		}
	})
	return panels
}

// share calls f(0) to f(n-1) on all processors, where that is worth while for so
// many numbers.
func share(n, numbers int, f func(i int)) {
	const few = 1 << 16
	threads := min(n, runtime.GOMAXPROCS(0))
	if numbers < few || threads < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range threads {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	group.Wait()
}
