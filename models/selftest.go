package models

import (
	"fmt"
	"math"

	"sapf/models/data"
	"sapf/models/engine"
)

// selfTestImages is how many patterns a card keeps logits of.
const selfTestImages = 8

// selfTestTolerance is how far a logit may be off, relative to the largest of
// its image: float32 kernels agree to 3e-7, a wrong mean moves logits by 1e-2.
const selfTestTolerance = 1e-4

// TestPattern is image i of the self-test: 8-bit waves made of integers only,
// so that any language makes the same ones. Entry (c, y, x) is
//
//	((5+3i) x + (7+2i)(c+1) y + i x y + 31 c) mod 256, over 255.
func TestPattern(s engine.Shape, i int) data.Image {
	m := data.NewImage(fmt.Sprintf("pattern %d", i), s.C, s.H, s.W)
	for c := range s.C {
		for y := range s.H {
			for x := range s.W {
				v := (5+3*i)*x + (7+2*i)*(c+1)*y + i*x*y + 31*c
				m.Pix[(c*s.H+y)*s.W+x] = float32(v%256) / 255
			}
		}
	}
	return m
}

// selfTest compares the logits of the patterns with the card's.
func (m *Model) selfTest() error {
	for i, want := range m.card.SelfTest {
		got, err := m.Logits(TestPattern(m.net.Input, i))
		if err != nil {
			return fmt.Errorf("self-test of model %s: %w", m.card.Name, err)
		}
		if len(want) != len(got) {
			return fmt.Errorf("self-test of model %s: pattern %d: %d logits stored, %d classes", m.card.Name, i, len(want), len(got))
		}
		scale := 1.0
		for _, v := range want {
			scale = max(scale, math.Abs(v))
		}
		for j := range want {
			if d := math.Abs(got[j] - want[j]); !(d <= selfTestTolerance*scale) {
				return fmt.Errorf("self-test of model %s: pattern %d: logit %d is %.6g, expected %.6g: layers or normalisation differ from those it was trained with",
					m.card.Name, i, j, got[j], want[j])
			}
		}
	}
	return nil
}
