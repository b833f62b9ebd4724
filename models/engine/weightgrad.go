package engine

import "unsafe"

// The gradient of a convolution's parameters, summed over images b and
// positions (r, c) of the output,
//
//	dW[o][i][kh][kw] = sum dy[b][o][r][c] * x[b][i][r*sh + kh*dh - top][c*sw + kw*dw - left]
//	dB[o]            = sum dy[b][o][r][c],
//
// on the tile kernels that the forward pass uses. There, a tile is some pixels
// by some channels, and a tap a run of input floats; here it is some input
// channels by some output channels, and a tap a row of the output. For that the
// input is copied plane by plane, which makes a row a run of floats, and dy in
// panels of output channels, which makes it the weights.
//
// Images go in chunks whose number depends on the batch alone. A chunk is summed
// by one worker, into memory of its own; then the chunks are added in order. So
// the sums are the same bytes at any number of threads.

// gradChunks is how many chunks a batch is cut into, at most: enough for the
// threads of a desktop, and little memory for their sums.
const gradChunks = 16

// gradBytes is how much memory the planes of the images that share a call of
// the kernel may take: a part of a core's level-2 cache, next to the panel.
const gradBytes = 256 << 10

// gradScratch is a worker's memory for weight gradients.
type gradScratch struct{ planes, panel []float32 }

// gradPanel is a block of output channels that read the same inputs.
type gradPanel struct {
	// nv is the number of vectors, width of channels with padding; o0 and o1
	// are the channels; i0 is the first input channel.
	nv, width, o0, o1, i0 int
	// at is where its sums begin in a chunk's: [kh][kw][input][width], then
	// those of the bias [width].
	at int
}

// convGrad computes the gradient of one convolution. x and dy are views of the
// plan's tensors; dw and db have the lengths of W and B (db may be nil).
type convGrad struct {
	c      *Conv
	x, dy  *tensor
	dw, db []float32
	panels []gradPanel
	// A plane has rows of line floats: for each remainder of the column
	// modulo the stride, slots columns. An image has size floats.
	rows, line, slots, plane, size int
	// A call sums group images, a chunk has perChunk; total floats are its sums.
	batch, group, perChunk, chunks, total int
	sums                                  []float32
	taps, noTaps                          []int64
	ones                                  []float32
}

func newConvGrad(pl *plan, c *Conv, x, dy *tensor, dw, db []float32, batch int) *convGrad {
	g := &convGrad{c: c, x: x, dy: dy, dw: dw, db: db, batch: batch}
	g.rows = (dy.H-1)*c.StrideH + (c.KernelH-1)*c.DilationH + 1
	g.slots = ((dy.W-1)*c.StrideW+(c.KernelW-1)*c.DilationW)/c.StrideW + 1
	g.line = c.StrideW * g.slots
	// The odd line keeps planes off each other's cache sets.
	g.plane = roundUp(g.rows*g.line, 2*lineFloats) + lineFloats
	g.size = c.In * g.plane
	g.perChunk = (batch + gradChunks - 1) / gradChunks
	g.chunks = (batch + g.perChunk - 1) / g.perChunk
	g.group = min(max(gradBytes/4/g.size, 1), g.perChunk)
	lanes, perGroup := pl.kernels.lanes, c.Out/c.Groups
	for o0 := 0; o0 < c.Out; {
		end := (o0/perGroup + 1) * perGroup
		nv := min(pl.nvMax(), (end-o0+lanes-1)/lanes)
		p := gradPanel{nv: nv, width: nv * lanes, o0: o0, o1: min(o0+nv*lanes, end), i0: o0 / perGroup * (c.In / c.Groups), at: g.total}
		g.panels = append(g.panels, p)
		g.total += (c.KernelH*c.KernelW*c.In/c.Groups + 1) * p.width
		o0 = p.o1
	}
	g.sums = aligned(g.chunks * g.total)
	for b := range g.group {
		for r := range dy.H {
			g.taps = append(g.taps, int64(4*(b*g.size+r*c.StrideH*g.line)))
		}
	}
	g.noTaps = make([]int64, len(g.taps))
	for range dy.W {
		g.ones = append(g.ones, 1)
	}
	return g
}

// scratch is the memory that a worker needs.
func (g *convGrad) scratch() (planes, panel int) {
	width := 0
	for _, p := range g.panels {
		width = max(width, p.width)
	}
	return g.group * g.size, g.group * g.dy.H * g.dy.W * width
}

func (g *convGrad) steps() []scheduled {
	return []scheduled{{convChunks{g}, g.chunks}, {convSums{g}, len(g.panels)}}
}

// convChunks sums the images of one chunk.
type convChunks struct{ *convGrad }

