package train

import (
	"sapf/models/exact"
)

// scales give the learning rate of a step as a share of the highest. done is
// the share of the steps that are done, in [0,1).
var scales = map[string]func(done float64) float64{
	Constant: func(float64) float64 { return 1 },
	Cosine:   func(done float64) float64 { return anneal(1, 0, done) },
	// A tenth after half of the steps, a hundredth after three quarters (He et
	// al. 2016, section 4.2, about).
	Step: func(done float64) float64 {
		switch {
		case done < 0.5:
			return 1
		case done < 0.75:
			return 0.1
		}
		return 0.01
	},
	// Up for 30 % of the steps, then down (Smith and Topin 2018), by cosines, from
	// 1/25 and to 1/250,000, which are PyTorch's numbers.
	//
	// Differs: momentum stays as it is, where PyTorch's OneCycleLR cycles it too.
	OneCycle: func(done float64) float64 {
		const rise, first, last = 0.3, 1. / 25, 1. / 25 / 1e4
		if done < rise {
			return anneal(first, 1, done/rise)
		}
		return anneal(1, last, (done-rise)/(1-rise))
	},
}

// anneal goes from a to b along half a cosine.
func anneal(a, b, share float64) float64 {
	return b + float64((a-b)/2*(1+exact.CosPi(share)))
}

// rate is the learning rate of a step, counted from 0, of so many.
//
// Differs: PyTorch's OneCycleLR reaches its lowest rate at the last step; here it
// would be that of the step after it.
func (r Recipe) rate(step, steps int) float64 {
	return r.Rate * scales[r.Schedule](float64(step)/float64(steps))
}
