package engine

import (
	"slices"

	"sapf/models/engine/nd"
)

// attention is softmax(scale*Q*K' + bias)*V for groups of queries, keys and
// values, which it reads where they lie and whose results it leaves where they
// are wanted: heads, windows and their shifts need no copies.
type attention struct {
	groups, queries, keys int
	depth, width          int // of a query or key, and of a value
	// q, k and v are the rows of queries, keys and values, to those of results.
	q, k, v, to rows
	scale       float64
	bias        []*attentionBias
	out         Shape
}

// rows are runs of floats of one input.
type rows struct {
	in int
	// rows has the place of the first float of each, group by group.
	rows []int32
}

// attentionBias is added to the scores: tables of queries x keys, and which of
// them a group has.
type attentionBias struct {
	tables [][]float32
	of     []int32
}

// Kind is "Attention".
func (*attention) Kind() string { return "Attention" }

// OutShape is the result's.
func (a *attention) OutShape([]Shape) (Shape, error) { return a.out, nil }

// attention finds the product of a softmax of a product, scaled and with
// constants added, whose factors are runs of channels.
func (f *fusion) attention(i int) {
	outer, ok := f.matrices(i)
	if !ok || len(f.Nodes[i].In) != 2 {
		return
	}
	soft := f.Nodes[i].In[0]
	g, fn := f.general(soft)
	s, ok := fn.(*nd.Softmax)
	if !ok || s.Log || !f.only(soft) || len(s.Axes) != 1 || s.Axes[0] != len(g.Args[0].Dims)-1 {
		return
	}
	a := &attention{groups: outer.groups, queries: outer.rows, keys: outer.inner, width: outer.cols, scale: 1, out: f.shapes[i]}
	if shape := f.shapes[soft]; g.Args[0].Dims[s.Axes[0]] != a.keys || f.shape(f.Nodes[soft].In[0]) != shape ||
		!sameOrder(shape, g.Args[0].RowsFirst) || !sameOrder(shape, g.RowsFirst) || !sameOrder(shape, outer.a.RowsFirst) {
		return
	}
	product := f.scores(a, f.Nodes[soft].In[0])
	inner, ok := f.matrices(product)
	if !ok || len(f.Nodes[product].In) != 2 || inner.groups != a.groups || inner.rows != a.queries || inner.cols != a.keys {
		return
	}
	if o, _ := f.general(product); !sameOrder(f.shapes[product], o.RowsFirst) || f.shapes[product] != f.shapes[soft] {
		return
	}
	a.depth = inner.inner
	in := []int{}
	for k, arg := range []struct {
		to        *rows
		of        Arg
		node      int
		transpose bool
		n, width  int
	}{
		{&a.q, inner.a, f.Nodes[product].In[0], false, a.queries, a.depth},
		{&a.k, inner.b, f.Nodes[product].In[1], true, a.keys, a.depth},
		{&a.v, outer.b, f.Nodes[i].In[1], false, a.keys, a.width},
	} {
		node, places, scale := f.source(arg.node, arg.of)
		list := runsOf(f.shape(node), places, a.groups, arg.n, arg.width, arg.transpose)
		if list == nil {
			return
		}
		a.scale *= scale
		if k == 2 && scale != 1 {
			return
		}
		if !slices.Contains(in, node) {
			in = append(in, node)
		}
		*arg.to = rows{slices.Index(in, node), list}
	}
	if a.overlap(len(in), func(k int) int { return f.shape(in[k]).Len() }) {
		return
	}
	o, _ := f.general(i)
	places := make([]int32, a.out.Len())
	for k := range places {
		places[k] = int32(place(a.out, o.RowsFirst, k))
	}
	root := i
	if list := f.readers(i); len(list) == 1 && f.only(i) {
		if t, ok := f.op(list[0]).(*gather); ok && len(f.Nodes[list[0]].In) == 1 && len(t.from) == len(places) && distinct(t.from) {
			back := make([]int32, len(places))
			for k, at := range t.from {
				back[at] = int32(k)
			}
			moved := make([]int32, len(places))
			for k, at := range places {
				moved[k] = back[at]
			}
			if runsOf(t.out, moved, a.groups, a.queries, a.width, false) != nil {
				root, places, a.out = list[0], moved, t.out
			}
		}
	}
	if a.to.rows = runsOf(a.out, places, a.groups, a.queries, a.width, false); a.to.rows == nil {
		return
	}
	f.replace(root, a, a.out, in...)
}

// matrixProduct is a product of groups of matrices.
type matrixProduct struct {
	groups, rows, inner, cols int
	a, b                      Arg
}

