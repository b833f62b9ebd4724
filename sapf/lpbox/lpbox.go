// Package lpbox solves binary quadratic programmes by lp-box ADMM (Wu and
// Ghanem, "Lp-Box ADMM: A Versatile Framework for Integer Programming", TPAMI
// 2019), the method whose instance for one cardinality constraint is the mask
// stage of SAPF:
//
//	min  x'Ax + b'x   s.t.  x in {0,1}^n,  Cx = d,  Ex <= f
//
// A binary vector is one in the box [0,1]^n and on the sphere around 1/2
// through its corners; each set has its copy of x and its multiplier.
//
//	paper      here        shape  meaning
//	x          x           n      relaxed solution
//	y1, y2     y1, y2      n      its copies in the box and on the sphere
//	y3         slack       |f|    f - Ex, at least 0
//	z1 .. z4   z1 .. z4           multipliers of box, sphere, equality, inequality
//	rho1..4    rho                penalty, one for all four here
//	gamma      gamma              over-relaxation of the dual step
//
// The method is a heuristic for a problem that is not convex: small penalties
// at first suit a linear objective, large ones an indefinite A. Run says which
// of its stopping rules ended it; the best binary point met is kept.
//
// SAPF differs in three points: its x step has no closed form and is one
// gradient step, gamma is 1, and the penalties grow every iteration.
package lpbox

import (
	"fmt"
	"math"

	"sapf/models/exact"
)

// Problem is a binary quadratic programme.
type Problem struct {
	// A is n x n and symmetric, or empty.
	A Sparse
	// B has length n, which it defines.
	B []float64
	// C x = D, with as many rows as D has entries; empty without equalities.
	C Sparse
	D []float64
	// E x <= F likewise.
	E Sparse
	F []float64
}

func (p Problem) check() error {
	n := len(p.B)
	if n == 0 {
		return fmt.Errorf("lp-box: b is empty, it says how many variables there are")
	}
	for _, m := range []struct {
		name       string
		m          Sparse
		rows, cols int
	}{{"A", p.A, n, n}, {"C", p.C, len(p.D), n}, {"E", p.E, len(p.F), n}} {
		if m.m.Rows == 0 && (m.rows == 0 || m.name == "A") {
			continue
		}
		if m.m.Rows != m.rows || m.m.Cols != m.cols {
			return fmt.Errorf("lp-box: %s is %dx%d, expected %dx%d", m.name, m.m.Rows, m.m.Cols, m.rows, m.cols)
		}
	}
	return nil
}

// Value is the objective x'Ax + b'x.
func (p Problem) Value(x []float64) float64 {
	v := dot(p.B, x)
	if p.A.Rows > 0 {
		v += dot(p.A.Mul(x), x)
	}
	return v
}

// Feasible reports whether x meets the constraints to within tolerance.
func (p Problem) Feasible(x []float64, tolerance float64) bool {
	for i, v := range p.C.Mul(x) {
		if math.Abs(v-p.D[i]) > tolerance {
			return false
		}
	}
	for i, v := range p.E.Mul(x) {
		if v > p.F[i]+tolerance {
			return false
		}
	}
	return true
}

// Options are the constants of the method; the zero value is not usable: start
// from Unconstrained, Constrained or Equality.
type Options struct {
	// Rho is the first penalty, multiplied by Growth every RhoEvery iterations.
	Rho, Growth float64
	RhoEvery    int
	// Gamma over-relaxes the dual step, and is multiplied by GammaFactor every
	// RhoEvery iterations, down to 1.
	Gamma, GammaFactor float64
	// The run stops when the copies agree: max(||x-y1||, ||x-y2||)/||x|| <= Stop;
	// or when the objective rests: the standard deviation (divisor n-1) of its
	// last History values is at most StdStop times the last; or after MaxIterations.
	//
	// Differs: the authors' programs disagree on the divisor and the number of
	// values, and on which iteration is a fifth one; none changes the method.
	Stop, StdStop          float64
	History, MaxIterations int
	// CGTolerance and CGIterations bound the conjugate gradients of the x step.
	CGTolerance  float64
	CGIterations int
	// P is the norm of the sphere, 2 if 0. For others the map is radial, not the
	// nearest point, as in the authors' programs.
	P float64
	// Start has length n; nil means 0.
	Start []float64
}

// Unconstrained are the constants of the authors' Python and C++ programs
// without constraints.
func Unconstrained() Options {
	return Options{Rho: 5, Growth: 1.03, RhoEvery: 5, Gamma: 1, GammaFactor: 0.99, Stop: 1e-3, StdStop: 1e-6, History: 5,
		MaxIterations: 10000, CGTolerance: 1e-3, CGIterations: 1000}
}

