package engine

import (
	"math"
	"slices"

	"sapf/models/engine/nd"
)

// Fusing finds, in a network as its file has it, what there are kernels for:
// functions that exporters write as several operations, norms, moves of whole
// runs, attention. The network that comes out computes the same up to rounding.

// fusion is a network while it is rewritten. Nodes are replaced where they
// stand, so that their order stays; what nobody reads any more is left out later.
type fusion struct {
	*Net
	shapes []Shape
	uses   []int
}

// fuse returns the network to run, and its shapes.
func fuse(n *Net, shapes []Shape) (*Net, []Shape) {
	general := false
	for _, node := range n.Nodes {
		switch node.Op.(type) {
		case *General, *Mul:
			general = true
		}
	}
	if !general { // nothing but layers that have kernels
		return n, shapes
	}
	c := *n
	c.Nodes = slices.Clone(n.Nodes)
	for i := range c.Nodes {
		c.Nodes[i].In = slices.Clone(c.Nodes[i].In)
	}
	f := &fusion{Net: &c, shapes: slices.Clone(shapes)}
	f.count()
	passes := []func(i int){f.pointwise, f.gelu, f.silu, f.norm, f.scaledNorm, f.gathers, f.compose, f.sink, f.compose, f.attention, f.hoist, f.compose, f.sums}
	for _, pass := range passes {
		for i := range c.Nodes {
			if f.uses[i] > 0 {
				pass(i)
			}
		}
		f.count()
	}
	return f.Net, f.shapes
}

// count counts the readers of each node that the output depends on.
func (f *fusion) count() {
	f.uses = make([]int, len(f.Nodes))
	for i, needed := range reachable(f.Net) {
		if !needed {
			continue
		}
		for _, k := range f.Nodes[i].In {
			if k != Input {
				f.uses[k]++
			}
		}
	}
	f.uses[f.Output]++
}

// shape is the shape of a node or the network's input.
func (f *fusion) shape(k int) Shape {
	if k == Input {
		return f.Input
	}
	return f.shapes[k]
}

// op is a node's operation, nil for the network's input.
func (f *fusion) op(k int) Op {
	if k == Input {
		return nil
	}
	return f.Nodes[k].Op
}

// only reports that a node has one reader.
func (f *fusion) only(k int) bool { return k != Input && f.uses[k] == 1 }

// replace puts an operation in a node's place.
func (f *fusion) replace(i int, op Op, s Shape, in ...int) {
	f.Nodes[i].Op, f.Nodes[i].In, f.shapes[i] = op, in, s
}

// general is a node's operation on arrays, if it is one.
func (f *fusion) general(k int) (*General, nd.Func) {
	if g, ok := f.op(k).(*General); ok {
		return g, g.F
	}
	return nil, nil
}

// binary is a node that combines two values by the function of that name.
func (f *fusion) binary(k int, name string) (*General, bool) {
	g, fn := f.general(k)
	b, ok := fn.(*nd.Binary)
	return g, ok && b.Name == name && len(g.Args) == 2
}

// scalar is a node that multiplies all entries by one number and adds another.
func (f *fusion) scalar(k int) (scale, shift float64, ok bool) {
	a, ok := f.op(k).(*Affine)
	if !ok || len(a.Scale) != 1 || len(a.Shift) != 1 {
		return 0, 0, false
	}
	return a.Scale[0], a.Shift[0], true
}

// unscaled follows scalar maps that have one reader: k is scale*root + shift.
func (f *fusion) unscaled(k int) (root int, scale, shift float64) {
	root, scale = k, 1
	for {
		a, b, ok := f.scalar(root)
		if !ok || root != k && !f.only(root) {
			return root, scale, shift
		}
		shift += float64(scale * b)
		scale *= a
		root = f.Nodes[root].In[0]
	}
}

// sameOrder reports that an argument or result and a tensor of shape s have their
// entries in the order in which they lie in memory.
func sameOrder(s Shape, rows bool) bool { return rows || s.H*s.W == 1 || s.C == 1 }

// pointwise makes a function of two arrays with a constant one an affine map, or
// a sum with a constant image, and one of two equal shapes the layer for those.
func (f *fusion) pointwise(i int) {
	g, fn := f.general(i)
	b, ok := fn.(*nd.Binary)
	if !ok || !sameOrder(g.Out, g.RowsFirst) {
		return
	}
	for k, a := range g.Args {
		if a.Const == nil && !(nd.Len(a.Dims) == g.Out.Len() && sameOrder(f.shape(f.Nodes[i].In[min(k, len(f.Nodes[i].In)-1)]), a.RowsFirst)) {
			return
		}
	}
	if len(f.Nodes[i].In) == 2 {
		in := f.Nodes[i].In
		if f.shape(in[0]) == g.Out && f.shape(in[1]) == g.Out && g.Out.H > 0 {
			switch b.Name {
			case "Add":
				f.replace(i, &Add{}, g.Out, in...)
			case "Mul":
				f.replace(i, &Mul{}, g.Out, in...)
			}
		}
		return
	}
	if len(f.Nodes[i].In) != 1 || f.shape(f.Nodes[i].In[0]) != g.Out {
		return
	}
	at := 0
	if g.Args[1].Const != nil {
		at = 1
	}
	c := spreadConst(g, at)
	if c == nil {
		return
	}
	perPixel := true
	for k, v := range c {
		perPixel = perPixel && v == c[k%g.Out.C]
	}
	one := func(v float64) []float64 {
		all := make([]float64, g.Out.C)
		for k := range all {
			all[k] = v
		}
		return all
	}
	switch {
	case b.Name == "Add" && perPixel:
		f.replace(i, &Affine{Scale: one(1), Shift: c[:g.Out.C]}, g.Out, f.Nodes[i].In...)
	case b.Name == "Mul" && perPixel:
		f.replace(i, &Affine{Scale: c[:g.Out.C], Shift: one(0)}, g.Out, f.Nodes[i].In...)
	case b.Name == "Add":
		f.replace(i, &addConst{c}, g.Out, f.Nodes[i].In...)
	}
}

