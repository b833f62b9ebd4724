package onnx

import (
	"fmt"
	"slices"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// windows are convolutions and pools over any number of axes: what lies in each
// window is laid out side by side, and then multiplied or reduced.
func windows() map[string]operator {
	const window = "kernel_shape strides dilations pads auto_pad "
	return map[string]operator{
		"Conv":          {general: generic(2, convGeneral)},
		"ConvTranspose": {in: 3, attrs: window + "group output_padding output_shape", general: generic(2, convTranspose)},
		"MaxPool":       {general: generic(1, poolGeneral)},
		"AveragePool":   {attrs: "dilations", general: generic(1, poolGeneral)},
		"LpPool":        {in: 1, attrs: window + "p ceil_mode", general: generic(1, poolGeneral)},
	}
}

// frame is a window over the axes behind N x C.
type frame struct{ kernel, stride, dilation, before, after []int }

// frame reads a window's attributes for axes of the given lengths. kernel is the
// weights' own, or nil.
func (n *nodeProto) frame(in, kernel []int) (frame, error) {
	var f frame
	list := func(name string, otherwise, count, least int) ([]int, error) {
		out := make([]int, count)
		a, ok := n.attrs[name]
		if ok && len(a.ints) != count {
			return nil, fmt.Errorf("%s %v, expected %d numbers", name, a.ints, count)
		}
		for k := range out {
			out[k] = otherwise
			if ok {
				if v := a.ints[k]; v < int64(least) || v > maxWindow {
					return nil, fmt.Errorf("%s %v, expected %d to %d", name, a.ints, least, maxWindow)
				}
				out[k] = int(a.ints[k])
			}
		}
		return out, nil
	}
	s := len(in)
	var err error
	if f.kernel, err = list("kernel_shape", 1, s, 1); err != nil {
		return f, err
	}
	if _, ok := n.attrs["kernel_shape"]; !ok && kernel == nil {
		return f, fmt.Errorf("no kernel_shape")
	} else if kernel != nil && ok && !slices.Equal(kernel, f.kernel) {
		return f, fmt.Errorf("kernel_shape %v, but the weights' is %v", f.kernel, kernel)
	}
	if kernel != nil {
		f.kernel = kernel
	}
	for _, k := range f.kernel {
		if k < 1 || k > maxWindow {
			return f, fmt.Errorf("a kernel of %v, expected 1 to %d", f.kernel, maxWindow)
		}
	}
	if f.stride, err = list("strides", 1, s, 1); err != nil {
		return f, err
	}
	if f.dilation, err = list("dilations", 1, s, 1); err != nil {
		return f, err
	}
	pads, err := list("pads", 0, 2*s, 0)
	if err != nil {
		return f, err
	}
	f.before, f.after = pads[:s:s], pads[s:]
	switch auto := n.attrs["auto_pad"].s; auto {
	case "", "NOTSET":
	case "VALID":
		f.before, f.after = make([]int, s), make([]int, s)
	case "SAME_UPPER", "SAME_LOWER":
		for k := range in {
			f.before[k], f.after[k] = same(in[k], f.kernel[k], f.stride[k], f.dilation[k], auto == "SAME_LOWER")
		}
	default:
		return f, fmt.Errorf("auto_pad %q, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
	}
	return f, nil
}

// reach is the length that a window covers.
func (f frame) reach(k int) int { return f.dilation[k]*(f.kernel[k]-1) + 1 }

// out are the numbers of positions.
func (f frame) out(in []int, ceil bool) ([]int, error) {
	var out []int
	for k, n := range in {
		rest := n + f.before[k] + f.after[k] - f.reach(k)
		if rest < 0 {
			return nil, fmt.Errorf("a window of %v on %v", f.kernel, in)
		}
		p := rest/f.stride[k] + 1
		if ceil && rest%f.stride[k] != 0 && p*f.stride[k] < n+f.before[k] { // the last begins inside
			p++
		}
		out = append(out, p)
	}
	return out, nil
}

// each calls f for every window position and cell, both in order, with the entry
// of the axes that it lies on, -1 in the padding and -2 beyond it.
func (f frame) each(in, out []int, visit func(at int)) {
	st := strides(in)
	cells := product(f.kernel)
	position, cell := make([]int, len(in)), make([]int, len(in))
	advance := func(index, dims []int) {
		for d := len(dims) - 1; d >= 0; d-- {
			if index[d]++; index[d] < dims[d] {
				return
			}
			index[d] = 0
		}
	}
	for range product(out) {
		for range cells {
			at := 0
			for d := range in {
				i := position[d]*f.stride[d] + cell[d]*f.dilation[d] - f.before[d]
				switch {
				case i >= in[d]+f.after[d]:
					at = -2
				case (i < 0 || i >= in[d]) && at >= 0:
					at = -1
				case at >= 0:
					at += i * st[d]
				}
			}
			visit(at)
			advance(cell, f.kernel)
		}
		advance(position, out)
	}
}

// unfold lays the windows of every N x C out: N x C x positions x cells.
func (g *importer) unfold(n *nodeProto, x *operand, f frame, out []int, fill float64) (*operand, error) {
	d := x.dims
	planes, size := d[0]*d[1], product(d[2:])
	dims := []int{d[0], d[1], product(out), product(f.kernel)}
	if size, err := checkSize(dims); err != nil || size > 4*maxFolded {
		return nil, fmt.Errorf("windows of %v, expected up to %d entries", dims, 4*maxFolded)
	}
	var plane []int
	f.each(d[2:], out, func(at int) { plane = append(plane, max(at, -1)) })
	from := &constant{dims: dims, i: make([]int64, 0, planes*len(plane))}
	for p := range planes {
		for _, at := range plane {
			if at >= 0 {
				at += p * size
			}
			from.i = append(from.i, int64(at))
		}
	}
	return g.taken(&nodeProto{name: n.name + ".windows", out: n.out}, from, fill, []any{x})
}

func poolGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	x := in[0]
	if x.c != nil || len(x.dims) < 3 {
		return nil, fmt.Errorf("input of shape %v, expected N x C and more", x.dims)
	}
	f, err := n.frame(x.dims[2:], nil)
	if err != nil {
		return nil, err
	}
	out, err := f.out(x.dims[2:], n.int("ceil_mode", 0) != 0)
	if err != nil {
		return nil, err
	}
	dims := append([]int{x.dims[0], x.dims[1]}, out...)
	name, fill := "Sum", 0.0
	if n.op == "MaxPool" {
		name, fill = "Max", lowest
	}
	p := scalar(float64(n.int("p", 2)))
	if n.op == "LpPool" {
		if x, err = g.each(n, x, engine.Activation{Func: engine.Abs}); err == nil {
			x, err = g.array(n, &nd.Binary{Name: "Pow"}, x, p)
		}
		if err != nil {
			return nil, err
		}
	}
	v, err := g.unfold(n, x, f, out, fill)
	if err == nil {
		v, err = g.array(n, &nd.Reduce{Name: name, Axes: []int{3}}, v)
	}
	if err != nil {
		return nil, err
	}
	v = viewed(v, dims...)
	switch n.op {
	case "LpPool":
		p.v = []float64{1 / p.v[0]}
		v, err = g.array(n, &nd.Binary{Name: "Pow"}, v, p)
	case "AveragePool":
		share := number{append([]int{1, 1}, out...), make([]float64, 0, product(out))}
		cells, count, k := product(f.kernel), 0, 0
		f.each(x.dims[2:], out, func(at int) {
			if at >= 0 || at == -1 && n.int("count_include_pad", 0) != 0 {
				count++
			}
			if k++; k == cells {
				share.v = append(share.v, 1/float64(max(count, 1)))
				count, k = 0, 0
			}
		})
		v, err = g.array(n, &nd.Binary{Name: "Mul"}, v, share)
	}
	if err != nil {
		return nil, err
	}
	// An image again, for the layers that follow.
	return g.asImage(n, v), nil
}

// lowest stands for minus infinity in the padding of a maximum.
const lowest = -1.7976931348623157e308

// asImage lays an array of 1 x C x H x W out as an image.
func (g *importer) asImage(n *nodeProto, v *operand) *operand {
	if v.c != nil || len(v.dims) != 4 || v.dims[0] != 1 || v.rowsFirst {
		return v
	}
	return g.lay(n, v, engine.Shape{C: v.dims[1], H: v.dims[2], W: v.dims[3]}, false)
}

func convGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	w := in[1].c
	if w == nil || w.f == nil || len(w.dims) < 3 || len(in[0].dims) != len(w.dims) {
		return nil, fmt.Errorf("weights of shape %v for an input of %v, expected a constant of as many axes", in[1].dims, in[0].dims)
	}
	f, err := n.frame(in[0].dims[2:], w.dims[2:])
	if err != nil {
		return nil, err
	}
	return g.convolve(n, in[0], w, optional(in, 2), int(n.int("group", 1)), f)
}

