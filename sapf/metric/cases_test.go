package metric

import (
	"fmt"
	"math"
	"testing"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

var targets = []PerTarget{
	{Target: 0, Success: true, Norms: attack.Norms{L0: 10, L1: 4, L2: 2, Linf: 1}},
	{Target: 1, Success: false, Norms: attack.Norms{L0: 1, L1: 1, L2: 1, Linf: 1}},
	{Target: 2, Success: true, Norms: attack.Norms{L0: 20, L1: 3, L2: 1.5, Linf: 0.5}},
	{Target: 3, Success: true, Norms: attack.Norms{L0: 6, L1: 8, L2: 4, Linf: 0.75}},
}

func TestBestToWorstByL2(t *testing.T) {
	c := BestToWorstBy(L2, targets)
	if want := (CaseNorms{1, 20, 3, 1.5, 0.5}); c.Best != want {
		t.Errorf("best %+v, want %+v", c.Best, want)
	}
	if want := (CaseNorms{0, 6, 8, 4, 0.75}); c.Worst != want { // one target failed: the worst case fails
		t.Errorf("worst %+v, want %+v", c.Worst, want)
	}
	if want := (CaseNorms{0.75, 12, 5, 2.5, 0.75}); c.Average != want {
		t.Errorf("average %+v, want %+v", c.Average, want)
	}
	if got := BestToWorstBy(L2, targets[1:2]); got != (BestToWorst{}) {
		t.Errorf("without a success %+v, want zeros", got)
	}
	if got := BestToWorstBy(L0, targets[2:]); got.Worst.Success != 1 || got.Worst.L0 != 20 || got.Best.L0 != 6 {
		t.Errorf("by l0, all successful: %+v", got)
	}
}

func TestBestToWorstPerNorm(t *testing.T) {
	c := BestToWorstPerNorm(targets)
	if want := (CaseNorms{1, 6, 3, 1.5, 0.5}); c.Best != want {
		t.Errorf("best %+v, want %+v", c.Best, want)
	}
	if want := (CaseNorms{0, 20, 8, 4, 1}); c.Worst != want {
		t.Errorf("worst %+v, want %+v", c.Worst, want)
	}
}

// twoClasses calls an image class 1 where its first entry is above 0.5.
func twoClasses() *toy.Linear {
	return &toy.Linear{Shape: engine.Shape{C: 3, H: 1, W: 2}, W: [][]float64{make([]float64, 6), {1, 0, 0, 0, 0, 0}}, B: []float64{0, -0.5}}
}

func TestMeasureCountsEntriesAndPixels(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	adv := x.Clone()
	adv.Pix[0], adv.Pix[2], adv.Pix[5] = 0.75, 0.25, 1e-30 // pixel 0 in two channels, pixel 1 in one
	got, err := Measure(twoClasses(), x, adv, attack.Goal{Label: 0, Target: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got.L0 != 3 || got.L0Pixels != 2 || got.L1 != 1 || got.Linf != 0.75 || math.Abs(got.L2-math.Sqrt(0.625)) > 1e-15 {
		t.Errorf("norms %+v", got.Norms)
	}
	if !got.Success || !got.Success8Bit || got.Already || got.Misclassified {
		t.Errorf("flags %+v", got)
	}
}

func TestFailure10_MisclassifiedIsFlagged(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	got, err := Measure(twoClasses(), x, x, attack.Goal{Label: 1, Target: 0})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Misclassified || !got.Already || got.L0 != 0 {
		t.Errorf("a clean image already in the target class: %+v", got)
	}
}

func TestFailure13_SuccessLostByRounding(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	adv := x.Clone()
	m := twoClasses()
	for _, c := range []struct {
		pixel        float32
		boundary     float64
		after8bit    bool
		nearestLevel string
	}{
		{0.5012, 0.501, true, "128/255 = 0.50196"},
		{0.4995, 0.4985, false, "127/255 = 0.49804"},
	} {
		m.B[1], adv.Pix[0] = -c.boundary, c.pixel
		got, err := Measure(m, x, adv, attack.Goal{Label: 0, Target: 1})
		if err != nil || !got.Success || got.Success8Bit != c.after8bit {
			t.Errorf("%v, boundary %v, rounds to %s: success %v, after 8 bits %v, want true, %v (%v)",
				c.pixel, c.boundary, c.nearestLevel, got.Success, got.Success8Bit, c.after8bit, err)
		}
	}
}

func TestFailure21_ImageOutsideTheBox(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	adv := x.Clone()
	adv.Pix[3] = 1.2
	if _, err := Measure(twoClasses(), x, adv, attack.Goal{Label: 0, Target: 1}); err == nil {
		t.Error("an adversarial image with a pixel of 1.2 was measured")
	}
	adv.Pix[3], adv.Pix[4] = 1+1.2e-7, -1e-7
	got, err := Measure(twoClasses(), x, adv, attack.Goal{Label: 0, Target: 1})
	if err != nil || got.Clamped != 2 || got.Linf != 1 || got.L0 != 1 {
		t.Errorf("two entries outside by 1e-7: %+v, %v; want them clamped and counted", got, err)
	}
	if adv.Pix[3] == 1 {
		t.Error("the image given was changed")
	}
}

// TestFailure22_ClaimsAreNotBelieved: only the image decides.
func TestFailure22_ClaimsAreNotBelieved(t *testing.T) {
	x := data.NewImage("black", 3, 1, 2)
	claim := attack.Result{Success: true, Status: attack.Succeeded, Adversarial: x.Clone()}
	got, err := Measure(twoClasses(), x, claim.Adversarial, attack.Goal{Label: 0, Target: 1})
	if err != nil || got.Success || got.Success8Bit {
		t.Errorf("an image that changed nothing counts as success: %+v, %v", got, err)
	}
}

func TestFailure14_TieGoesToTheLowestIndex(t *testing.T) {
	x := data.NewImage("grey", 3, 1, 2)
	x.Pix[0] = 0.5
	classes, err := Classify(twoClasses(), x)
	if err != nil || classes[0] != 0 {
		t.Errorf("two equal logits: class %v, %v, want 0", classes, err)
	}
}

func ExampleBestToWorstBy() {
	c := BestToWorstBy(L2, []PerTarget{
		{Target: 1, Success: true, Norms: attack.Norms{L0: 10, L2: 2}},
		{Target: 2, Success: true, Norms: attack.Norms{L0: 30, L2: 1}},
	})
	fmt.Println(c.Best.L2, c.Average.L2, c.Worst.L2)
	fmt.Println(c.Best.L0, c.Average.L0, c.Worst.L0) // by l2, so l0 need not rise
	// Output:
	// 1 1.5 2
	// 30 20 10
}
