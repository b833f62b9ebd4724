package onnx

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/engine/nd"
)

// Operators that only move entries are computed once, on the numbers of the
// entries in place of the entries: what comes out says where each one is from.

// mover computes an operator on constants; the entries that it makes itself are
// fill. Of its inputs the first data are moved.
type mover struct {
	data int // 0 for all
	f    func(g *importer, n *nodeProto, in []*operand, fill *constant) ([]*constant, error)
}

// movers are those operators.
func movers() map[string]operator {
	one := func(f func(g *importer, n *nodeProto, in []*operand) (*constant, error)) mover {
		return mover{1, func(g *importer, n *nodeProto, in []*operand, _ *constant) ([]*constant, error) {
			c, err := f(g, n, in)
			return []*constant{c}, err
		}}
	}
	all := one(foldConcat)
	all.data = 0
	two := mover{3, scatter} // data, indices, updates: the indices are constant
	return map[string]operator{
		"Transpose":       {general: one(foldTranspose).lower},
		"Slice":           {attrs: "steps", general: one(foldSlice).lower},
		"Gather":          {general: one(foldGather).lower},
		"Concat":          {general: all.lower},
		"Split":           {general: mover{1, splitConstant}.lower},
		"Pad":             {attrs: "paddings", general: mover{1, padConstant}.lower},
		"Expand":          {in: 2, general: one(foldExpand).lower},
		"Tile":            {in: 2, general: one(foldTile).lower},
		"DepthToSpace":    {in: 1, attrs: "blocksize mode", general: one(foldDepthToSpace).lower},
		"SpaceToDepth":    {in: 1, attrs: "blocksize mode", general: one(foldSpaceToDepth).lower},
		"GatherElements":  {in: 2, attrs: "axis", general: one(foldGatherElements).lower},
		"GatherND":        {in: 2, attrs: "batch_dims", general: one(foldGatherND).lower},
		"ScatterND":       {in: 3, attrs: "reduction", general: two.lower},
		"ScatterElements": {in: 3, attrs: "axis reduction", general: two.lower},
		"Trilu":           {in: 2, attrs: "upper", general: mover{1, trilu}.lower},
		"CenterCropPad":   {in: 2, attrs: "axes", general: mover{1, centerCropPad}.lower},
	}
}

