package baseline

import "math"

// adam is the optimiser of Kingma & Ba (ICLR 2015, Algorithm 1) with its
// constants beta1 = 0.9, beta2 = 0.999 and epsilon = 1e-8.
type adam struct {
	m, v   []float64 // first and second moments
	t      int
	b1, b2 float64 // beta1^t, beta2^t
}

func newAdam(n int) *adam {
	return &adam{m: make([]float64, n), v: make([]float64, n), b1: 1, b2: 1}
}

// reset forgets the moments.
func (a *adam) reset() {
	clear(a.m)
	clear(a.v)
	a.t, a.b1, a.b2 = 0, 1, 1
}

// step moves theta against the gradient g with step size rate.
func (a *adam) step(theta, g []float64, rate float64) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	a.t++
	a.b1 = float64(a.b1 * beta1)
	a.b2 = float64(a.b2 * beta2)
	first, second := 1/(1-a.b1), 1/(1-a.b2)
	for i, gi := range g {
		a.m[i] = float64(beta1*a.m[i]) + float64((1-beta1)*gi)
		a.v[i] = float64(beta2*a.v[i]) + float64(float64((1-beta2)*gi)*gi)
		theta[i] -= rate * (a.m[i] * first) / (math.Sqrt(a.v[i]*second) + epsilon)
	}
}
