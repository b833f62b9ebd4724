// Package metric measures what an attack returned: norms and success, from the
// image alone; best, average and worst cases over the targets of an image; and
// how far a set of attacks is from the best one known.
package metric

import (
	"fmt"
	"math"
	"slices"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// Measurement is what can be said of an adversarial image without trusting
// the attack that made it.
type Measurement struct {
	// Norms are those of adversarial - image; entries count as changed if they
	// differ at all.
	attack.Norms
	// Prediction and AdversarialPrediction are the classes of the two images,
	// EightBitPrediction that of the adversarial one rounded to 8 bits a
	// channel.
	Prediction, AdversarialPrediction, EightBitPrediction int
	// Success says that the adversarial image reaches the goal, Success8Bit
	// that it still does after rounding.
	Success, Success8Bit bool
	// Clamped counts entries of the adversarial image that were outside [0,1]
	// by rounding, at most Slack, and were clamped before anything else.
	Clamped int
	// Already says that the image itself reaches the goal: no attack was
	// needed. Misclassified says that its label is known and is not its
	// prediction.
	Already, Misclassified bool
}

// Slack is how far outside [0,1] rounding may carry an entry: ten units in the
// last place of a float32 near 1.
const Slack = 1e-6

// clamp returns the image with entries at most Slack outside [0,1] moved onto
// the bound, and their number.
func clamp(x data.Image) (data.Image, int) {
	n := 0
	for i, v := range x.Pix {
		inside := min(max(v, 0), 1)
		if v == inside || math.Abs(float64(v)-float64(inside)) > Slack {
			continue
		}
		if n++; n == 1 {
			x = x.Clone()
		}
		x.Pix[i] = inside
	}
	return x, n
}

// Measure classifies the image, the adversarial image and its 8-bit rounding
// in one pass of three, and measures the perturbation. It refuses an
// adversarial image outside [0,1] by more than Slack: the attack is broken.
func Measure(m attack.Classifier, x, adv data.Image, goal attack.Goal) (Measurement, error) {
	return measure(m, x, adv, goal, func(adv, rounded data.Image) ([]int, error) { return Classify(m, x, adv, rounded) })
}

// MeasureFrom is Measure where the class of the image itself is known.
func MeasureFrom(m attack.Classifier, x data.Image, clean int, adv data.Image, goal attack.Goal) (Measurement, error) {
	return measure(m, x, adv, goal, func(adv, rounded data.Image) ([]int, error) {
		classes, err := Classify(m, adv, rounded)
		return append([]int{clean}, classes...), err
	})
}

// measure asks for the classes of the image, the adversarial one and that one
// rounded.
func measure(m attack.Classifier, x, adv data.Image, goal attack.Goal, classify func(adv, rounded data.Image) ([]int, error)) (Measurement, error) {
	if err := attack.Check(m, x, goal); err != nil {
		return Measurement{}, err
	}
	adv, clamped := clamp(adv)
	norms, err := attack.NormsOf(x, adv)
	if err != nil {
		return Measurement{}, err
	}
	if err := adv.Validate(); err != nil {
		return Measurement{}, fmt.Errorf("adversarial image: %w", err)
	}
	classes, err := classify(adv, attack.EightBit(adv))
	if err != nil {
		return Measurement{}, err
	}
	return Measurement{
		Norms: norms, Clamped: clamped,
		Prediction: classes[0], AdversarialPrediction: classes[1], EightBitPrediction: classes[2],
		Success: goal.Reached(classes[1]), Success8Bit: goal.Reached(classes[2]),
		Already:       goal.Reached(classes[0]),
		Misclassified: goal.Label != attack.None && classes[0] != goal.Label,
	}, nil
}

// Classify returns the class of each image. Of equal
// largest logits the lowest index is the class.
func Classify(m attack.Classifier, images ...data.Image) ([]int, error) {
	logits, err := Logits(m, images...)
	if err != nil || len(images) == 0 {
		return nil, err
	}
	classes, n := make([]int, len(images)), len(logits)/len(images)
	for i := range images {
		classes[i] = models.Argmax(logits[i*n : (i+1)*n])
	}
	return classes, nil
}

// Logits returns the logits of the images, a row each, in passes of many.
func Logits(m attack.Classifier, images ...data.Image) ([]float64, error) {
	size := m.InputShape().Len()
	for _, img := range images {
		if len(img.Pix) != size {
			return nil, fmt.Errorf("image %q has %d entries, the model takes %d", img.Name, len(img.Pix), size)
		}
	}
	evaluators := attack.EvaluatorsOf(m)
	defer evaluators.Close()
	var logits []float64
	for some := range slices.Chunk(images, max(1, attack.ForwardBatch(len(images), size))) {
		ev, err := evaluators.Of(len(some), attack.CrossEntropy{})
		if err != nil {
			return nil, err
		}
		points := make([]float64, 0, len(some)*size)
		for _, img := range some {
			for _, v := range img.Pix {
				points = append(points, float64(v))
			}
		}
		z, err := ev.Forward(points)
		if err != nil {
			return nil, err
		}
		logits = append(logits, z...)
	}
	return logits, nil
}