// lower runs the operator on entry numbers, or on constants.
func (m mover) lower(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, max(1, m.data)); err != nil {
		return nil, err
	}
	data := m.data
	if data == 0 {
		data = len(in)
	}
	if err := need(in, data); err != nil {
		return nil, err
	}
	fixed := true
	for _, v := range in {
		fixed = fixed && (v == nil || v.c != nil)
	}
	if fixed {
		fill := &constant{f: []float32{0}}
		if in[0].c.i != nil {
			fill = &constant{i: []int64{0}}
		}
		list, err := m.f(g, n, in, fill)
		if err != nil {
			return nil, err
		}
		var out []*operand
		for _, c := range list {
			out = append(out, constants(c)...)
		}
		return out, nil
	}
	if n.op == "Transpose" {
		if v := g.turned(in[0], n.attrs["perm"].ints); v != nil {
			return []*operand{v}, nil
		}
	}
	numbers := slices.Clone(in)
	var args []any
	total := 0
	for k, v := range in[:data] {
		if v == nil || m.data == 3 && k == 1 {
			continue // indices
		}
		c := &constant{dims: v.dims, i: make([]int64, product(v.dims))}
		for j := range c.i {
			c.i[j] = int64(total + j)
		}
		total += len(c.i)
		numbers[k] = &operand{c: c, dims: v.dims}
		args = append(args, v)
	}
	if total > math.MaxInt32 {
		return nil, fmt.Errorf("%d entries are too many", total)
	}
	for k, v := range numbers {
		if v != nil && v.c == nil {
			return nil, fmt.Errorf("its input %d depends on the image, expected a constant", k)
		}
	}
	fill := 0.0
	if n.op == "Pad" {
		var err error
		if fill, err = padValue(n, in); err != nil {
			return nil, err
		}
	}
	list, err := m.f(g, n, numbers, &constant{i: []int64{-1}})
	if err != nil {
		return nil, err
	}
	var out []*operand
	for k, c := range list {
		v, err := g.taken(&nodeProto{name: partName(n, k, len(list)), out: n.out}, c, fill, args)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func partName(n *nodeProto, k, parts int) string {
	name := n.name
	if name == "" && k < len(n.out) {
		name = n.out[k]
	}
	if parts > 1 {
		name = fmt.Sprintf("%s[%d]", name, k)
	}
	return name
}

// taken moves entries to where the numbers say; it is a view where none moves.
func (g *importer) taken(n *nodeProto, from *constant, fill float64, args []any) (*operand, error) {
	t := &nd.Take{Dims: from.dims, From: make([]int32, len(from.i)), Fill: fill}
	same := len(args) == 1 && len(from.i) == product(args[0].(*operand).dims)
	for k, at := range from.i {
		t.From[k] = int32(at)
		same = same && int(at) == k
	}
	if same {
		return viewed(args[0].(*operand), from.dims...), nil
	}
	t.From = g.shared(t.From)
	return g.array(n, t, args...)
}

// shared is one list for all that are equal: the layers of a transformer move
// their entries alike, and a list is as long as a tensor.
func (g *importer) shared(from []int32) []int32 {
	h := uint64(len(from)) // and of some of its numbers
	for k := 0; k < len(from); k += 1 + len(from)/64 {
		h = h*31 + uint64(from[k])
	}
	for _, old := range g.lists[h] {
		if slices.Equal(old, from) {
			return old
		}
	}
	if g.lists == nil {
		g.lists = map[uint64][][]int32{}
	}
	g.lists[h] = append(g.lists[h], from)
	return from
}

// turned is a transpose that only says in which order an image lies in memory:
// the channels behind the rows and columns, or before them. It is nil for others.
func (g *importer) turned(v *operand, perm []int64) *operand {
	if perm == nil {
		for d := len(v.dims) - 1; d >= 0; d-- {
			perm = append(perm, int64(d))
		}
	}
	if len(perm) != len(v.dims) {
		return nil
	}
	dims := make([]int, len(perm))
	var order []int64 // of the axes longer than 1
	var old []int64
	for k, p := range perm {
		if p < 0 || int(p) >= len(v.dims) || slices.Contains(perm[:k], p) {
			return nil
		}
		dims[k] = v.dims[p]
		if v.dims[p] != 1 {
			order = append(order, p)
		}
		if v.dims[k] != 1 {
			old = append(old, int64(k))
		}
	}
	if slices.Equal(order, old) {
		return viewed(v, dims...)
	}
	s := g.Shape(v.node)
	front, back := s.C, s.H*s.W
	if v.rowsFirst {
		front, back = back, front
	}
	// The axes in front multiply to front; they go behind the others.
	for k, n := 0, 1; k < len(old); k++ {
		n *= v.dims[old[k]]
		if n == front && product(v.dims)/n == back && slices.Equal(order, append(slices.Clone(old[k+1:]), old[:k+1]...)) {
			out := viewed(v, dims...)
			out.rowsFirst = !v.rowsFirst
			return out
		}
	}
	return nil
}

func splitConstant(_ *importer, n *nodeProto, in []*operand, _ *constant) ([]*constant, error) {
	k, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	sizes, err := n.intsOf("split", in, 1)
	if err != nil {
		return nil, err
	}
	size := in[0].dims[k]
	if sizes == nil {
		parts := max(1, int(n.int("num_outputs", int64(len(n.out)))))
		each := max(1, (size+parts-1)/parts)
		for at := 0; at < size; at += each {
			sizes = append(sizes, int64(min(each, size-at)))
		}
	}
	var out []*constant
	at := 0
	for _, s := range sizes {
		if s < 0 || int(s) > size-at {
			return nil, fmt.Errorf("a split of %d entries into %v, expected lengths from 0 on that come to %d", size, sizes, size)
		}
		c, err := in[0].c.slice(k, at, 1, int(s))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		at += int(s)
	}
	return out, nil
}

// padValue is the constant of Pad.
func padValue(n *nodeProto, in []*operand) (float64, error) {
	if len(in) > 2 && in[2] != nil {
		if in[2].c == nil || in[2].c.len() != 1 {
			return 0, fmt.Errorf("the value to pad with is not a constant number")
		}
		return in[2].c.float(0), nil
	}
	return n.float("value", 0), nil
}

// padConstant pads every axis; lengths below 0 cut.
func padConstant(_ *importer, n *nodeProto, in []*operand, fill *constant) ([]*constant, error) {
	c := in[0].c
	pads, err := n.intsOf("pads", in, 1)
	if err != nil {
		return nil, err
	}
	axes, err := n.intsOf("axes", in, 3)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		for d := range c.dims {
			axes = append(axes, int64(d))
		}
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("pads %v for axes %v", pads, axes)
	}
	if len(fill.i) == 0 || fill.i[0] >= 0 { // of numbers, not of entries
		v, err := padValue(n, in)
		if err != nil {
			return nil, err
		}
		fill = arrayConstant([]int{}, []float64{v}, c.i != nil)
	}
	mode := n.attrs["mode"].s
	for k, a := range axes {
		d, err := axis(a, len(c.dims))
		if err != nil {
			return nil, err
		}
		before, after, size := pads[k], pads[k+len(axes)], int64(c.dims[d])
		if max(before, after) > maxFolded || min(before, after) < -maxFolded || size+before+after < 0 {
			return nil, fmt.Errorf("pads %v of %v", pads, c.dims)
		}
		from := make([]int, size+before+after)
		for i := range from {
			at := int64(i) - before
			switch {
			case at >= 0 && at < size:
			case mode == "" || mode == "constant":
				at = -1
			case size == 0:
				return nil, fmt.Errorf("mode %s of an empty axis", mode)
			case mode == "edge":
				at = min(max(at, 0), size-1)
			case mode == "wrap":
				at = ((at % size) + size) % size
			case mode == "reflect":
				period := max(2*(size-1), 1)
				at = ((at % period) + period) % period
				at = min(at, period-at)
			default:
				return nil, fmt.Errorf("mode %q, expected constant, edge, reflect or wrap", mode)
			}
			from[i] = int(at)
		}
		if c, err = c.along(d, from, fill); err != nil {
			return nil, err
		}
	}
	return []*constant{c}, nil
}

