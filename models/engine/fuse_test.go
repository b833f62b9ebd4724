package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models/engine/nd"
)

// arrays builds networks as files of exporters become: operations on arrays of
// any rank, whose last axis is the channels.
type arrays struct {
	*builder
}

// array is a value and the shape under which it is seen.
type array struct {
	node int
	dims []int
	rows bool
}

// placed is where the importer puts an array: its last axis as channels.
func placed(dims []int) (s Shape, rows bool) {
	last := len(dims) - 1
	return Shape{dims[last], 1, nd.Len(dims) / dims[last]}, true
}

// f appends a function of arrays and of constants ([]float64 with dims).
func (b *arrays) f(fn nd.Func, args ...any) array {
	g := &General{F: fn}
	var dims [][]int
	var in []int
	for _, a := range args {
		switch a := a.(type) {
		case array:
			g.Args, in = append(g.Args, Arg{Dims: a.dims, RowsFirst: a.rows}), append(in, a.node)
		case nd.Array:
			g.Args = append(g.Args, Arg{Dims: a.Dims, Const: a.Data})
		}
		dims = append(dims, g.Args[len(g.Args)-1].Dims)
	}
	out, err := fn.Shape(dims)
	if err != nil {
		panic(err)
	}
	g.Out, g.RowsFirst = placed(out)
	for _, a := range args {
		if a, ok := a.(array); ok && nd.Len(a.dims) == nd.Len(out) && b.shape(a.node).C == g.Out.C {
			g.Out = b.shape(a.node)
			break
		}
	}
	return array{b.add(g, in...), out, true}
}

func (a array) as(dims ...int) array { a.dims = dims; return a }

// moved is what a function of the entries' numbers makes of an array.
func (b *arrays) moved(a array, dims []int, from func(k []int) int) array {
	t := &nd.Take{Dims: dims, From: make([]int32, nd.Len(dims))}
	index := make([]int, len(dims))
	for k := range t.From {
		t.From[k] = int32(from(index))
		for d := len(dims) - 1; d >= 0; d-- {
			if index[d]++; index[d] < dims[d] {
				break
			}
			index[d] = 0
		}
	}
	return b.f(t, a)
}

func (b *arrays) transpose(a array, perm ...int) array {
	dims, strides := make([]int, len(perm)), nd.Strides(a.dims)
	for k, p := range perm {
		dims[k] = a.dims[p]
	}
	return b.moved(a, dims, func(index []int) int {
		at := 0
		for k, p := range perm {
			at += index[k] * strides[p]
		}
		return at
	})
}

// select takes entry i of the first axis.
func (b *arrays) pick(a array, i int) array {
	n := nd.Len(a.dims[1:])
	k := i * n
	return b.moved(a, a.dims[1:], func([]int) int { k++; return k - 1 })
}

// linear multiplies the rows by a matrix, as a convolution of 1x1.
func (b *arrays) linear(a array, out int) array {
	v := b.conv(a.node, out, 1, 1, 1, Padding{})
	dims := append(append([]int{}, a.dims[:len(a.dims)-1]...), out)
	return array{v, dims, true}
}

func (b *arrays) numbers(dims ...int) nd.Array {
	v := nd.Array{Dims: dims, Data: make([]float64, nd.Len(dims))}
	for k := range v.Data {
		v.Data[k] = 3 * (b.r.Float64() - 0.5) // the same on every machine
	}
	return v
}

func (b *arrays) scaled(a array, scale float64) array {
	a.node = b.add(&Affine{Scale: []float64{scale}, Shift: []float64{0}}, a.node)
	return a
}

// affine is a scale and a shift a channel, in two layers.
func (b *arrays) affine(a array) array {
	c := a.dims[len(a.dims)-1]
	one, zero := make([]float64, c), make([]float64, c)
	for k := range one {
		one[k] = 1
	}
	a.node = b.add(&Affine{Scale: b.numbers(c).Data, Shift: zero}, a.node)
	a.node = b.add(&Affine{Scale: one, Shift: b.numbers(c).Data}, a.node)
	return a
}

