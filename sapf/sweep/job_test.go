package sweep

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// claiming is an attack that returns what it is told to, and claims success.
type claiming struct {
	adversarial data.Image
	k           int
}

func (claiming) Name() string { return "claiming" }

func (a claiming) Run(context.Context, attack.Classifier, data.Image, attack.Goal) (attack.Result, error) {
	return attack.Result{Method: "claiming", Status: attack.Succeeded, Success: true, Adversarial: a.adversarial, K: a.k, Unit: attack.Entries}, nil
}

// cat is a task on the embedded cat, which cwnet takes for a cat.
func cat(t *testing.T) (*models.Model, attack.Task) {
	t.Helper()
	m, task, err := Job{Model: "cwnet", Image: "cat", Target: "dog"}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return m, task
}

// TestFailure22_ClaimIsRecordedAsFailure: the record says what the image shows.
func TestFailure22_ClaimIsRecordedAsFailure(t *testing.T) {
	m, task := cat(t)
	task.Attack = claiming{adversarial: task.Image.Clone()}
	o, err := One(context.Background(), m, task, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := o.Record(); r.Success || r.Success8Bit || r.Status != attack.Failed || !strings.Contains(r.Note, "false success") {
		t.Errorf("success %v, status %s, note %q", r.Success, r.Status, r.Note)
	}
}

// TestFailure21_ImageOutsideTheBoxFailsTheJob: 0.2 outside is a bug of the
// attack, 1e-7 is rounding.
func TestFailure21_ImageOutsideTheBoxFailsTheJob(t *testing.T) {
	m, task := cat(t)
	adv := task.Image.Clone()
	adv.Pix[7] = 1.2
	task.Attack = claiming{adversarial: adv}
	if _, err := One(context.Background(), m, task, Options{}); err == nil || !strings.Contains(err.Error(), "1.2") {
		t.Errorf("an entry of 1.2: %v, want an error that says so", err)
	}
	adv.Pix[7] = -1e-7
	o, err := One(context.Background(), m, task, Options{})
	if err != nil || o.Measured.Clamped != 1 {
		t.Errorf("an entry of -1e-7: %v, want it clamped and counted", err)
	}
}

// TestFailure09_GoalsThatNeedNoAttack: the label is refused, a prediction that
// is not the label ends as already, at distance 0.
func TestFailure09_GoalsThatNeedNoAttack(t *testing.T) {
	if _, _, err := (Job{Model: "cwnet", Image: "cat", Target: "cat"}).Prepare(); err == nil || !strings.Contains(err.Error(), "own label") {
		t.Errorf("the label as target: %v, want a refusal", err)
	}
	m, task := cat(t)
	task.Image.Label = attack.None
	var err error
	if task.Goal, err = GoalOf(m.Classes(), attack.None, "cat"); err != nil {
		t.Fatal(err)
	}
	o, err := One(context.Background(), m, task, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := o.Record(); r.Status != attack.Already || r.L0 != 0 || r.L2 != 0 || r.Gradients != 0 || !o.Measured.Already {
		t.Errorf("the prediction as target: %+v", r)
	}
}

// quarters writes a label image: four squares of different colours.
func quarters(t *testing.T, side int) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.Set(x, y, color.NRGBA{uint8(2 * y / side * 255), uint8(2 * x / side * 255), 9, 255})
		}
	}
	file := filepath.Join(t.TempDir(), "groups.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestGroupsFromALabelImage: the colours of a picture are the groups.
func TestGroupsFromALabelImage(t *testing.T) {
	job := Job{Model: "cwnet", Image: "cat", Target: "dog", Groups: quarters(t, 32), Set: map[string]string{"lambda2": "1"}}
	_, task, err := job.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	groups := task.Attack.(*sapf.Options).Groups
	for i, g := range groups {
		if want := i/32/16*2 + i%32/16; g != want {
			t.Fatalf("pixel (%d,%d) is in group %d, want %d", i/32, i%32, g, want)
		}
	}
	for name, wrong := range map[string]Job{
		"lambda2 is 0":       {Groups: job.Groups, Set: map[string]string{"lambda2": "0"}},
		"expected the image": {Groups: quarters(t, 16), Set: job.Set},
		"nowhere.png":        {Groups: "nowhere.png", Set: job.Set},
		"has no groups":      {Groups: job.Groups, Method: "cw-l0"},
	} {
		wrong.Model, wrong.Image, wrong.Target = "cwnet", "cat", "dog"
		if _, _, err := wrong.Prepare(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want a refusal that says %q", err, name)
		}
	}
}

// TestMatchedByName: the attack to match and its options are words too.
func TestMatchedByName(t *testing.T) {
	job := func(pairs ...string) Job {
		j := Job{Model: "cwnet", Image: "cat", Method: "sapf-matched", Set: map[string]string{}}
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			j.Set[name] = value
		}
		return j
	}
	m, task, err := job("to=fgsm", "to.epsilon=0.1", "steps=30", "search_rounds=1", "lambda1=5", "round=topk", "lambda2=0").Prepare()
	if err != nil {
		t.Fatal(err)
	}
	o, err := One(context.Background(), m, task, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := o.Record()
	if r.Method != "sapf-matched" || r.Options["to"] != "fgsm" || r.Options["to.epsilon"] != 0.1 || r.Options["k"] != r.K {
		t.Errorf("%s with options %v", r.Method, r.Options)
	}
	if r.K < 1000 || r.Selected != r.K || !strings.Contains(r.Note, "as fgsm needed") { // fgsm changes nearly all entries
		t.Errorf("k %d, selected %d, note %q; want what fgsm changed", r.K, r.Selected, r.Note)
	}
	for _, c := range []struct{ pair, says string }{
		{"k=100", "option k"}, {"to=strattck", `"strattack"`}, {"to.stepps=3", "stepps"}, {"lamda1=2", `"lambda1"`},
	} {
		if _, _, err := job(c.pair).Prepare(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a refusal that says %s", c.pair, err, c.says)
		}
	}
}

// TestFailure27_PictureOfAnotherSize: refused with both shapes and the way out,
// and taken with it.
func TestFailure27_PictureOfAnotherSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wide.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewRGBA(image.Rect(0, 0, 40, 32))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	job := Job{Model: "cwnet", Image: path, Target: "dog"}
	_, _, err = job.Prepare()
	for _, want := range []string{"wide.png", "3x32x40", "3x32x32", "--resize"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %q", err, want)
		}
	}
	job.Resize = true
	if _, task, err := job.Prepare(); err != nil || task.Image.W != 32 {
		t.Errorf("with resize: %v", err)
	}
}

