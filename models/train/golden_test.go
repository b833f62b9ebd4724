package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"sapf/models/engine"
)

// golden is testdata/golden.json, which PyTorch wrote (testdata/golden.py).
type golden struct {
	Gradients map[string][]float64 `json:"gradients"`
	Runs      map[string]struct {
		Losses     []float64            `json:"losses"`
		Parameters map[string][]float64 `json:"parameters"`
	} `json:"runs"`
}

// numbers is golden.py's formula.
func numbers(seed int, scale float64, n int) []float32 {
	v := make([]float32, n)
	for k := range v {
		v[k] = float32((float64(float32((k*7919+seed*104729)%1009)/1009) - 0.5) * scale)
	}
	return v
}

// tinyNet is golden.py's network.
func tinyNet() *engine.Net {
	n := &engine.Net{Name: "tiny", Input: engine.Shape{C: 2, H: 9, W: 9}}
	at, seed := engine.Input, 0
	add := func(name string, op engine.Op) {
		n.Nodes = append(n.Nodes, engine.Node{Name: name, Op: op, In: []int{at}})
		at = len(n.Nodes) - 1
	}
	params := func(weights, biases int) (w, b []float32) {
		seed += 2
		return numbers(seed-1, 0.5, weights), numbers(seed, 0.5, biases)
	}
	conv := func(in, out int) *engine.Conv {
		w, b := params(out*in*9, out)
		return &engine.Conv{In: in, Out: out, Groups: 1, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, W: w, B: b}
	}
	dense := func(in, out int) *engine.Dense {
		w, b := params(out*in, out)
		return &engine.Dense{In: in, Out: out, W: w, B: b}
	}
	relu := &engine.Activation{Func: engine.ReLU}
	add("conv1", conv(2, 6))
	add("relu1", relu)
	add("conv2", conv(6, 5))
	add("relu2", relu)
	add("pool", &engine.MaxPool{KernelH: 2, KernelW: 2, StrideH: 2, StrideW: 2})
	add("flatten", &engine.Flatten{})
	add("fc1", dense(20, 8))
	add("relu3", relu)
	add("fc2", dense(8, 4))
	n.Output = at
	return n
}