func (b *arrays) layerNorm(a array, chain bool) array {
	last := []int{len(a.dims) - 1}
	if !chain {
		return b.affine(b.f(&nd.Norm{Axes: last, Eps: 1e-5}, a))
	}
	d := b.f(&nd.Binary{Name: "Sub"}, a, b.f(&nd.Reduce{Name: "Mean", Axes: last}, a))
	square := d
	square.node = b.add(&Activation{Func: Square}, d.node)
	v := b.f(&nd.Reduce{Name: "Mean", Axes: last}, square)
	v.node = b.add(&Activation{Func: Sqrt}, b.add(&Affine{Scale: []float64{1}, Shift: []float64{1e-5}}, v.node))
	return b.affine(b.f(&nd.Binary{Name: "Div"}, d, v))
}

// gelu in several ways to write it.
func (b *arrays) gelu(a array, way int) array {
	if way == 0 {
		a.node = b.add(&Activation{Func: Gelu}, a.node)
		return a
	}
	e := b.scaled(a, 1/math.Sqrt2)
	e.node = b.add(&Affine{Scale: []float64{1}, Shift: []float64{1}}, b.add(&Activation{Func: Erf}, e.node))
	switch way {
	case 1:
		return b.scaled(b.f(&nd.Binary{Name: "Mul"}, a, e), 0.5)
	case 2:
		return b.f(&nd.Binary{Name: "Mul"}, b.scaled(e, 0.5), a)
	}
	return b.f(&nd.Binary{Name: "Mul"}, b.scaled(a, 0.5), e)
}

// attend is attention of g windows of n tokens, whose channels are heads of d;
// bias is added to the scores, nil for none.
func (b *arrays) attend(x array, g, n, heads, d int, bias []nd.Array) array {
	qkv := b.linear(x, 3*heads*d).as(g, n, 3, heads, d)
	all := b.transpose(qkv, 2, 0, 3, 1, 4)
	q, k, v := b.scaled(b.pick(all, 0), 1/math.Sqrt(float64(d))), b.pick(all, 1), b.pick(all, 2)
	s := b.f(nd.MatMul{}, q, b.scaled(b.transpose(k, 0, 1, 3, 2), 0.6))
	for _, c := range bias {
		s = b.f(&nd.Binary{Name: "Add"}, s, c)
	}
	p := b.f(&nd.Softmax{Axes: []int{3}}, s)
	o := b.transpose(b.f(nd.MatMul{}, p, v), 0, 2, 1, 3)
	return b.linear(b.f(&nd.Reshape{Dims: []int{g * n, heads * d}}, o), heads*d)
}

// kinds counts the operations of a network as it runs.
func kinds(t *testing.T, n *Net) map[string]int {
	t.Helper()
	shapes, err := n.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	f, _ := fuse(n, shapes)
	count := map[string]int{}
	for i, needed := range reachable(f) {
		if needed {
			kind := f.Nodes[i].Op.Kind()
			if a, ok := f.Nodes[i].Op.(*Activation); ok {
				kind = string(a.Func)
			}
			if _, ok := f.Nodes[i].Op.(*General); ok {
				kind = "general " + kind
			}
			count[kind]++
		}
	}
	return count
}

func expectKinds(t *testing.T, n *Net, want map[string]int) {
	t.Helper()
	got := kinds(t, n)
	for kind, k := range want {
		if got[kind] != k {
			t.Errorf("%d of %s, expected %d: %v", got[kind], kind, k, got)
		}
	}
	for kind := range got {
		if len(kind) > 8 && kind[:8] == "general " && want[kind] == 0 {
			t.Errorf("%s has no kernel: %v", kind, got)
		}
	}
}

// transformer is a block of a vision transformer, with its token of the class and
// positions. The way is how its norms and functions are written.
func transformer(r *rand.Rand, heads, d, side, way int) *Net {
	b := &arrays{newBuilder(r, fmt.Sprint("vit", heads, "x", d), Shape{3, 2 * side, 2 * side})}
	width, n := heads*d, side*side+1
	patches := array{b.conv(Input, width, 2, 2, 1, Padding{}), []int{n - 1, width}, true}
	token := &nd.Take{Dims: []int{n, width}, From: make([]int32, n*width)}
	for i := range token.From {
		token.From[i] = int32(i)
	}
	x := b.f(token, b.numbers(1, width), patches)
	x = b.f(&nd.Binary{Name: "Add"}, x, b.numbers(n, width))
	y := b.attend(b.layerNorm(x, way == 1), 1, n, heads, d, nil)
	x = array{b.add(&Add{}, y.node, x.node), []int{n, width}, true}
	y = b.linear(b.gelu(b.linear(b.layerNorm(x, way == 0), 2*width), way+1), width)
	x = array{b.add(&Add{}, x.node, y.node), []int{n, width}, true}
	b.dense(b.pick(b.layerNorm(x, false), 0).node, 10)
	return b.n
}

