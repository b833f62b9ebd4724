package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// linearModel is Z = W x + b on 3x4x4 images with weights and biases drawn from
// a seed, and an image in the middle of the cube.
func linearModel(t testing.TB, classes int, lead float64, seed uint64) (*models.Model, data.Image, []float64) {
	t.Helper()
	return linearModelOf(t, engine.Shape{C: 3, H: 4, W: 4}, classes, lead, seed)
}

// linearModelOf is linearModel for images of another shape.
func linearModelOf(t testing.TB, shape engine.Shape, classes int, lead float64, seed uint64) (*models.Model, data.Image, []float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 99))
	x := data.NewImage(fmt.Sprintf("toy %d", seed), shape.C, shape.H, shape.W)
	for i := range x.Pix {
		x.Pix[i] = float32(0.3 + 0.4*rng.Float64())
	}
	w := make([]float32, classes*shape.Len())
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	b := make([]float32, classes)
	// All logits are 0 at x but that of class 0, which leads.
	for c := range b {
		z := 0.0
		for i, v := range x.Pix {
			z += float64(w[c*len(x.Pix)+i]) * float64(v)
		}
		if b[c] = float32(-z); c == 0 {
			b[c] += float32(lead)
		}
	}
	m, err := models.New(&engine.Net{
		Name: "linear", Input: shape,
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "fc", Op: &engine.Dense{In: shape.Len(), Out: classes, W: w, B: b}, In: []int{0}},
		},
		Output: 1,
	}, models.Card{Name: "linear"})
	if err != nil {
		t.Fatal(err)
	}
	m.Threads = 1
	x.Label = 0
	out := make([]float64, len(w))
	for i, v := range w {
		out[i] = float64(v)
	}
	return m, x, out
}

// optimum is the smallest distance, in each norm, at which class 1 takes over
// from class 0 in a two-class linear model.
type optimum struct {
	entries, pixels int
	l1, l2, linf    float64
	// sparseL2 is l2 where only sparseK entries may change.
	sparseL2 float64
}

// sparseK is the budget of the attacks that take one and keep l2 small.
const sparseK = 24

// optimumOf solves min ||d|| s.t. w.d >= gap, x+d in [0,1] for w = W_1 - W_0.
// The l0 ones are greedy over what each entry (pixel) can contribute at most,
// l1 fills the entries of largest |w| to their bounds, and l2 and linf have
// their closed forms, with the box idle.
func optimumOf(x data.Image, weights []float64, gap float64) optimum {
	n := len(x.Pix)
	var o optimum
	gain := make([]float64, n)
	pixelGain := make([]float64, n/3)
	slope := make([]float64, n)
	for i := range n {
		w := weights[n+i] - weights[i]
		slope[i] = math.Abs(w)
		gain[i] = max(w*(1-float64(x.Pix[i])), -w*float64(x.Pix[i]))
		pixelGain[i%(n/3)] += gain[i]
		o.l2 += w * w
		o.linf += math.Abs(w)
	}
	rest := gap
	for _, i := range ascending(negated(slope)) {
		part := min(rest, gain[i])
		o.l1 += part / slope[i]
		rest -= part
	}
	for _, i := range ascending(negated(slope))[:min(sparseK, n)] {
		o.sparseL2 += slope[i] * slope[i]
	}
	o.l2, o.sparseL2, o.linf = gap/math.Sqrt(o.l2), gap/math.Sqrt(o.sparseL2), gap/o.linf
	o.entries, o.pixels = greedyCount(gain, gap), greedyCount(pixelGain, gap)
	return o
}

func greedyCount(gain []float64, gap float64) int {
	sum := 0.0
	for n, i := range ascending(negated(gain)) {
		if sum += gain[i]; sum >= gap {
			return n + 1
		}
	}
	return len(gain) + 1
}

// reluNet is a network of one hidden layer on 1x3x3 images, small enough to
// search exhaustively.
func reluNet(t testing.TB, seed uint64) (*models.Model, data.Image) {
	t.Helper()
	const hidden, classes = 8, 3
	shape := engine.Shape{C: 1, H: 3, W: 3}
	rng := rand.New(rand.NewPCG(seed, 7))
	normal := func(n int, scale float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(scale * rng.NormFloat64())
		}
		return v
	}
	m, err := models.New(&engine.Net{
		Name: "relu", Input: shape,
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "fc1", Op: &engine.Dense{In: shape.Len(), Out: hidden, W: normal(hidden*shape.Len(), 1), B: normal(hidden, 0.5)}, In: []int{0}},
			{Name: "relu", Op: &engine.Activation{Func: engine.ReLU}, In: []int{1}},
			{Name: "fc2", Op: &engine.Dense{In: hidden, Out: classes, W: normal(classes*hidden, 1), B: normal(classes, 0.5)}, In: []int{2}},
		},
		Output: 3,
	}, models.Card{Name: "relu"})
	if err != nil {
		t.Fatal(err)
	}
	m.Threads = 1
	x := data.NewImage(fmt.Sprintf("relu %d", seed), shape.C, shape.H, shape.W)
	for i := range x.Pix {
		x.Pix[i] = float32(rng.Float64())
	}
	p, err := m.Predict(x)
	if err != nil {
		t.Fatal(err)
	}
	x.Label = p.Class
	return m, x
}

// fewestEntries is the smallest number of entries that must change to reach a
// goal when each changed entry takes one of the levels 0, 1/8, ..., 1; more
// than most if most do not suffice.
func fewestEntries(t testing.TB, m *models.Model, x data.Image, goal attack.Goal, most int) int {
	t.Helper()
	const levels, batch = 9, 512
	ev, err := m.Evaluator(batch, models.Linear{})
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	n, classes := x.Len(), len(m.Classes())
	points := make([]float64, batch*n)
	waiting := 0
	found := false
	flush := func() {
		z, err := ev.Forward(points)
		if err != nil {
			t.Fatal(err)
		}
		for b := range waiting {
			found = found || goal.Reached(models.Argmax(z[b*classes:(b+1)*classes]))
		}
		waiting = 0
	}
	var search func(from, left int, img []float64)
	search = func(from, left int, img []float64) {
		if found {
			return
		}
		if left == 0 {
			copy(points[waiting*n:], img)
			if waiting++; waiting == batch {
				flush()
			}
			return
		}
		for i := from; i < n; i++ {
			was := img[i]
			for l := range levels {
				img[i] = float64(l) / (levels - 1)
				search(i+1, left-1, img)
			}
			img[i] = was
		}
	}
	for count := 1; count <= most; count++ {
		img := make([]float64, n)
		for i, v := range x.Pix {
			img[i] = float64(v)
		}
		search(0, count, img)
		if flush(); found {
			return count
		}
	}
	return most + 1
}
