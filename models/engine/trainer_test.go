package engine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// gradients64 are the gradients of sum(dlogits*logits) with respect to all
// parameters of a network, layer by layer in double precision.
func gradients64(t *testing.T, n *Net, batch int, x, dlogits []float32) [][]float64 {
	t.Helper()
	p, err := Compile(n, Profile{Family: Float64})
	if err != nil {
		t.Fatal(err)
	}
	d := newDouble(p, batch)
	d.forward(x, make([]float32, len(dlogits)))
	d.backward(dlogits, make([]float32, len(x)))
	var grads [][]float64
	for i, node := range n.Nodes {
		var dw, db []float64
		switch op := node.Op.(type) {
		case *Conv:
			dw, db = make([]float64, len(op.W)), make([]float64, len(op.B))
		case *Dense:
			dw, db = make([]float64, len(op.W)), make([]float64, len(op.B))
		default:
			continue
		}
		if err := WeightGrad64(node.Op, d.shapes[i], batch, d.in[i], d.ds[i], dw, db); err != nil {
			t.Fatal(err)
		}
		grads = append(grads, dw, db)
	}
	return grads
}

func trainerOf(t testing.TB, n *Net, p Profile, batch, threads int, drop Dropout) *Trainer {
	t.Helper()
	tr, err := NewTrainer(n, p, batch, threads, drop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// TestWeightGradients holds the kernels against the double-precision
// reference, for convolutions and dense layers of every kind, and checks that
// threads do not matter.
func TestWeightGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	cases := []opCase{}
	for _, c := range opCases(r) {
		switch c.op.(type) {
		case *Conv, *Dense, *MaxPool, *Add, *Activation:
			cases = append(cases, c)
		}
	}
	p1 := Padding{1, 1, 1, 1}
	cases = append(cases,
		opCase{"convManyChannels", conv(r, 33, 50, 1, 3, 3, 1, 1, 1, 1, p1), []Shape{{33, 9, 7}}},
		opCase{"convStride3Dilated2", conv(r, 5, 17, 1, 3, 3, 3, 3, 2, 2, p1), []Shape{{5, 14, 13}}},
		opCase{"convTwoGroups", conv(r, 6, 40, 2, 3, 3, 2, 1, 1, 1, p1), []Shape{{6, 8, 8}}},
		opCase{"denseWide", dense(r, 20*4*5, 70), []Shape{{20, 4, 5}}})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := around(r, c)
			for _, batch := range []int{3, 37} { // 37: chunks of 3 images, the last of 1
				if batch > 3 && !strings.HasPrefix(c.name, "conv3x3") && !strings.HasPrefix(c.name, "dense") {
					continue
				}
				x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*5)
				want := gradients64(t, n, batch, x, dl)
				for _, profile := range profiles() {
					tr := trainerOf(t, n, profile, batch, 1, nil)
					y := make([]float32, len(dl))
					for range 2 { // a second time over used buffers
						tr.ForwardTraining(x, y, 0, 0)
						tr.Gradients(dl)
					}
					three := trainerOf(t, n, profile, batch, 3, nil)
					three.ForwardTraining(x, y, 0, 0)
					three.Gradients(dl)
					if len(tr.Params()) != len(want) {
						t.Fatalf("%d parameters, want %d", len(tr.Params()), len(want))
					}
					for i, p := range tr.Params() {
						ref := make([]float32, len(want[i]))
						for k, v := range want[i] {
							ref[k] = float32(v)
						}
						if e := relative(p.Grad, ref); !(e <= 2*profile.tolerance()) {
							t.Fatalf("%v, batch %d: gradient of %s is off by %.3g (relative l2)", profile, batch, p.Name, e)
						}
						if !slices.Equal(p.Grad, three.Params()[i].Grad) {
							t.Fatalf("%v: three threads give another gradient of %s", profile, p.Name)
						}
					}
				}
			}
		})
	}
}

