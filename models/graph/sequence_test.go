package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestSequence: the same bytes as from gorgonia's TapeMachine, run after run,
// for a graph with constants, values that are read twice and their gradient.
func TestSequence(t *testing.T) {
	for _, batch := range []int{1, 3} {
		r := rand.New(rand.NewPCG(uint64(batch), 23))
		g := gorgonia.NewGraph()
		v, w := newDense(batch, 4), newDense(batch, 4)
		x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(batch, 4), gorgonia.WithName("x"), gorgonia.WithValue(v))
		y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(batch, 4), gorgonia.WithName("y"), gorgonia.WithValue(w))
		must := gorgonia.Must
		p := must(gorgonia.HadamardProd(x, y))
		q := must(gorgonia.Add(must(gorgonia.HadamardProd(p, p)), must(gorgonia.Mul(gorgonia.NewConstant(2.5), must(gorgonia.Tanh(x))))))
		rows := must(gorgonia.Sum(must(gorgonia.Sub(q, p)), 1))
		grads, err := gorgonia.Grad(must(gorgonia.Sum(rows)), x, y)
		if err != nil {
			t.Fatal(err)
		}
		wanted := []*gorgonia.Node{p, rows, grads[0], grads[1]}
		read := make([]gorgonia.Value, len(wanted))
		for i, n := range wanted {
			gorgonia.Read(n, &read[i])
		}
		s, err := newSequence(g, wanted...)
		if err != nil {
			t.Fatal(err)
		}
		machine := gorgonia.NewTapeMachine(g)
		for range 3 {
			for _, d := range []*tensor.Dense{v, w} {
				for i := range d.Data().([]float64) {
					d.Data().([]float64)[i] = r.NormFloat64()
				}
			}
			if err := s.run(); err != nil {
				t.Fatal(err)
			}
			var got [][]float64
			for _, n := range wanted {
				got = append(got, slices.Clone(s.value(n)))
			}
			machine.Reset()
			if err := machine.RunAll(); err != nil {
				t.Fatal(err)
			}
			for i := range wanted {
				if want := read[i].Data().([]float64); !slices.Equal(got[i], want) {
					t.Errorf("batch %d: node %v is %v, the TapeMachine has %v", batch, wanted[i], got[i], want)
				}
			}
		}
		machine.Close()
	}
}

// TestSequenceErrors: a node without a value is named.
func TestSequenceErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewVector(g, tensor.Float64, gorgonia.WithShape(2), gorgonia.WithName("nothing"))
	if _, err := newSequence(g, gorgonia.Must(gorgonia.Tanh(x))); err == nil {
		t.Error("a node without a value: no error")
	}
}
