package baseline

import (
	"context"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// StrAttack is the structured attack of Xu et al. (ICLR 2019; their program's
// l2_LADMMST_attack_v3.py, and adversarial-library's): sparse over square groups
// of pixels by ADMM,
//
//	min c*h(x+z) + gamma*||delta||^2 + tau*sum_g ||y_g||_2 + box(w)
//	s.t. delta = y = w = z
//
// with a search on c, then rounds that drop the smallest entries and solve
// again on what is left.
//
//	paper, section 3   code        shape  range
//	x_0                o.x         N      [0,1]
//	delta              delta       N      any number
//	w                  w           N      |w| <= MaxChange, x+w in [0,1]
//	y                  y           N      [-x,1-x]
//	z                  z           N      [-x,1-x]
//	u, v, s            u, v, s     N      scaled duals of delta, y and w
//	D_g, groups        groups      H*W/side^2 lists of entries
//	rho, tau, gamma    the same    1      [0,inf)
//	eta_i              weight      1      alpha*sqrt(i+1)
//	c                  c           1      (0,inf)
//	kappa              Confidence  1      [0,inf), in logits
//
// Differs: y and z are clipped so that x+y and x+z are images, as in
// adversarial-library; the authors leave them unclipped. Their c of one image is
// the sum over its batch; here each image has its own.
type StrAttack struct {
	// Preset is "", "table1" or "adversarial-library", whose defaults differ.
	Preset string `option:"-"`
	// SearchSteps on c; 0 means 8.
	SearchSteps int `def:"8" range:"[0,inf)"`
	// Steps of ADMM in the first search step; 0 means 1000. Search step i
	// runs StepsGrowth*i more.
	Steps int `def:"1000" range:"[0,inf)"`
	// StepsGrowth; 0 means 1000. Constant ends the growth.
	StepsGrowth int `def:"1000" range:"[0,inf)"`
	// Constant runs Steps in every search step and keeps z and the duals from
	// one to the next, and counts any success of a search step as one, all as
	// adversarial-library does.
	Constant bool
	// InitialConst is the first c; 0 means 1.
	InitialConst float64 `def:"1" range:"[0,inf)"`
	// ConstFactor multiplies c until the first success; 0 means 5.
	ConstFactor float64 `def:"5" range:"[1,inf)"`
	// Rho is the penalty of the splitting; 0 means 15.
	Rho float64 `def:"15" range:"[0,inf)"`
	// Alpha is the linearised z-step's weight, alpha*sqrt(i+1); 0 means 5.
	Alpha float64 `def:"5" range:"[0,inf)"`
	// Tau weighs the group norms; 0 means 3.
	Tau float64 `def:"3" range:"[0,inf)"`
	// Gamma weighs ||delta||^2; 0 means 2.
	Gamma float64 `def:"2" range:"[0,inf)"`
	// Confidence is kappa of the hinge.
	Confidence float64 `range:"[0,inf)"`
	// MaxChange caps |w| entry by entry; 0 means 0.5.
	MaxChange float64 `def:"0.5" range:"[0,1]"`
	// GroupSide is the side of a square group in pixels; 0 means 2, and 13 for
	// images of more than 64 rows.
	GroupSide int `range:"[0,inf)"`
	// NoRefine leaves out the rounds of refinement.
	NoRefine bool
	// Refine is how many rounds drop the smallest entries; 0 means 8.
	Refine int `def:"8" range:"[0,inf)"`
	// RefineSteps of ADMM in each of them; 0 means 400.
	RefineSteps int `def:"400" range:"[0,inf)"`
	// RefineConst is c of the first of them; 0 means 5.
	RefineConst float64 `def:"5" range:"[0,inf)"`
	// Percentile of the entries of y dropped in each; 0 means 3.
	Percentile float64 `def:"3" range:"[0,100]"`
}

var _ attack.Attack = (*StrAttack)(nil)

// Name is "strattack".
func (StrAttack) Name() string { return "strattack" }

// Presets: table1 is the setting of the authors' evaluation script, which the
// paper's Table 1 is thought to have used.
func (StrAttack) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{
		"table1": StrAttack{SearchSteps: 6, Steps: 2000},
		"adversarial-library": StrAttack{
			SearchSteps: 6, Steps: 2000, Constant: true, MaxChange: 1, Rho: 1, Tau: 2, Gamma: 1, RefineConst: 1,
		},
	}
}

// Run attacks one image.
func (a StrAttack) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL2, StrAttack.search)
}

