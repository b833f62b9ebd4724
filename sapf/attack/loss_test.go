package attack

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sapf/models"
	"sapf/models/graph"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// losses are all losses an attack can ask for.
var losses = []models.Loss{
	Margin{}, Margin{Confidence: 0.75}, Margin{Untargeted: true}, Margin{Confidence: 2, Untargeted: true},
	CrossEntropy{}, CrossEntropy{Untargeted: true},
}

func oneHot(n, i int) []float64 {
	v := make([]float64, n)
	v[i] = 1
	return v
}

func TestLossGradientIsCentralDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const classes, h = 7, 1e-6
	for _, l := range losses {
		for range 20 {
			z := make([]float64, classes)
			for i := range z {
				z[i] = 3 * rng.NormFloat64()
			}
			target := oneHot(classes, rng.IntN(classes))
			grad := make([]float64, classes)
			l.Example(z, target, grad)
			for i := range z {
				z[i] += h
				up := l.Example(z, target, nil)
				z[i] -= 2 * h
				down := l.Example(z, target, nil)
				z[i] += h
				if d := (up - down) / (2 * h); math.Abs(d-grad[i]) > 1e-7 {
					t.Errorf("%v: d/dZ_%d is %g, central difference %g (logits %v)", l, i, grad[i], d, z)
				}
			}
		}
	}
}

func TestMarginAtExactTies(t *testing.T) {
	grad := make([]float64, 3)
	if v := (Margin{}).Example([]float64{1, 1, 0}, oneHot(3, 1), grad); v != 0 {
		t.Errorf("hinge at a tie is %g, want 0", v)
	}
	if grad[0] != 1 || grad[1] != -1 || grad[2] != 0 {
		t.Errorf("gradient at a hinge of 0 is %v, want it to pass: [1 -1 0]", grad)
	}
	(Margin{}).Example([]float64{2, 0, 2}, oneHot(3, 1), grad)
	if grad[0] != 1 || grad[2] != 0 {
		t.Errorf("of two equal largest logits the gradient went to %v, want the lowest index", grad)
	}
}

func TestCrossEntropyOfLargeLogits(t *testing.T) {
	grad := make([]float64, 3)
	v := CrossEntropy{}.Example([]float64{5000, 0, -5000}, oneHot(3, 2), grad)
	if v != 10000 || grad[0] != 1 || grad[1] != 0 || grad[2] != -1 {
		t.Errorf("loss %g, gradient %v; want 10000, [1 0 -1]", v, grad)
	}
}

// TestLossInGraph runs every loss as a gorgonia node, in both float types and
// at batch 1 and 3, and differentiates the sum down to the logits.
func TestLossInGraph(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, l := range losses {
		for _, dtype := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
			for _, batch := range []int{1, 3} {
				t.Run(fmt.Sprint(l, dtype, batch), func(t *testing.T) {
					const classes = 5
					g := gorgonia.NewGraph()
					z := gorgonia.NewMatrix(g, dtype, gorgonia.WithShape(batch, classes), gorgonia.WithName("z"))
					target := gorgonia.NewMatrix(g, dtype, gorgonia.WithShape(batch, classes), gorgonia.WithName("t"))
					loss, err := graph.Rows(l, z, target)
					if err != nil {
						t.Fatal(err)
					}
					if !loss.Shape().Eq(tensor.Shape{batch}) {
						t.Fatalf("loss has shape %v, want (%d)", loss.Shape(), batch)
					}
					var lossValue gorgonia.Value
					gorgonia.Read(loss, &lossValue)
					grads, err := gorgonia.Grad(gorgonia.Must(gorgonia.Sum(loss)), z)
					if err != nil {
						t.Fatal(err)
					}
					var gradValue gorgonia.Value
					gorgonia.Read(grads[0], &gradValue)
					vm := gorgonia.NewTapeMachine(g)
					defer vm.Close()
					for range 3 {
						zs, ts := tensor.New(tensor.Of(dtype), tensor.WithShape(batch, classes)), tensor.New(tensor.Of(dtype), tensor.WithShape(batch, classes))
						for i := range batch {
							for j := range classes {
								put(zs, i*classes+j, rng.NormFloat64())
							}
							put(ts, i*classes+rng.IntN(classes), 1)
						}
						gorgonia.Let(z, zs)
						gorgonia.Let(target, ts)
						if err := vm.RunAll(); err != nil {
							t.Fatal(err)
						}
						row, one, grad := make([]float64, classes), make([]float64, classes), make([]float64, classes)
						for i := range batch {
							copyRow(row, zs, i)
							copyRow(one, ts, i)
							want := l.Example(row, one, grad)
							if got := get(lossValue, i); math.Abs(got-want) > 1e-6 {
								t.Errorf("loss %d is %g, want %g", i, got, want)
							}
							for j := range grad {
								if got := get(gradValue, i*classes+j); math.Abs(got-grad[j]) > 1e-6 {
									t.Errorf("gradient %d,%d is %g, want %g", i, j, got, grad[j])
								}
							}
						}
						vm.Reset()
					}
				})
			}
		}
	}
}

// put, get and copyRow reach a tensor's memory, whatever its float type.
func put(v gorgonia.Value, i int, x float64) {
	switch data := v.Data().(type) {
	case []float64:
		data[i] = x
	case []float32:
		data[i] = float32(x)
	}
}

func get(v gorgonia.Value, i int) float64 {
	switch data := v.Data().(type) {
	case []float64:
		return data[i]
	case []float32:
		return float64(data[i])
	case float64: // a batch of one may arrive as a scalar
		return data
	case float32:
		return float64(data)
	}
	return math.NaN()
}

func copyRow(row []float64, v gorgonia.Value, i int) {
	for j := range row {
		row[j] = get(v, i*len(row)+j)
	}
}
