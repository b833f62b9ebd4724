package engine

import (
	"slices"

	"sapf/models/engine/nd"
)

// gather moves entries: entry k of the result, counted pixel by pixel with the
// channels of a pixel next to each other, is entry from[k] of the inputs, which
// are numbered through in the same way, and after them of consts.
type gather struct {
	out    Shape
	from   []int32
	consts []float32
}

// Kind is "Gather".
func (*gather) Kind() string { return "Gather" }

// OutShape is the result's.
func (g *gather) OutShape([]Shape) (Shape, error) { return g.out, nil }

// place is where entry k of an array lies in memory: rows says that the array's
// order is that of memory.
func place(s Shape, rows bool, k int) int {
	if rows {
		return k
	}
	hw := s.H * s.W
	return k%hw*s.C + k/hw
}

// gathers makes moves of single entries, and views under another shape, gathers.
func (f *fusion) gathers(i int) {
	g, fn := f.general(i)
	var from []int32
	var fill float64
	switch t := fn.(type) {
	case *nd.Take:
		from, fill = t.From, t.Fill
	case *nd.Reshape:
		from = make([]int32, g.Out.Len())
		for k := range from {
			from[k] = int32(k)
		}
	default:
		return
	}
	out := &gather{out: g.Out, from: make([]int32, len(from))}
	// where has the place of every entry of every argument.
	var where, constants []int32
	total := 0
	in := 0
	for _, a := range g.Args {
		if a.Const == nil {
			total += f.shape(f.Nodes[i].In[in]).Len()
			in++
		}
	}
	in, begin := 0, 0
	for _, a := range g.Args {
		where = slices.Grow(where, nd.Len(a.Dims))
		for k := range nd.Len(a.Dims) {
			if a.Const != nil {
				where = append(where, int32(total+len(out.consts)))
				out.consts = append(out.consts, float32(a.Const[k]))
				continue
			}
			where = append(where, int32(begin+place(f.shape(f.Nodes[i].In[in]), a.RowsFirst, k)))
		}
		if a.Const == nil {
			begin += f.shape(f.Nodes[i].In[in]).Len()
			in++
		}
	}
	for k, at := range from {
		to := int32(-1)
		if at >= 0 {
			to = where[at]
		} else {
			if constants == nil {
				constants = []int32{int32(total + len(out.consts))}
				out.consts = append(out.consts, float32(fill))
			}
			to = constants[0]
		}
		out.from[place(g.Out, g.RowsFirst, k)] = to
	}
	f.replace(i, out, g.Out, f.Nodes[i].In...)
}

// compose makes a gather of gathers one, and one that moves nothing a view.
func (f *fusion) compose(i int) {
	g, ok := f.Nodes[i].Op.(*gather)
	if !ok {
		return
	}
	for {
		again := false
		for _, k := range f.Nodes[i].In {
			if _, ok := f.op(k).(*gather); ok {
				again = true
			}
		}
		if !again {
			break
		}
		g = f.expand(i, g)
	}
	if len(f.Nodes[i].In) == 1 && f.shape(f.Nodes[i].In[0]) == g.out && identityMap(g.from) {
		f.skip(i, f.Nodes[i].In[0])
	}
}

// skip lets the readers of node i read node k.
func (f *fusion) skip(i, k int) {
	if i == f.Output {
		return
	}
	for j := i + 1; j < len(f.Nodes); j++ {
		for at, v := range f.Nodes[j].In {
			if v == i {
				f.Nodes[j].In[at] = k
			}
		}
	}
}

func identityMap(from []int32) bool {
	for k, at := range from {
		if int(at) != k {
			return false
		}
	}
	return true
}

// expand replaces the inputs of a gather that are gathers by theirs.
func (f *fusion) expand(i int, g *gather) *gather {
	out := &gather{out: g.out, from: make([]int32, len(g.from))}
	var in []int           // the new inputs
	begin := map[int]int{} // where their entries begin
	total := 0
	input := func(k int) int {
		if _, ok := begin[k]; !ok {
			begin[k], in = total, append(in, k)
			total += f.shape(k).Len()
		}
		return begin[k]
	}
	for _, k := range f.Nodes[i].In {
		if _, ok := f.op(k).(*gather); !ok {
			input(k)
			continue
		}
		for _, j := range f.Nodes[k].In {
			input(j)
		}
	}
	// where has the new number of every old entry; constants come last.
	var where []int32
	for _, k := range f.Nodes[i].In {
		inner, ok := f.op(k).(*gather)
		if !ok {
			where = appendRun(where, begin[k], f.shape(k).Len())
			continue
		}
		var of []int32
		for _, j := range f.Nodes[k].In {
			of = appendRun(of, begin[j], f.shape(j).Len())
		}
		for _, v := range inner.consts {
			of = append(of, int32(total+len(out.consts)))
			out.consts = append(out.consts, v)
		}
		where = slices.Grow(where, len(inner.from))
		for _, at := range inner.from {
			where = append(where, of[at])
		}
	}
	for _, v := range g.consts {
		where = append(where, int32(total+len(out.consts)))
		out.consts = append(out.consts, v)
	}
	for k, at := range g.from {
		out.from[k] = where[at]
	}
	f.replace(i, out, g.out, in...)
	return out
}

