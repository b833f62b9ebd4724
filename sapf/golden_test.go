package sapf_test

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
)

// root is the folder with data/, models/ and golden/.
func root(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SAPF_DATA")
	if dir == "" {
		t.Skip("SAPF_DATA is not set: the golden numbers and CIFAR-10 are not at hand")
	}
	return dir
}

// long skips what takes minutes.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("SAPF_LONG") == "" {
		t.Skip("takes minutes: set SAPF_LONG=1")
	}
}

func cwnet(t testing.TB, profile string) *models.Model {
	t.Helper()
	o := models.LoadOptions{}
	if profile != "" {
		p, err := engine.ParseProfile(profile)
		if err != nil {
			t.Skip(err)
		}
		o.Profile = &p
	}
	m, err := models.Load("cwnet", o)
	if err != nil {
		t.Skip(err)
	}
	return m
}

func cifar(t testing.TB, ref string) data.Image {
	t.Helper()
	x, err := data.Load(ref, data.Options{})
	if err != nil {
		t.Skip(err)
	}
	return x
}

// goldenTrace reads a trace of golden/: stage, step and the columns.
func goldenTrace(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(root(t), "golden", name))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, v := range line {
			row[lines[0][i]] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// traceSettings are those of golden/SOURCES.md.
func traceSettings(loss string) sapf.Settings {
	s := sapf.Reference()
	s.Loss, s.Lambda1 = loss, 0.1
	if loss == "cw" {
		s.Lambda1 = 0.05
	}
	s.Lambda2, s.Round = 0, "topk"
	s.DeltaSteps, s.MaskSteps, s.TuneSteps = 300, 300, 150
	s.SearchRounds = 1
	return s
}

// columns are the numbers of a row by the names of the golden files.
func columns(r sapf.TraceRow) map[string]float64 {
	out := map[string]float64{"loss": r.Loss, "l2sq": r.L2Sq, "sum_g": r.SumG, "above_half": float64(r.AboveHalf), "margin": r.Margin, "lr": r.LearningRate}
	for _, d := range r.Delta {
		out["delta_l1"] += math.Abs(d)
	}
	for _, g := range r.G {
		out["g_l2"] += g * g
	}
	out["g_l2"] = math.Sqrt(out["g_l2"])
	return out
}

// TestGoldenTraces follows one round of the reference procedure beside an
// independent PyTorch implementation in float64 (golden/SOURCES.md). The
// procedure is a bang-bang iteration with a large step, so that rounding
// errors grow: the tolerances are those of SOURCES.md, and beyond their steps
// the differences are printed, not judged.
//
// The mask steps in float32 are allowed more, since they start from where 300
// delta steps have led, and TestGoldenMaskStage takes that away: rounding decides
// on which linear piece of the network a step is. With the hinge it does so
// once: at delta step 50 two entries of a window of the first pool are 6e-7
// apart. Generic kernels without Winograd take the larger one and follow float64
// to 2e-6 over all 750 steps; the others take the other one, and part by up to
// 17 % in the first mask steps. So does PyTorch in float32, by 9.4 %, and by 5.4 %
// with the cross entropy.
func TestGoldenTraces(t *testing.T) {
	profiles := []string{"float64", ""}
	if os.Getenv("SAPF_LONG") != "" {
		profiles = append([]string{"float64"}, fastProfiles...)
	}
	for _, profile := range profiles {
		for _, loss := range []string{"cw", "ce"} {
			t.Run(strings.Trim(profile+"/"+loss, "/"), func(t *testing.T) {
				m := cwnet(t, profile)
				golden := goldenTrace(t, "trace_"+loss+".csv")
				if profile == "float64" && os.Getenv("SAPF_LONG") == "" {
					golden = golden[:3] // to delta step 3: a double-precision pass is slow
				}
				if profile == "" {
					golden = golden[:slices.IndexFunc(golden, func(row map[string]string) bool { return row["stage"] == "mask" && row["step"] == "75" })]
				}
				followTrace(t, m, loss, golden, profile == "float64")
			})
		}
	}
}

// fastProfiles are the float32 kernels, as SAPF_KERNELS names them.
var fastProfiles = []string{"avx512", "avx512,direct", "avx2", "avx2,direct", "generic", "generic,direct"}

// TestGoldenMaskStage starts the mask stage of trace_ce.csv from the delta that
// PyTorch had there in float64 (testdata/mask_start.py), so that what is
// compared is the mask stage alone. SOURCES.md allows 2 % over 50 steps; every
// float32 profile comes to 4e-9, float64 to 4e-11.
func TestGoldenMaskStage(t *testing.T) {
	golden := goldenTrace(t, "trace_ce.csv")
	first := slices.IndexFunc(golden, func(row map[string]string) bool { return row["stage"] == "mask" })
	raw, err := os.ReadFile(filepath.Join("testdata", "mask_start.json"))
	if err != nil {
		t.Fatal(err)
	}
	var start struct {
		Delta []byte `json:"delta"`
	}
	if err := json.Unmarshal(raw, &start); err != nil {
		t.Fatal(err)
	}
	for _, profile := range append([]string{"float64"}, fastProfiles...) {
		t.Run(profile, func(t *testing.T) {
			m := cwnet(t, profile)
			tolerance, steps := 1e-6, 50
			if strings.HasPrefix(profile, "generic") {
				steps = 5
			}
			if profile == "float64" {
				tolerance, steps = 1e-9, 3
			}
			if os.Getenv("SAPF_LONG") != "" {
				steps = 50
			}
			goal := sapf.Goal{Label: 3, Target: 1}
			f, err := sapf.Factorize(m, cifar(t, "cifar10:0"), goal, traceSettings("ce"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range f.Delta {
				f.Delta[i] = math.Float64frombits(binary.LittleEndian.Uint64(start.Delta[8*i:]))
			}
			worst, at := 0.0, first
			for step := 1; step <= steps; step++ {
				if err := f.ADMMStep(); err != nil {
					t.Fatal(err)
				}
				if golden[at]["step"] != strconv.Itoa(step) {
					continue
				}
				r := sapf.TraceRow{Stage: sapf.MaskStage, Step: step, AboveHalf: f.Selected(), LearningRate: f.MaskStepSize, Delta: f.Delta, G: f.G}
				for i, p := range f.Perturbation() {
					r.L2Sq += p * p
					r.SumG += f.G[i]
				}
				got := columns(r)
				delete(got, "loss") // of the point before the step
				delete(got, "margin")
				worst = math.Max(worst, compareRow(t, golden[at], got, tolerance))
				at++
			}
			if at == first {
				t.Fatal("no golden row was reached")
			}
			t.Logf("%v: %d rows to step %d, largest relative difference %.2g", m.Profile(), at-first, steps, worst)
		})
	}
}

// compareRow compares the columns in got with the golden row of the same names;
// a tolerance of 0 judges nothing. It returns the largest difference: relative,
// for loss and margin (which cross 0) in units of at least one logit.
func compareRow(t *testing.T, row map[string]string, got map[string]float64, tolerance float64) float64 {
	t.Helper()
	worst := 0.0
	for name, v := range got {
		want, err := strconv.ParseFloat(row[name], 64)
		if err != nil {
			t.Fatalf("golden column %s: %v", name, err)
		}
		scale := math.Abs(want)
		if name == "loss" || name == "margin" || want == 0 {
			scale = math.Max(scale, 1)
		}
		d, allowed := math.Abs(v-want)/scale, tolerance
		if name == "lr" { // the schedule does not depend on rounding
			allowed = 1e-9
		}
		worst = math.Max(worst, d)
		if allowed > 0 && !(d <= allowed) {
			t.Errorf("%s step %s: %s is %.10g, golden %.10g (off by %.2g, allowed %.2g)", row["stage"], row["step"], name, v, want, d, allowed)
		}
	}
	return worst
}

func followTrace(t *testing.T, m *models.Model, loss string, golden []map[string]string, double bool) {
	last := golden[len(golden)-1]
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	at := 0
	worst := map[string]float64{}
	ctx = sapf.WithTrace(ctx, 1, func(r sapf.TraceRow) {
		if at == len(golden) {
			return
		}
		row := golden[at]
		if string(r.Stage) != row["stage"] || strconv.Itoa(r.Step) != row["step"] {
			return
		}
		at++
		worst[string(r.Stage)] = math.Max(worst[string(r.Stage)], compareRow(t, row, columns(r), toleranceOf(r, double)))
		if string(r.Stage) == last["stage"] && strconv.Itoa(r.Step) == last["step"] {
			stop()
		}
	})
	if _, err := sapf.Run(ctx, m, cifar(t, "cifar10:0"), sapf.Goal{Label: 3, Target: 1}, traceSettings(loss)); err != nil {
		t.Fatal(err)
	}
	if at < len(golden) {
		t.Errorf("followed %d of %d golden rows", at, len(golden))
	}
	t.Logf("largest relative difference by stage: %v", worst)
}

// toleranceOf is what SOURCES.md allows at a step; 0 where it allows anything.
func toleranceOf(r sapf.TraceRow, double bool) float64 {
	switch {
	case double && r.Stage == sapf.DeltaStage && r.Step <= 100:
		return 1e-6
	case double && r.Step <= 50:
		return 1e-3
	case !double && r.Stage == sapf.MaskStage && r.Step < 5:
		return 0.2
	case !double && r.Stage == sapf.MaskStage && r.Step <= 50:
		return 0.04
	case !double && r.Stage == sapf.DeltaStage && r.Step <= 50:
		return 0.02
	}
	return 0
}

// goldenAttack is a case of golden/attacks.json.
type goldenAttack struct {
	Image   string  `json:"image"`
	Target  int     `json:"target"`
	K       int     `json:"k"`
	Success bool    `json:"success"`
	L1      float64 `json:"l1"`
	L2      float64 `json:"l2"`
	Linf    float64 `json:"linf"`
	Lambda1 float64 `json:"lambda1"`
	Rounds  []struct {
		Lambda1  float64 `json:"lambda1"`
		Success  bool    `json:"success"`
		Selected int     `json:"selected"`
		L1       float64 `json:"l1"`
		L2       float64 `json:"l2"`
	} `json:"rounds"`
}

// parted says whether a round of one lambda1 succeeded in only one of two
// searches.
func parted(r sapf.Result, g goldenAttack) bool {
	for j, round := range r.Search {
		if golden := g.Rounds[j]; round.Lambda1 == golden.Lambda1 && round.Success != golden.Success {
			return true
		}
	}
	return false
}

// TestGoldenAttacks runs the whole search (30,000 gradients a case, all cases
// in lockstep) beside PyTorch's in float32. SOURCES.md: success exactly, norms
// within 20 % case by case, means of the ratios within 8 %, selected entries
// within 15 of k. Where a round succeeds here and fails there, or the other way
// round, the searches part and keep rounds of different lambda1; whether such a
// round succeeds is a chance (TestSuccessNearTheBorderIsAChance), so at most two
// cases may part beyond 20 %, and what is compared of them are the rounds that
// both ran.
// linf is the number of a single entry: it is held to 20 % where both searches
// kept the same lambda1. SAPF_KERNELS chooses the profile, and SAPF_CASES="1,6" some of the cases, for
// kernels too slow to run all.
func TestGoldenAttacks(t *testing.T) {
	dir := root(t)
	long(t)
	raw, err := os.ReadFile(filepath.Join(dir, "golden", "attacks.json"))
	if err != nil {
		t.Skip(err)
	}
	var golden []goldenAttack
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	if some := os.Getenv("SAPF_CASES"); some != "" {
		var chosen []goldenAttack
		for _, word := range strings.Split(some, ",") {
			i, err := strconv.Atoi(word)
			if err != nil || i < 0 || i >= len(golden) {
				t.Fatalf("SAPF_CASES %q, expected indices of the %d cases", some, len(golden))
			}
			chosen = append(chosen, golden[i])
		}
		golden = chosen
	}
	m := cwnet(t, "")
	var cases []sapf.Case
	for _, g := range golden {
		s := sapf.Reference()
		s.Lambda2, s.K = 0, g.K
		cases = append(cases, sapf.Case{Image: cifar(t, g.Image), Goal: sapf.Goal{Label: sapf.None, Target: g.Target}, Settings: s})
	}
	start := time.Now()
	results, err := sapf.RunBatch(context.Background(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: %d searches in %.0f s", m.Profile(), len(cases), time.Since(start).Seconds())
	mean, together, apart := map[string]float64{}, 0, 0
	var l1, l2, rounds float64 // ratios over all rounds with the golden lambda1
	for i, g := range golden {
		r := results[i]
		norms, err := sapf.NormsOf(cases[i].Image, r.Adversarial)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s to %d, k %d: lambda1 %.4g (golden %.4g), selected %d, l1 ratio %.3f, l2 %.3f, linf %.3f", g.Image, g.Target, g.K, r.Lambda1, g.Lambda1, r.Selected,
			norms.L1/g.L1, norms.L2/g.L2, norms.Linf/g.Linf)
		if r.Success != g.Success || r.Gradients != 30000 {
			t.Errorf("%s to %d: success %v, %d gradients; golden %v, 30000", g.Image, g.Target, r.Success, r.Gradients, g.Success)
		}
		if d := r.Selected - g.K; d > 15 || d < -15 {
			t.Errorf("%s to %d: selected %d, k is %d", g.Image, g.Target, r.Selected, g.K)
		}
		if ratio := norms.Linf / g.Linf; r.Lambda1 == g.Lambda1 && math.Abs(ratio-1) > 0.2 {
			t.Errorf("%s to %d: linf is %.3f of the golden one, at the same lambda1", g.Image, g.Target, ratio)
		}
		ratios := map[string]float64{"l1": norms.L1 / g.L1, "l2": norms.L2 / g.L2}
		switch off := math.Abs(ratios["l1"]-1) > 0.2 || math.Abs(ratios["l2"]-1) > 0.2; {
		case off && parted(r, g):
			apart++
		case off:
			t.Errorf("%s to %d: l1 is %.3f and l2 %.3f of the golden ones", g.Image, g.Target, ratios["l1"], ratios["l2"])
			fallthrough
		default:
			together++
			for name, ratio := range ratios {
				mean[name] += ratio
			}
		}
		for j, round := range r.Search {
			t.Logf("    lambda1 %.5g: success %v, selected %d; golden %.5g %v %d", round.Lambda1, round.Success, round.Selected, g.Rounds[j].Lambda1, g.Rounds[j].Success, g.Rounds[j].Selected)
			if golden := g.Rounds[j]; golden.Lambda1 == round.Lambda1 && round.Lambda1 >= 0.05 { // below, the norms are near 0
				t.Logf("        l1 ratio %.3f, l2 %.3f", round.L1/golden.L1, round.L2/golden.L2)
				l1, l2, rounds = l1+round.L1/golden.L1, l2+round.L2/golden.L2, rounds+1
			}
		}
	}
	t.Logf("over %.0f rounds with the golden lambda1: mean ratios l1 %.3f, l2 %.3f", rounds, l1/rounds, l2/rounds)
	whole := os.Getenv("SAPF_CASES") == "" // means over few cases say little
	if whole && (math.Abs(l1/rounds-1) > 0.08 || math.Abs(l2/rounds-1) > 0.08) {
		t.Errorf("the mean ratios over rounds are %.3f and %.3f, allowed 0.92 to 1.08", l1/rounds, l2/rounds)
	}
	if apart > 2 {
		t.Errorf("%d searches parted and are off by more than 20 %%, allowed 2", apart)
	}
	for _, name := range []string{"l1", "l2"} {
		v := mean[name] / float64(max(together, 1))
		t.Logf("mean ratio of %s over %d searches: %.3f", name, together, v)
		if whole && math.Abs(v-1) > 0.08 {
			t.Errorf("the mean ratio of %s is %.3f, allowed 0.92 to 1.08", name, v)
		}
	}
}

// TestSuccessNearTheBorderIsAChance repeats a round of cifar10:0 to 1 from
// images that differ by noise of 1e-6, a ten-thousandth of a step of 8-bit
// colour. With lambda1 = 1 some succeed and some fail, and their l2 differs by
// several per cent: no two profiles, and no two programs, can agree on such a
// round.
func TestSuccessNearTheBorderIsAChance(t *testing.T) {
	root(t)
	long(t)
	m := cwnet(t, "")
	rng := rand.New(rand.NewPCG(1, 2))
	var cases []sapf.Case
	for range 9 {
		x := cifar(t, "cifar10:0").Clone()
		for j, v := range x.Pix {
			x.Pix[j] = min(max(v+float32(1e-6*rng.NormFloat64()), 0), 1)
		}
		for _, lambda1 := range []float64{1, 10} {
			s := sapf.Reference()
			s.Lambda2, s.K, s.Lambda1, s.SearchRounds = 0, 200, lambda1, 1
			cases = append(cases, sapf.Case{Image: x, Goal: sapf.Goal{Label: sapf.None, Target: 1}, Settings: s})
		}
	}
	results, err := sapf.RunBatch(context.Background(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	successes, smallest, largest := map[float64]int{}, math.Inf(1), 0.0
	for _, r := range results {
		round := r.Search[0]
		t.Logf("lambda1 %g: success %v, l2 %.4f", round.Lambda1, round.Success, round.L2)
		if round.Success {
			successes[round.Lambda1]++
		}
		smallest, largest = min(smallest, round.L2), max(largest, round.L2)
	}
	t.Logf("%v: of 9, %d succeed with lambda1 1 and %d with 10; l2 %.3f to %.3f", m.Profile(), successes[1], successes[10], smallest, largest)
	if n := successes[1]; n == 0 || n == 9 {
		t.Errorf("%d of 9 succeed with lambda1 1, expected some and not all", n)
	}
}
