package metric

import (
	"math"
	"testing"
)

// block is a square of side s with its upper left corner at (y, x), in a
// picture of 10x10.
func block(y, x, s int) []bool {
	set := make([]bool, 100)
	for r := y; r < y+s; r++ {
		for c := x; c < x+s; c++ {
			set[r*10+c] = true
		}
	}
	return set
}

// Two squares of side 3 in a picture of 10x10: of the 100 ways in which the
// second can lie, one covers the first wholly, and over all ways the overlap is
// 9*9/100 on average.
func TestShiftedSquares(t *testing.T) {
	same, err := Shifted(2, 10, 20000, 1, block(2, 2, 3), block(2, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(same.P-0.01) > 0.003 || math.Abs(same.Mean-0.81) > 0.05 {
		t.Errorf("p %.4f and mean %.3f, want about 0.01 and 0.81", same.P, same.Mean)
	}
	apart, err := Shifted(2, 10, 100, 1, block(0, 0, 3), block(5, 5, 3))
	if err != nil || apart.P != 1 {
		t.Errorf("squares that do not touch: p %v, %v; want 1", apart.P, err)
	}
	// Blind sets of this size have 9 positions in common once in 10^12 draws;
	// this is what moving keeps: clumps.
	blind, err := Common(block(2, 2, 3), block(2, 2, 3))
	if err != nil || blind.P > 1e-11 {
		t.Errorf("blind sets: p %g, %v", blind.P, err)
	}
}

func TestShiftedRefuses(t *testing.T) {
	one := block(0, 0, 1)
	for name, call := range map[string]func() error{
		"no draw":   func() error { _, err := Shifted(1, 10, 0, 1, one, one); return err },
		"j too big": func() error { _, err := Shifted(3, 10, 5, 1, one, one); return err },
		"one set":   func() error { _, err := Shifted(1, 10, 5, 1, one); return err },
		"ragged":    func() error { _, err := Shifted(1, 7, 5, 1, one, one); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
