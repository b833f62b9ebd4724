package dsl

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/png"
	"strings"
	"sync"
	"testing"

	"sapf/dsl/display"
	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// recorder is a host that keeps what it is shown.
type recorder struct {
	mu       sync.Mutex
	displays []display.Bundle
	updates  map[string][]display.Bundle
	order    []string
}

func newRecorder() *recorder { return &recorder{updates: map[string][]display.Bundle{}} }

func (r *recorder) Stream(string, string) {}
func (r *recorder) Display(b display.Bundle, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.displays, r.order = append(r.displays, b), append(r.order, id)
}
func (r *recorder) Update(b display.Bundle, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.updates[id] = append(r.updates[id], b)
}
func (r *recorder) Clear(bool)                         {}
func (r *recorder) Input(string, bool) (string, error) { return "typed", nil }

// linear is a classifier of three classes on 1x2x2 images whose logits are the
// sums of some pixels: enough to attack, and clear to see.
func linear(t *testing.T) (*Model, Image) {
	t.Helper()
	net := &engine.Net{Name: "linear", Input: engine.Shape{C: 1, H: 2, W: 2}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 4, Out: 3, W: []float32{4, 0, 0, 0, 0, 4, 0, 0, 0, 0, 4, 4}}, In: []int{engine.Input}},
	}}
	m, err := models.New(net, models.Card{Name: "linear", Classes: []string{"left", "right", "<b>low</b>"}})
	if err != nil {
		t.Fatal(err)
	}
	x := data.NewImage("test", 1, 2, 2)
	copy(x.Pix, []float32{0.8, 0.3, 0.2, 0.1})
	return &Model{m}, x
}

func bind(t *testing.T, ctx context.Context) *recorder {
	r := newRecorder()
	display.Bind(ctx, r)
	t.Cleanup(func() { display.Bind(context.Background(), nil) })
	return r
}

// failureOf runs f and returns the *display.Failure it panics with.
func failureOf(t *testing.T, f func()) (fail *display.Failure) {
	t.Helper()
	defer func() {
		err, _ := recover().(error)
		if !errors.As(err, &fail) {
			t.Errorf("no *display.Failure but %v", err)
		}
	}()
	f()
	return nil
}

func TestBadRequestsSayWhatIsWrong(t *testing.T) {
	bind(t, context.Background())
	m, x := linear(t)
	for _, c := range []struct {
		name string
		f    func()
		want []string
	}{
		{"unknown model", func() { LoadModel("cwnte") }, []string{"LoadModel", "cwnte"}},
		{"missing file", func() { LoadImage("nowhere.png") }, []string{"LoadImage", "nowhere.png"}},
		{"wrong size", func() { m.Predict(LoadImage("cat")) }, []string{"Predict", "3x32x32", "1x2x2"}},
		{"unknown class", func() { Attack(m, x, Target("rihgt"), Options{}) }, []string{"rihgt", `"right"`}},
		{"class out of range", func() { Attack(m, x, Target(3), Options{}) }, []string{"target 3", "0 to 2"}},
		{"no class", func() { Target(1.5) }, []string{"float64"}},
		{"own label", func() { own := x; own.Label = 0; Attack(m, own, Target("left"), Options{}) }, []string{"left", "own label"}},
		{"k below 0", func() { Factorize(m, x, Target("right"), Options{K: -1}) }, []string{"k: -1"}},
		{"k above N", func() { Factorize(m, x, Target("right"), Options{K: 5}) }, []string{"k: 5", "at most 4"}},
		{"unknown option", func() { Factorize(m, x, Target("right"), Options{Set: map[string]any{"lamda1": 1}}) }, []string{"lamda1", "lambda1"}},
		{"vectors of two lengths", func() { Vec{1}.Plus(Vec{1, 2}) }, []string{"1 entries", "2"}},
		{"k of ProjectTopK", func() { ProjectTopK(Vec{1}, 2) }, []string{"k is 2"}},
	} {
		fail := failureOf(t, c.f)
		for _, w := range c.want {
			if fail == nil || !strings.Contains(fail.Error(), w) {
				t.Errorf("%s: %v, expected it to say %q", c.name, fail, w)
			}
		}
	}
}

// small is a budget for the linear model.
var small = Options{K: 2, Round: "topk", DeltaSteps: 200, MaskSteps: 200, TuneSteps: 100, StepEvery: 5, RhoGrowth: 1.1,
	Set: map[string]any{"lambda2": 0}}