// windowed is attention in windows of an image that is rolled before and after,
// with a bias a head and a mask a window.
func windowed(r *rand.Rand) *Net {
	const side, w, heads, d = 6, 3, 2, 8
	const width, windows = heads * d, side / w * side / w
	b := &arrays{newBuilder(r, "windows", Shape{3, side, side})}
	image := array{b.conv(Input, width, 3, 1, 1, Padding{1, 1, 1, 1}), []int{side, side, width}, true}
	roll := func(a array, by int) array {
		return b.moved(a, []int{side, side, width}, func(k []int) int {
			return ((k[0]+by+side)%side*side+(k[1]+by+side)%side)*width + k[2]
		})
	}
	x := roll(b.layerNorm(image, false), 1)
	x = b.transpose(x.as(side/w, w, side/w, w, width), 0, 2, 1, 3, 4).as(windows*w*w, width)
	x = b.f(&nd.Reshape{Dims: []int{windows * w * w, width}}, x)
	bias := b.numbers(1, heads, w*w, w*w)
	mask := b.numbers(windows, 1, w*w, w*w)
	for k := range mask.Data {
		if mask.Data[k] > 0.5 {
			mask.Data[k] = -100
		} else {
			mask.Data[k] = 0
		}
	}
	y := b.attend(x, windows, w*w, heads, d, []nd.Array{bias, mask})
	y = b.transpose(y.as(side/w, side/w, w, w, width), 0, 2, 1, 3, 4)
	y = roll(y.as(side, side, width), -1)
	v := b.f(&nd.Binary{Name: "Add"}, image, y.as(side, side, width))
	b.dense(b.add(&GlobalAvgPool{}, b.gelu(v, 3).node), 10)
	return b.n
}

// TestVisionTransformer has whole heads, and heads that fill no vector.
func TestVisionTransformer(t *testing.T) {
	for way, c := range []struct{ heads, d, side int }{{2, 16, 4}, {3, 5, 3}, {1, 40, 5}} {
		r := rand.New(rand.NewPCG(uint64(way), 31))
		n := transformer(r, c.heads, c.d, c.side, way)
		t.Run(n.Name, func(t *testing.T) {
			expectKinds(t, n, map[string]int{"Attention": 1, "LayerNorm": 3, "gelu": 1, "AddConst": 1, "Gather": 2})
			checkNet(t, r, n, 3)
		})
	}
}

func TestWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 32))
	n := windowed(r)
	expectKinds(t, n, map[string]int{"Attention": 1, "LayerNorm": 1, "gelu": 1, "Gather": 0, "AddConst": 0})
	checkNet(t, r, n, 2)
}

// TestMoves are gathers by themselves: entries read twice or not at all, several
// inputs, constants in between.
func TestMoves(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 33))
		b := &arrays{newBuilder(r, fmt.Sprint("moves", seed), Shape{3, 6, 6})}
		width := []int{16, 5, 24}[seed%3]
		x := array{b.conv(Input, width, 3, 1, 1, Padding{1, 1, 1, 1}), []int{36, width}, true}
		if seed%2 == 0 {
			x.node = b.relu(x.node)
		}
		y := array{b.conv(Input, width, 1, 1, 1, Padding{}), []int{36, width}, true}
		take := &nd.Take{Dims: []int{40, width}, From: make([]int32, 40*width), Fill: 0.5}
		for k := range take.From {
			switch {
			case seed%4 == 3: // whole pixels of one input
				take.From[k] = int32((k/width*7%36)*width + k%width)
			default:
				take.From[k] = int32(r.IntN(2*36*width+width+1)) - 1
			}
		}
		m := b.f(take, x, y, b.numbers(width))
		v := b.linear(m, 9)
		if seed%3 == 0 {
			v = array{b.add(&Add{}, v.node, b.linear(m, 9).node), v.dims, true}
		}
		b.dense(v.node, 5)
		t.Run(b.n.Name, func(t *testing.T) { checkNet(t, r, b.n, 2) })
	}
}