// TestTrainerUpdate: after a change of the parameters the trainer gives the
// bytes of the changed network compiled from the start.
func TestTrainerUpdate(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	cw := smallCW(r)
	nets := []*Net{cw}
	for _, c := range opCases(r) {
		switch c.op.(type) {
		case *Conv, *Dense, *AvgPool:
			nets = append(nets, around(r, c))
		}
	}
	const batch = 2
	for _, n := range nets {
		for _, profile := range profiles() {
			tr := trainerOf(t, n, profile, batch, 2, nil)
			before := slices.Clone(tr.Params()[0].W)
			for _, p := range tr.Params() {
				copy(p.W, randoms(r, len(p.W)))
			}
			tr.Update()
			compiled, err := Compile(tr.Net(), profile)
			if err != nil {
				t.Fatal(err)
			}
			x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*compiled.Output().Len())
			wantY, wantDX := stepOf(t, compiled, batch, 1, x, dl)
			y, dx := make([]float32, len(dl)), make([]float32, len(x))
			tr.Forward(x, y)
			tr.Backward(dl, dx)
			if !slices.Equal(y, wantY) || !slices.Equal(dx, wantDX) {
				t.Fatalf("%s, %v: the updated trainer differs from the compiled network", n.Name, profile)
			}
			if op, ok := n.Nodes[0].Op.(*Conv); ok && !slices.Equal(op.W, before) {
				t.Fatalf("%s: training changed the network it was given", n.Name)
			}
		}
	}
}

// smallCW has the layers of Carlini and Wagner's networks, few channels, and
// images large enough for Winograd.
func smallCW(r *rand.Rand) *Net {
	n := &Net{Name: "small", Input: Shape{3, 20, 20}}
	v := Input
	add := func(name string, op Op) {
		n.Nodes = append(n.Nodes, Node{Name: name, Op: op, In: []int{v}})
		v = len(n.Nodes) - 1
	}
	add("normalise", &Affine{Scale: []float64{1}, Shift: []float64{-0.5}})
	add("conv1", conv(r, 3, 48, 1, 3, 3, 1, 1, 1, 1, Padding{}))
	add("relu1", &Activation{Func: ReLU})
	add("conv2", conv(r, 48, 40, 1, 3, 3, 1, 1, 1, 1, Padding{}))
	add("relu2", &Activation{Func: ReLU})
	add("pool", &MaxPool{2, 2, 2, 2, Padding{}, false})
	add("flatten", &Flatten{})
	add("fc1", dense(r, 40*8*8, 30))
	add("relu3", &Activation{Func: ReLU})
	add("fc2", dense(r, 30, 10))
	n.Output = v
	return n
}

