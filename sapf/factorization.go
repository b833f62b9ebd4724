package sapf

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// Stage is a part of Algorithm 1.
type Stage string

// The stages, in their order.
const (
	DeltaStage Stage = "delta"
	MaskStage  Stage = "mask"
	TuneStage  Stage = "tune"
)

// ErrDiverged says that delta or G left every reasonable range: a number that
// is not finite, or a sum of G far beyond N. Settings.Guard prevents it.
var ErrDiverged = errors.New("the iteration diverged")

// Factorization is the mixed integer programme of eq. 3 for one image, with
// the whole state of its solver. It is plain data: encoding/gob and
// encoding/json keep it, Clone copies it, and after Attach it goes on with the
// same bytes. In the comments N = C*H*W, and M = len(G) is N, or H*W where one
// G serves all channels of a pixel: entry i of delta belongs to entry i mod M
// of G, since images are stored channel by channel.
//
// Differs: the paper speaks of k pixels and counts entries of N, as its program
// does. Share "pixel" counts pixels (16; TestRowsOfTheTable).
type Factorization struct {
	Settings Settings
	Shape    engine.Shape
	Goal     attack.Goal
	// Lambda1 weighs the loss in this run.
	Lambda1 float64

	// X is the image, length N, in [0,1]; W2 is w squared, length N.
	X, W2 []float64
	// GroupOf is the group of each entry of G, length M, or nil without
	// groups; groups are numbered from 0 to NumGroups-1.
	GroupOf   []int
	NumGroups int

	// Delta are the magnitudes, length N, in pixel units where 1.0 is full
	// scale; G is the selection, length M, relaxed until Round.
	Delta, G []float64
	// Y1, Y2, Y3 are the copies of G for box, sphere and groups, Z1, Z2, Z3
	// their multipliers, each of length M; Z4 is that of the cardinality.
	Y1, Y2, Y3, Z1, Z2, Z3 []float64
	Z4                     float64
	// RhoBox to RhoCard are the penalties now, DeltaStepSize and MaskStepSize
	// the step sizes.
	RhoBox, RhoSphere, RhoGroup, RhoCard float64
	DeltaStepSize, MaskStepSize          float64

	// Outer counts the outer iterations from 1, Step the steps done in Stage.
	Outer int
	Stage Stage
	Step  int
	// Loss and Logits are those of the last pass, of delta and G before it.
	Loss   float64
	Logits []float64

	hand *solver   // of this programme alone, for stepping by hand
	grad []float64 // dL/dG, length M
}

// Factorize sets up the programme at its start, delta = 0 and G = 1, with
// lambda1 as the settings say.
func Factorize(m attack.Classifier, x data.Image, goal attack.Goal, s Settings) (*Factorization, error) {
	f, err := newFactorization(m, x, goal, s)
	if err != nil {
		return nil, err
	}
	return f, f.Attach(m)
}

func newFactorization(m attack.Classifier, x data.Image, goal attack.Goal, s Settings) (*Factorization, error) {
	if err := attack.Check(m, x, goal); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	f := &Factorization{Settings: s, Shape: m.InputShape(), Goal: goal, X: make([]float64, x.Len())}
	for i, v := range x.Pix {
		f.X[i] = float64(v)
	}
	entries := x.Len()
	if s.Share == "pixel" {
		entries = x.H * x.W
	}
	if s.K > entries {
		return nil, fmt.Errorf("option k: %d, expected at most %d, the number of entries of G", s.K, entries)
	}
	f.G = make([]float64, entries)
	f.Delta = make([]float64, x.Len())
	for _, v := range []*[]float64{&f.Y1, &f.Y2, &f.Z1, &f.Z2} {
		*v = make([]float64, entries)
	}
	if s.Weights != nil && len(s.Weights) != x.Len() {
		return nil, fmt.Errorf("option weights: %d, expected %d, one an entry of the image", len(s.Weights), x.Len())
	}
	f.W2 = squaredWeights(x, s)
	if s.Lambda2 > 0 {
		var err error
		if f.GroupOf, f.NumGroups, err = groupsOf(x, s, entries); err != nil {
			return nil, err
		}
		f.Y3, f.Z3 = make([]float64, entries), make([]float64, entries)
	}
	f.Restart(s.Lambda1)
	return f, nil
}

// Restart goes back to delta = 0 and G = 1 with fresh penalties and step
// sizes, as every run of the lambda1 search does.
func (f *Factorization) Restart(lambda1 float64) {
	f.Lambda1 = lambda1
	clear(f.Delta)
	fill(f.G, 1)
	f.resetPenalties()
	f.resetDuals()
	f.DeltaStepSize, f.MaskStepSize = f.Settings.StepSize, f.Settings.StepSize
	f.Outer, f.Stage, f.Step = 0, "", 0
	f.Loss, f.Logits = 0, nil
}