// TestNearMisses are what looks like a function or norm that there is a kernel for,
// and is not: fused, it would compute something else.
func TestNearMisses(t *testing.T) {
	last := []int{1}
	mul, sub, div := &nd.Binary{Name: "Mul"}, &nd.Binary{Name: "Sub"}, &nd.Binary{Name: "Div"}
	affine := func(b *arrays, a array, scale, shift float64) array {
		a.node = b.add(&Affine{Scale: []float64{scale}, Shift: []float64{shift}}, a.node)
		return a
	}
	act := func(b *arrays, a array, f ActKind) array {
		a.node = b.add(&Activation{Func: f}, a.node)
		return a
	}
	erf := func(within, before, scale, shift float64) func(*arrays, array) array {
		return func(b *arrays, a array) array {
			e := affine(b, act(b, affine(b, a, within, before), Erf), scale, shift)
			return b.scaled(b.f(mul, a, e), 0.5)
		}
	}
	norm := func(scale, eps float64, own bool) func(*arrays, array) array {
		return func(b *arrays, a array) array {
			d := b.f(sub, a, b.f(&nd.Reduce{Name: "Mean", Axes: last}, a))
			square := act(b, d, Square)
			if !own {
				square = act(b, a, Square)
			}
			v := act(b, affine(b, b.f(&nd.Reduce{Name: "Mean", Axes: last}, square), scale, eps), Sqrt)
			return b.f(div, d, v)
		}
	}
	for name, f := range map[string]func(*arrays, array) array{
		"gelu of another scale":    erf(0.7, 0, 1, 1),
		"gelu of a sum":            erf(1/math.Sqrt2, 0.1, 1, 1),
		"gelu of another constant": erf(1/math.Sqrt2, 0, 1, 0.5),
		"norm of a scaled square":  norm(1.5, 1e-5, true),
		"norm by the mean square":  norm(1, 1e-5, false),
	} {
		r := rand.New(rand.NewPCG(9, 35))
		b := &arrays{newBuilder(r, name, Shape{3, 4, 4})}
		x := array{b.conv(Input, 16, 3, 1, 1, Padding{1, 1, 1, 1}), []int{16, 16}, true}
		b.dense(b.linear(f(b, x), 9).node, 5)
		t.Run(name, func(t *testing.T) {
			if k := kinds(t, b.n); k["gelu"] != 0 || k["LayerNorm"] != 0 {
				t.Errorf("taken for what it is not: %v", k)
			}
			checkNet(t, r, b.n, 2)
		})
	}
}

// TestGates are products: of a gate of one pixel, of two images, of an image with
// itself, and by way of SiLU's definition.
func TestGates(t *testing.T) {
	for k, width := range []int{16, 24, 5, 130} {
		r := rand.New(rand.NewPCG(uint64(k), 34))
		b := &arrays{newBuilder(r, fmt.Sprint("gates", width), Shape{3, 7, 5})}
		x := b.conv(Input, width, 3, 1, 1, Padding{1, 1, 1, 1})
		s := b.add(&Mul{}, x, b.add(&Activation{Func: Sigmoid}, x))
		gate := b.add(&Activation{Func: Sigmoid}, b.conv(b.add(&GlobalAvgPool{}, s), width, 1, 1, 1, Padding{}))
		v := b.add(&Mul{}, gate, s)
		v = b.relu(b.add(&Add{}, v, b.add(&Mul{}, v, b.conv(s, width, 1, 1, 1, Padding{}))))
		v = b.add(&Mul{}, v, v)
		b.dense(b.add(&GlobalAvgPool{}, v), 5)
		expectKinds(t, b.n, map[string]int{"silu": 1, "sigmoid": 1, "Mul": 3})
		t.Run(b.n.Name, func(t *testing.T) { checkNet(t, r, b.n, 3) })
	}
}