// TestDropout: the rate is what was asked for, the gradient is that of the
// network with those outputs removed, and the draw depends on seed and step
// only.
func TestDropout(t *testing.T) {
	if testing.Short() {
		t.Skip("a mean over many images")
	}
	r := rand.New(rand.NewPCG(25, 26))
	n := smallCW(r)
	const batch = 40
	x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*10)
	for _, profile := range profiles() {
		drop := Dropout{"fc1": 0.25}
		tr := trainerOf(t, n, profile, batch, 2, drop)
		y, y1, y2 := make([]float32, len(dl)), make([]float32, len(dl)), make([]float32, len(dl))
		tr.Forward(x, y)
		tr.ForwardTraining(x, y1, 5, 6)
		tr.Gradients(dl)
		if slices.Equal(y, y1) {
			t.Fatal("nothing was dropped")
		}
		one := trainerOf(t, n, profile, batch, 1, drop)
		one.ForwardTraining(x, y2, 5, 6)
		if !slices.Equal(y1, y2) {
			t.Fatal("the draw depends on the number of threads")
		}
		one.ForwardTraining(x, y2, 5, 7)
		if slices.Equal(y1, y2) {
			t.Fatal("two steps drop the same outputs")
		}

		// The reference: fc1's outputs, before and after, by the engine's own
		// tensors; then the layers on both sides by hand.
		tr.ForwardTraining(x, y1, 5, 6)
		out := tr.fast.plan.net.layers[3].out
		after, before := make([]float64, batch*30), make([]float64, batch*30)
		for b := range batch {
			out.t.gather(tr.fast.pool.workers[0], b, false, after[b*30:][:30])
		}
		tr.Forward(x, y)
		for b := range batch {
			out.t.gather(tr.fast.pool.workers[0], b, false, before[b*30:][:30])
		}
		alive, kept := 0, 0
		mask := make([]float64, len(after))
		for i := range after {
			if before[i] == 0 {
				continue
			}
			alive++
			if after[i] != 0 {
				kept++
				mask[i] = 1 / 0.75
				if want := float64(float32(before[i]) * float32(1/0.75)); after[i] != want {
					t.Fatalf("entry %d is %v, want %v", i, after[i], want)
				}
			}
		}
		if share := float64(kept) / float64(alive); share < 0.68 || share > 0.82 {
			t.Fatalf("%.3f of the outputs stay, want about 0.75 of %d", share, alive)
		}
		fc1, fc2 := n.Nodes[7].Op.(*Dense), n.Nodes[9].Op.(*Dense)
		dy := make([]float64, len(dl))
		for i, v := range dl {
			dy[i] = float64(v)
		}
		want2 := make([]float64, len(fc2.W))
		if err := WeightGrad64(fc2, []Shape{{30, 1, 1}}, batch, [][]float64{after}, dy, want2, nil); err != nil {
			t.Fatal(err)
		}
		back := make([]float64, len(after))
		if err := Backward64(fc2, []Shape{{30, 1, 1}}, batch, [][]float64{after}, dy, dy, [][]float64{back}); err != nil {
			t.Fatal(err)
		}
		in := tr.fast.plan.net.layers[3].in[0]
		flat := make([]float64, batch*in.shape.Len())
		for b := range batch {
			in.t.gather(tr.fast.pool.workers[0], b, false, flat[b*in.shape.Len():][:in.shape.Len()])
		}
		for i := range back {
			back[i] *= mask[i]
		}
		want1 := make([]float64, len(fc1.W))
		if err := WeightGrad64(fc1, []Shape{in.shape}, batch, [][]float64{flat}, back, want1, nil); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			want []float64
		}{{"fc1.weight", want1}, {"fc2.weight", want2}} {
			i := slices.IndexFunc(tr.Params(), func(p Param) bool { return p.Name == c.name })
			ref := make([]float32, len(c.want))
			for k, v := range c.want {
				ref[k] = float32(v)
			}
			if e := relative(tr.Params()[i].Grad, ref); !(e < 2e-6) {
				t.Fatalf("%v: gradient of %s is off by %.3g", profile, c.name, e)
			}
		}
	}
}

func TestTrainerRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	var bn, affine *Net
	for _, c := range opCases(r) {
		switch c.name {
		case "batchNorm":
			bn = around(r, c)
		case "affine":
			affine = around(r, c)
		}
	}
	direct := Profile{Generic, Direct}
	for _, c := range []struct {
		n     *Net
		p     Profile
		batch int
		drop  Dropout
		want  string
	}{
		{smallCW(r), Profile{Family: Float64}, 1, nil, "float64"},
		{smallCW(r), direct, 0, nil, "batch 0"},
		{bn, direct, 1, nil, "batch norm"},
		{affine, direct, 1, nil, "affine"},
		{smallCW(r), direct, 1, Dropout{"fc1": 1}, "[0,1)"},
		{smallCW(r), direct, 1, Dropout{"fc2": 0.5}, "ReLU"},
		{smallCW(r), direct, 1, Dropout{"fc7": 0.5}, "fc7"},
	} {
		_, err := NewTrainer(c.n, c.p, c.batch, 1, c.drop)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
}

func BenchmarkTrainStep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	n := cwNet(r)
	const batch = 128
	x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*10)
	y := make([]float32, len(dl))
	for _, profile := range profiles() {
		if profile.Family == Generic {
			continue
		}
		b.Run(profile.String(), func(b *testing.B) {
			tr := trainerOf(b, n, profile, batch, 0, nil)
			for b.Loop() {
				tr.ForwardTraining(x, y, 0, 0)
				tr.Gradients(dl)
				tr.Update()
			}
		})
	}
}
