package metric

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// Health is the six indicators of attack failure of Pintor et al. (NeurIPS
// 2022, arXiv 2106.09947, section 3): reasons to mistrust a failed attack, and
// with it the robustness that it seems to show. The zero value is a clean bill.
type Health struct {
	// UnavailableGradients (I1): the gradient at the first step is all zero.
	UnavailableGradients bool
	// UnstablePredictions (I2) is the mean relative change of the loss over
	// random images around the clean one, at most 1. The authors call a defence
	// suspect above 0.1.
	UnstablePredictions float64
	// SilentSuccess (I3): the attack reports failure, but one of the images it
	// asked about reached the goal.
	SilentSuccess bool
	// IncompleteOptimization (I4): the loss, scaled to [0,1] and made monotone,
	// still fell by more than 5 % over the last 10 steps.
	IncompleteOptimization bool
	// TransferFailure (I5): the attack succeeded on the classifier it ran on
	// but not on the one it was meant for. Nil if there is no other one.
	TransferFailure *bool
	// UnconstrainedFailure (I6): the attack failed although its bounds were
	// taken away. Nil if no such attack was given.
	UnconstrainedFailure *bool
	// FalseSuccess: the attack claims a success that the image it
	// returned does not bear out. It is not among the paper's six.
	FalseSuccess bool
}

// Checkup says what Examine needs besides the attack.
type Checkup struct {
	// Transfer, if not nil, is the classifier the attack is meant for, where it
	// runs on a stand-in.
	Transfer attack.Classifier
	// Unconstrained, if not nil, is the attack with its bounds removed.
	Unconstrained attack.Attack
	// Samples around the image for I2, in a cube of half side Radius; 0 means
	// the authors' 100 and 4/255 (a cube of side 8/255).
	Samples int
	Radius  float64
	// Seed of the samples.
	Seed uint64
}

// Examine runs an attack on one image under watch and returns its result with
// the indicators. An attack without gradients has no loss, so I1 and I4 stay
// false.
func Examine(ctx context.Context, m attack.Classifier, a attack.Attack, x data.Image, goal attack.Goal, c Checkup) (attack.Result, Health, error) {
	w := Watch(m, x, goal)
	r, err := a.Run(ctx, w, x, goal)
	if err != nil {
		return r, Health{}, err
	}
	truth, err := Measure(m, x, r.Adversarial, goal)
	if err != nil {
		return r, Health{}, fmt.Errorf("%s: %w", a.Name(), err)
	}
	h := Health{
		UnavailableGradients:   w.FirstZero,
		SilentSuccess:          !truth.Success && w.Hits > 0,
		IncompleteOptimization: stillFalling(w.Losses),
		FalseSuccess:           r.Success && !truth.Success,
	}
	if h.UnstablePredictions, err = instability(m, x, goal, c); err != nil {
		return r, h, err
	}
	if c.Transfer != nil {
		other, err := Measure(c.Transfer, x, r.Adversarial, goal)
		if err != nil {
			return r, h, err
		}
		failed := truth.Success && !other.Success
		h.TransferFailure = &failed
	}
	if c.Unconstrained != nil {
		w := Watch(m, x, goal)
		if _, err := c.Unconstrained.Run(ctx, w, x, goal); err != nil {
			return r, h, err
		}
		failed := w.Hits == 0
		h.UnconstrainedFailure = &failed
	}
	return r, h, nil
}

// stillFalling is I4 on a trace of losses.
func stillFalling(losses []float64) bool {
	const last, tolerance = 10, 0.05 // the authors' program
	low, high := math.Inf(1), math.Inf(-1)
	running := make([]float64, len(losses))
	for i, v := range losses {
		low, high = min(low, v), max(high, v)
		running[i] = low
	}
	if len(losses) == 0 || high == low {
		return false
	}
	tail := running[max(len(running)-last, 0):]
	return (tail[0]-tail[len(tail)-1])/(high-low) > tolerance
}

// instability is I2 for the difference of logits that leads to the goal.
//
// Differs: the authors take the loss of the attack; the difference is the same
// for every attack, so that it says something of the classifier alone.
func instability(m attack.Classifier, x data.Image, goal attack.Goal, c Checkup) (float64, error) {
	if c.Samples == 0 {
		c.Samples = 100
	}
	if c.Radius == 0 {
		c.Radius = 4.0 / 255
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0x12))
	ev, err := m.Evaluator(1, attack.Margin{Untargeted: !goal.Targeted()})
	if err != nil {
		return 0, err
	}
	defer ev.Close()
	point := make([]float64, len(x.Pix))
	at := func(radius float64) (float64, error) {
		for i, v := range x.Pix {
			point[i] = float64(v)
			if radius > 0 {
				point[i] += float64(radius * (2*float64(rng.Float64()) - 1))
			}
		}
		z, err := ev.Forward(point)
		if err != nil {
			return 0, err
		}
		return gapOf(z, goal), nil
	}
	reference, err := at(0)
	if err != nil {
		return 0, err
	}
	scale := math.Abs(reference)
	if scale == 0 {
		scale = 1
	}
	sum := 0.0
	for range c.Samples {
		loss, err := at(c.Radius)
		if err != nil {
			return 0, err
		}
		sum += math.Abs(loss-reference) / scale
	}
	return min(sum/float64(c.Samples), 1), nil
}

// gapOf is max over others - Z_t, or Z_y - max over others.
func gapOf(z []float64, goal attack.Goal) float64 {
	own, sign := goal.Target, 1.0
	if !goal.Targeted() {
		own, sign = goal.Label, -1
	}
	other := math.Inf(-1)
	for j, v := range z {
		if j != own {
			other = max(other, v)
		}
	}
	return sign * (other - z[own])
}

// String lists what is wrong, or says that nothing is.
func (h Health) String() string {
	var found []string
	note := func(is bool, what string) {
		if is {
			found = append(found, what)
		}
	}
	const suspect = 0.1
	note(h.UnavailableGradients, "unavailable gradients")
	note(h.UnstablePredictions > suspect, fmt.Sprintf("unstable predictions (%.2f)", h.UnstablePredictions))
	note(h.SilentSuccess, "silent success")
	note(h.IncompleteOptimization, "incomplete optimization")
	note(h.TransferFailure != nil && *h.TransferFailure, "transfer failure")
	note(h.UnconstrainedFailure != nil && *h.UnconstrainedFailure, "unconstrained failure")
	note(h.FalseSuccess, "false success")
	if len(found) == 0 {
		return "healthy"
	}
	return strings.Join(found, ", ")
}
