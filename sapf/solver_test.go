package sapf

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// short are the reference settings without groups in 400 steps a stage.
func short(k int) Settings {
	s := Reference().InSteps(400)
	s.K, s.Lambda2 = k, 0
	return s
}

// TestSmallestNormOnASupport compares with the closed form: with S fixed, the
// least l2 perturbation that lifts class t to class 0 is margin*w_S/||w_S||^2.
func TestSmallestNormOnASupport(t *testing.T) {
	m, x := linear(3, engine.Shape{C: 1, H: 8, W: 8}, 2)
	s := Reference()
	s.K, s.Lambda2, s.Round, s.SearchRounds, s.TuneSteps = 16, 0, "topk", 12, 3000
	r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || !r.Success {
		t.Fatalf("%+v %v", r.Status, err)
	}
	norm := 0.0
	for i, g := range MaskOf(r) {
		if d := m.W[1][i] - m.W[0][i]; g == 1 {
			norm += d * d
		}
	}
	want := 3 / math.Sqrt(norm) // the margin is 3
	got, _ := attack.NormsOf(x, r.Adversarial)
	if got.L2 < want*(1-1e-6) || got.L2 > 1.05*want {
		t.Errorf("l2 is %.5f, the least on this support is %.5f", got.L2, want)
	}
	// The support itself: the 16 largest |w_1 - w_0| are best.
	size := make([]float64, x.Len())
	for i := range size {
		size[i] = math.Abs(m.W[1][i] - m.W[0][i])
	}
	best := 0.0
	for _, i := range largest(size, 16) {
		best += size[i] * size[i]
	}
	if optimum := 3 / math.Sqrt(best); got.L2 > 1.1*optimum {
		t.Errorf("l2 is %.5f, the least on any 16 entries is %.5f", got.L2, optimum)
	}
}

