package train

import (
	"sapf/models/exact"
)

// crossEntropy is the mean of -log softmax(logits)[label] over the batch. It
// writes the gradient with respect to the logits (batch*classes) to grad, and
// returns the loss of the batch and how many images have their label's logit
// as the (first) largest.
func crossEntropy(logits []float32, labels []int, grad []float32) (loss float64, right int) {
	k := len(logits) / len(labels)
	p := make([]float64, k)
	scale := 1 / float64(len(labels))
	for b, label := range labels {
		z := logits[b*k:][:k]
		best := 0
		for i, v := range z {
			if v > z[best] {
				best = i
			}
		}
		if best == label {
			right++
		}
		top, sum := float64(z[best]), 0.0
		for i, v := range z {
			p[i] = exact.Exp(float64(v) - top)
			sum += p[i]
		}
		loss += exact.Log(sum) + top - float64(z[label])
		for i := range z {
			g := p[i] / sum
			if i == label {
				g--
			}
			grad[b*k+i] = float32(g * scale)
		}
	}
	return loss * scale, right
}
