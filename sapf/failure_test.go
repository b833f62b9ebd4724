package sapf

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

var small = engine.Shape{C: 3, H: 8, W: 8}

// TestFailure02_LogitsOverflow: an attack whose logits overflow ends as
// numeric, says where, keeps its best success, and its neighbour in the batch
// goes on to the bytes it has alone.
func TestFailure02_LogitsOverflow(t *testing.T) {
	m, x := linear(2, small, 4)
	s := short(40)
	s.Round = "topk"
	cases := []TestCase{{x, attack.Goal{Label: 0, Target: 1}, s}, {x, attack.Goal{Label: 0, Target: 2}, s}}
	alone, err := Run(context.Background(), m, x, cases[1].Goal, s)
	if err != nil {
		t.Fatal(err)
	}
	passes := 0
	overflow := func(call int, logits []float64) {
		if passes++; passes == 2*4*1000+201 { // in the fifth round, the first example of a pass
			logits[2] = math.Inf(1)
		}
	}
	m.Break = overflow
	r, err := RunCases(context.Background(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	if r[0].Status != attack.Numeric || !strings.Contains(r[0].Note, "round 5, outer iteration 1, delta step") || !strings.Contains(r[0].Note, "logits") {
		t.Errorf("status %s, note %q", r[0].Status, r[0].Note)
	}
	if !r[0].Success || len(SearchOf(r[0])) != 4 || predict(m.W, m.B, r[0].Adversarial) != 1 {
		t.Errorf("best so far is lost: %+v", SearchOf(r[0]))
	}
	if r[1].Status != alone.Status || !slices.Equal(r[1].Adversarial.Pix, alone.Adversarial.Pix) {
		t.Errorf("the neighbour ended as %s, alone as %s", r[1].Status, alone.Status)
	}
}

// TestFailure02_Divergence: penalties that diverge end the attack as numeric,
// alone, with what there was.
func TestFailure02_Divergence(t *testing.T) {
	m, x := linear(2, small, 4)
	s := short(40)
	s.RhoCardMax, s.RhoCard = 100, 10
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || r.Status != attack.Numeric || r.Success || !strings.Contains(r.Note, "diverged; option guard=cap") || r.Adversarial.Validate() != nil {
		t.Errorf("%s, %q, %v", r.Status, r.Note, err)
	}
	logits := func(call int, z []float64) {
		if call == 1 {
			z[0] = math.NaN()
		}
	}
	m.Break = logits
	if r, err = Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(40)); err != nil || r.Status != attack.Numeric {
		t.Errorf("NaN logits of the image itself: %s, %q, %v", r.Status, r.Note, err)
	}
}

func TestFailure06_OddCardinalities(t *testing.T) {
	m, x := linear(2, small, 4)
	for _, k := range []int{-1, small.Len() + 1} {
		if _, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(k)); err == nil || !strings.Contains(err.Error(), "option k") {
			t.Errorf("k %d: %v, want a refusal", k, err)
		}
	}
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(0))
	if err != nil || r.Status != attack.Failed || r.Success || !slices.Equal(r.Adversarial.Pix, x.Pix) || r.Selected != 0 {
		t.Errorf("k 0: %s, %v", r.Status, err)
	}
	r, err = Run(context.Background(), m, x, attack.Goal{Label: attack.None, Target: 0}, short(0))
	if err != nil || r.Status != attack.Already || !r.Success || !slices.Equal(r.Adversarial.Pix, x.Pix) {
		t.Errorf("k 0 of an image in the target class: %s, success %v, %v", r.Status, r.Success, err)
	}
	s := short(small.Len())
	s.Round = "topk"
	r, err = Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || !r.Success || r.Selected != small.Len() {
		t.Errorf("k N: %s, selected %d, %v", r.Status, r.Selected, err)
	}
	s = short(small.H*small.W + 1)
	s.Share = "pixel"
	if _, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s); err == nil {
		t.Error("k of more than H*W pixels was accepted")
	}
}