// convolve is a convolution over any number of axes: on the engine's own layers
// where there are one or two.
func (g *importer) convolve(n *nodeProto, x *operand, w *constant, bias *operand, groups int, f frame) (*operand, error) {
	d := x.dims
	if groups < 1 || w.dims[0]%groups != 0 || d[1] != w.dims[1]*groups {
		return nil, fmt.Errorf("weights of %v in %d groups for an input of %v", w.dims, groups, d)
	}
	if bias != nil && (bias.c == nil || bias.c.f == nil || len(bias.dims) != 1 || bias.dims[0] != w.dims[0]) {
		return nil, fmt.Errorf("bias of shape %v for %d channels", bias.dims, w.dims[0])
	}
	out, err := f.out(d[2:], false)
	if err != nil {
		return nil, err
	}
	dims := append([]int{d[0], w.dims[0]}, out...)
	if s := len(out); s <= 2 && d[0] == 1 && x.c == nil && g.batch == 1 {
		two := func(v []int, otherwise int) (int, int) {
			if s == 1 {
				return otherwise, v[0]
			}
			return v[0], v[1]
		}
		op := &engine.Conv{In: d[1], Out: w.dims[0], Groups: groups, W: w.f}
		op.KernelH, op.KernelW = two(f.kernel, 1)
		op.StrideH, op.StrideW = two(f.stride, 1)
		op.DilationH, op.DilationW = two(f.dilation, 1)
		op.Pad.Top, op.Pad.Left = two(f.before, 0)
		op.Pad.Bottom, op.Pad.Right = two(f.after, 0)
		if bias != nil {
			op.B = bias.c.f
		}
		shape := engine.Shape{C: d[1]}
		shape.H, shape.W = two(d[2:], 1)
		v := g.layer(n, op, false, g.lay(n, x, shape, false).node)[0]
		return viewed(v, dims...), nil
	}
	cells := product(f.kernel)
	v, err := g.unfold(n, x, f, out, 0)
	if err != nil {
		return nil, err
	}
	// N x groups x (channels x cells) x positions, times the weights.
	per, positions := w.dims[1], product(out)
	v, err = mover{1, func(_ *importer, _ *nodeProto, in []*operand, _ *constant) ([]*constant, error) {
		c, err := in[0].c.turned([]int{0, 1, 2, 4, 3}, d[0], groups, per*cells, positions)
		return []*constant{c}, err
	}}.one(g, n, viewed(v, d[0], groups, per, positions, cells))
	if err != nil {
		return nil, err
	}
	weights := &constant{dims: []int{groups, w.dims[0] / groups, per * cells}, f: w.f}
	if v, err = g.array(n, nd.MatMul{}, constants(weights)[0], v); err != nil {
		return nil, err
	}
	v = viewed(v, dims...)
	if bias == nil {
		return v, nil
	}
	return g.pair(n, "Add", v, perChannelView(bias, len(dims)))
}