// along takes entries of one axis by number; fill stands for negative ones.
func (c *constant) along(axis int, from []int, fill *constant) (*constant, error) {
	padded := &constant{dims: c.dims, f: c.f, i: c.i}
	outside := c.len()
	if c.i != nil {
		padded.i = append(slices.Clone(c.i), fill.i...)
	} else {
		padded.f = append(slices.Clone(c.f), fill.f...)
	}
	dims, st := slices.Clone(c.dims), strides(c.dims)
	dims[axis] = len(from)
	return padded.pick(dims, func(index []int) int {
		k := 0
		for d, i := range index {
			if d == axis {
				if i = from[i]; i < 0 {
					return outside
				}
			}
			k += i * st[d]
		}
		return k
	})
}

func (n *nodeProto) target(in []*operand, k int) ([]int, error) {
	if k >= len(in) || in[k] == nil {
		return nil, fmt.Errorf("input %d, a shape, is missing", k)
	}
	if in[k].c == nil {
		return nil, fmt.Errorf("its shape depends on the image")
	}
	v, err := in[k].c.integers()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for d, x := range v {
		if x < 0 || x > maxEntries {
			return nil, fmt.Errorf("shape %v, expected lengths from 0 to %d", v, maxEntries)
		}
		out[d] = int(x)
	}
	return out, nil
}

func foldExpand(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	to, err := n.target(in, 1)
	if err != nil {
		return nil, err
	}
	dims, err := nd.Broadcast(in[0].dims, to)
	if err != nil {
		return nil, err
	}
	st, off := strides(in[0].dims), len(dims)-len(in[0].dims)
	return in[0].c.pick(dims, func(index []int) int {
		k := 0
		for d, s := range st {
			if in[0].dims[d] != 1 {
				k += index[off+d] * s
			}
		}
		return k
	})
}