// TestFailure07_RelaxedGOffTheBudget: a relaxed G with 190 or 231 entries above
// one half is rounded to exactly k = 200, and the image changes in no more.
func TestFailure07_RelaxedGOffTheBudget(t *testing.T) {
	m, x := linear(2, engine.Shape{C: 3, H: 16, W: 16}, 4)
	rng := rand.New(rand.NewPCG(7, 7))
	for _, above := range []int{190, 231} {
		for _, rounding := range []string{"topk", "topk_product"} {
			s := Reference()
			s.Round = rounding
			f, err := newFactorization(m, x, attack.Goal{Label: 0, Target: 1}, s)
			if err != nil {
				t.Fatal(err)
			}
			for i := range f.G {
				f.G[i], f.Delta[i] = 0.4*rng.Float64(), 0.1*rng.NormFloat64()
			}
			for _, i := range rng.Perm(len(f.G))[:above] {
				f.G[i] = 0.6 + 0.4*rng.Float64()
			}
			if n := f.Selected(); n != above {
				t.Fatalf("%d entries above one half, the test wants %d", n, above)
			}
			relaxed := slices.Clone(f.G)
			f.Round()
			norms, _ := attack.NormsOf(x, f.Adversarial())
			if f.Selected() != 200 || sum(f.G) != 200 || norms.L0 > 200 {
				t.Errorf("%s of %d above one half: %d selected, sum %g, l0 %d, want 200", rounding, above, f.Selected(), sum(f.G), norms.L0)
			}
			if least, most := math.Inf(1), math.Inf(-1); rounding == "topk" {
				for i, g := range f.G {
					if g == 1 {
						least = min(least, relaxed[i])
					} else {
						most = max(most, relaxed[i])
					}
				}
				if least < most {
					t.Errorf("an entry of %g was taken before one of %g", least, most)
				}
			}
		}
	}
}

// TestFailure08_SelectedEntriesThatClip: on a black and white image half the
// selected entries may clip to nothing; l0 counts the image, Selected counts G.
func TestFailure08_SelectedEntriesThatClip(t *testing.T) {
	m, x := linear(2, small, 4)
	for i := range x.Pix {
		x.Pix[i] = float32(i % 2)
	}
	s := short(100)
	s.Round = "topk"
	r, err := Run(context.Background(), m, x, attack.Goal{Label: predict(m.W, m.B, x), Target: (predict(m.W, m.B, x) + 1) % 4}, s)
	if err != nil {
		t.Fatal(err)
	}
	norms, _ := attack.NormsOf(x, r.Adversarial)
	if r.Selected != 100 || norms.L0 >= 100 || norms.L0 == 0 {
		t.Errorf("selected %d, l0 %d: want 100 and fewer", r.Selected, norms.L0)
	}
}

func TestFailure09_TargetIsLabelOrPrediction(t *testing.T) {
	m, x := linear(2, small, 4)
	if _, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 0}, short(40)); err == nil {
		t.Error("the label as target was accepted")
	}
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 2, Target: 0}, short(40))
	if err != nil || r.Status != attack.Already || !slices.Equal(r.Adversarial.Pix, x.Pix) || r.Gradients != 0 {
		t.Errorf("the prediction as target: %s, %d gradients, %v", r.Status, r.Gradients, err)
	}
}

func TestFailure10_MisclassifiedImageIsNoted(t *testing.T) {
	m, x := linear(2, small, 4)
	s := short(40)
	s.SearchRounds = 1
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 3, Target: 1}, s)
	if err != nil || r.Prediction != 0 || !strings.Contains(r.Note, "misclassified before") {
		t.Errorf("prediction %d, note %q, %v", r.Prediction, r.Note, err)
	}
}