// TestWarnings: what makes an outcome doubtful is said whatever the attack says.
func TestWarnings(t *testing.T) {
	m, task := cat(t)
	warnings := func(name, preset string, set map[string]string) []string {
		t.Helper()
		var err error
		if task.Attack, err = NewAttack(name, preset, set); err != nil {
			t.Fatal(err)
		}
		o, err := One(context.Background(), m, task, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return o.Record().Warnings
	}
	quick := func(set map[string]string) map[string]string {
		for name, value := range map[string]string{"steps": "60", "search_rounds": "1", "lambda1": "5", "lambda2": "0", "k": "10"} {
			set[name] = value
		}
		return set
	}
	if w := warnings("sapf", "", quick(map[string]string{"round": "topk"})); len(w) != 0 {
		t.Errorf("exactly k: warnings %q", w)
	}
	adv := task.Image.Clone()
	for i := range adv.Pix[:30] {
		adv.Pix[i] = 1 - adv.Pix[i]
	}
	task.Attack = claiming{adversarial: adv, k: 10}
	o, err := One(context.Background(), m, task, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w := o.Record().Warnings; len(w) != 2 || !strings.Contains(w[0], "false success") || w[1] != "k exceeded: 30 entries changed, k is 10" {
		t.Errorf("30 entries for a k of 10, and a false claim: warnings %q", w)
	}
	for name, set := range map[string]map[string]string{
		"sparse-rs": {"k": "1025"}, "pgd-l0": {"k": "2000"}, "one-pixel": {"k": "1025"}, "sigma-zero": {"k": "3073"}, "sapf": {"k": "3073"},
	} {
		a, err := NewAttack(name, "", set)
		if err != nil {
			t.Fatal(err)
		}
		task.Attack = a
		if _, err := One(context.Background(), m, task, Options{}); err == nil || !strings.Contains(err.Error(), "expected at most") {
			t.Errorf("%s with k = %s: %v, expected a refusal", name, set["k"], err)
		}
	}
}

// TestKeyKnowsHowTheModelWasLoaded: the same weights behind another normalisation
// or scale are another classifier.
func TestKeyKnowsHowTheModelWasLoaded(t *testing.T) {
	_, task := cat(t)
	seen := map[string]string{}
	for name, o := range map[string]models.LoadOptions{
		"as it is":          {},
		"another scale":     {LogitScale: 10},
		"another mean":      {Normalisation: models.Normalisation{Mean: []float64{0.4}}},
		"another deviation": {Normalisation: models.Normalisation{Mean: []float64{0.4}, Std: []float64{0.2}}},
	} {
		m, err := models.Load("cwnet", o)
		if err != nil {
			t.Fatal(err)
		}
		key, err := Key(m, task)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[key]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
}