// spreadConst is a constant argument, broadcast to the result.
func spreadConst(g *General, at int) []float64 {
	dims, err := g.F.Shape([][]int{g.Args[0].Dims, g.Args[1].Dims})
	if err != nil {
		return nil
	}
	a := g.Args[at]
	out := nd.Array{Dims: dims, Data: make([]float64, nd.Len(dims))}
	zero := nd.Array{Dims: dims, Data: make([]float64, nd.Len(dims))}
	(&nd.Binary{Name: "Add"}).Forward([]nd.Array{zero, {Dims: a.Dims, Data: a.Const}}, out)
	return out.Data
}

// near reports equality up to the rounding of constants in float32.
func near(a, b float64) bool { return math.Abs(a/b-1) <= 1e-6 }

// gelu finds x*(1 + erf(x/sqrt 2))/2, in whatever order it is multiplied.
func (f *fusion) gelu(i int) {
	if _, ok := f.Nodes[i].Op.(*Mul); !ok || len(f.Nodes[i].In) != 2 {
		return
	}
	for k := range 2 {
		erf, a, c := f.unscaled(f.Nodes[i].In[k])
		act, ok := f.op(erf).(*Activation)
		if !ok || act.Func != Erf || !f.only(erf) || !f.only(f.Nodes[i].In[k]) || !near(a, c) {
			continue
		}
		x, b, none := f.unscaled(f.Nodes[erf].In[0])
		y, e, shift := f.unscaled(f.Nodes[i].In[1-k])
		if x != y || none != 0 || shift != 0 || !near(b, math.Sqrt2/2) || f.shape(x) != f.shapes[i] {
			continue
		}
		// The product is 2*a*e times the function; what scales it may follow.
		root, total := i, float64(2*a*e)
		for _, r := range f.readers(i) {
			if s, none, ok := f.scalar(r); ok && none == 0 && f.only(i) {
				root, total = r, float64(total*s)
			}
		}
		if near(total, 1) {
			f.replace(root, &Activation{Func: Gelu}, f.shapes[root], x)
		} else if near(float64(2*a*e), 1) {
			f.replace(i, &Activation{Func: Gelu}, f.shapes[i], x)
		}
		return
	}
}

// readers are the nodes that read node i.
func (f *fusion) readers(i int) (list []int) {
	for k := i + 1; k < len(f.Nodes); k++ {
		if f.uses[k] > 0 && slices.Contains(f.Nodes[k].In, i) {
			list = append(list, k)
		}
	}
	return list
}

// silu finds x*sigmoid(x).
func (f *fusion) silu(i int) {
	if _, ok := f.Nodes[i].Op.(*Mul); !ok || len(f.Nodes[i].In) != 2 {
		return
	}
	for k := range 2 {
		s, x := f.Nodes[i].In[k], f.Nodes[i].In[1-k]
		if act, ok := f.op(s).(*Activation); ok && act.Func == Sigmoid && f.Nodes[s].In[0] == x && f.shape(x) == f.shapes[i] {
			f.replace(i, &Activation{Func: SiLU}, f.shapes[i], x)
			return
		}
	}
}

// sums makes an addition of two values that lie alike in memory, but for where a
// row of pixels ends, a layer of one shape.
func (f *fusion) sums(i int) {
	if g, ok := f.binary(i, "Add"); ok && len(f.Nodes[i].In) == 2 && sameOrder(g.Out, g.RowsFirst) {
		for k, v := range f.Nodes[i].In {
			if other := f.Nodes[i].In[1-k]; f.shape(other) == g.Out && f.regrid(v, g.Out, false) {
				f.regrid(v, g.Out, true)
			}
		}
	}
	f.pointwise(i)
}

// regrid gives a value's pixels another grid, if nobody else reads it and all that
// it comes from works on each pixel by itself.
func (f *fusion) regrid(k int, grid Shape, really bool) bool {
	s := f.shape(k)
	if s.H*s.W != grid.H*grid.W || !f.only(k) {
		return false
	}
	if s.H == grid.H {
		return true
	}
	switch op := f.op(k).(type) {
	case *attention:
		if really {
			a := *op
			a.out = Shape{s.C, grid.H, grid.W}
			f.Nodes[k].Op = &a
		}
	case *gather:
		if really {
			f.Nodes[k].Op = &gather{out: Shape{s.C, grid.H, grid.W}, from: op.from, consts: op.consts}
		}
	default:
		if !byPixelOp(op) || !f.regrid(f.Nodes[k].In[0], grid, really) {
			return false
		}
	}
	if really {
		f.shapes[k] = Shape{s.C, grid.H, grid.W}
	}
	return true
}