// matrices is node k's product, if it is one of two inputs without repetition.
func (f *fusion) matrices(k int) (p matrixProduct, ok bool) {
	g, fn := f.general(k)
	if _, ok := fn.(nd.MatMul); !ok || len(f.Nodes[k].In) != 2 {
		return p, false
	}
	a, b := g.Args[0].Dims, g.Args[1].Dims
	n, m := len(a)-2, len(b)-2
	p = matrixProduct{nd.Len(a[:n]), a[n], a[n+1], b[m+1], g.Args[0], g.Args[1]}
	return p, p.groups == nd.Len(b[:m]) && p.groups*p.rows*p.cols == g.Out.Len() && p.inner > 0
}

// scores follows the scores from the softmax to the product that they are of.
func (f *fusion) scores(a *attention, k int) int {
	for f.only(k) {
		switch op := f.op(k).(type) {
		case *Affine:
			scale, shift := op.scaleShift(f.shapes[k].C)
			for _, v := range scale {
				if v != scale[0] {
					return k
				}
			}
			if slices.ContainsFunc(shift, func(v float64) bool { return v != 0 }) {
				all := make([]float64, f.shapes[k].Len())
				for e := range all {
					all[e] = shift[e%len(shift)]
				}
				a.addBias(all)
			}
			a.scale *= scale[0]
		case *addConst:
			a.addBias(op.c)
		default:
			return k
		}
		k = f.Nodes[k].In[0]
	}
	return k
}

// addBias adds constants, each table of queries x keys once.
func (a *attention) addBias(c []float64) {
	size := a.queries * a.keys
	b := &attentionBias{}
	for g := range a.groups {
		table := make([]float32, size)
		for k, v := range c[g*size:][:size] {
			table[k] = float32(v * a.scale)
		}
		at := slices.IndexFunc(b.tables, func(t []float32) bool { return slices.Equal(t, table) })
		if at < 0 {
			at = len(b.tables)
			b.tables = append(b.tables, table)
		}
		b.of = append(b.of, int32(at))
	}
	a.bias = append(a.bias, b)
}

// source follows an argument through moves and scalings to where its numbers
// are: the place there of every entry, and the scale.
func (f *fusion) source(k int, a Arg) (node int, places []int32, scale float64) {
	scale = 1
	places = make([]int32, nd.Len(a.Dims))
	for e := range places {
		places[e] = int32(place(f.shape(k), a.RowsFirst, e))
	}
	for k != Input {
		if s, none, ok := f.scalar(k); ok && none == 0 {
			scale *= s
			k = f.Nodes[k].In[0]
			continue
		}
		g, ok := f.op(k).(*gather)
		if !ok {
			break
		}
		// All of it has to come from one input.
		begin, from := 0, -1
		for _, in := range f.Nodes[k].In {
			n := f.shape(in).Len()
			if at := int(g.from[places[0]]); at >= begin && at < begin+n {
				from = in
				break
			}
			begin += n
		}
		if from < 0 && (from != Input || !slices.Contains(f.Nodes[k].In, Input)) {
			break
		}
		moved := make([]int32, len(places))
		n := f.shape(from).Len()
		for e, at := range places {
			v := int(g.from[at]) - begin
			if v < 0 || v >= n {
				return k, places, scale
			}
			moved[e] = int32(v)
		}
		k, places = from, moved
	}
	return k, places, scale
}

// runsOf gives the first places of rows that lie next to each other within a
// pixel: groups x n x width, or groups x width x n with transpose. It is nil
// where they do not.
func runsOf(s Shape, places []int32, groups, n, width int, transpose bool) []int32 {
	if len(places) != groups*n*width {
		return nil
	}
	list := make([]int32, 0, groups*n)
	for g := range groups {
		for i := range n {
			at, step := (g*n+i)*width, 1
			if transpose {
				at, step = g*n*width+i, n
			}
			first := places[at]
			if int(first)%s.C+width > s.C {
				return nil
			}
			for d := range width {
				if places[at+d*step] != first+int32(d) {
					return nil
				}
			}
			list = append(list, first)
		}
	}
	return list
}

// overlap reports that a float is read twice: its gradient would then have to be
// added up by workers that do not know of each other.
func (a *attention) overlap(inputs int, size func(k int) int) bool {
	seen := make([][]bool, inputs)
	for k := range seen {
		seen[k] = make([]bool, size(k))
	}
	for k, r := range []rows{a.q, a.k, a.v} {
		width := a.depth
		if k == 2 {
			width = a.width
		}
		for _, at := range r.rows {
			for e := range width {
				if seen[r.in][int(at)+e] {
					return true
				}
				seen[r.in][int(at)+e] = true
			}
		}
	}
	return false
}