func foldTile(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	times, err := n.target(in, 1)
	if err != nil {
		return nil, err
	}
	if len(times) != len(in[0].dims) {
		return nil, fmt.Errorf("repeats %v of %v, expected one for each of the %d axes", times, in[0].dims, len(in[0].dims))
	}
	c := in[0].c
	for d, t := range times {
		from := []int{}
		if t > maxFolded/max(1, c.dims[d]) {
			return nil, fmt.Errorf("repeats %v of %v, which is more than the %d entries there is room for", times, in[0].dims, maxFolded)
		}
		for range t {
			for i := range c.dims[d] {
				from = append(from, i)
			}
		}
		if c, err = c.along(d, from, nothing(c)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// nothing is a fill that is not used.
func nothing(c *constant) *constant { return arrayConstant(nil, []float64{0}, c.i != nil) }

// blocks are the lengths of an image N x C x H x W and the side of its blocks.
func (n *nodeProto) blocks(in []*operand) (d []int, b int, err error) {
	d, b = in[0].dims, int(n.int("blocksize", 0))
	if len(d) != 4 || b < 1 || b > maxWindow {
		return nil, 0, fmt.Errorf("blocks of %d of an input of %v", b, d)
	}
	return d, b, nil
}

func foldDepthToSpace(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	d, b, err := n.blocks(in)
	if err != nil {
		return nil, err
	}
	c := d[1] / (b * b)
	if c*b*b != d[1] {
		return nil, fmt.Errorf("%d channels in blocks of %d", d[1], b)
	}
	split, perm := []int{d[0], b, b, c, d[2], d[3]}, []int{0, 3, 4, 1, 5, 2}
	switch mode := n.attrs["mode"].s; mode {
	case "", "DCR":
	case "CRD":
		split, perm = []int{d[0], c, b, b, d[2], d[3]}, []int{0, 1, 4, 2, 5, 3}
	default:
		return nil, fmt.Errorf("mode %q, expected DCR or CRD", mode)
	}
	return viewed(in[0], split...).c.turned(perm, d[0], c, d[2]*b, d[3]*b)
}

func foldSpaceToDepth(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	d, b, err := n.blocks(in)
	if err != nil {
		return nil, err
	}
	if d[2]%b != 0 || d[3]%b != 0 {
		return nil, fmt.Errorf("%v in blocks of %d", d, b)
	}
	perm := []int{0, 3, 5, 1, 2, 4}
	switch mode := n.attrs["mode"].s; mode {
	case "", "DCR":
	case "CRD":
		perm = []int{0, 1, 3, 5, 2, 4}
	default:
		return nil, fmt.Errorf("mode %q, expected DCR or CRD", mode)
	}
	return viewed(in[0], d[0], d[1], d[2]/b, b, d[3]/b, b).c.turned(perm, d[0], d[1]*b*b, d[2]/b, d[3]/b)
}

// turned is a transpose under another shape.
func (c *constant) turned(perm []int, dims ...int) (*constant, error) {
	out, err := c.transpose(perm)
	if err == nil {
		out.dims = dims
	}
	return out, err
}

func foldGatherElements(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	c := in[0].c
	k, err := axis(n.int("axis", 0), len(c.dims))
	if err != nil {
		return nil, err
	}
	at, err := in[1].c.within(c.dims[k])
	if err != nil {
		return nil, err
	}
	if len(in[1].dims) != len(c.dims) {
		return nil, fmt.Errorf("indices of %v for %v", in[1].dims, c.dims)
	}
	for d := range c.dims {
		if d != k && in[1].dims[d] > c.dims[d] {
			return nil, fmt.Errorf("indices of %v for %v", in[1].dims, c.dims)
		}
	}
	st, own := strides(c.dims), strides(in[1].dims)
	return c.pick(in[1].dims, func(index []int) int {
		from, which := 0, 0
		for d, i := range index {
			which += i * own[d]
			if d != k {
				from += i * st[d]
			}
		}
		return from + at[which]*st[k]
	})
}

// within are indices into an axis, made positive.
func (c *constant) within(size int) ([]int, error) {
	if c == nil {
		return nil, fmt.Errorf("its indices depend on the image")
	}
	v, err := c.integers()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for k, x := range v {
		if x < 0 {
			x += int64(size)
		}
		if x < 0 || x >= int64(size) {
			return nil, fmt.Errorf("index %d, expected 0 to %d", v[k], size-1)
		}
		out[k] = int(x)
	}
	return out, nil
}

// slots are where the tuples of indices point to: the offsets of blocks in an
// array of dims, whose first batch axes go with those of the indices.
func slots(dims []int, index *constant, batch int) (offsets []int, block []int, err error) {
	if index == nil || len(index.dims) < 1 || batch < 0 || batch >= len(index.dims) {
		return nil, nil, fmt.Errorf("indices that are not constant, or have no axes")
	}
	n := index.dims[len(index.dims)-1]
	if batch+n > len(dims) || !slices.Equal(dims[:batch], index.dims[:batch]) {
		return nil, nil, fmt.Errorf("indices of %v for %v", index.dims, dims)
	}
	v, err := index.integers()
	if err != nil {
		return nil, nil, err
	}
	st := strides(dims)
	count := product(index.dims[:len(index.dims)-1])
	per := max(1, count/max(1, product(dims[:batch])))
	for k := range count {
		at := 0
		if batch > 0 {
			at = k / per * st[batch-1]
		}
		for d := range n {
			x := int(v[k*n+d])
			if x < 0 {
				x += dims[batch+d]
			}
			if x < 0 || x >= dims[batch+d] {
				return nil, nil, fmt.Errorf("index %d, expected 0 to %d", v[k*n+d], dims[batch+d]-1)
			}
			at += x * st[batch+d]
		}
		offsets = append(offsets, at)
	}
	return offsets, dims[batch+n:], nil
}

func foldGatherND(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	offsets, block, err := slots(in[0].dims, in[1].c, int(n.int("batch_dims", 0)))
	if err != nil {
		return nil, err
	}
	dims := append(slices.Clone(in[1].dims[:len(in[1].dims)-1]), block...)
	size, k := product(block), -1
	return in[0].c.pick(dims, func([]int) int {
		k++
		return offsets[k/size] + k%size
	})
}

// scatter is ScatterND or ScatterElements without a reduction.
func scatter(_ *importer, n *nodeProto, in []*operand, _ *constant) ([]*constant, error) {
	if r := n.attrs["reduction"].s; r != "" && r != "none" {
		return nil, fmt.Errorf("reduction %q, expected none", r)
	}
	data, index, updates := in[0].c, in[1].c, in[2].c
	if index == nil || (data.i != nil) != (updates.i != nil) {
		return nil, fmt.Errorf("indices that are not constant, or updates of another type than the data")
	}
	var at []int
	if n.op == "ScatterND" {
		offsets, block, err := slots(data.dims, index, 0)
		if err != nil {
			return nil, err
		}
		for _, o := range offsets {
			for k := range product(block) {
				at = append(at, o+k)
			}
		}
	} else {
		k, err := axis(n.int("axis", 0), len(data.dims))
		if err != nil {
			return nil, err
		}
		numbers := &constant{dims: data.dims, i: make([]int64, data.len())}
		for j := range numbers.i {
			numbers.i[j] = int64(j)
		}
		from, err := foldGatherElements(nil, &nodeProto{attrs: map[string]attrProto{"axis": {i: int64(k)}}}, []*operand{{c: numbers, dims: data.dims}, in[1]})
		if err != nil {
			return nil, err
		}
		for _, j := range from.i {
			at = append(at, int(j))
		}
	}
	if len(at) != updates.len() {
		return nil, fmt.Errorf("updates of %v for indices of %v", updates.dims, index.dims)
	}
	out := &constant{dims: data.dims, f: slices.Clone(data.f), i: slices.Clone(data.i)}
	for k, j := range at {
		if out.i != nil {
			out.i[j] = updates.i[k]
		} else {
			out.f[j] = updates.f[k]
		}
	}
	return []*constant{out}, nil
}

// trilu keeps a triangle.
func trilu(_ *importer, n *nodeProto, in []*operand, fill *constant) ([]*constant, error) {
	c, shift := in[0].c, 0
	if len(in) > 1 && in[1] != nil {
		if in[1].c == nil || in[1].c.len() != 1 {
			return nil, fmt.Errorf("its diagonal is not a constant number")
		}
		shift = int(in[1].c.float(0))
	}
	if len(c.dims) < 2 {
		return nil, fmt.Errorf("input of shape %v, expected matrices", c.dims)
	}
	padded := &constant{dims: c.dims, f: append(slices.Clone(c.f), fill.f...), i: append(slices.Clone(c.i), fill.i...)}
	k, rank := -1, len(c.dims)
	out, err := padded.pick(c.dims, func(index []int) int {
		k++
		above := index[rank-1] - index[rank-2] - shift
		if n.int("upper", 1) != 0 && above >= 0 || n.int("upper", 1) == 0 && above <= 0 {
			return k
		}
		return c.len()
	})
	return []*constant{out}, err
}

// centerCropPad cuts or pads evenly.
func centerCropPad(_ *importer, n *nodeProto, in []*operand, fill *constant) ([]*constant, error) {
	to, err := n.target(in, 1)
	if err != nil {
		return nil, err
	}
	c := in[0].c
	axes := n.attrs["axes"].ints
	for d := range c.dims {
		if _, ok := n.attrs["axes"]; !ok {
			axes = append(axes, int64(d))
		}
	}
	if len(axes) != len(to) {
		return nil, fmt.Errorf("shape %v for axes %v, expected a length for each", to, axes)
	}
	for k, a := range axes {
		d, err := axis(a, len(c.dims))
		if err != nil {
			return nil, err
		}
		size := c.dims[d]
		if to[k] > size+maxFolded {
			return nil, fmt.Errorf("shape %v of %v, expected up to %d entries more along an axis", to, c.dims, maxFolded)
		}
		from := make([]int, to[k])
		// What is cut or padded in front is the smaller half.
		shift := max(0, size-to[k])/2 - max(0, to[k]-size)/2
		for i := range from {
			if from[i] = i + shift; from[i] >= size {
				from[i] = -1
			}
		}
		if c, err = c.along(d, from, fill); err != nil {
			return nil, err
		}
	}
	return []*constant{c}, nil
}