// TestRowsOfTheTable runs every option of the table of divergences with its
// other value, and a success is expected of each.
func TestRowsOfTheTable(t *testing.T) {
	m, x := linear(2, engine.Shape{C: 3, H: 8, W: 8}, 4)
	for _, set := range []string{
		"loss=ce", "confidence=2", "round=topk", "round=topk_product", "share=pixel", "stop_at_first_success=true", "keep=smallest_l2", "keep=smallest_linf",
		"judge=8bit", "lambda2=0.5", "lambda2=0.5 group_mode=gradient", "lambda2=0.01 connectivity=0.16",
		"weight=variance", "weight=variance_mean weight_stat=population weight_scale=max", "weight=contrast", "weight=contrast_mean", "weight=gradient",
		"outer=3", "outer=3 reset_duals=false", "outer=2 reset_rho=true", "outer=2 reset_step=true guard=implicit reset_rho=true", "outer=8 outer_tolerance=0.5",
		"mask_inner=2", "tune_steps=0 round=topk", "step_min=0", "rho_card_max=100 guard=cap", "rho_card_max=100 guard=implicit",
	} {
		t.Run(set, func(t *testing.T) {
			s := short(40)
			for _, pair := range strings.Fields(set) {
				name, value, _ := strings.Cut(pair, "=")
				if err := s.Set(name, value); err != nil {
					t.Fatal(err)
				}
			}
			r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
			if err != nil {
				t.Fatal(err)
			}
			norms, _ := attack.NormsOf(x, r.Adversarial)
			t.Logf("%s; selected %d, %+v", r.Note, r.Selected, norms)
			if !r.Success {
				t.Errorf("status %s (%s)", r.Status, r.Note)
			}
			if s.Round != "threshold" && r.Selected != 40 {
				t.Errorf("selected %d with exact rounding, want 40", r.Selected)
			}
			if norms.L0 > ones(MaskOf(r)) {
				t.Errorf("%d entries changed, only %d selected", norms.L0, ones(MaskOf(r)))
			}
			if err := r.Adversarial.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestConfidence: a success has the margin asked for, under either loss, and
// costs more than one without.
func TestConfidence(t *testing.T) {
	const kappa = 2
	m, x := linear(2, engine.Shape{C: 3, H: 8, W: 8}, 4)
	for _, target := range []int{1, attack.None} {
		for _, loss := range []string{"cw", "ce"} {
			last := 0.0
			for _, confidence := range []float64{0, kappa} {
				s := short(40)
				s.Loss, s.Confidence = loss, confidence
				r, err := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: target}, s)
				if err != nil || !r.Success {
					t.Fatalf("%s, confidence %v: status %s (%v)", loss, confidence, r.Status, err)
				}
				z := slices.Clone(m.B)
				for c := range z {
					for i, v := range r.Adversarial.Pix {
						z[c] += m.W[c][i] * float64(v)
					}
				}
				lead := z[1] - z[models.ArgmaxBut(z, 1)]
				if target == attack.None {
					lead = z[models.ArgmaxBut(z, 0)] - z[0]
				}
				norms, _ := attack.NormsOf(x, r.Adversarial)
				if lead < confidence-1e-4 || loss == "cw" && target == 1 && norms.L2 <= last {
					t.Errorf("%s to %d, confidence %v: a lead of %v at l2 %v, without confidence %v", loss, target, confidence, lead, norms.L2, last)
				}
				last = norms.L2
			}
		}
	}
}

func TestUntargetedAndPaperPreset(t *testing.T) {
	m, x := linear(4, engine.Shape{C: 3, H: 8, W: 8}, 5)
	for _, preset := range Presets() {
		for _, goal := range []attack.Goal{{Label: 0, Target: attack.None}, {Label: attack.None, Target: 3}} {
			o := Options{Preset: preset, K: 30, Outer: 2, Steps: 400, Segments: 12}
			r, err := o.Run(context.Background(), m, x, goal)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Success || !goal.Reached(predict(m.W, m.B, r.Adversarial)) || r.Preset != preset {
				t.Errorf("%s, %+v: %s %q", preset, goal, r.Status, r.Note)
			}
		}
	}
}

func predict(w [][]float64, b []float64, x data.Image) int {
	z := slices.Clone(b)
	for c := range w {
		for i, v := range x.Pix {
			z[c] += w[c][i] * float64(v)
		}
	}
	return models.Argmax(z)
}

// TestFailure15_NeighboursDoNotMatter: the same case alone and in batches,
// in any company, gives the same bytes.
func TestFailure15_NeighboursDoNotMatter(t *testing.T) {
	m, x := linear(5, engine.Shape{C: 3, H: 8, W: 8}, 5)
	var cases []TestCase
	for target := 1; target < 5; target++ {
		for _, k := range []int{30, 60} {
			s := short(k)
			s.StopAtFirstSuccess = target%2 == 0 // some leave the batch early
			cases = append(cases, TestCase{x, attack.Goal{Label: 0, Target: target}, s})
		}
	}
	together, err := RunCases(context.Background(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		alone, err := Run(context.Background(), m, c.Image, c.Goal, c.Settings)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(alone, together[i]) {
			t.Errorf("case %d: alone %s, l2 search %+v; together %s, %+v", i, alone.Note, SearchOf(alone), together[i].Note, SearchOf(together[i]))
		}
	}
}

func TestBatchRefusesUnequalSchedules(t *testing.T) {
	m, x := linear(5, engine.Shape{C: 1, H: 4, W: 4}, 3)
	a, b := short(4), short(4)
	b.TuneSteps++
	if _, err := RunCases(context.Background(), m, []TestCase{{x, attack.Goal{Label: 0, Target: 1}, a}, {x, attack.Goal{Label: 0, Target: 2}, b}}); err == nil {
		t.Error("cases of unequal length went in step")
	}
	if _, err := RunCases(context.Background(), m, []TestCase{{x, attack.Goal{Label: 0, Target: 1}, a}, {x, attack.Goal{Label: 0, Target: attack.None}, a}}); err == nil {
		t.Error("a targeted and an untargeted case went in step")
	}
}

func TestStepsByHandAreAlgorithm1(t *testing.T) {
	m, x := linear(6, engine.Shape{C: 3, H: 8, W: 8}, 3)
	s := short(40)
	s.SearchRounds, s.Lambda1 = 1, 0.05
	goal := attack.Goal{Label: 0, Target: 1}
	want, err := Run(context.Background(), m, x, goal, s)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Factorize(m, x, goal, s)
	if err != nil {
		t.Fatal(err)
	}
	do := func(n int, step func() error) {
		for range n {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(s.DeltaSteps, f.DeltaStep)
	do(100, f.ADMMStep)
	kept := f.Clone()
	do(50, f.ADMMStep)
	f.Restore(kept) // a step back
	do(s.MaskSteps-100, f.ADMMStep)
	f.Round()
	if r := f.Residuals(); r.Box != 0 || r.Sphere > 1e-12 || f.Outer != 1 {
		t.Errorf("after Round: %+v", r)
	}
	// Through a file and on.
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(f); err != nil {
		t.Fatal(err)
	}
	g := new(Factorization)
	if err := gob.NewDecoder(&b).Decode(g); err != nil {
		t.Fatal(err)
	}
	if err := g.Attach(m); err != nil {
		t.Fatal(err)
	}
	do(s.TuneSteps, g.TuneStep)
	if got := g.Adversarial(); !slices.Equal(got.Pix, want.Adversarial.Pix) {
		t.Error("stepping by hand and Run end in different images")
	}
	for i, p := range g.Perturbation() {
		if v := g.X[i] + p; v >= 0 && v <= 1 && float32(v) != want.Adversarial.Pix[i] {
			t.Fatalf("perturbation %d is %g, the image says %g", i, p, want.Adversarial.Pix[i])
		}
	}
}

func TestTraceOfRun(t *testing.T) {
	m, x := linear(6, engine.Shape{C: 3, H: 8, W: 8}, 3)
	s := short(40)
	s.SearchRounds, s.Outer = 2, 2
	var b strings.Builder
	csv := NewTraceWriter(&b)
	plain, _ := Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}, s)
	traced, err := Run(WithTrace(context.Background(), 50, csv.Write), m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || csv.Err() != nil {
		t.Fatal(err, csv.Err())
	}
	if !reflect.DeepEqual(plain, traced) {
		t.Error("watching changed the result")
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if want := 1 + 2*(2*(8+8)+4); len(lines) != want || lines[0] != TraceHeader {
		t.Errorf("%d lines, want %d, under %s", len(lines), want, lines[0])
	}
	stages := map[string]int{}
	for _, l := range lines[1:] {
		f := strings.Split(l, ",")
		if len(f) != len(strings.Split(TraceHeader, ",")) {
			t.Fatalf("line %q does not fit the header", l)
		}
		stages[f[0]+" "+f[1]+" "+f[2]]++
	}
	if stages["1 1 delta"] != 8 || stages["2 2 mask"] != 8 || stages["2 2 tune"] != 4 {
		t.Errorf("rows by round, outer and stage: %v", stages)
	}
}

func TestProgressCountsUp(t *testing.T) {
	m, x := linear(6, engine.Shape{C: 3, H: 8, W: 8}, 3)
	s := short(40)
	s.Outer = 2
	last := attack.Progress{}
	ctx := attack.WithProgress(context.Background(), func(p attack.Progress) {
		if p.Done <= last.Done || p.Done > p.Total || p.Trial < last.Trial {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	})
	r, err := Run(ctx, m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil || last.Done != last.Total || last.Total != r.Gradients {
		t.Errorf("last %+v, %d gradients, %v", last, r.Gradients, err)
	}
}

func TestFailure23_Cancelled(t *testing.T) {
	m, x := linear(6, engine.Shape{C: 3, H: 8, W: 8}, 3)
	for _, after := range []int{0, 1, 200, 850, 4500} {
		ctx, stop := context.WithCancel(context.Background())
		m.Break = func(call int, _ []float64) {
			if call == after {
				stop()
			}
		}
		if after == 0 {
			stop()
		}
		r, err := Run(ctx, m, x, attack.Goal{Label: 0, Target: 1}, short(40))
		stop()
		if err != nil || r.Status != attack.Cancelled || r.Gradients > after {
			t.Errorf("cancelled at pass %d: status %s, %d gradients, %v", after, r.Status, r.Gradients, err)
		}
		if err := r.Adversarial.Validate(); err != nil {
			t.Error(err)
		}
		if after == 4500 && !r.Success {
			t.Errorf("cancelled in the fifth round without the earlier success: %+v", SearchOf(r))
		}
	}
}

func ExampleSettings_Run() {
	m, x := linear(1, engine.Shape{C: 3, H: 8, W: 8}, 4)
	s := Reference()
	s.K, s.Round, s.Lambda2 = 40, "topk", 0
	r, err := s.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Status, r.Selected, r.Note)
	// Output: success 40 3 of 6 values of lambda1 succeeded
}