// Constrained are those of their Python program with constraints.
func Constrained() Options {
	return Options{Rho: 25, Growth: 1.01, RhoEvery: 5, Gamma: 1.6, GammaFactor: 0.95, Stop: 1e-4, StdStop: 1e-6, History: 3,
		MaxIterations: 1000, CGTolerance: 1e-4, CGIterations: 1000}
}

// Equality are those of their C++ program with equality constraints, which a
// linear objective needs.
func Equality() Options {
	o := Constrained()
	o.Rho, o.Growth, o.MaxIterations = 1, 1.05, 5000
	return o
}

// Solution is what Run found.
type Solution struct {
	// X is the best binary point met: feasible if any was, and of least value.
	X        []float64
	Value    float64
	Feasible bool
	// Last is the last iterate rounded at 1/2, LastValue its objective.
	Last      []float64
	LastValue float64
	// Iterations were done; Reason is "agreement", "rest" or "iterations".
	Iterations int
	Reason     string
}

// feasibleWithin is how exactly a binary point must meet the constraints.
const feasibleWithin = 1e-9

// Run solves the programme.
func Run(p Problem, o Options) (Solution, error) {
	if err := p.check(); err != nil {
		return Solution{}, err
	}
	if !(o.Rho > 0) || o.RhoEvery < 1 || o.MaxIterations < 1 || o.Start != nil && len(o.Start) != len(p.B) {
		return Solution{}, fmt.Errorf("lp-box: penalty %v, every %d, %d iterations, start of %d numbers, expected positive ones and %d numbers",
			o.Rho, o.RhoEvery, o.MaxIterations, len(o.Start), len(p.B))
	}
	s := newState(p, o)
	for s.iteration = 1; s.iteration <= o.MaxIterations; s.iteration++ {
		s.updateY1()
		s.updateY2()
		s.updateSlack()
		s.updateX()
		s.updateDuals()
		s.growPenalty()
		s.keepBest()
		if reason := s.stopped(); reason != "" {
			return s.solution(reason), nil
		}
	}
	s.iteration--
	return s.solution("iterations"), nil
}

// state is the method at one iteration.
type state struct {
	p                     Problem
	o                     Options
	x, y1, y2, slack      []float64
	z1, z2, z3, z4        []float64
	rho, gamma            float64
	iteration             int
	values                []float64 // the objective of the relaxed x, the last History
	best                  []float64
	bestValue             float64
	bestFeasible, haveAny bool
}

func newState(p Problem, o Options) *state {
	n := len(p.B)
	s := &state{p: p, o: o, rho: o.Rho, gamma: o.Gamma, x: make([]float64, n), z1: make([]float64, n), z2: make([]float64, n),
		slack: make([]float64, len(p.F)), z3: make([]float64, len(p.D)), z4: make([]float64, len(p.F))}
	copy(s.x, o.Start)
	s.y1, s.y2 = append([]float64(nil), s.x...), append([]float64(nil), s.x...)
	return s
}

// updateY1: y1 = clip(x + z1/rho, 0, 1).
func (s *state) updateY1() {
	for i, x := range s.x {
		s.y1[i] = min(max(x+s.z1[i]/s.rho, 0), 1)
	}
}

// updateY2: with a = x + z2/rho - 1/2, y2 = n^(1/p)/2 a/||a||_p + 1/2; the
// centre itself goes to the all-ones vector.
func (s *state) updateY2() {
	p := s.o.P
	if p == 0 {
		p = 2
	}
	total := 0.0
	for i, x := range s.x {
		s.y2[i] = x + s.z2[i]/s.rho - 0.5
		if p == 2 {
			total += float64(s.y2[i] * s.y2[i])
		} else {
			total += exact.Pow(math.Abs(s.y2[i]), p)
		}
	}
	norm := math.Sqrt(total)
	if p != 2 {
		norm = exact.Pow(total, 1/p)
	}
	scale, offset := exact.Pow(float64(len(s.x)), 1/p)/2/norm, 0.5
	if norm == 0 {
		scale, offset = 0, 1
	}
	for i, a := range s.y2 {
		s.y2[i] = offset + float64(scale*a)
	}
}

// updateSlack: y3 = max(0, f - Ex - z4/rho).
func (s *state) updateSlack() {
	for i, v := range s.p.E.Mul(s.x) {
		s.slack[i] = max(0, s.p.F[i]-v-s.z4[i]/s.rho)
	}
}

