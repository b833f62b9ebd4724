package sapf

import "fmt"

// DeltaStep is one gradient step on delta with G fixed: eq. 7.
func (f *Factorization) DeltaStep() error { return f.step(DeltaStage) }

// TuneStep is a gradient step on delta after Round: the same step, in a stage
// of its own.
//
// Differs: the paper says nothing of what follows its loop; its program makes G
// binary and then takes 1000 more steps on delta with G fixed. TuneSteps (7;
// study.Divergences measures it).
func (f *Factorization) TuneStep() error { return f.step(TuneStage) }

// updateDelta is eq. 7 given slope = dL/dx at clip(x + delta*G):
//
//	delta -= eta * (2 delta*G*G*w*w + lambda1 G*slope*1[0 <= x + delta*G <= 1])
//
// The clip passes the gradient on its bounds and stops it beyond them. The
// quadratic term takes delta as it is, unclipped (17, at point).
func (f *Factorization) updateDelta(slope []float64) error {
	eta, lambda1, m := f.DeltaStepSize, f.Lambda1, len(f.G)
	check := 0.0 // stays 0 until an entry is not finite
	for at := 0; at < len(f.Delta); at += m {
		x, w2, delta, slope := f.X[at:at+m], f.W2[at:at+m], f.Delta[at:at+m], slope[at:at+m]
		for i, g := range f.G {
			d := delta[i]
			pull := float64(2 * d * g * g * w2[i])
			if v := x[i] + float64(d*g); v >= 0 && v <= 1 {
				pull += float64(lambda1 * g * slope[i])
			}
			d -= float64(eta * pull)
			delta[i] = d
			check += d - d
		}
	}
	f.Step++
	f.DeltaStepSize = f.decayed(f.DeltaStepSize)
	if check != 0 {
		return fmt.Errorf("delta at step %d of the %s stage: %w", f.Step, f.Stage, ErrDiverged)
	}
	return nil
}

// decayed is the step size after a step: times StepDecay every StepEvery
// steps of the stage, down to StepMin.
//
// Differs: the paper has no floor; its program stops at 0.001, which the step
// on delta reaches in step 200 of the tune stage. StepMin (12;
// TestScheduleLandmarks).
func (f *Factorization) decayed(eta float64) float64 {
	if f.Step%f.Settings.StepEvery != 0 {
		return eta
	}
	return max(eta*f.Settings.StepDecay, min(eta, f.Settings.StepMin))
}