func TestAttackShowsProgressAndOutcome(t *testing.T) {
	host := bind(t, context.Background())
	m, x := linear(t)
	r := Attack(m, x, Target("right"), small)
	if !r.Success() || r.Measured.L0 > 2 {
		t.Fatalf("success %v with %d entries, expected success with at most 2", r.Success(), r.Measured.L0)
	}
	if len(host.displays) != 1 {
		t.Errorf("%d displays, expected one progress display that is updated", len(host.displays))
	}
	last := host.displays[0]
	if u := host.updates[host.order[0]]; len(u) > 0 {
		last = u[len(u)-1]
	}
	if text := plain(last); !strings.Contains(text, "100%") || !strings.Contains(text, "left is now right") {
		t.Errorf("the last progress is %q", text)
	}
	b := r.MimeBundle()
	page := b.Data["text/html"].(string)
	_, rest, found := strings.Cut(page, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(rest[:max(0, strings.IndexByte(rest, '"'))])
	if !found || err != nil {
		t.Fatalf("the outcome's page has no picture: %v", err)
	}
	if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
		t.Errorf("the outcome's picture: %v", err)
	}
	if len(r.Trace) == 0 || r.Trace[0].Delta != nil {
		t.Errorf("%d rows of trace, expected some that do not hold the solver's slices", len(r.Trace))
	}
	if got := Compare(r, r).String(); strings.Count(got, "sapf") != 2 {
		t.Errorf("Compare of two outcomes:\n%s", got)
	}
}

func TestFailure70_InterruptKeepsTheBest(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	bind(t, ctx)
	m, x := linear(t)
	p := Factorize(m, x, Target("right"), small)
	p.DeltaStep()
	before := p.DeltaVec()
	cancel()
	if fail := failureOf(t, p.DeltaStep); fail == nil || !errors.Is(fail, context.Canceled) {
		t.Errorf("a step after the interrupt: %v", fail)
	}
	if d := before.Minus(p.DeltaVec()).MaxAbs(); d != 0 {
		t.Errorf("delta moved by %g after the interrupt", d)
	}
	r := Attack(m, x, Target("right"), small)
	if r.Result.Status != attack.Cancelled || len(r.Adversarial().Pix) != 4 {
		t.Errorf("an interrupted attack has status %s and an image of %d entries", r.Result.Status, len(r.Adversarial().Pix))
	}
	if kept := Stopped(); len(kept) != 1 || kept[0] != r {
		t.Errorf("Stopped has %d outcomes, expected the interrupted attack", len(kept))
	}
	if many := AttackAll(m, Case{x, Target("right"), small}); len(Stopped()) != len(many) {
		t.Errorf("Stopped has %d outcomes, AttackAll returned %d", len(Stopped()), len(many))
	}
}

func TestFailure75_NamesAreEscaped(t *testing.T) {
	bind(t, context.Background())
	m, x := linear(t)
	x.Name = "<script>alert(1)</script>"
	for name, b := range map[string]display.Bundle{
		"prediction": render(m.Predict(x)), "card": render(m), "both": row([]any{x, m.Predict(x)}),
		"table": NewTable("<script>").Row("<script>").MimeBundle(),
	} {
		if page := markup(b); strings.Contains(page, "<script") || strings.Contains(page, "<b>low") {
			t.Errorf("%s: a name stands unescaped in %s", name, page)
		}
	}
}

func TestHandleReplacesWhatItShows(t *testing.T) {
	host := bind(t, context.Background())
	h := Show("one")
	h.Update("two")
	h.Close()
	h.Update("three")
	if u := host.updates[h.id]; len(u) != 1 || plain(u[0]) != "two" {
		t.Errorf("updates %v, expected one, to two", u)
	}
}

func TestStepsByHandAgreeWithTheProjections(t *testing.T) {
	bind(t, context.Background())
	m, x := linear(t)
	p := Factorize(m, x, Target("right"), small)
	p.DeltaSteps(50)
	for range 5 {
		y1 := ProjectBox(p.GVec().Plus(p.Z1Vec().Times(1 / p.RhoBox)))
		y2 := ProjectSphere(p.GVec().Plus(p.Z2Vec().Times(1 / p.RhoSphere)))
		p.ADMMStep()
		if d := max(y1.Minus(p.Y1Vec()).MaxAbs(), y2.Minus(p.Y2Vec()).MaxAbs()); d > 1e-12 {
			t.Fatalf("eqs. 11 and 13 by hand differ from ADMMStep by %g", d)
		}
	}
}