// TestFailure11_EndsOfTheSearch: never, always, and the best of several.
func TestFailure11_EndsOfTheSearch(t *testing.T) {
	m, x := linear(2, small, 4)
	m.B[0] += 1e6
	never, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(40))
	if err != nil || never.Status != attack.Failed || never.Success || never.Trials > 6 || !strings.Contains(never.Note, "up to") {
		t.Errorf("never: %s after %d rounds, %q, %v", never.Status, never.Trials, never.Note, err)
	}
	m.B[0] -= 1e6
	s := short(40)
	s.Lambda1, s.Round = 1, "topk"
	always, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || always.Status != attack.Succeeded || always.Trials != 6 {
		t.Fatalf("always: %s after %d rounds, %v", always.Status, always.Trials, err)
	}
	for keep, of := range map[string]func(Trial) float64{
		"smallest_lambda1": func(r Trial) float64 { return r.Lambda1 },
		"smallest_l0":      func(r Trial) float64 { return float64(r.L0) },
		"smallest_l1":      func(r Trial) float64 { return r.L1 },
		"smallest_l2":      func(r Trial) float64 { return r.L2 },
		"smallest_linf":    func(r Trial) float64 { return r.Linf },
	} {
		s.Keep = keep
		r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		norms, _ := attack.NormsOf(x, r.Adversarial)
		kept := of(Trial{Lambda1: r.Const, Norms: norms})
		for _, round := range SearchOf(r) {
			if round.Success && of(round) < kept {
				t.Errorf("%s kept %g, a round had %g", keep, kept, of(round))
			}
		}
	}
}

// TestFailure11_KeepsTheBestSuccess: of successes whose norms do not fall with
// lambda1 each rule keeps its own, not the last.
func TestFailure11_KeepsTheBestSuccess(t *testing.T) {
	m, x := linear(2, small, 4)
	for keep, want := range map[string]int{"smallest_lambda1": 3, "smallest_l0": 2, "smallest_l1": 0, "smallest_l2": 1, "smallest_linf": 3} {
		s := Reference()
		s.Keep, s.K = keep, 40
		f, err := newFactorization(m, x, attack.Goal{Label: 0, Target: 1}, s)
		if err != nil {
			t.Fatal(err)
		}
		a := &attempt{F: f, Search: newSearch(s)}
		var candidates []data.Image
		for i, changes := range [][]float32{{0.3}, {0.2, 0.15}, {0.4}, {0.19, 0.19, 0.19}, {0.01}} {
			adv := x.Clone()
			for j, c := range changes {
				adv.Pix[j] = x.Pix[j] + c
				if adv.Pix[j] > 1 {
					adv.Pix[j] = x.Pix[j] - c
				}
			}
			candidates = append(candidates, adv)
			f.Lambda1 = 1 / float64(i+1)
			class := 1
			if i == 4 {
				class = 0 // the last round fails
			}
			if err := a.take(adv, class, nil); err != nil {
				t.Fatal(err)
			}
		}
		if a.BestTrial != want || !slices.Equal(a.Best.Pix, candidates[want].Pix) {
			t.Errorf("%s kept round %d, want %d of %+v", keep, a.BestTrial, want, a.Trials)
		}
	}
}

func TestFailure12_FlatImages(t *testing.T) {
	m, x := linear(2, small, 4)
	for _, value := range []float32{0, 1, 0.25} {
		for i := range x.Pix {
			x.Pix[i] = value
		}
		label := predict(m.W, m.B, x)
		for _, set := range []map[string]any{{"lambda2": 0}, {"lambda2": 1, "weight": "variance"}} {
			r, err := Options{K: 60, Steps: 400, Round: "topk", Segments: 9, Set: set}.Run(context.Background(), m, x, attack.Goal{Label: label, Target: (label + 1) % 4})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Adversarial.Validate(); err != nil || r.Status == attack.Numeric {
				t.Errorf("image of %g: %s, %v", value, r.Status, err)
			}
			for i, g := range MaskOf(r) {
				if g == 0 && r.Adversarial.Pix[i] != x.Pix[i] {
					t.Fatalf("entry %d drifted without being selected", i)
				}
			}
		}
	}
}