func (f *Factorization) resetPenalties() {
	s := f.Settings
	f.RhoBox, f.RhoSphere, f.RhoGroup, f.RhoCard = s.RhoBox, s.RhoSphere, s.RhoGroup, s.RhoCard
}

func (f *Factorization) resetDuals() {
	clear(f.Z1)
	clear(f.Z2)
	clear(f.Z3)
	f.Z4 = 0
	for _, y := range [][]float64{f.Y1, f.Y2, f.Y3} {
		fill(y, 1)
	}
}

func fill(v []float64, x float64) {
	for i := range v {
		v[i] = x
	}
}

// Where a programme is in Algorithm 1, Outer, Stage and Step say: an outer
// iteration begins with Stage "", goes through the delta and the mask stage, and
// ends with Stage "" again; the tune stage follows the last one.

// beginOuter begins an outer iteration. Penalties and step sizes start afresh
// where the settings say so.
//
// Differs: the paper reads as one ADMM run; its program sets the multipliers
// to 0 at each outer iteration and keeps penalties and step sizes. ResetDuals
// (11, at enter), ResetRho (10), ResetStep (12; all in TestRowsOfTheTable).
func (f *Factorization) beginOuter() {
	f.Outer++
	if f.Settings.ResetRho {
		f.resetPenalties()
	}
	if f.Settings.ResetStep {
		f.DeltaStepSize, f.MaskStepSize = f.Settings.StepSize, f.Settings.StepSize
	}
}

// enter begins a stage unless the programme is in it: its step counter starts
// at 0, and before the mask stage the multipliers, where the settings say so.
// The first stage of an outer iteration begins it; stepped by hand, that is also
// a delta stage after another stage.
func (f *Factorization) enter(stage Stage) {
	if f.Stage == stage {
		return
	}
	if stage != TuneStage && (f.Stage == "" || stage == DeltaStage) {
		f.beginOuter()
	}
	if stage == MaskStage && f.Settings.ResetDuals {
		f.resetDuals()
	}
	f.Stage, f.Step = stage, 0
}

// due reports whether steps of a stage are left in the outer iteration that
// goes on, or of the tune stage.
func (f *Factorization) due(stage Stage, steps int) bool {
	if f.Stage == stage {
		return f.Step < steps
	}
	over := stage == DeltaStage && f.Stage != "" || stage == TuneStage
	return !over && f.Stage != TuneStage && steps > 0
}

// step is one step of a stage by hand.
func (f *Factorization) step(stage Stage) error {
	return f.byHand(func(s *solver) error { return s.step(stage) })
}

// byHand does something with the programme as a batch of one.
func (f *Factorization) byHand(do func(*solver) error) error {
	if f.hand == nil {
		return errors.New("the factorization has no classifier: Attach one")
	}
	a := &attempt{F: f}
	f.hand.Attempts, f.hand.settings = []*attempt{a}, f.Settings
	if err := do(f.hand); err != nil {
		return err
	}
	return a.err
}

// point writes clip(x + delta*G, 0, 1), where the network is asked.
//
// Differs: the paper says that clipping satisfies the box constraint, not
// where; its program clips before the network only, so that delta itself is
// never clipped, as here (17; no option).
func (f *Factorization) point(out []float64) {
	m := len(f.G)
	for at := 0; at < len(f.Delta); at += m {
		x, delta, out := f.X[at:at+m], f.Delta[at:at+m], out[at:at+m]
		for i, g := range f.G {
			out[i] = clamp01(x[i] + float64(delta[i]*g))
		}
	}
}

// Perturbation returns delta*G, length N, before the clip.
func (f *Factorization) Perturbation() []float64 {
	out := make([]float64, len(f.Delta))
	for i, d := range f.Delta {
		out[i] = d * f.G[i%len(f.G)]
	}
	return out
}

// Adversarial returns clip(x + delta*G, 0, 1) as an image.
func (f *Factorization) Adversarial() data.Image {
	v := make([]float64, len(f.X))
	f.point(v)
	return f.image(v)
}

func (f *Factorization) image(v []float64) data.Image {
	img := data.NewImage("adversarial", f.Shape.C, f.Shape.H, f.Shape.W)
	for i := range v {
		img.Pix[i] = float32(v[i])
	}
	img.Label = f.Goal.Label
	return img
}