// families are the kernels that this machine has.
func families(t testing.TB) []engine.Profile {
	var list []engine.Profile
	for _, f := range []engine.Family{engine.Generic, engine.AVX2, engine.AVX512, engine.NEON} {
		p := engine.Profile{Family: f, Algorithm: engine.Winograd}
		if _, err := engine.Compile(tinyNet(), p); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// far is the l2 distance of a from b over b's norm.
func far[T float32 | float64](a []T, b []float64) float64 {
	var d, n float64
	for i, v := range b {
		d += (float64(a[i]) - v) * (float64(a[i]) - v)
		n += v * v
	}
	return math.Sqrt(d / n)
}

func TestGoldenPyTorch(t *testing.T) {
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	const batch = 6
	x, labels := numbers(99, 2, batch*2*9*9), []int{0, 1, 2, 3, 0, 1}
	for _, profile := range families(t) {
		for name, recipe := range map[string]Recipe{
			"sgd":      {Optimizer: SGD, Momentum: 0.9, WeightDecay: 1e-3},
			"nesterov": {Optimizer: SGD, Momentum: 0.9, Nesterov: true, WeightDecay: 1e-3},
			"adam":     {Optimizer: Adam, WeightDecay: 1e-3},
		} {
			t.Run(fmt.Sprintf("%v/%s", profile, name), func(t *testing.T) {
				tr, err := engine.NewTrainer(tinyNet(), profile, batch, 2, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer tr.Close()
				rate := 0.1
				if recipe.Optimizer == Adam {
					rate = 0.01
				}
				opt := recipe.optimizer(tr.Params())
				z, dz := make([]float32, batch*4), make([]float32, batch*4)
				for step, wantLoss := range want.Runs[name].Losses {
					tr.ForwardTraining(x, z, 0, 0)
					loss, _ := crossEntropy(z, labels, dz)
					if math.Abs(loss-wantLoss) > 2e-6 {
						t.Fatalf("loss of step %d is %.9g, PyTorch's %.9g", step, loss, wantLoss)
					}
					tr.Gradients(dz)
					for _, p := range tr.Params() {
						if e := far(p.Grad, want.Gradients[p.Name]); step == 0 && !(e < 1e-5) {
							t.Fatalf("gradient of %s is off by %.3g (relative l2)", p.Name, e)
						}
					}
					opt.update(rate, step)
					tr.Update()
				}
				for _, p := range tr.Params() {
					if e := far(p.W, want.Runs[name].Parameters[p.Name]); !(e < 2e-5) {
						t.Errorf("%s after five steps is off by %.3g (relative l2)", p.Name, e)
					}
				}
			})
		}
	}
}

// TestCentralDifferences holds the gradient of the whole training loss with
// respect to every parameter against differences of the loss in double
// precision.
func TestCentralDifferences(t *testing.T) {
	const batch, h = 3, 1.0 / (1 << 18)
	x, labels := numbers(98, 2, batch*2*9*9), []int{3, 1, 0}
	net := tinyNet()
	z, dz := make([]float32, batch*4), make([]float32, batch*4)
	loss := func() float64 {
		// Forward64 keeps the logits in double precision.
		values := map[int][]float64{engine.Input: make([]float64, len(x))}
		for i, v := range x {
			values[engine.Input][i] = float64(v)
		}
		shapes, err := net.Shapes()
		if err != nil {
			t.Fatal(err)
		}
		for i, node := range net.Nodes {
			in := net.Input
			if node.In[0] >= 0 {
				in = shapes[node.In[0]]
			}
			values[i] = make([]float64, batch*shapes[i].Len())
			if err := engine.Forward64(node.Op, []engine.Shape{in}, batch, [][]float64{values[node.In[0]]}, values[i]); err != nil {
				t.Fatal(err)
			}
		}
		sum := 0.0
		for b, label := range labels {
			logits, total := values[net.Output][b*4:][:4], 0.0
			for _, v := range logits {
				total += math.Exp(v)
			}
			sum += math.Log(total) - logits[label]
		}
		return sum / batch
	}
	tr, err := engine.NewTrainer(net, engine.Profile{Family: engine.Generic}, batch, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	tr.ForwardTraining(x, z, 0, 0)
	crossEntropy(z, labels, dz)
	tr.Gradients(dz)
	params := map[string][]float32{}
	for _, node := range net.Nodes {
		switch op := node.Op.(type) {
		case *engine.Conv:
			params[node.Name+".weight"], params[node.Name+".bias"] = op.W, op.B
		case *engine.Dense:
			params[node.Name+".weight"], params[node.Name+".bias"] = op.W, op.B
		}
	}
	for _, p := range tr.Params() {
		w := params[p.Name]
		diff := make([]float64, len(w))
		for i, keep := range w {
			w[i] = keep + h
			up, width := loss(), float64(w[i])
			w[i] = keep - h
			down := loss()
			width -= float64(w[i])
			w[i] = keep
			diff[i] = (up - down) / width
		}
		// The loss is piecewise smooth: a step across a ReLU's corner costs some.
		if e := far(p.Grad, diff); !(e < 1e-5) {
			t.Errorf("gradient of %s is off its central differences by %.3g (relative l2)", p.Name, e)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		schedule string
		step     int
		want     float64
	}{
		{Constant, 0, 0.4}, {Constant, 99, 0.4},
		{Cosine, 0, 0.4}, {Cosine, 50, 0.2}, {Cosine, 99, 0.4 * (1 + math.Cos(0.99*math.Pi)) / 2},
		{Step, 49, 0.4}, {Step, 50, 0.04}, {Step, 74, 0.04}, {Step, 75, 0.004},
		{OneCycle, 0, 0.4 / 25}, {OneCycle, 15, 0.4 * (1 + 1./25) / 2}, {OneCycle, 30, 0.4}, {OneCycle, 65, 0.4 * (1 + 4e-6) / 2},
	} {
		r := Recipe{Schedule: c.schedule, Rate: 0.4}
		if got := r.rate(c.step, 100); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: rate of step %d of 100 is %.12g, want %.12g", c.schedule, c.step, got, c.want)
		}
	}
	if got := (Recipe{Schedule: OneCycle, Rate: 0.4}).rate(999_999, 1_000_000); strings.TrimSpace(fmt.Sprintf("%.3g", got)) != "1.6e-06" {
		t.Errorf("the last rate of one cycle is %g, want about 1.6e-06", got)
	}
}
