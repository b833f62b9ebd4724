package models

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"sapf/models/exact"
)

// Prediction is what a model says of one image.
type Prediction struct {
	// Class is the index of the largest logit, the lowest of equal ones; Name
	// is its name.
	Class int
	Name  string
	// Logits and Probabilities (their softmax) have one entry a class.
	Logits, Probabilities []float64
	// Warning is set where the logits look like probabilities already, or are so
	// large that their softmax underflows.
	Warning string
	classes []string
}

// Ranked is one class of a prediction.
type Ranked struct {
	Class       int
	Name        string
	Probability float64
}

// NewPrediction is what logits, one a class, say.
func NewPrediction(logits []float64, classes []string) Prediction {
	p := Prediction{Class: Argmax(logits), Logits: logits, Probabilities: softmax(logits), classes: classes}
	p.Name = classes[p.Class]
	if likeProbabilities(logits) {
		p.Warning = "these look like probabilities, not logits: they lie in [0,1] and sum to 1"
	}
	if margin := p.Margin(); margin > saturated {
		p.Warning = fmt.Sprintf("the largest logit is %.3g above the next: softmax gives 0 and 1, and losses of probabilities no gradient; --logit-scale %.0f brings them within reach", margin, math.Ceil(margin/10))
	}
	return p
}

// Top returns the k most probable classes, the lowest index first among equal
// ones.
func (p Prediction) Top(k int) []Ranked {
	order := make([]int, len(p.Logits))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return p.Logits[order[a]] > p.Logits[order[b]] })
	var top []Ranked
	for _, i := range order[:max(0, min(k, len(order)))] {
		top = append(top, Ranked{Class: i, Name: p.classes[i], Probability: p.Probabilities[i]})
	}
	return top
}

// Margin is the largest logit less the second largest.
func (p Prediction) Margin() float64 {
	second := math.Inf(-1)
	for i, z := range p.Logits {
		if i != p.Class {
			second = max(second, z)
		}
	}
	return p.Logits[p.Class] - second
}

// String is "cat 72.7 %, dog 24.8 %, bird 0.8 %".
func (p Prediction) String() string {
	var parts []string
	for _, r := range p.Top(3) {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", r.Name, 100*r.Probability))
	}
	return strings.Join(parts, ", ")
}

// Argmax is the index of the largest entry, the lowest of equal ones; 0 for an
// empty slice.
func Argmax(v []float64) int { return largest(v) }

func largest[T float32 | float64](v []T) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// ArgmaxBut is the index of the largest entry other than v[own], the lowest of
// equal ones; -1 if there is none.
func ArgmaxBut(v []float64, own int) int {
	best := -1
	for i, x := range v {
		if i != own && (best < 0 || x > v[best]) {
			best = i
		}
	}
	return best
}

// softmax is exp(z - max z) over its sum.
func softmax(z []float64) []float64 {
	p := make([]float64, len(z))
	top, sum := z[Argmax(z)], 0.0
	for i, v := range z {
		p[i] = exact.Exp(v - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// saturated is the margin beyond which the probabilities of all other classes are
// 0 in float32: exp(-104) is below its smallest number.
const saturated = 104

func likeProbabilities(z []float64) bool {
	const tolerance = 1e-4 // float32 softmax over 1,000 classes sums to 1 within 1e-6
	sum := 0.0
	for _, v := range z {
		if v < 0 || v > 1 {
			return false
		}
		sum += v
	}
	return math.Abs(sum-1) < tolerance
}
