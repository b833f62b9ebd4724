package sapf

import (
	"fmt"
	"testing"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/internal/toy"
)

// blank is a factorization of an image of the given shape whose slope is a
// fixed vector, so that only the method's own arithmetic is timed.
func blank(b *testing.B, shape engine.Shape, s Settings) (*Factorization, []float64) {
	b.Helper()
	m := &toy.Linear{Shape: shape, W: [][]float64{make([]float64, shape.Len()), make([]float64, shape.Len())}}
	x := data.NewImage("grey", shape.C, shape.H, shape.W)
	fill32(x.Pix, 0.5)
	f, err := newFactorization(m, x, attack.Goal{Label: 0, Target: 1}, s)
	if err != nil {
		b.Fatal(err)
	}
	slope := make([]float64, shape.Len())
	for i := range slope {
		slope[i] = 0.01 * float64(i%7-3)
		f.Delta[i] = 0.003 * float64(i%11-5)
	}
	return f, slope
}

func fill32(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}

// BenchmarkOwnArithmetic times everything of a step that is not the network:
// the point, and the updates. The budget at N = 3072 is 60 us, a tenth of a
// gradient of cwnet.
func BenchmarkOwnArithmetic(b *testing.B) {
	for _, shape := range []engine.Shape{{C: 3, H: 32, W: 32}, {C: 3, H: 299, W: 299}} {
		for _, variant := range []string{"plain", "groups", "pixel"} {
			s := Reference()
			s.Lambda2, s.Guard = 0, "cap"
			switch variant {
			case "groups":
				s.Lambda2, s.Groups = 10, make([]int, shape.H*shape.W)
				for i := range s.Groups {
					s.Groups[i] = i / 9
				}
			case "pixel":
				s.Share = "pixel"
			}
			f, slope := blank(b, shape, s)
			point := make([]float64, shape.Len())
			b.Run(fmt.Sprintf("%v/%s/delta", shape, variant), func(b *testing.B) {
				for b.Loop() {
					f.point(point)
					if err := f.updateDelta(slope); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("%v/%s/mask", shape, variant), func(b *testing.B) {
				f.enter(MaskStage)
				for b.Loop() {
					f.updateCopies()
					f.point(point)
					f.updateG(slope)
					if err := f.finishADMM(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