// one is lower of a single value.
func (m mover) one(g *importer, n *nodeProto, v *operand) (*operand, error) {
	out, err := m.lower(g, &nodeProto{name: n.name, out: n.out}, []*operand{v})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// convTranspose is the convolution, with turned weights, of the input with zeros
// between its entries.
func convTranspose(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	x, w := in[0], in[1].c
	if w == nil || w.f == nil || len(w.dims) < 3 || len(x.dims) != len(w.dims) {
		return nil, fmt.Errorf("weights of shape %v for an input of %v, expected a constant of as many axes", in[1].dims, x.dims)
	}
	s, groups := len(w.dims)-2, int(n.int("group", 1))
	if groups < 1 || w.dims[0]%groups != 0 || w.dims[0] != x.dims[1] {
		return nil, fmt.Errorf("weights of %v in %d groups for an input of %v", w.dims, groups, x.dims)
	}
	plain := *n
	plain.attrs = map[string]attrProto{}
	for k, a := range n.attrs {
		if k != "auto_pad" {
			plain.attrs[k] = a
		}
	}
	f, err := plain.frame(x.dims[2:], w.dims[2:])
	if err != nil {
		return nil, err
	}
	extra := make([]int, s)
	if a, ok := n.attrs["output_padding"]; ok {
		if len(a.ints) != s {
			return nil, fmt.Errorf("output_padding %v, expected %d numbers", a.ints, s)
		}
		for k, v := range a.ints {
			if v < 0 || v > maxWindow {
				return nil, fmt.Errorf("output_padding %v, expected 0 to %d", a.ints, maxWindow)
			}
			extra[k] = int(v)
		}
	}
	auto := n.attrs["auto_pad"].s
	shape, given := n.attrs["output_shape"]
	for k := range s {
		full := f.stride[k]*(x.dims[2+k]-1) + extra[k] + f.reach(k)
		want := x.dims[2+k] * f.stride[k]
		switch {
		case given && len(shape.ints) < s:
			return nil, fmt.Errorf("output_shape %v, expected %d numbers", shape.ints, s)
		case given:
			if want = int(shape.ints[max(0, len(shape.ints)-s):][k]); want < 1 || want > maxEntries {
				return nil, fmt.Errorf("output_shape %v, expected lengths from 1 to %d", shape.ints, maxEntries)
			}
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
		case auto == "VALID":
			f.before[k], f.after[k] = 0, 0
			continue
		default:
			continue
		}
		total := full - want
		f.before[k], f.after[k] = total/2, total-total/2
		if auto == "SAME_LOWER" {
			f.before[k], f.after[k] = total-total/2, total/2
		}
	}
	v := x
	for k := range s {
		lead, tail := f.reach(k)-1-f.before[k], f.reach(k)-1-f.after[k]+extra[k]
		if x.dims[2+k] > maxFolded/f.stride[k] {
			return nil, fmt.Errorf("a stride of %d over %v, which is more than the %d entries there is room for", f.stride[k], x.dims, maxFolded)
		}
		var from []int
		for range max(lead, 0) {
			from = append(from, -1)
		}
		var spaced []int
		for i := range x.dims[2+k] {
			if i > 0 {
				for range f.stride[k] - 1 {
					spaced = append(spaced, -1)
				}
			}
			spaced = append(spaced, i)
		}
		cut, end := max(-lead, 0), len(spaced)-max(-tail, 0)
		if cut >= end {
			return nil, fmt.Errorf("padding %v and %v leaves nothing of %v", f.before, f.after, x.dims)
		}
		from = append(from, spaced[cut:end]...)
		for range max(tail, 0) {
			from = append(from, -1)
		}
		v, err = mover{1, func(_ *importer, _ *nodeProto, in []*operand, fill *constant) ([]*constant, error) {
			c, err := in[0].c.along(2+k, from, fill)
			return []*constant{c}, err
		}}.one(g, n, v)
		if err != nil {
			return nil, err
		}
		f.stride[k], f.before[k], f.after[k] = 1, 0, 0
	}
	// Weights: in x out/groups x kernel become out x in/groups x kernel, turned
	// about.
	in0, out0, cells := w.dims[0]/groups, w.dims[1], product(w.dims[2:])
	turned := &constant{dims: append([]int{out0 * groups, in0}, w.dims[2:]...), f: make([]float32, len(w.f))}
	for q := range groups {
		for i := range in0 {
			for o := range out0 {
				for c := range cells {
					turned.f[((q*out0+o)*in0+i)*cells+cells-1-c] = w.f[((q*in0+i)*out0+o)*cells+c]
				}
			}
		}
	}
	return g.convolve(n, v, turned, optional(in, 2), groups, f)
}