func (a StrAttack) search(o *oracle) error {
	w := cappedBox(o.x, func(int) float64 { return a.MaxChange })
	groups := a.groups(o)
	c := newConstSearch(a.InitialConst, a.ConstFactor)
	var s *splitting
	var y []float64 // of the best success
	for round := range a.SearchSteps {
		if s == nil || !a.Constant {
			s = newSplitting(o.n)
		}
		found, err := a.admm(o, s, w, groups, c.c, round)
		if err != nil {
			return err
		}
		if found.best != nil {
			y, o.lambda = found.best, c.c
		}
		o.rounds++
		c.next(found.success && (a.Constant || found.best != nil))
	}
	if y == nil || a.NoRefine {
		return nil // Differs: the authors refine an image of ones if y is none
	}
	c = newConstSearch(a.RefineConst, a.ConstFactor)
	for round := range a.Refine {
		found, err := a.refine(o, w, y, c.c, round)
		if err != nil {
			return err
		}
		if found.best != nil {
			y = found.best
		}
		c.next(found.success)
	}
	return nil
}

// groups lists the entries of each square group over all channels. Rows and
// columns that a whole group does not fit are in none.
func (a StrAttack) groups(o *oracle) [][]int {
	side := a.GroupSide
	if side == 0 {
		if side = 2; o.shape.H > 64 {
			side = 13
		}
	}
	var groups [][]int
	for top := 0; top+side <= o.shape.H; top += side {
		for left := 0; left+side <= o.shape.W; left += side {
			var g []int
			for c := range o.channels {
				for row := top; row < top+side; row++ {
					for col := left; col < left+side; col++ {
						g = append(g, (c*o.shape.H+row)*o.shape.W+col)
					}
				}
			}
			groups = append(groups, g)
		}
	}
	return groups
}

// splitting is the state of ADMM: the copies of the perturbation and their
// scaled duals, each of length N.
type splitting struct {
	z, delta, w, y []float64
	u, s, v        []float64 // duals of delta, w and y
}

func newSplitting(n int) *splitting {
	m := func() []float64 { return make([]float64, n) }
	return &splitting{z: m(), delta: m(), w: m(), y: m(), u: m(), s: m(), v: m()}
}

// stageResult is what a search step or a round of refinement found: any success, and
// the perturbation of a new best image. (To the authors a search step that
// succeeds without a new best counts as a failure.)
type stageResult struct {
	success bool
	best    []float64
}

// admm is one search step for one c.
func (a StrAttack) admm(o *oracle, sp *splitting, bounds box, groups [][]int, c float64, round int) (stageResult, error) {
	q, img, inside := make([]float64, o.n), make([]float64, o.n), imageBox(o.x)
	var out stageResult
	steps := a.Steps + a.StepsGrowth*round
	if a.Constant {
		steps = a.Steps
	}
	before, total := a.work(round)
	for i := range steps {
		a.deltaStep(sp)
		sp.wStep(bounds)
		a.yStep(sp, q, groups, inside)
		ans, err := o.gradient(o.margin(a.Confidence), o.image(sp.z, img))
		if err != nil {
			return out, err
		}
		a.zStep(sp, ans.grad, c, i, inside)
		sp.dualSteps()
		if i%100 == 0 {
			o.report("admm", round+1, a.SearchSteps, before+i, total, ans.loss)
		}
		// The candidate is x+y; no pass for one that could not be kept.
		if o.image(sp.y, img); !a.Constant && o.best != nil && !o.size(o.x, img).below(o.bestSize) {
			continue
		}
		logits, err := o.logits(img)
		if err != nil {
			return out, err
		}
		out.consider(o, img, logits, a.Confidence)
	}
	return out, nil
}

// deltaStep is delta <- rho/(rho + 2*gamma)*(z - u).
func (a StrAttack) deltaStep(s *splitting) {
	for j := range s.delta {
		s.delta[j] = a.Rho / (a.Rho + 2*a.Gamma) * (s.z[j] - s.u[j])
	}
}

// wStep is w <- z - s, clipped to its bounds.
func (s *splitting) wStep(bounds box) {
	for j := range s.w {
		s.w[j] = s.z[j] - s.s[j]
	}
	bounds.clamp(s.w)
}

// yStep is y_g <- max(0, 1 - tau/(rho*||q_g||))*q_g with q = z - v, clipped so
// that x+y is an image. It writes q.
func (a StrAttack) yStep(s *splitting, q []float64, groups [][]int, inside box) {
	for j := range q {
		q[j] = s.z[j] - s.v[j]
	}
	groupShrink(s.y, q, groups, a.Tau/a.Rho)
	inside.clamp(s.y)
}

