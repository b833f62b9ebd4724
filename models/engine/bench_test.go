package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
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

// benchNets are the networks that measurements run over.
func benchNets() []*Net {
	r := rand.New(rand.NewPCG(1, 2))
	return []*Net{cwNet(r), resNet20(r), mobileNetV2(r), inceptionV3(r)}
}
