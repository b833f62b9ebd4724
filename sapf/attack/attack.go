// Package attack is what every attack on an image classifier has in common: the
// Attack itself, the Goal it is given, the Classifier it asks, the Result it
// returns, losses, norms, options by name and batches of tasks.
package attack

import (
	"context"
	"fmt"
	"strconv"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
)

// Classifier is what an attack needs of a model. *models.Model is one; tests
// and defences wrap it.
type Classifier interface {
	// InputShape is the shape of the images the classifier takes.
	InputShape() engine.Shape
	// Classes are the names of the classes; its length is their number.
	Classes() []string
	// Evaluator prepares steps of a loss for a batch of the given size.
	Evaluator(batch int, loss models.Loss) (models.Evaluator, error)
}

// None stands for "unknown" in Goal.Label and "any other class" in Goal.Target.
const None = -1

// Goal is what an attack is to reach: the class Target, or (Target == None)
// any class but Label.
type Goal struct {
	// Label is the true class, or None where it is unknown.
	Label int
	// Target is the class wanted, or None for an untargeted
	Target int
}

// String is the goal in words: "class 3 to become 5".
func (g Goal) String() string {
	from, to := "an unknown class", "any other"
	if g.Label != None {
		from = fmt.Sprintf("class %d", g.Label)
	}
	if g.Targeted() {
		to = strconv.Itoa(g.Target)
	}
	return from + " to become " + to
}

// Targeted reports whether the goal names a class.
func (g Goal) Targeted() bool { return g.Target != None }

// Reached reports whether a prediction satisfies the goal.
func (g Goal) Reached(prediction int) bool {
	if g.Targeted() {
		return prediction == g.Target
	}
	return prediction != g.Label
}

// Class is the class that a loss compares the others with: the target, or the
// label that an untargeted attack is to leave.
func (g Goal) Class() int {
	if g.Targeted() {
		return g.Target
	}
	return g.Label
}

// Status says how an attack ended.
type Status string

// The ways an attack ends.
const (
	Succeeded Status = "success"
	Failed    Status = "failed"
	// Already: the image satisfied the goal before the attack; distance 0.
	Already Status = "already"
	// Cancelled: the context ended; the result is the best so far.
	Cancelled Status = "cancelled"
	// Numeric: a number that is not finite appeared; the best so far is kept.
	Numeric Status = "numeric"
)

// Result is what an attack returns. Not reaching the goal is a result, not an
// error.
type Result struct {
	Method, Preset string
	Goal           Goal
	Status         Status
	// Success is the attack's own claim; metric.Measure recomputes it from
	// Adversarial, and only that is ever recorded.
	Success bool
	// Adversarial is the best adversarial image found, or the last candidate.
	Adversarial data.Image
	// K is the budget asked for, 0 where the attack has none, Unit what it counts;
	// Selected is the number of entries that the attack chose (SAPF: ones in G) or
	// changed.
	K, Selected int
	Unit        Unit
	// Prediction is the class of the image before the attack, where the attack
	// says so.
	Prediction int
	// Const is the trade-off constant of the run that was kept (lambda1 of SAPF,
	// c of Carlini and Wagner), Trials how many values of it were tried; both 0
	// where the attack has none.
	Const  float64
	Trials int
	// Detail is what only this method has to tell, or nil: package sapf has a
	// type Detail.
	Detail any
	// Forwards and Gradients count passes per example.
	Forwards, Gradients int
	// Options are the attack's options, every one resolved.
	Options map[string]any
	// Note says in words what a reader of the result ought to know.
	Note string
}

// String is the result in a line; the image is in it by name and shape.
func (r Result) String() string {
	s := fmt.Sprintf("%s: %s, %s", r.Method, r.Status, r.Goal)
	if r.K > 0 {
		s += fmt.Sprintf(", k %d", r.K)
	}
	s += fmt.Sprintf(", %d forward and %d backward passes; %s", r.Forwards, r.Gradients, r.Adversarial)
	if r.Note != "" {
		s += "; " + r.Note
	}
	return s
}

// FlatNote is the note of a result whose attack began at a gradient of zero.
const FlatNote = "zero gradient: the loss is flat at the image, another loss may not be (option loss=dlr, where there is one)"

// Flat reports whether a gradient is 0 in every entry.
func Flat(gradient []float64) bool {
	for _, g := range gradient {
		if g != 0 {
			return false
		}
	}
	return true
}

// Attack is one method. Its type is an options struct; the zero value is the
// setting of its paper.
type Attack interface {
	// Name is the method's name in the registry and in results: "sapf".
	Name() string
	// Run attacks one image. It returns an error for wrong input, a broken
	// model and nothing else; when ctx ends it returns the best so far with
	// Status Cancelled.
	Run(ctx context.Context, m Classifier, x data.Image, goal Goal) (Result, error)
}

// Progress is a step of a long computation, for whoever watches.
type Progress struct {
	// Method is the attack's name.
	Method string
	// Trial counts from 1 to Trials, the values of a searched constant; Outer from 1; Stage is the method's word
	// for the part it is in.
	Trial, Trials, Outer int
	Stage                string
	// Done of Total steps of the whole
	Done, Total int
	// Loss is the current value, Success whether a success is in hand.
	Loss    float64
	Success bool
}

type progressKey struct{}

// WithProgress returns a context whose attacks call f now and then, from
// their own goroutine. f must be quick.
func WithProgress(ctx context.Context, f func(Progress)) context.Context {
	return context.WithValue(ctx, progressKey{}, f)
}

// Report calls the observer of ctx, if there is one.
func Report(ctx context.Context, p Progress) {
	if f, ok := ctx.Value(progressKey{}).(func(Progress)); ok {
		f(p)
	}
}

// Fits refuses an image that the classifier cannot take.
func Fits(m Classifier, x data.Image) error {
	if err := x.Validate(); err != nil {
		return err
	}
	if s := m.InputShape(); x.C != s.C || x.H != s.H || x.W != s.W {
		return fmt.Errorf("image %q is %dx%dx%d, the model takes %v", x.Name, x.C, x.H, x.W, s)
	}
	return nil
}

// Check refuses an image or a goal that does not fit the classifier. Every
// attack calls it first.
func Check(m Classifier, x data.Image, goal Goal) error {
	if err := Fits(m, x); err != nil {
		return err
	}
	n := len(m.Classes())
	if goal.Label != None && (goal.Label < 0 || goal.Label >= n) {
		return fmt.Errorf("label %d, expected 0 to %d", goal.Label, n-1)
	}
	if goal.Target == None {
		if goal.Label == None {
			return fmt.Errorf("an untargeted attack needs the image's true label")
		}
		return nil
	}
	if goal.Target < 0 || goal.Target >= n {
		return fmt.Errorf("target %d, expected 0 to %d", goal.Target, n-1)
	}
	if goal.Target == goal.Label {
		return fmt.Errorf("target %d (%s) is the image's own label", goal.Target, m.Classes()[goal.Target])
	}
	return nil
}
