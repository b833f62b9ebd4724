package sapf

import (
	"fmt"
	"math"
)

// ADMMStep is one iteration of ADMM on G with delta fixed: eqs. 11, 13, 14 and
// 15 (solver.iterateADMM).
func (f *Factorization) ADMMStep() error { return f.step(MaskStage) }

// The parts of ADMMStep, for those who want to change one: ADMMStep is UpdateY1,
// UpdateY2, UpdateY3, UpdateG (MaskInner times), UpdateDuals, Advance, in this
// order.

// UpdateY1 is eq. 11, the projection on the box: Y1 = clip(G + Z1/rho1, 0, 1).
func (f *Factorization) UpdateY1() { f.enter(MaskStage); f.updateY1() }

// UpdateY2 is eq. 13, the projection on the sphere.
func (f *Factorization) UpdateY2() { f.enter(MaskStage); f.updateY2() }

// UpdateY3 is the group soft-threshold, where there are groups.
func (f *Factorization) UpdateY3() { f.enter(MaskStage); f.updateY3() }

// UpdateG is eq. 14: one pass through the network and one gradient step on G.
func (f *Factorization) UpdateG() error {
	f.enter(MaskStage)
	return f.byHand(func(s *solver) error {
		return s.gradients(func(a *attempt, slope []float64) error { a.F.updateG(slope); return nil })
	})
}

// UpdateDuals is eq. 15.
func (f *Factorization) UpdateDuals() { f.enter(MaskStage); f.updateDuals() }

// Advance ends an iteration: the step counts, the step size decays, the penalties
// grow, and a G that has run away is an error.
func (f *Factorization) Advance() error { f.enter(MaskStage); return f.advance() }

// updateCopies is the part of an iteration before the network is asked.
func (f *Factorization) updateCopies() {
	f.updateY1()
	f.updateY2()
	f.updateY3()
}

// finishADMM is the part after G has moved.
func (f *Factorization) finishADMM() error {
	f.updateDuals()
	return f.advance()
}

// advance ends an iteration: the step size decays, the penalties grow, and a G
// that has run away is an error.
func (f *Factorization) advance() error {
	f.Step++
	f.MaskStepSize = f.decayed(f.MaskStepSize)
	if f.Settings.RhoGrowthPer == "step" || f.Step == f.Settings.MaskSteps {
		f.growPenalties()
	}
	return f.checkG()
}

// updateY1 is eq. 11: Y1 = clip(G + Z1/rho1, 0, 1).
func (f *Factorization) updateY1() {
	inverse, z1, y1 := reciprocal(f.RhoBox), f.Z1[:len(f.G)], f.Y1[:len(f.G)]
	for i, g := range f.G {
		y1[i] = clamp01(g + float64(z1[i]*inverse))
	}
}

// updateY2 is eq. 13: with a = G + Z2/rho2 - 1/2,
// Y2 = sqrt(M)/2 * a/||a|| + 1/2.
func (f *Factorization) updateY2() {
	inverse, z2, y2 := reciprocal(f.RhoSphere), f.Z2[:len(f.G)], f.Y2[:len(f.G)]
	for i, g := range f.G {
		y2[i] = g + float64(z2[i]*inverse)
	}
	projectSphere(y2, y2)
}

// reciprocal is 1/rho, or 0 for a penalty of 0, whose multiplier stays 0.
func reciprocal(rho float64) float64 {
	if rho == 0 {
		return 0
	}
	return 1 / rho
}

// updateG is eq. 14 given slope = dL/dx at clip(x + delta*G): one gradient
// step on the augmented Lagrangian,
//
//	G -= eta * (2 G*delta*delta*w*w + lambda1 delta*slope*1[0 <= x + delta*G <= 1]
//	            + Z1 + Z2 + Z3 + z4 + rho1 (G-Y1) + rho2 (G-Y2) + rho3 (G-Y3)
//	            + rho4 (1'G - k))
//
// all with the G before the step, which is not clipped after it.
func (f *Factorization) updateG(slope []float64) {
	grad := f.lossGradientOfG(slope)
	f.addGroupGradient(grad)
	rho1, rho2, z4 := f.RhoBox, f.RhoSphere, f.Z4
	y1, y2, z1, z2 := f.Y1[:len(f.G)], f.Y2[:len(f.G)], f.Z1[:len(f.G)], f.Z2[:len(f.G)]
	total := sum(f.G)
	eta, rho4 := f.MaskStepSize, f.effectiveRhoCard()
	card := z4 + float64(rho4*(total-float64(f.Settings.K)))
	if f.Settings.Guard == "implicit" {
		card = z4 - float64(rho4*float64(f.Settings.K)) // the rest follows in implicitCard
	}
	for i, g := range f.G {
		h := grad[i] + z1[i] + z2[i] + card + float64(rho1*(g-y1[i])) + float64(rho2*(g-y2[i]))
		f.G[i] = g - float64(eta*h)
	}
	if f.Settings.Guard == "implicit" {
		f.implicitCard(eta, rho4)
	}
}