// zStep of iteration i linearises the hinge, whose gradient is g: with
// eta = alpha*sqrt(i+1),
//
//	z <- (eta*z + 2*rho*(delta+u) + rho*(w+s) + rho*(y+v) - c*g)/(eta + 4*rho),
//
// clipped so that x+z is an image.
func (a StrAttack) zStep(sp *splitting, grad []float64, c float64, i int, inside box) {
	weight := float64(a.Alpha * math.Sqrt(float64(i+1)))
	for j, g := range grad {
		sum := float64(weight*sp.z[j]) + float64(2*a.Rho*(sp.delta[j]+sp.u[j])) +
			float64(a.Rho*(sp.w[j]+sp.s[j])) + float64(a.Rho*(sp.y[j]+sp.v[j])) - float64(c*g)
		sp.z[j] = sum / (weight + float64(4*a.Rho))
	}
	inside.clamp(sp.z)
}

// dualSteps are u <- u + delta - z, v <- v + y - z and s <- s + w - z.
func (s *splitting) dualSteps() {
	dualStep(s.u, s.delta, s.z)
	dualStep(s.v, s.y, s.z)
	dualStep(s.s, s.w, s.z)
}

// consider shows the oracle a candidate and notes what came of it.
func (r *stageResult) consider(o *oracle, img, z []float64, confidence float64) {
	before := o.kept
	if o.considerSure(img, z, confidence) {
		r.success = true
	}
	if o.kept > before {
		r.best = difference(img, o.x)
	}
}

// work is how many steps of the whole attack lie before a search step (or,
// counted on from the last, a round of refinement), and how many there are in
// all.
func (a StrAttack) work(round int) (before, total int) {
	for r := range a.SearchSteps {
		if r == round {
			before = total
		}
		if total += a.Steps; !a.Constant {
			total += a.StepsGrowth * r
		}
	}
	if round >= a.SearchSteps {
		before = total + (round-a.SearchSteps)*a.RefineSteps
	}
	if !a.NoRefine {
		total += a.Refine * a.RefineSteps
	}
	return before, total
}

// groupShrink is y_g = max(0, 1 - t/||q_g||)*q_g for each group; entries in no
// group are copied.
func groupShrink(y, q []float64, groups [][]int, t float64) {
	copy(y, q)
	for _, g := range groups {
		norm := 0.0
		for _, j := range g {
			norm += float64(q[j] * q[j])
		}
		factor := 0.0
		if norm = math.Sqrt(norm); norm > t {
			factor = 1 - t/norm
		}
		for _, j := range g {
			y[j] = factor * q[j]
		}
	}
}

// refine drops the smallest entries of y and solves again on the rest.
func (a StrAttack) refine(o *oracle, bounds box, y []float64, c float64, round int) (stageResult, error) {
	mask := a.largest(y)
	z, u := append([]float64(nil), y...), make([]float64, o.n)
	d, img := make([]float64, o.n), make([]float64, o.n)
	var out stageResult
	done, total := a.work(a.SearchSteps + round)
	for i := range a.RefineSteps {
		a.refineDelta(d, z, u, mask)
		bounds.clamp(d)
		s, err := o.gradient(o.margin(a.Confidence), o.image(d, img))
		if err != nil {
			return out, err
		}
		out.consider(o, img, s.z, a.Confidence)
		a.refineZ(z, d, u, s.grad, mask, c)
		dualStep(u, d, z)
		if i%100 == 0 {
			o.report("refine", round+1, a.Refine, done+i, total, s.loss)
		}
	}
	return out, nil
}

// largest marks the entries of y above the percentile of those that are not 0.
func (a StrAttack) largest(y []float64) []bool {
	var changed []float64
	for _, v := range y {
		if v != 0 {
			changed = append(changed, math.Abs(v))
		}
	}
	cut := quantile(changed, a.Percentile/100)
	mask := make([]bool, len(y))
	for j, v := range y {
		mask[j] = math.Abs(v) > cut
	}
	return mask
}

// refineDelta is delta <- rho/(rho + gamma/100)*(z - u) on the mask, 0 off it.
func (a StrAttack) refineDelta(d, z, u []float64, mask []bool) {
	for j := range d {
		d[j] = 0
		if mask[j] {
			d[j] = (z[j] - u[j]) * a.Rho / (a.Rho + a.Gamma/100)
		}
	}
}

// refineZ is z <- (alpha*z + rho*(delta+u) - c*g)/(alpha + 2*rho), with g the
// hinge's gradient on the mask.
func (a StrAttack) refineZ(z, d, u, grad []float64, mask []bool, c float64) {
	for j, g := range grad {
		pull := 0.0
		if mask[j] {
			pull = float64(c * g)
		}
		z[j] = (float64(a.Alpha*z[j]) + float64(a.Rho*(d[j]+u[j])) - pull) / (a.Alpha + 2*a.Rho)
	}
}