func (g convChunks) run(w *worker, chunk int) {
	sums := g.sums[chunk*g.total:][:g.total]
	last := min((chunk+1)*g.perChunk, g.batch)
	for b := chunk * g.perChunk; b < last; b += g.group {
		n := min(g.group, last-b)
		for k := range n {
			g.planar(w, b+k, w.grad.planes[k*g.size:])
		}
		for i := range g.panels {
			p := &g.panels[i]
			g.pack(w, b, n, p)
			g.multiply(w, n, p, sums[p.at:], b > chunk*g.perChunk)
		}
	}
}

// planar copies an image's padded planes.
func (g *convGrad) planar(w *worker, image int, to []float32) {
	x, c := g.x, g.c
	cols := (g.dy.W-1)*c.StrideW + (c.KernelW-1)*c.DilationW + 1
	from := w.r.buf[x.id][image*x.size+x.origin-c.Pad.Top*x.row-c.Pad.Left*x.cs:]
	for r := range g.rows {
		for col := range cols {
			at := r*g.line + col%c.StrideW*g.slots + col/c.StrideW
			for _, v := range from[r*x.row+col*x.cs:][:c.In] {
				to[at] = v
				at += g.plane
			}
		}
	}
}

// pack copies the panel's channels of n images of dy: [image][row][col][width].
func (g *convGrad) pack(w *worker, image, n int, p *gradPanel) {
	dy, to := g.dy, w.grad.panel
	// Channels after the last are the padding of a pixel, which is zero, or
	// another group's, whose sums nobody reads.
	have := min(p.width, dy.cs-p.o0)
	for b := range n {
		for r := range dy.H {
			from := w.r.buf[dy.id][(image+b)*dy.size+dy.origin+r*dy.row+p.o0:]
			for c := range dy.W {
				copy(to[:p.width], from[c*dy.cs:][:have])
				to = to[p.width:]
			}
		}
	}
}

// multiply adds the products of n images to sums, or begins the sums.
func (g *convGrad) multiply(w *worker, n int, p *gradPanel, sums []float32, add bool) {
	c, a := g.c, &w.args
	inputs := c.In / c.Groups
	a.act, a.mask, a.bias = 0, nil, unsafe.Pointer(&w.zeros[0])
	a.ntaps, a.k, a.w = n*g.dy.H, g.dy.W, unsafe.Pointer(&w.grad.panel[0])
	a.xpix, a.ypix, a.apix = bytes(g.plane), bytes(p.width), bytes(p.width)
	run := func(x *float32, tile func(*tileArgs), at, tiles int) {
		a.x, a.y, a.tiles = unsafe.Pointer(x), unsafe.Pointer(&sums[at*p.width]), tiles
		a.add = nil
		if add {
			a.add = a.y
		}
		tile(a)
	}
	tiles := w.r.plan.kernels.tile[p.nv]
	calls := (inputs + len(tiles) - 2) / (len(tiles) - 1)
	mr, longer := inputs/calls, inputs%calls
	a.taps = unsafe.Pointer(&g.taps[0])
	for kh := range c.KernelH {
		for kw := range c.KernelW {
			x := w.grad.planes[p.i0*g.plane+kh*c.DilationH*g.line+kw*c.DilationW%c.StrideW*g.slots+kw*c.DilationW/c.StrideW:]
			at := (kh*c.KernelW + kw) * inputs
			if longer > 0 {
				run(&x[0], tiles[mr+1], at, longer)
			}
			if done := longer * (mr + 1); done < inputs {
				run(&x[done*g.plane], tiles[mr], at+done, calls-longer)
			}
		}
	}
	// The bias is the weight of an input that is always one.
	a.taps = unsafe.Pointer(&g.noTaps[0])
	run(&g.ones[0], tiles[1], c.KernelH*c.KernelW*inputs, 1)
}

// convSums adds the chunks of one panel and puts the sums in PyTorch's order.
type convSums struct{ *convGrad }

func (g convSums) run(_ *worker, unit int) {
	c, p := g.c, &g.panels[unit]
	inputs, cells := c.In/c.Groups, c.KernelH*c.KernelW
	n := (cells*inputs + 1) * p.width
	sum := g.sums[p.at:][:n]
	for k := 1; k < g.chunks; k++ {
		for i, v := range g.sums[k*g.total+p.at:][:n] {
			sum[i] += v
		}
	}
	for o := p.o0; o < p.o1; o++ {
		dw := g.dw[o*inputs*cells:][:inputs*cells]
		for cell := range cells {
			for i := range inputs {
				dw[i*cells+cell] = sum[(cell*inputs+i)*p.width+o-p.o0]
			}
		}
		if g.db != nil {
			g.db[o] = sum[cells*inputs*p.width+o-p.o0]
		}
	}
}
