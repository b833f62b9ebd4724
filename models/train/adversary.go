package train

import (
	"fmt"
	"math/rand/v2"
)

// PGD is the adversary of adversarial training (Madry et al. 2018, eq. 2.1 and
// section 2.1): the images that a step trains on maximise, about, the loss in
// the linf ball around the clean ones. Lengths are in pixel units, 1 being full
// scale.
type PGD struct {
	// Epsilon is the radius of the ball, StepSize the length of a step.
	Epsilon  float64 `json:"epsilon"`
	StepSize float64 `json:"step_size"`
	// Steps is their number.
	Steps int `json:"steps"`
}

// Madry is the adversary that the paper trains against on CIFAR-10: 7 steps of
// 2/255 in a ball of radius epsilon (8/255 there), from a random start. Smaller
// balls get shorter steps.
func Madry(epsilon float64) *PGD { return &PGD{Epsilon: epsilon, StepSize: epsilon / 4, Steps: 7} }

func (a *PGD) check() error {
	switch {
	case !(a.Epsilon > 0 && a.Epsilon <= 1):
		return fmt.Errorf("adversary's epsilon %v, expected a number in (0,1] (8/255 is %.4f)", a.Epsilon, 8./255)
	case !(a.StepSize > 0 && a.StepSize <= 1):
		return fmt.Errorf("adversary's step size %v, expected a number in (0,1]", a.StepSize)
	case a.Steps < 1:
		return fmt.Errorf("adversary of %d steps, expected at least 1", a.Steps)
	}
	return nil
}

func (a *PGD) String() string {
	return fmt.Sprintf("PGD linf, epsilon %.4g/255, %d steps of %.4g/255", a.Epsilon*255, a.Steps, a.StepSize*255)
}

// attacked is what the adversary needs of a network: passes without dropout.
type attacked interface {
	Forward(x, logits []float32)
	Backward(dlogits, dx []float32)
}

// perturb replaces the images x of a batch by adversarial ones. logits, dlogits
// and dx are scratch. random gives the source of an image's start.
func (a *PGD) perturb(net attacked, x []float32, labels []int, random func(image int) *rand.Rand, logits, dlogits, dx, clean []float32) {
	eps, size := float32(a.Epsilon), len(x)/len(labels)
	copy(clean, x)
	for b := range labels {
		r := random(b)
		for i := b * size; i < (b+1)*size; i++ {
			x[i] = clamp(x[i]+float32(eps*(float32(2*float32(r.Float32()))-1)), 0, 1)
		}
	}
	step := float32(a.StepSize)
	for range a.Steps {
		net.Forward(x, logits)
		crossEntropy(logits, labels, dlogits)
		net.Backward(dlogits, dx)
		for i, g := range dx {
			v := x[i]
			switch {
			case g > 0:
				v += step
			case g < 0:
				v -= step
			}
			x[i] = clamp(clamp(v, clean[i]-eps, clean[i]+eps), 0, 1)
		}
	}
}

func clamp(v, lo, hi float32) float32 { return min(max(v, lo), hi) }
