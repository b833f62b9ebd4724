package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// scaled gives weights the size at which activations keep theirs.
func scaled(r *rand.Rand, w []float32, fan int) {
	for i := range w {
		w[i] = float32(r.NormFloat64()) * sqrt32(2/float32(fan))
	}
}

// cwNet is the CIFAR-10 network of Carlini and Wagner (2017) with random
// weights.
func cwNet(r *rand.Rand) *Net {
	n := &Net{Name: "cw", Input: Shape{3, 32, 32}}
	v := Input
	add := func(op Op) {
		n.Nodes = append(n.Nodes, Node{Name: fmt.Sprintf("n%d", len(n.Nodes)), Op: op, In: []int{v}})
		v = len(n.Nodes) - 1
	}
	cv := func(in, out int) {
		c := conv(r, in, out, 1, 3, 3, 1, 1, 1, 1, Padding{})
		scaled(r, c.W, in*9)
		add(c)
		add(&Activation{Func: ReLU})
	}
	fc := func(in, out int) {
		d := dense(r, in, out)
		scaled(r, d.W, in)
		add(d)
	}
	add(&Affine{Scale: []float64{1}, Shift: []float64{-0.5}})
	cv(3, 64)
	cv(64, 64)
	add(&MaxPool{2, 2, 2, 2, Padding{}, false})
	cv(64, 128)
	cv(128, 128)
	add(&MaxPool{2, 2, 2, 2, Padding{}, false})
	add(&Flatten{})
	fc(3200, 256)
	add(&Activation{Func: ReLU})
	fc(256, 256)
	add(&Activation{Func: ReLU})
	fc(256, 10)
	n.Output = v
	return n
}

// benchNet measures a step (forward and backward) for every family.
func benchNet(b *testing.B, n *Net) {
	r := rand.New(rand.NewPCG(1, 1))
	cost, err := n.Cost()
	if err != nil {
		b.Fatal(err)
	}
	for _, profile := range profiles() {
		p, err := Compile(n, profile)
		if err != nil {
			b.Fatal(err)
		}
		for _, batch := range []int{1, 9} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%v/batch%d/threads%d", profile, batch, threads), func(b *testing.B) {
					run, err := p.Runner(batch, threads)
					if err != nil {
						b.Fatal(err)
					}
					defer run.Close()
					x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*p.Output().Len())
					y, dx := make([]float32, len(dl)), make([]float32, len(x))
					run.Forward(x, y)
					b.ReportAllocs()
					for b.Loop() {
						run.Forward(x, y)
						run.Backward(dl, dx)
					}
					b.ReportMetric(float64(b.N)*float64(batch)*float64(cost.Step())/1e9/b.Elapsed().Seconds(), "GFLOP/s")
				})
			}
		}
	}
}

func BenchmarkCW(b *testing.B)       { benchNet(b, cwNet(rand.New(rand.NewPCG(1, 2)))) }
func BenchmarkResNet20(b *testing.B) { benchNet(b, resNet20(rand.New(rand.NewPCG(1, 2)))) }

// BenchmarkMobileNetV2 and BenchmarkInceptionV3 take a while: -benchtime 10x.
func BenchmarkMobileNetV2(b *testing.B) { benchNet(b, mobileNetV2(rand.New(rand.NewPCG(1, 2)))) }
func BenchmarkInceptionV3(b *testing.B) { benchNet(b, inceptionV3(rand.New(rand.NewPCG(1, 2)))) }

// BenchmarkBatches reports the time of an example, the quickest step's, and the
// memory of batches of growing size, on one thread.
func BenchmarkBatches(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	profile, err := DefaultProfile()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []*Net{cwNet(r), resNet20(r)} {
		p, err := Compile(n, profile)
		if err != nil {
			b.Fatal(err)
		}
		for _, batch := range []int{1, 2, 4, 8, 9, 16, 36, 72, 144} {
			b.Run(fmt.Sprintf("%s/%v/batch%d", n.Name, profile, batch), func(b *testing.B) {
				run, err := p.Runner(batch, 1)
				if err != nil {
					b.Fatal(err)
				}
				defer run.Close()
				x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*p.Output().Len())
				y, dx := make([]float32, len(dl)), make([]float32, len(x))
				run.Forward(x, y)
				best := time.Duration(math.MaxInt64)
				for b.Loop() {
					begun := time.Now()
					run.Forward(x, y)
					run.Backward(dl, dx)
					best = min(best, time.Since(begun))
				}
				b.ReportMetric(float64(best.Microseconds())/float64(batch), "us/example")
				b.ReportMetric(float64(run.Bytes())/(1<<20), "MB")
			})
		}
	}
}

