package exact

import (
	"math"
	"math/rand/v2"
)

// strips is the number of strips of the ziggurat, and tail where its tail begins.
const (
	strips = 128
	tail   = 3.442619855899
)

// ziggurat covers the normal density by strips of equal area (Marsaglia and
// Tsang, 2000, "The Ziggurat Method for Generating Random Variables"): draws j
// below inside[i] are in strip i's rectangle, j*width[i] is their place, and
// density[i] the density at the strip's right end.
type ziggurat struct {
	inside         [strips]uint32
	width, density [strips]float32
}

var normal = newZiggurat()

func newZiggurat() *ziggurat {
	const (
		area    = 9.91256303526217e-3
		range31 = 1 << 31
	)
	at := func(x float64) float64 { return Exp(float64(-0.5 * x * x)) }
	z := &ziggurat{}
	x, last := tail, tail
	base := area / at(x)
	z.inside[0] = uint32(x / base * range31)
	z.width[0], z.width[strips-1] = float32(base/range31), float32(x/range31)
	z.density[0], z.density[strips-1] = 1, float32(at(x))
	for i := strips - 2; i >= 1; i-- {
		x = math.Sqrt(float64(-2 * Log(area/x+at(x))))
		z.inside[i+1] = uint32(x / last * range31)
		last = x
		z.density[i], z.width[i] = float32(at(x)), float32(x/range31)
	}
	return z
}

// Normal is r.NormFloat64, the same draws of r in the same order, but that its
// rare exponentials and logarithms are ours.
func Normal(r *rand.Rand) float64 {
	for {
		u := r.Uint64()
		j, i := int32(u), u>>32%strips
		x := float64(float64(j) * float64(normal.width[i]))
		distance := uint32(j)
		if j < 0 {
			distance = -distance
		}
		switch {
		case distance < normal.inside[i]:
			return x
		case i == 0:
			for {
				x = float64(-Log(r.Float64()) * (1 / tail))
				if y := -Log(r.Float64()); 2*y >= float64(x*x) {
					break
				}
			}
			return math.Copysign(tail+x, float64(j))
		case normal.density[i]+float32(float32(r.Float64())*(normal.density[i-1]-normal.density[i])) < float32(Exp(float64(-0.5*x*x))):
			return x
		}
	}
}