// updateX solves
//
//	(2A + 2 rho I + rho C'C + rho E'E) x =
//	    rho (y1 + y2) + rho C'd + rho E'(f - y3) - (b + z1 + z2 + C'z3 + E'z4)
//
// by conjugate gradients from y1.
func (s *state) updateX() {
	right := make([]float64, len(s.x))
	for i := range right {
		right[i] = float64(s.rho*(s.y1[i]+s.y2[i])) - (s.p.B[i] + s.z1[i] + s.z2[i])
	}
	room := make([]float64, len(s.p.F))
	for i, f := range s.p.F {
		room[i] = f - s.slack[i]
	}
	s.p.C.addMulTrans(right, s.rho, s.p.D)
	s.p.C.addMulTrans(right, -1, s.z3)
	s.p.E.addMulTrans(right, s.rho, room)
	s.p.E.addMulTrans(right, -1, s.z4)
	copy(s.x, s.y1)
	conjugateGradients(s.system, s.x, right, s.o.CGTolerance, s.o.CGIterations)
}

// system is the matrix of the x step applied to v.
func (s *state) system(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = 2 * s.rho * x
	}
	s.p.A.addMul(out, 2, v)
	s.p.C.addMulTrans(out, s.rho, s.p.C.Mul(v))
	s.p.E.addMulTrans(out, s.rho, s.p.E.Mul(v))
	return out
}

// updateDuals: z1 += gamma rho (x-y1), z2 += gamma rho (x-y2),
// z3 += gamma rho (Cx-d), z4 += gamma rho (Ex + y3 - f).
func (s *state) updateDuals() {
	step := s.gamma * s.rho
	for i, x := range s.x {
		s.z1[i] += float64(step * (x - s.y1[i]))
		s.z2[i] += float64(step * (x - s.y2[i]))
	}
	for i, v := range s.p.C.Mul(s.x) {
		s.z3[i] += float64(step * (v - s.p.D[i]))
	}
	for i, v := range s.p.E.Mul(s.x) {
		s.z4[i] += float64(step * (v + s.slack[i] - s.p.F[i]))
	}
}

func (s *state) growPenalty() {
	if s.iteration%s.o.RhoEvery == 0 {
		s.rho *= s.o.Growth
		s.gamma = max(s.gamma*s.o.GammaFactor, 1)
	}
}

// rounded is x >= 1/2.
func (s *state) rounded() []float64 {
	out := make([]float64, len(s.x))
	for i, x := range s.x {
		if x >= 0.5 {
			out[i] = 1
		}
	}
	return out
}

func (s *state) keepBest() {
	x := s.rounded()
	value, feasible := s.p.Value(x), s.p.Feasible(x, feasibleWithin)
	if !s.haveAny || feasible && !s.bestFeasible || feasible == s.bestFeasible && value < s.bestValue {
		s.best, s.bestValue, s.bestFeasible, s.haveAny = x, value, feasible, true
	}
}

func (s *state) stopped() string {
	d1, d2 := 0.0, 0.0
	for i, x := range s.x {
		d1 += float64((x - s.y1[i]) * (x - s.y1[i]))
		d2 += float64((x - s.y2[i]) * (x - s.y2[i]))
	}
	const tiny = 2.2e-16
	if math.Sqrt(max(d1, d2))/max(math.Sqrt(dot(s.x, s.x)), tiny) <= s.o.Stop {
		return "agreement"
	}
	s.values = append(s.values, s.p.Value(s.x))
	if len(s.values) > s.o.History {
		s.values = s.values[1:]
	}
	if last := s.values[len(s.values)-1]; len(s.values) == s.o.History && last != 0 && deviation(s.values)/math.Abs(last) <= s.o.StdStop {
		return "rest"
	}
	return ""
}

func (s *state) solution(reason string) Solution {
	last := s.rounded()
	return Solution{X: s.best, Value: s.bestValue, Feasible: s.bestFeasible, Last: last, LastValue: s.p.Value(last), Iterations: s.iteration, Reason: reason}
}

// conjugateGradients improves x as a solution of system(x) = right until the
// residual is tolerance times right, or the system shows negative curvature.
func conjugateGradients(system func([]float64) []float64, x, right []float64, tolerance float64, iterations int) {
	r := system(x)
	for i := range r {
		r[i] = right[i] - r[i]
	}
	d := append([]float64(nil), r...)
	rr := dot(r, r)
	enough := tolerance * tolerance * dot(right, right)
	for range iterations {
		if rr <= enough {
			return
		}
		q := system(d)
		curvature := dot(d, q)
		if curvature <= 0 {
			return
		}
		alpha := rr / curvature
		for i := range x {
			x[i] += float64(alpha * d[i])
			r[i] -= float64(alpha * q[i])
		}
		next := dot(r, r)
		beta := next / rr
		rr = next
		for i := range d {
			d[i] = r[i] + float64(beta*d[i])
		}
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += float64(v * b[i])
	}
	return s
}

// deviation is the standard deviation with divisor n-1.
func deviation(v []float64) float64 {
	mean, total := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		total += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(total / float64(len(v)-1))
}
