package sapf

import "math"

// Round makes G binary, as Settings.Round says.
//
// Differs: the paper claims 1'G = k and says nothing of rounding; its program
// takes G > 1/2, which leaves about k ones ("threshold"). "topk" keeps the k
// largest G, which is the nearest binary vector with k ones, and
// "topk_product" the k largest |delta*G|, summed over the channels that share
// an entry (8).
func (f *Factorization) Round() {
	switch f.Settings.Round {
	case "topk":
		f.G = ProjectTopK(f.G, f.Settings.K)
	case "topk_product":
		size := make([]float64, len(f.G))
		for i, d := range f.Delta {
			p := i % len(f.G)
			size[p] += math.Abs(float64(d * f.G[p]))
		}
		f.G = ProjectTopK(size, f.Settings.K)
	default:
		for i, g := range f.G {
			f.G[i] = 0
			if g > 0.5 {
				f.G[i] = 1
			}
		}
	}
}
