package engine

import (
	"math"
	"unsafe"
)

// The steps of norms, sums with constants and products: what they do with the
// channels of a pixel are kernels of rows.

// pixelStep is the part shared by steps whose items are pixels.
type pixelStep struct{ rowStep }

// pixel is the channels of pixel p of an image; nil of no tensor.
func (w *worker) pixelOf(t *tensor, image, p int) []float32 {
	if t == nil {
		return nil
	}
	return w.of(t)[image*t.size+t.origin+p/t.W*t.row+p%t.W*t.cs:][:t.C]
}

// rows runs a kernel on n floats of the operands in w.row. Where they end within a
// block, that block is copied, with pad behind what is read as x.
func (w *worker) rows(kernel func(*rowArgs), n int, pad float32) {
	a := &w.row
	if a.n = n / block; a.n > 0 {
		kernel(a)
	}
	rest := n % block
	if rest == 0 {
		return
	}
	old := *a
	for k, p := range []*unsafe.Pointer{&a.x, &a.z, &a.u, &a.v, &a.y} {
		if *p == nil {
			continue
		}
		tail := &w.tails[k]
		if *tail = [block]float32{}; k == 0 {
			for i := rest; i < block; i++ {
				tail[i] = pad
			}
		}
		copy(tail[:rest], floats(unsafe.Add(*p, 4*block*old.n), rest))
		*p = unsafe.Pointer(tail)
	}
	a.n = 1
	kernel(a)
	if old.y != nil {
		copy(floats(unsafe.Add(old.y, 4*block*old.n), rest), w.tails[4][:])
	}
	a.x, a.z, a.u, a.v, a.y = old.x, old.z, old.u, old.v, old.y
}

// read sets the operands of the kernels of rows; each may be nil.
func (a *rowArgs) read(y, x, z, u, v []float32) {
	a.x, a.z, a.u, a.v, a.y = begins(x), begins(z), begins(u), begins(v), begins(y)
}

// pieceOf is scratch for n floats.
func (w *worker) pieceOf(n int) []float32 {
	if n > len(w.piece) {
		w.piece = make([]float32, n)
	}
	return w.piece[:n]
}

func begins(v []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(v)) }

// normStep normalises each pixel over its channels. With dy set it is the
// backward pass.
type normStep struct {
	pixelStep
	op                  *layerNorm
	x, y, dy, add, mask *tensor
	hi                  float32
}

func (pl *plan) normStep(op *layerNorm, ly *layer) *normStep {
	return &normStep{op: op, x: ly.in[0].t, y: ly.out.t}
}

func (s *normStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	return []scheduled{{&c, c.cut(batch, s.y.H*s.y.W, 8*s.y.C, threads)}}
}

func (s *normStep) run(w *worker, unit int) {
	a, ks, n := &w.row, &w.r.plan.kernels.rows, s.x.C
	s.each(unit, func(image, p int) {
		x := w.pixelOf(s.x, image, p)
		y := w.pixelOf(s.y, image, p)
		a.read(nil, x, nil, nil, nil)
		a.a, a.s = 0, [block]float32{}
		if !s.op.root {
			w.rows(ks.sum, n, 0)
			a.a = total(&a.s) / float32(n)
			a.s = [block]float32{}
		}
		w.rows(ks.squares, n, a.a)
		a.b = float32(1 / math.Sqrt(float64(total(&a.s))/float64(n)+s.op.eps))
		if s.dy == nil {
			a.read(y, x, nil, s.op.gamma, s.op.beta)
			w.rows(ks.norm, n, 0)
			return
		}
		dy, add := w.pixelOf(s.dy, image, p), w.pixelOf(s.add, image, p)
		a.s, a.t = [block]float32{}, [block]float32{}
		a.read(nil, x, dy, s.op.gamma, nil)
		w.rows(ks.normSums, n, 0)
		a.c, a.d = total(&a.s)/float32(n), total(&a.t)/float32(n)
		if s.op.root {
			a.c = 0
		}
		a.read(y, x, dy, s.op.gamma, add)
		if add == nil {
			w.rows(ks.normGrad, n, 0)
		} else {
			w.rows(ks.normGradAdd, n, 0)
		}
		if s.mask != nil {
			keepInside(y, w.pixelOf(s.mask, image, p), s.hi)
		}
	})
}

// addConst adds an image.
type addConst struct {
	// c is pixel by pixel.
	c []float64
}

// Kind is "AddConst".
func (*addConst) Kind() string { return "AddConst" }

// OutShape is the input's.
func (*addConst) OutShape(in []Shape) (Shape, error) { return one(in) }

// constStep is y = x + c.
type constStep struct {
	rowStep
	x, y *tensor
	c    []float32
}

// constant is an image in the memory of its pixels, without a halo.
func (pl *plan) constant(c []float64, t *tensor) []float32 {
	out := pl.weights.take(t.H * t.W * t.cs)
	for k, v := range c {
		out[k/t.C*t.cs+k%t.C] = float32(v)
	}
	return out
}

func (s *constStep) prepare(_ *fast, batch, threads int) []scheduled {
	c := *s
	n := pieces(s.y.W, s.y.cs)
	return []scheduled{{&c, c.cut(batch, s.y.H*n, 2*s.y.W*s.y.cs/n, threads)}}
}

func (s *constStep) run(w *worker, unit int) {
	n := pieces(s.y.W, s.y.cs)
	s.each(unit, func(image, part int) {
		h, first, end := part/n, part%n*s.y.W/n, (part%n+1)*s.y.W/n
		c := s.c[(h*s.y.W+first)*s.y.cs : (h*s.y.W+end)*s.y.cs]
		line := func(t *tensor) []float32 {
			return w.of(t)[image*t.size+t.origin+h*t.row+first*t.cs:][:(end-first)*t.cs]
		}
		x, y := line(s.x), line(s.y)
		if s.x.cs == s.y.cs && s.y.cs%w.r.plan.kernels.lanes == 0 {
			w.combine(y, x, c, nil, false, 0)
			return
		}
		for p := range end - first {
			for k, v := range x[p*s.x.cs:][:s.x.C] {
				y[p*s.y.cs+k] = v + c[p*s.y.cs+k]
			}
		}
	})
}
