package graph_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models/graph"
)

// squares is the loss sum_j t_j z_j^2.
type squares struct{}

func (squares) String() string { return "squares" }

func (squares) Example(logits, target, grad []float64) float64 {
	sum := 0.0
	for j, z := range logits {
		sum += target[j] * z * z
		if grad != nil {
			grad[j] = 2 * target[j] * z
		}
	}
	return sum
}

// TestRows: a loss that is one Op gives what its formula gives, in both float
// types, and its gradient is scaled by what comes from above.
func TestRows(t *testing.T) {
	z, w := []float64{1, -2, 0.5, 3, 0.25, -1}, []float64{1, 0, 2, -1, 1, 0.5}
	for _, dtype := range []tensor.Dtype{tensor.Float64, tensor.Float32} {
		g := gorgonia.NewGraph()
		matrix := func(name string, v []float64) *gorgonia.Node {
			d := tensor.New(tensor.Of(dtype), tensor.WithShape(2, 3))
			for i, x := range v {
				if dtype == tensor.Float32 {
					d.Data().([]float32)[i] = float32(x)
				} else {
					d.Data().([]float64)[i] = x
				}
			}
			return gorgonia.NewMatrix(g, dtype, gorgonia.WithShape(2, 3), gorgonia.WithName(name), gorgonia.WithValue(d))
		}
		logits := matrix("z", z)
		losses, err := graph.Rows(squares{}, logits, matrix("t", w))
		if err != nil {
			t.Fatal(err)
		}
		twice := gorgonia.Must(gorgonia.Add(losses, losses))
		grads, err := gorgonia.Grad(gorgonia.Must(gorgonia.Sum(twice)), logits)
		if err != nil {
			t.Fatal(err)
		}
		var loss, grad gorgonia.Value
		gorgonia.Read(losses, &loss)
		gorgonia.Read(grads[0], &grad)
		machine := gorgonia.NewTapeMachine(g)
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		machine.Close()
		for i := range 2 {
			d := make([]float64, 3)
			if want := (squares{}).Example(z[3*i:3*i+3], w[3*i:3*i+3], d); number(loss, i) != want {
				t.Errorf("%v: loss %d is %v, expected %v", dtype, i, number(loss, i), want)
			}
			for j, want := range d {
				if got := number(grad, 3*i+j); got != 2*want {
					t.Errorf("%v: gradient %d,%d is %v, expected %v", dtype, i, j, got, 2*want)
				}
			}
		}
	}
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 1), gorgonia.WithName("x"))
	if _, err := graph.Rows(squares{}, x, x); err == nil {
		t.Error("a single class is accepted")
	}
}

func number(v gorgonia.Value, i int) float64 {
	if d, ok := v.Data().([]float32); ok {
		return float64(d[i])
	}
	return v.Data().([]float64)[i]
}

// nodes is the loss of squares in gorgonia's nodes.
type nodes struct{ squares }

func (nodes) Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	square := gorgonia.Must(gorgonia.Square(logits))
	return gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(square, targets)), 1)
}

// TestTape: a loss gives the same as a formula and in gorgonia's nodes, and its
// gradient is that of central differences.
func TestTape(t *testing.T) {
	b := graph.NewBuilder("small", shape)
	x := b.Add("fc", dense, b.Add("scale", affine, image))
	net, err := b.Net(x)
	if err != nil {
		t.Fatal(err)
	}
	var results [][]float64
	for _, loss := range []graph.Loss{squares{}, nodes{}} {
		tape, err := graph.NewTape(net, nil, 1, 3, loss)
		if err != nil {
			t.Fatal(err)
		}
		copy(tape.X, []float64{0.25, -1, 2, 0.5})
		copy(tape.Targets, []float64{1, -2, 0.5})
		value, _, grad, err := tape.Gradient()
		if err != nil {
			t.Fatal(err)
		}
		got := append(slices.Clone(value), grad...)
		for i := range tape.X {
			const h = 1e-5
			at := tape.X[i]
			ends := [2]float64{}
			for k, d := range []float64{-h, h} {
				tape.X[i] = at + d
				value, _, _, err := tape.Gradient()
				if err != nil {
					t.Fatal(err)
				}
				ends[k] = value[0]
			}
			tape.X[i] = at
			if want := (ends[1] - ends[0]) / (2 * h); math.Abs(got[1+i]-want) > 1e-8 {
				t.Errorf("%T: gradient %d is %v, central difference %v", loss, i, got[1+i], want)
			}
		}
		results = append(results, got)
	}
	for i := range results[0] {
		if math.Abs(results[0][i]-results[1][i]) > 1e-12 {
			t.Errorf("as a formula %v, in nodes %v", results[0], results[1])
		}
	}
}

func ExampleBuilder() {
	b := graph.NewBuilder("small", shape)
	x := b.Add("fc", dense, b.Add("scale", affine, image))
	net, err := b.Net(x)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Name, b.Shape(x))
	// Output: small 3x1x1
}
