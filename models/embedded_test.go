package models_test

import (
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// TestEmbedded: every network in the program loads on all kernels, which runs its
// test patterns, says in the list what it is, and has the same gradient whatever
// computes it.
func TestEmbedded(t *testing.T) {
	fast, err := engine.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, l := range models.List() {
		if !l.Embedded {
			continue
		}
		seen++
		var gradients [][]float64
		for _, profile := range []string{"float64", "generic", fast.String()} {
			m := load(t, l.Name, profile)
			c := m.Card()
			if len(c.SelfTest) != 8 || c.Accuracy == 0 || c.SHA256 == "" || c.Recipe == "" || c.Licence == "" || len(c.Warnings) > 0 {
				t.Errorf("%s: card %+v", l.Name, c)
			}
			if l.Input != m.InputShape().String() || l.Classes != len(m.Classes()) || l.Architecture != c.Architecture || l.About == "" {
				t.Errorf("listed as %+v, is %s of %v with %d classes", l, c.Architecture, m.InputShape(), len(m.Classes()))
			}
			e, err := m.Evaluator(1, attack.CrossEntropy{})
			if err != nil {
				t.Fatal(err)
			}
			x := models.TestPattern(m.InputShape(), 9)
			pix := make([]float64, len(x.Pix))
			for i, v := range x.Pix {
				pix[i] = float64(v)
			}
			target := make([]float64, len(m.Classes()))
			target[1] = 1
			got, err := e.Gradient(pix, target)
			if err != nil {
				t.Fatal(err)
			}
			gradients = append(gradients, append([]float64{}, got.Grad...))
			e.Close()
		}
		for k, g := range gradients[1:] {
			if d := relative(g, gradients[0]); d > 1e-4 {
				t.Errorf("%s: gradient %d is %.1e from that in double precision", l.Name, k+1, d)
			}
		}
	}
	if seen < 3 {
		t.Errorf("%d embedded networks", seen)
	}
}