// TestFailure17_OddShapes: not square, one pixel, one channel; and rows and
// columns are not swapped: the only entry that matters is the one selected.
func TestFailure17_OddShapes(t *testing.T) {
	for _, shape := range []engine.Shape{{C: 1, H: 1, W: 1}, {C: 3, H: 1, W: 1}, {C: 1, H: 3, W: 11}, {C: 3, H: 9, W: 2}} {
		m, x := linear(3, shape, 2)
		for i := range m.W[1] {
			m.W[0][i], m.W[1][i] = 0, 0
		}
		m.W[1][shape.Len()-1], m.B[0], m.B[1] = 10, 9, 0 // class 1 where the last entry exceeds 0.9
		for _, share := range []string{"channel", "pixel"} {
			s := short(1)
			s.Share, s.Round, s.Lambda2, s.Segments = share, "topk_product", 0.001, 4
			r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Success || MaskOf(r)[shape.Len()-1] != 1 || r.Selected != 1 {
				t.Errorf("%v, %s: %s, %q, mask %v", shape, share, r.Status, r.Note, MaskOf(r))
			}
		}
	}
	m, _ := linear(3, engine.Shape{C: 1, H: 3, W: 11}, 2)
	if _, err := Run(context.Background(), m, data.NewImage("turned", 1, 11, 3), attack.Goal{Label: 0, Target: 1}, short(1)); err == nil {
		t.Error("an 11x3 image went into a 3x11 model")
	}
}

// TestFailure16_SameBytesEverywhere holds a whole attack to a digest made on
// amd64 with GOAMD64=v1. It must hold with v3, whose compiler fuses products
// into sums wherever they are not rounded explicitly, and on arm64, riscv64
// and ppc64le, which fuse too (checked under qemu).
func TestFailure16_SameBytesEverywhere(t *testing.T) {
	m, x := linear(2, small, 4)
	h := sha256.New()
	for _, o := range []Options{
		{Set: map[string]any{"lambda2": 0.01}}, {Preset: "paper", Outer: 2, Lambda2: 0.1}, {Set: map[string]any{"guard": "implicit", "lambda2": 0}, Share: "pixel"},
		{Weight: "variance"}, {Weight: "gradient", Preset: "paper"}, {Loss: "ce", Round: "topk_product"},
	} {
		o.K, o.Steps, o.Segments, o.SearchRounds = 40, 400, 9, 3
		o.Preset = cmp.Or(o.Preset, "reference")
		r, err := o.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(h, r.Status, r.Const, r.Adversarial.Pix, MaskOf(r))
	}
	const want = "482deb2ec0228995673bda6d1023c218d9bab4d0c794853eb731ec12354117b6"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

// TestFailure19_FlatLoss: a gradient that is zero everywhere is flagged.
func TestFailure19_FlatLoss(t *testing.T) {
	m, x := linear(2, small, 4)
	for _, w := range m.W {
		clear(w)
	}
	m.B = []float64{1, 0, 0, 0}
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(40))
	if err != nil || r.Status != attack.Failed || !strings.Contains(r.Note, "zero gradient") {
		t.Errorf("%s, %q, %v: want a failure flagged as zero gradient", r.Status, r.Note, err)
	}
	m, _ = linear(2, small, 4)
	if r, _ = Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, short(40)); strings.Contains(r.Note, "zero gradient") {
		t.Errorf("%q for a model with a gradient", r.Note)
	}
}

// TestFailure24_InputStays: neither image nor groups are changed, nor shared.
func TestFailure24_InputStays(t *testing.T) {
	m, x := linear(2, small, 4)
	s := short(40)
	s.Lambda2, s.Groups = 0.01, make([]int, 64)
	for i := range s.Groups {
		s.Groups[i] = 5 - i/16
	}
	pix, groups := slices.Clone(x.Pix), slices.Clone(s.Groups)
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || !slices.Equal(x.Pix, pix) || !slices.Equal(s.Groups, groups) {
		t.Fatalf("the input changed (%v)", err)
	}
	r.Adversarial.Pix[0], MaskOf(r)[0] = 9, 9
	if x.Pix[0] == 9 {
		t.Error("the result shares memory with the image")
	}
}