// benchNets are the networks that measurements run over.
func benchNets() []*Net {
	r := rand.New(rand.NewPCG(1, 2))
	return []*Net{cwNet(r), resNet20(r), mobileNetV2(r), inceptionV3(r)}
}

// BenchmarkLayer measures single layers forward and backward to their input, on
// one thread, without the copies in and out of the network.
func BenchmarkLayer(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	cv := func(in, out, groups, kh, kw, stride int) *Conv {
		c := conv(r, in, out, groups, kh, kw, stride, stride, 1, 1, Padding{kh / 2, kw / 2, kh / 2, kw / 2})
		scaled(r, c.W, in/groups*kh*kw)
		return c
	}
	for _, l := range []struct {
		name string
		op   Op
		in   Shape
	}{
		{"conv3x3_64_28", cv(64, 64, 1, 3, 3, 1), Shape{64, 28, 28}},
		{"conv3x3_128_10", cv(128, 128, 1, 3, 3, 1), Shape{128, 10, 10}},
		{"conv3x3_stride2_64_56", cv(64, 128, 1, 3, 3, 2), Shape{64, 56, 56}},
		{"conv1x1_96_14", cv(96, 576, 1, 1, 1, 1), Shape{96, 14, 14}},
		{"conv1x7_192_17", cv(192, 192, 1, 1, 7, 1), Shape{192, 17, 17}},
		{"conv5x5_48_35", cv(48, 64, 1, 5, 5, 1), Shape{48, 35, 35}},
		{"conv7x7_stride2_3_224", cv(3, 64, 1, 7, 7, 2), Shape{3, 224, 224}},
		{"depthwise3x3_144_56", cv(144, 144, 144, 3, 3, 1), Shape{144, 56, 56}},
		{"depthwise3x3_stride2_96_112", cv(96, 96, 96, 3, 3, 2), Shape{96, 112, 112}},
		{"dense_3200_256", dense(r, 3200, 256), Shape{3200, 1, 1}},
		{"maxpool2_64_28", &MaxPool{2, 2, 2, 2, Padding{}, false}, Shape{64, 28, 28}},
		{"maxpool3_stride2_64_147", &MaxPool{3, 3, 2, 2, Padding{}, false}, Shape{64, 147, 147}},
		{"avgpool3_192_17", &AvgPool{3, 3, 1, 1, same(3), false, true}, Shape{192, 17, 17}},
	} {
		n := &Net{Name: l.name, Input: l.in, Nodes: []Node{{Name: "layer", Op: l.op, In: []int{Input}}}}
		cost, err := n.Cost()
		if err != nil {
			b.Fatal(err)
		}
		for _, profile := range profiles() {
			p, err := Compile(n, profile)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%v", l.name, profile), func(b *testing.B) {
				run, err := p.Runner(1, 1)
				if err != nil {
					b.Fatal(err)
				}
				defer run.Close()
				f := run.exec.(*fast)
				x, y := randoms(r, l.in.Len()), make([]float32, p.Output().Len())
				run.Forward(x, y)
				run.Backward(y, x)
				inner := append(f.forwards[1:len(f.forwards)-1:len(f.forwards)-1], f.backwds[1:len(f.backwds)-1]...)
				for b.Loop() {
					for i := range inner {
						f.pool.run(&inner[i].step, inner[i].units)
					}
				}
				b.ReportMetric(float64(b.N)*float64(cost.Step())/1e9/b.Elapsed().Seconds(), "GFLOP/s")
			})
		}
	}
}