// appendRun appends first, first+1, ..., n of them.
func appendRun(list []int32, first, n int) []int32 {
	list = slices.Grow(list, n)
	for k := range n {
		list = append(list, int32(first+k))
	}
	return list
}

// pixels is the number of the input's pixel for every pixel of a gather that
// moves whole pixels of one input, or nil.
func (f *fusion) pixels(i int) []int32 {
	g, ok := f.op(i).(*gather)
	if !ok || len(f.Nodes[i].In) != 1 || f.shape(f.Nodes[i].In[0]).C != g.out.C {
		return nil
	}
	c, total := g.out.C, f.shape(f.Nodes[i].In[0]).Len()
	list := make([]int32, len(g.from)/c)
	for p := range list {
		first := g.from[p*c]
		if int(first)%c != 0 || int(first) >= total {
			return nil
		}
		for k, at := range g.from[p*c:][:c] {
			if at != first+int32(k) {
				return nil
			}
		}
		list[p] = first / int32(c)
	}
	return list
}

// gatherPixels moves whole pixels.
func gatherPixels(out Shape, pixels []int32) *gather {
	g := &gather{out: out, from: make([]int32, out.Len())}
	for k := range g.from {
		g.from[k] = pixels[k/out.C]*int32(out.C) + int32(k%out.C)
	}
	return g
}

// byPixelOp reports a layer that works on every pixel by itself.
func byPixelOp(op Op) bool {
	switch op := op.(type) {
	case *Conv:
		return op.KernelH == 1 && op.KernelW == 1 && op.StrideH == 1 && op.StrideW == 1 && op.Pad == (Padding{})
	case *Affine, *BatchNorm, *Activation, *layerNorm:
		return true
	}
	return false
}

// sink lets pixels be moved after a layer that works on each by itself, where
// another move may take them up.
func (f *fusion) sink(i int) {
	if len(f.Nodes[i].In) != 1 || !byPixelOp(f.Nodes[i].Op) {
		return
	}
	t := f.Nodes[i].In[0]
	if !f.only(t) {
		return
	}
	pixels := f.pixels(t)
	if pixels == nil || len(pixels) != f.shape(f.Nodes[t].In[0]).H*f.shape(f.Nodes[t].In[0]).W || !distinct(pixels) {
		return
	}
	x, out := f.Nodes[t].In[0], f.shapes[i]
	f.replace(t, f.Nodes[i].Op, Shape{out.C, f.shape(x).H, f.shape(x).W}, x)
	f.Nodes[t].Name, f.Nodes[i].Name = f.Nodes[i].Name, f.Nodes[t].Name
	f.replace(i, gatherPixels(out, pixels), out, t)
}

func distinct(list []int32) bool {
	seen := make([]bool, len(list))
	for _, v := range list {
		if int(v) >= len(seen) || seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}

// hoist lets the pixels that come from an attention by way of layers that work on
// each be in their later order from the beginning.
func (f *fusion) hoist(i int) {
	pixels := f.pixels(i)
	if pixels == nil || !distinct(pixels) {
		return
	}
	var chain []int
	k := f.Nodes[i].In[0]
	for f.only(k) && len(f.Nodes[k].In) == 1 && byPixelOp(f.Nodes[k].Op) {
		chain = append(chain, k)
		k = f.Nodes[k].In[0]
	}
	a, ok := f.op(k).(*attention)
	if !ok || !f.only(k) || f.shapes[k].H*f.shapes[k].W != len(pixels) {
		return
	}
	// Pixel p comes from pixel pixels[p], which therefore goes to p.
	to := make([]int32, len(pixels))
	for p, at := range pixels {
		to[at] = int32(p)
	}
	c := int32(f.shapes[k].C)
	b := *a
	b.to.rows = slices.Clone(a.to.rows)
	for r, at := range b.to.rows {
		b.to.rows[r] = to[at/c]*c + at%c
	}
	grid := f.shapes[i]
	b.out = Shape{int(c), grid.H, grid.W}
	f.replace(k, &b, b.out, f.Nodes[k].In...)
	for _, j := range chain {
		f.shapes[j].H, f.shapes[j].W = grid.H, grid.W
	}
	f.skip(i, f.Nodes[i].In[0])
}
