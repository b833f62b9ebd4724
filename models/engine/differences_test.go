package engine

import (
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models/engine/nd"
)

// normalised divides the rows by their Euclidean norms.
func (b *arrays) normalised(a array) array {
	return b.f(&nd.Binary{Name: "Div"}, a, b.f(&nd.Reduce{Name: "L2", Axes: []int{len(a.dims) - 1}}, a))
}

// normed is a batch norm of the last axis.
func (b *arrays) normed(a array) array {
	a.node = b.norm(a.node)
	return a
}

// hybrid is what convolutional transformers have that vision transformers do not:
// pixels that become rows behind a batch norm; keys of another depth than values,
// a bias of the scores and a part of the pixels as queries; attention over the
// channels, of normalised queries and keys.
func hybrid(r *rand.Rand) *Net {
	const side, heads, d, w = 6, 2, 4, 7
	const n, queries, width = side * side, side / 2 * side / 2, heads * (2*d + w)
	b := &arrays{newBuilder(r, "hybrid", Shape{3, 2 * side, 2 * side})}
	x := array{b.norm(b.conv(Input, 10, 2, 2, 1, Padding{})), []int{n, 10}, true}
	x.node = b.add(&Activation{Func: HardSwish}, x.node)

	kv := b.transpose(b.normed(b.linear(x, heads*(d+w))).as(n, heads, d+w), 1, 0, 2)
	part := func(a array, from, count int) array { // channels of the last axis
		dims := []int{a.dims[0], a.dims[1], count}
		return b.moved(a, dims, func(k []int) int { return (k[0]*a.dims[1]+k[1])*a.dims[2] + from + k[2] })
	}
	every := b.moved(x, []int{queries, 10}, func(k []int) int {
		return (k[0]/(side/2)*2*side+k[0]%(side/2)*2)*10 + k[1]
	})
	q := b.transpose(b.normed(b.linear(every, heads*d)).as(queries, heads, d), 1, 0, 2)
	// A scale at which the softmax is not so steep that it magnifies rounding.
	s := b.scaled(b.f(nd.MatMul{}, q, b.transpose(part(kv, 0, d), 0, 2, 1)), 1./16)
	p := b.f(&nd.Softmax{Axes: []int{2}}, b.f(&nd.Binary{Name: "Add"}, s, b.numbers(heads, queries, n)))
	o := b.transpose(b.f(nd.MatMul{}, p, part(kv, d, w)), 1, 0, 2)
	o = b.f(&nd.Reshape{Dims: []int{queries, heads * w}}, o)
	o.node = b.add(&Activation{Func: HardSwish}, o.node)
	y := b.normed(b.linear(o, heads*8))

	qkv := b.transpose(b.linear(b.layerNorm(y, false), 3*heads*8).as(queries, 3, heads, 8), 1, 2, 3, 0)
	s = b.f(nd.MatMul{}, b.normalised(b.pick(qkv, 0)), b.transpose(b.normalised(b.pick(qkv, 1)), 0, 2, 1))
	p = b.f(&nd.Softmax{Axes: []int{2}}, b.f(&nd.Binary{Name: "Mul"}, s, b.numbers(heads, 1, 1)))
	o = b.transpose(b.f(nd.MatMul{}, p, b.pick(qkv, 2)), 2, 0, 1)
	z := b.linear(b.f(&nd.Reshape{Dims: []int{queries, heads * 8}}, o), heads*8)
	z = array{b.add(&Add{}, y.node, z.node), y.dims, true}
	b.dense(b.gelu(z, 2).node, 5)
	return b.n
}

// TestHybridDifferences holds the gradient of a whole network in double precision
// against central differences along random directions, then the kernels against it.
func TestHybridDifferences(t *testing.T) {
	const h = 1.0 / 4096
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 35))
		n := hybrid(r)
		p, err := Compile(n, Profile{Family: Float64})
		if err != nil {
			t.Fatal(err)
		}
		d := newDouble(p, 1)
		size := n.Input.Len()
		x, moved, dx, direction := make([]float32, size), make([]float32, size), make([]float32, size), make([]float64, size)
		for k := range x { // so that x+-h is exact
			x[k] = float32(r.IntN(257)) / 256
		}
		weights := randoms(r, 5)
		logits := make([]float32, 5)
		loss := func(step float64) float64 {
			for k, v := range direction {
				moved[k] = x[k] + float32(step*v)
			}
			d.forward(moved, logits)
			sum := 0.0
			for k, v := range d.ys[n.Output] {
				sum += v * float64(weights[k])
			}
			return sum
		}
		for trial := range 8 {
			for k := range direction {
				direction[k] = float64(2*r.IntN(2) - 1)
			}
			want := (loss(h) - loss(-h)) / (2 * h)
			loss(0)
			d.backward(weights, dx)
			got, scale := 0.0, 0.0
			for k, v := range dx {
				got += float64(v) * direction[k]
				scale += float64(v) * float64(v)
			}
			if math.Abs(got-want) > 1e-3*math.Sqrt(scale) {
				t.Errorf("seed %d, direction %d: slope %g, central difference %g, gradient of length %g", seed, trial, got, want, math.Sqrt(scale))
			}
		}
		checkNet(t, r, n, 2)
	}
}