// lossGradientOfG is the part of eq. 14 that comes from eq. 3 itself: the
// quadratic term and the network's, summed over the channels that share G.
func (f *Factorization) lossGradientOfG(slope []float64) []float64 {
	m, lambda1 := len(f.G), f.Lambda1
	if len(f.grad) != m {
		f.grad = make([]float64, m)
	}
	clear(f.grad)
	grad := f.grad[:m]
	for at := 0; at < len(f.Delta); at += m {
		x, w2, delta, slope := f.X[at:at+m], f.W2[at:at+m], f.Delta[at:at+m], slope[at:at+m]
		for i, g := range f.G {
			d := delta[i]
			pull := float64(2 * g * d * d * w2[i])
			if v := x[i] + float64(d*g); v >= 0 && v <= 1 {
				pull += float64(lambda1 * d * slope[i])
			}
			grad[i] += pull
		}
	}
	return grad
}

// effectiveRhoCard is rho4 after the guard "cap": an explicit gradient step
// with multiplier is stable along the all-ones direction only while
// q = eta*rho4*M < 4/3; "cap" keeps q at GuardTheta. It is used in the gradient
// and in the dual update alike.
func (f *Factorization) effectiveRhoCard() float64 {
	if f.Settings.Guard != "cap" {
		return f.RhoCard
	}
	return min(f.RhoCard, f.Settings.GuardTheta/(f.MaskStepSize*float64(len(f.G))))
}

// implicitCard is the guard "implicit": the rank-one term rho4 (1'G) is taken
// at the new G, G <- v - eta*rho4/(1 + eta*rho4*M) (1'v) 1. The block's
// eigenvalues then have modulus 1/sqrt(1+q), stable for every q.
func (f *Factorization) implicitCard(eta, rho4 float64) {
	q := float64(eta * rho4 * float64(len(f.G)))
	shift := float64(eta * rho4 / (1 + q) * sum(f.G))
	for i := range f.G {
		f.G[i] -= shift
	}
}

// updateDuals is eq. 15 with the new G: Z1 += rho1 (G-Y1), Z2 += rho2 (G-Y2),
// Z3 += rho3 (G-Y3), z4 += rho4 (1'G - k).
//
// Differs: the paper prints Z1 += rho1 (G-Z1) and Z2 += rho2 (G-Z2), a slip;
// eqs. 9 to 14 only fit the form above, which is the program's too (1).
func (f *Factorization) updateDuals() {
	rho1, rho2 := f.RhoBox, f.RhoSphere
	y1, y2, z1, z2 := f.Y1[:len(f.G)], f.Y2[:len(f.G)], f.Z1[:len(f.G)], f.Z2[:len(f.G)]
	for i, g := range f.G {
		z1[i] += float64(rho1 * (g - y1[i]))
		z2[i] += float64(rho2 * (g - y2[i]))
	}
	f.updateZ3()
	f.Z4 += float64(f.effectiveRhoCard() * (sum(f.G) - float64(f.Settings.K)))
}

// growPenalties multiplies each rho by RhoGrowth up to its maximum.
//
// Differs: the paper has three penalties (box, sphere, cardinality) with maxima
// 20, 10 and 100, under which G diverges without a guard; its program four
// (the groups too) with maxima 20, 20, 100 and 0.01. RhoBoxMax to RhoCardMax,
// Guard (9; TestPenaltiesThatDiverge). The paper's "after each iteration" is
// read as each ADMM iteration, as the program has it, since growth once an
// outer iteration leaves G near k/N: RhoGrowthPer (10;
// TestGrowthPerOuterNeverSelects).
func (f *Factorization) growPenalties() {
	s := f.Settings
	f.RhoBox = min(f.RhoBox*s.RhoGrowth, s.RhoBoxMax)
	f.RhoSphere = min(f.RhoSphere*s.RhoGrowth, s.RhoSphereMax)
	f.RhoGroup = min(f.RhoGroup*s.RhoGrowth, s.RhoGroupMax)
	f.RhoCard = min(f.RhoCard*s.RhoGrowth, s.RhoCardMax)
}

// divergedBeyond bounds |1'G|/M. Runs that came back were seen to reach 1 on
// CIFAR-10, and 100 with a lambda1 of 100; one that diverges passes any bound
// within a few dozen steps.
const divergedBeyond = 1e6

// checkG reports a G that is not finite or that has run away.
func (f *Factorization) checkG() error {
	if total := sum(f.G); !(math.Abs(total) <= divergedBeyond*float64(len(f.G))) {
		hint := ""
		if f.Settings.Guard == "off" {
			hint = "; option guard=cap keeps it stable"
		}
		return fmt.Errorf("sum of G is %.3g after step %d of the mask stage, k is %d: %w%s", total, f.Step, f.Settings.K, ErrDiverged, hint)
	}
	return nil
}
