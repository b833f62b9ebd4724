package engine

import "unsafe"

// The gradient of a dense layer's parameters, summed over the images b of the
// batch,
//
//	dW[o][i] = sum dy[b][o] * x[b][i],    dB[o] = sum dy[b][o]:
//
// a tile is some inputs by some outputs, and its one tap the batch. Inputs go
// in blocks, each transposed by the worker that has it; every sum is one
// kernel's, in the order of the images.

// denseBlock is the number of inputs of a block: a few of the largest tiles.
const denseBlock = 56

// denseGrad computes the gradient of one dense layer.
type denseGrad struct {
	d      *Dense
	x, dy  *tensor
	dw, db []float32
	panels []gradPanel
	batch  int
	// A row of the input has width floats in perRow blocks.
	width, perRow int
	// outputs are dy in panels: [panel][image][width].
	outputs []float32
}

func newDenseGrad(pl *plan, d *Dense, x, dy *tensor, dw, db []float32, batch int) *denseGrad {
	g := &denseGrad{d: d, x: x, dy: dy, dw: dw, db: db, batch: batch, width: x.W * x.cs}
	g.perRow = (g.width + denseBlock - 1) / denseBlock
	lanes, total := pl.kernels.lanes, 0
	for o0 := 0; o0 < d.Out; {
		nv := min(pl.nvMax(), (d.Out-o0+lanes-1)/lanes)
		p := gradPanel{nv: nv, width: nv * lanes, o0: o0, o1: min(o0+nv*lanes, d.Out), at: total}
		g.panels = append(g.panels, p)
		total += batch * p.width
		o0 = p.o1
	}
	g.outputs = aligned(total)
	return g
}

func (g *denseGrad) scratch() (planes, panel int) {
	width := 0
	for _, p := range g.panels {
		width = max(width, p.width)
	}
	return denseBlock * g.batch, denseBlock * width
}

func (g *denseGrad) steps() []scheduled {
	return []scheduled{{densePack{g}, len(g.panels)}, {denseProducts{g}, g.x.H * g.perRow}}
}

// densePack copies dy in panels and sums the bias.
type densePack struct{ *denseGrad }

func (g densePack) run(w *worker, unit int) {
	p := &g.panels[unit]
	to := g.outputs[p.at:]
	if g.db != nil {
		clear(g.db[p.o0:p.o1])
	}
	for b := range g.batch {
		from := w.r.buf[g.dy.id][b*g.dy.size+g.dy.origin+p.o0:][:p.o1-p.o0]
		copy(to[b*p.width:], from)
		if g.db != nil {
			for i, v := range from {
				g.db[p.o0+i] += v
			}
		}
	}
}

// denseProducts computes the weights of a block of inputs.
type denseProducts struct{ *denseGrad }

func (g denseProducts) run(w *worker, unit int) {
	x, h, first := g.x, unit/g.perRow, unit%g.perRow*denseBlock
	n := min(denseBlock, g.width-first)
	planes, a := w.grad.planes, &w.args
	for b := range g.batch {
		for i, v := range w.r.buf[x.id][b*x.size+x.origin+h*x.row+first:][:n] {
			planes[i*g.batch+b] = v
		}
	}
	a.act, a.mask, a.add, a.bias = 0, nil, nil, unsafe.Pointer(&w.zeros[0])
	a.taps, a.ntaps, a.k, a.xpix = unsafe.Pointer(&w.noOffset), 1, g.batch, bytes(g.batch)
	for k := range g.panels {
		p := &g.panels[k]
		tiles := w.r.plan.kernels.tile[p.nv]
		calls := (n + len(tiles) - 2) / (len(tiles) - 1)
		mr, longer := n/calls, n%calls
		a.w, a.ypix = unsafe.Pointer(&g.outputs[p.at]), bytes(p.width)
		sums := w.grad.panel
		if longer > 0 {
			a.x, a.y, a.tiles = unsafe.Pointer(&planes[0]), unsafe.Pointer(&sums[0]), longer
			tiles[mr+1](a)
		}
		if done := longer * (mr + 1); done < n {
			a.x, a.y, a.tiles = unsafe.Pointer(&planes[done*g.batch]), unsafe.Pointer(&sums[done*p.width]), calls-longer
			tiles[mr](a)
		}
		for i := range n {
			index := denseIndex(x, h, first+i)
			if index < 0 {
				continue
			}
			for o := p.o0; o < p.o1; o++ {
				g.dw[o*g.d.In+index] = sums[i*p.width+o-p.o0]
			}
		}
	}
}