// Mask returns G for every entry of the image, length N.
func (f *Factorization) Mask() []float32 {
	out := make([]float32, len(f.Delta))
	for i := range out {
		out[i] = float32(f.G[i%len(f.G)])
	}
	return out
}

// Selected is the number of entries of G above one half.
func (f *Factorization) Selected() int {
	n := 0
	for _, g := range f.G {
		if g > 0.5 {
			n++
		}
	}
	return n
}

// String is the state in a line.
func (f *Factorization) String() string {
	if f.Stage == "" {
		return fmt.Sprintf("choose %d of %d entries of G; lambda1 %g, loss %s, preset %s",
			f.Settings.K, len(f.G), f.Lambda1, f.Settings.Loss, f.Settings.Preset)
	}
	r := f.Residuals()
	card := fmt.Sprintf("%.4g", r.Card)
	if r.Card >= 1000 {
		card = fmt.Sprintf("%.0f", r.Card) // not 1.504e+05
	}
	return fmt.Sprintf("%s stage, step %d: loss %.4g, sum G %.1f (k %d), %d above 1/2, gaps box %.3g sphere %.3g card %s",
		f.Stage, f.Step, f.Loss, sum(f.G), f.Settings.K, f.Selected(), r.Box, r.Sphere, card)
}

// Residuals say how far G is from binary with k ones.
type Residuals struct {
	// Box is the distance of G to [0,1]^M, Sphere to the sphere of eq. 13, and
	// Card is |1'G - k|.
	Box, Sphere, Card float64
	// CopyBox is ||G - Y1||, CopySphere ||G - Y2||: the primal residuals of ADMM.
	CopyBox, CopySphere float64
}

// Residuals measures G as it stands.
func (f *Factorization) Residuals() Residuals {
	var box, y1, y2 float64
	for i, g := range f.G {
		box += float64((g - clamp01(g)) * (g - clamp01(g)))
		y1 += float64((g - f.Y1[i]) * (g - f.Y1[i]))
		y2 += float64((g - f.Y2[i]) * (g - f.Y2[i]))
	}
	return Residuals{
		Box:        math.Sqrt(box),
		Sphere:     math.Abs(distanceToHalf(f.G) - float64(math.Sqrt(float64(len(f.G)))/2)),
		Card:       math.Abs(sum(f.G) - float64(f.Settings.K)),
		CopyBox:    math.Sqrt(y1),
		CopySphere: math.Sqrt(y2),
	}
}

// Clone returns a copy that shares nothing that a step changes: keep one, and
// Restore goes back to it.
func (f *Factorization) Clone() *Factorization {
	c := *f
	for _, v := range []*[]float64{&c.Delta, &c.G, &c.Y1, &c.Y2, &c.Y3, &c.Z1, &c.Z2, &c.Z3, &c.Logits} {
		*v = slices.Clone(*v)
	}
	c.grad = nil
	return &c
}

// Restore returns to the state of a clone, which stays usable.
func (f *Factorization) Restore(from *Factorization) { *f = *from.Clone() }

// Attach connects a factorization that was read from a file, or one whose
// model is to change, with a classifier.
func (f *Factorization) Attach(m attack.Classifier) error {
	if s := m.InputShape(); s != f.Shape {
		return fmt.Errorf("the factorization is of a %v image, the model takes %v", f.Shape, s)
	}
	s := &solver{m: m, loss: f.Settings.loss(f.Goal), settings: f.Settings}
	if _, err := s.pass(1); err != nil {
		return err
	}
	f.hand = s
	return nil
}

// loss is what the network is asked to lower.
//
// Differs: the paper has the cross entropy of the posterior (its negative for
// an untargeted attack); its program the hinge on logits, by default, and only
// targeted. Loss and Confidence (2; study.Divergences measures it). Untargeted
// attacks are ours with the hinge.
func (s Settings) loss(goal attack.Goal) models.Loss {
	if s.LossFunc != nil {
		return ownLoss{s.LossFunc, goal.Targeted()}
	}
	if s.Loss == "ce" {
		return attack.CrossEntropy{Untargeted: !goal.Targeted()}
	}
	return attack.Margin{Confidence: s.Confidence, Untargeted: !goal.Targeted()}
}

// ownLoss is Settings.LossFunc.
type ownLoss struct {
	f        func(logits []float64, class int, grad []float64) float64
	targeted bool
}

// Example asks the function about the class of the one-hot row.
func (l ownLoss) Example(logits, target, grad []float64) float64 {
	return l.f(logits, models.Argmax(target), grad)
}

// String tells functions apart by where they are.
func (l ownLoss) String() string {
	return fmt.Sprintf("own{%x, targeted %v}", reflect.ValueOf(l.f).Pointer(), l.targeted)
}
