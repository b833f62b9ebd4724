package sapf_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
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
			goal := attack.Goal{Label: 3, Target: 1}
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
	if _, err := sapf.Run(ctx, m, cifar(t, "cifar10:0"), attack.Goal{Label: 3, Target: 1}, traceSettings(loss)); err != nil {
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

// goldenAttack is a search of golden/attacks.json, or of testdata/spread.jsonl.
type goldenAttack struct {
	Image   string  `json:"image"`
	Target  int     `json:"target"`
	K       int     `json:"k"`
	Success bool    `json:"success"`
	L1      float64 `json:"l1"`
	L2      float64 `json:"l2"`
	Linf    float64 `json:"linf"`
	Lambda1 float64 `json:"lambda1"`
	Trials  []struct {
		Lambda1 float64 `json:"lambda1"`
		Success bool    `json:"success"`
		L1      float64 `json:"l1"`
		L2      float64 `json:"l2"`
	} `json:"rounds"`
}

// parted says whether a round of one lambda1 succeeded in only one of two
// searches.
func parted(r attack.Result, g goldenAttack) bool {
	for j, round := range sapf.SearchOf(r) {
		if golden := g.Trials[j]; round.Lambda1 == golden.Lambda1 && round.Success != golden.Success {
			return true
		}
	}
	return false
}

// wholeSearch is one of ours.
type wholeSearch struct {
	attack.Norms
	result attack.Result
}

func (g goldenAttack) String() string { return fmt.Sprintf("%s to %d, k %d", g.Image, g.Target, g.K) }

// goldenAttacks reads golden/attacks.json; of kernels too slow to run all,
// SAPF_CASES="1,6" chooses some of the cases.
func goldenAttacks(t *testing.T) (golden []goldenAttack) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(t), "golden", "attacks.json"))
	if err != nil {
		t.Skip(err)
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	some := os.Getenv("SAPF_CASES")
	if some == "" {
		return golden
	}
	var chosen []goldenAttack
	for _, word := range strings.Split(some, ",") {
		i, err := strconv.Atoi(word)
		if err != nil || i < 0 || i >= len(golden) {
			t.Fatalf("SAPF_CASES %q, expected indices of the %d cases", some, len(golden))
		}
		chosen = append(chosen, golden[i])
	}
	return chosen
}

// wholeSearches runs the golden searches (30,000 gradients each) from so many
// copies of their images, all in lockstep: number 0 is the image itself, the
// others have noise of 1e-6, which is a four-thousandth of a step of 8-bit colour.
// SOURCES.md wants success and the number of gradients exactly, and selected
// entries within 15 of k.
func wholeSearches(t *testing.T, golden []goldenAttack, copies int) (found [][]wholeSearch) {
	t.Helper()
	m := cwnet(t, "")
	rng := rand.New(rand.NewPCG(1, 2))
	var cases []sapf.TestCase
	for c := range copies {
		for _, g := range golden {
			x := cifar(t, g.Image).Clone()
			if c > 0 {
				for j, v := range x.Pix {
					x.Pix[j] = min(max(v+float32(1e-6*rng.NormFloat64()), 0), 1)
				}
			}
			s := sapf.Reference()
			s.Lambda2, s.K = 0, g.K
			cases = append(cases, sapf.TestCase{Image: x, Goal: attack.Goal{Label: attack.None, Target: g.Target}, Settings: s})
		}
	}
	start := time.Now()
	results, err := sapf.RunCases(context.Background(), m, cases)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: %d searches in %.0f s", m.Profile(), len(cases), time.Since(start).Seconds())
	found = make([][]wholeSearch, len(golden))
	for i, r := range results {
		g := golden[i%len(golden)]
		norms, err := attack.NormsOf(cases[i].Image, r.Adversarial)
		if err != nil {
			t.Fatal(err)
		}
		found[i%len(golden)] = append(found[i%len(golden)], wholeSearch{norms, r})
		t.Logf("%v, copy %d: lambda1 %.4g (golden %.4g), selected %d, l1 ratio %.3f, l2 %.3f, linf %.3f", g, i/len(golden), r.Const, g.Lambda1, r.Selected,
			norms.L1/g.L1, norms.L2/g.L2, norms.Linf/g.Linf)
		if r.Success != g.Success || r.Gradients != 30000 {
			t.Errorf("%v, copy %d: success %v, %d gradients; golden %v, 30000", g, i/len(golden), r.Success, r.Gradients, g.Success)
		}
		if d := r.Selected - g.K; d > 15 || d < -15 {
			t.Errorf("%v, copy %d: selected %d", g, i/len(golden), r.Selected)
		}
		if i < len(golden) && r.Const == g.Lambda1 && !near(norms.Linf, g.Linf) {
			t.Errorf("%v: linf is %.3f of the golden one, at the same lambda1", g, norms.Linf/g.Linf)
		}
	}
	return found
}

// near says whether a norm is within 20 % of the golden one, as SOURCES.md wants.
func near(norm, golden float64) bool { return math.Abs(norm/golden-1) <= 0.2 }

