package session

import (
	"fmt"
	"strings"
	"testing"
)

// TestMeaning: what the running cell means changes with all that it mentions,
// directly or not, and with nothing else.
func TestMeaning(t *testing.T) {
	s, r := newSession(t)
	n := 0
	run := func(code string) string {
		n++
		return strings.TrimSpace(runCell(s, r, n, code))
	}
	run(`import "fmt"
func inner(x int) int { return x + 1 }
func outer(x int) int { return inner(x) }
type T struct{ A int }
func (t T) Get() int { return outer(t.A) }
alpha := 0.5
list := []int{1, 2}
func unrelated() {}`)
	const cell = "_, _, _ = T{A: 1}, alpha, list\nfmt.Println(display.Source())"
	first := run(cell)
	if len(first) != 64 {
		t.Fatalf("the meaning is %q, expected a digest", first)
	}
	seen := map[string]string{first: "at first"}
	for _, change := range []string{
		"func inner(x int) int { return x + 2 }",
		"func (t T) Get() int { return outer(t.A) + 1 }",
		"alpha = 0.25",
		"list[1] = 7",
		"type T struct{ A, B int }",
	} {
		run(change)
		now := run(cell)
		if len(now) != 64 {
			t.Errorf("after %q: %s", change, now)
		}
		if before, ok := seen[now]; ok {
			t.Errorf("after %q the meaning is as %s", change, before)
		}
		seen[now] = fmt.Sprintf("after %q", change)
	}
	before := run(cell)
	run("func unrelated() { println() }\nbeta := 3")
	if run(cell) != before {
		t.Error("what the cell does not mention changes its meaning")
	}
}

// TestOwnParts: an own attack, loss, stopping rule, weights and projection in
// cells.
func TestOwnParts(t *testing.T) {
	s, r := newSession(t)
	n := 0
	run := func(code string) string {
		n++
		return strings.TrimSpace(runCell(s, r, n, code))
	}
	run(`import ("fmt"; "os"; "path/filepath")
m := LoadModel("cwnet")
x := LoadImage("cat")
s := Reference().InSteps(30)
s.K, s.Round, s.Lambda1, s.Lambda2, s.SearchRounds = 200, "topk", 5, 0, 1`)
	for _, c := range []struct{ what, code, want string }{
		{"a loss", `
own := s
own.LossFunc = func(logits []float64, class int, grad []float64) float64 { // the class's logit alone
	clear(grad)
	if grad != nil {
		grad[class] = -1
	}
	return -logits[class]
}
r := Attack(m, x, Target("dog"), own)
fmt.Println(r.Success(), r.Result.Options["loss"])`, "true own"},
		{"a stopping rule", `
steps := 0
early := s
early.SearchRounds = 3
early.Stop = func(f *Factorization) bool { steps++; return f.Stage == "tune" && f.Loss == 0 }
r = Attack(m, x, Target("dog"), early)
fmt.Println(r.Success(), r.Result.Status, r.Result.Gradients < 150, steps == r.Result.Gradients)`, "true success true true"},
		{"weights", `
left := s
left.SearchRounds = 4
left.Weights = make([]float64, x.Len())
for i := range left.Weights {
	left.Weights[i] = 1
	if i%32 >= 16 {
		left.Weights[i] = 3 // the right half is dear
	}
}
r = Attack(m, x, Target("dog"), left)
dear := 0
for i, d := range r.Delta() {
	if d != 0 && i%32 >= 16 {
		dear++
	}
}
fmt.Println(r.Success(), dear < r.Measured.L0/3)`, "true true"},
		{"a projection", `
p, q := Factorize(m, x, Target("dog"), s), Factorize(m, x, Target("dog"), s)
p.DeltaSteps(20); q.DeltaSteps(20)
for range 20 {
	p.ADMMStep()
	q.UpdateY1()
	copy(q.Y2, ProjectSphere(q.GVec().Plus(q.Z2Vec().Times(1/q.RhoSphere)))) // eq. 13 by hand
	q.UpdateG()
	q.UpdateDuals()
	q.Advance()
}
fmt.Println(p.Step == q.Step, p.GVec().Minus(q.GVec()).MaxAbs() < 1e-9, p.RhoBox == q.RhoBox)`, "true true true"},
		{"an attack that is kept by its source", `
eps, runs := float32(0.4), make(chan bool, 9)
mine := func(name string) Method {
	return Own(name, func(m Classifier, x Image, goal Goal) Result {
		adv := x.Clone()
		for i := range adv.Pix[:10] { adv.Pix[i] = eps }
		runs <- true
		return Result{Adversarial: adv}
	})
}
dir := filepath.Join(os.TempDir(), fmt.Sprint("own-", os.Getpid()))
for range 2 { MeasureAll(dir, m, Case{x, Target("dog"), mine("mine")}) }
fmt.Println(len(runs))`, "1"},
		{"the attack changed", `
eps = 0.6
MeasureAll(dir, m, Case{x, Target("dog"), mine("mine")})
os.RemoveAll(dir)
fmt.Println(len(runs))`, "2"},
	} {
		got := run(c.code)
		if lines := strings.Split(got, "\n"); lines[len(lines)-1] != c.want {
			t.Errorf("%s: %s\nexpected %s", c.what, got, c.want)
		}
	}
}
