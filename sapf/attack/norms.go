package attack

import (
	"fmt"
	"math"

	"sapf/models/data"
)

// Norms measure a perturbation, adversarial image minus image, in pixel units
// where 1.0 is full scale.
type Norms struct {
	// L0 counts the entries that differ at all, L0Pixels the positions where
	// any channel does.
	L0, L0Pixels int
	// L1, L2 and Linf are the sum, the Euclidean norm and the largest of the
	// absolute differences.
	L1, L2, Linf float64
}

// In is l0 in a unit: the entries or the pixels that differ.
func (n Norms) In(unit Unit) int {
	if unit == Pixels {
		return n.L0Pixels
	}
	return n.L0
}

// NormsOf measures adv - x. The images must have one shape.
//
// Differs: the paper's l0 is that of the perturbation; its program prints the
// number of G > 1/2, even where the clip leaves nothing of an entry. Both are in
// a result: Norms.L0 of its image, and Selected (18; TestFailure08).
func NormsOf(x, adv data.Image) (Norms, error) {
	if x.C != adv.C || x.H != adv.H || x.W != adv.W || len(x.Pix) != len(adv.Pix) {
		return Norms{}, fmt.Errorf("image %dx%dx%d and adversarial image %dx%dx%d differ in shape", x.C, x.H, x.W, adv.C, adv.H, adv.W)
	}
	var n Norms
	squares := 0.0
	pixels := x.H * x.W
	for i, v := range adv.Pix {
		d := math.Abs(float64(v) - float64(x.Pix[i]))
		if d == 0 {
			continue
		}
		n.L0++
		n.L1 += d
		squares += float64(d * d)
		n.Linf = max(n.Linf, d)
		if firstChannelThatDiffers(x, adv, i%pixels) == i/pixels {
			n.L0Pixels++
		}
	}
	n.L2 = math.Sqrt(squares)
	return n, nil
}

func firstChannelThatDiffers(x, adv data.Image, pixel int) int {
	pixels := x.H * x.W
	for c := range x.C {
		if x.Pix[c*pixels+pixel] != adv.Pix[c*pixels+pixel] {
			return c
		}
	}
	return x.C
}

// EightBit returns the image as a picture file of 8 bits a channel keeps it:
// every entry rounded to the nearest multiple of 1/255.
func EightBit(x data.Image) data.Image {
	out := x.Clone()
	for i, v := range out.Pix {
		out.Pix[i] = float32(float64(data.Level(v)) / 255)
	}
	return out
}