// TestGoldenAttacks runs the whole searches beside PyTorch's in float32.
// SOURCES.md: norms within 20 % case by case, means of the ratios within 8 %. One
// case may miss that, where a round succeeds in one search and fails in the other,
// as one does where PyTorch repeats its own searches
// (testdata/spread.jsonl): whether a round succeeds whose last step is near the
// border of the target's class is a chance, and decides where the search goes.
// linf, the number of a single entry, is held where both searches kept the same
// lambda1. SAPF_KERNELS chooses the profile.
func TestGoldenAttacks(t *testing.T) {
	long(t)
	golden := goldenAttacks(t)
	var l1, l2, rounds1, rounds2 []float64
	for i, found := range wholeSearches(t, golden, 1) {
		g, ours := golden[i], found[0]
		switch {
		case near(ours.L1, g.L1) && near(ours.L2, g.L2):
			l1, l2 = append(l1, ours.L1/g.L1), append(l2, ours.L2/g.L2)
		case !parted(ours.result, g):
			t.Errorf("%v: l1 is %.3f and l2 %.3f of the golden ones, with the golden rounds", g, ours.L1/g.L1, ours.L2/g.L2)
		}
		for j, round := range sapf.SearchOf(ours.result) {
			if golden := g.Trials[j]; golden.Lambda1 == round.Lambda1 && round.Lambda1 >= 0.05 { // below, the norms are near 0
				rounds1, rounds2 = append(rounds1, round.L1/golden.L1), append(rounds2, round.L2/golden.L2)
			}
		}
	}
	t.Logf("%d of %d within 20 %%", len(l1), len(golden))
	if len(l1) < len(golden)-1 {
		t.Errorf("%d of %d searches are within 20 %% of the golden norms, expected all but one", len(l1), len(golden))
	}
	for _, m := range []struct {
		name   string
		ratios []float64
	}{{"l1 of searches", l1}, {"l2 of searches", l2}, {"l1 of rounds with the golden lambda1", rounds1}, {"l2 of rounds with the golden lambda1", rounds2}} {
		mean := stat.Mean(m.ratios, nil)
		t.Logf("mean ratio of %s: %.3f", m.name, mean)
		if len(golden) > 5 && math.Abs(mean-1) > 0.08 { // means over few cases say little
			t.Errorf("the mean ratio of %s is %.3f, allowed 0.92 to 1.08", m.name, mean)
		}
	}
}

// TestGoldenSpread repeats the searches from copies of the images, as
// testdata/spread.py does in PyTorch: for each case the medians over the copies
// agree within 20 %, in the mean over all cases within 8 %, and of the single
// searches no more miss the golden norms by 20 % than a tenth. Of PyTorch's it is
// 1 of 28.
func TestGoldenSpread(t *testing.T) {
	long(t)
	golden := goldenAttacks(t)
	raw, err := os.ReadFile(filepath.Join("testdata", "spread.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string][2][]float64{}
	for lines := json.NewDecoder(bytes.NewReader(raw)); lines.More(); {
		var r goldenAttack
		if err := lines.Decode(&r); err != nil {
			t.Fatal(err)
		}
		v := theirs[r.String()]
		theirs[r.String()] = [2][]float64{append(v[0], r.L1), append(v[1], r.L2)}
	}
	median := func(v []float64) float64 {
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	off, searches, mean1, mean2 := 0, 0, 0.0, 0.0
	for i, found := range wholeSearches(t, golden, 4) {
		g := golden[i]
		var l1, l2 []float64
		for _, n := range found {
			if searches++; !near(n.L1, g.L1) || !near(n.L2, g.L2) {
				off++
			}
			l1, l2 = append(l1, n.L1), append(l2, n.L2)
		}
		ours1, ours2 := median(l1), median(l2)
		theirs1, theirs2 := median(theirs[g.String()][0]), median(theirs[g.String()][1])
		t.Logf("%v: medians l1 %.3f (PyTorch %.3f), l2 %.3f (%.3f)", g, ours1, theirs1, ours2, theirs2)
		if !near(ours1, theirs1) || !near(ours2, theirs2) {
			t.Errorf("%v: medians l1 %.3f, l2 %.3f; PyTorch's are %.3f and %.3f", g, ours1, ours2, theirs1, theirs2)
		}
		mean1, mean2 = mean1+ours1/theirs1/float64(len(golden)), mean2+ours2/theirs2/float64(len(golden))
	}
	t.Logf("mean ratios of the medians l1 %.3f, l2 %.3f; %d of %d searches miss the golden norms by 20 %%", mean1, mean2, off, searches)
	if math.Abs(mean1-1) > 0.08 || math.Abs(mean2-1) > 0.08 {
		t.Errorf("the mean ratios of the medians are %.3f and %.3f, allowed 0.92 to 1.08", mean1, mean2)
	}
	if 10*off > searches {
		t.Errorf("%d of %d searches miss the golden norms by more than 20 %%", off, searches)
	}
}
