package train

import (
	"math"

	"sapf/models/engine"
	"sapf/models/exact"
)

// optimizer changes parameters by their gradients. Its state is tensors, so
// that a checkpoint can hold it.
type optimizer interface {
	// update does step number step, counted from 0, at a learning rate.
	update(rate float64, step int)
	// state lists the state by name: for each of the parameters, one slice of
	// the parameter's length.
	state() map[string][][]float32
}

func (r Recipe) optimizer(params []engine.Param) optimizer {
	zeros := func() [][]float32 {
		var v [][]float32
		for _, p := range params {
			v = append(v, make([]float32, len(p.W)))
		}
		return v
	}
	decay := float32(r.WeightDecay)
	if r.Optimizer == Adam {
		return &adam{params: params, decay: decay, first: zeros(), second: zeros()}
	}
	return &sgd{params: params, decay: decay, momentum: float32(r.Momentum), nesterov: r.Nesterov, velocity: zeros()}
}

// sgd is stochastic gradient descent as PyTorch writes it (Sutskever et al.
// 2013), for parameters w with gradient g and velocity v:
//
//	g += decay*w;  v = momentum*v + g;  w -= rate*v                (heavy ball)
//	g += decay*w;  v = momentum*v + g;  w -= rate*(g + momentum*v) (Nesterov)
type sgd struct {
	params          []engine.Param
	decay, momentum float32
	nesterov        bool
	velocity        [][]float32
}

func (o *sgd) update(rate float64, _ int) {
	r := float32(rate)
	for i, p := range o.params {
		v, g, m := o.velocity[i], p.Grad, o.momentum
		for k, w := range p.W {
			d := g[k] + float32(o.decay*w)
			v[k] = float32(m*v[k]) + d
			if o.nesterov {
				d += float32(m * v[k])
			} else {
				d = v[k]
			}
			p.W[k] = w - float32(r*d)
		}
	}
}

func (o *sgd) state() map[string][][]float32 {
	return map[string][][]float32{"velocity": o.velocity}
}

// adam is Adam (Kingma and Ba 2015, algorithm 1) with their constants; weight
// decay is part of the gradient, as in PyTorch's Adam (not AdamW).
type adam struct {
	params        []engine.Param
	decay         float32
	first, second [][]float32 // moments
}

const (
	beta1, beta2 = 0.9, 0.999
	adamEpsilon  = 1e-8
)

func (o *adam) update(rate float64, step int) {
	t := float64(step + 1)
	scale := float32(rate / (1 - exact.Pow(beta1, t)))
	root := float32(math.Sqrt(1 - exact.Pow(beta2, t)))
	for i, p := range o.params {
		m, v, g := o.first[i], o.second[i], p.Grad
		for k, w := range p.W {
			d := g[k] + float32(o.decay*w)
			m[k] = float32(beta1*m[k]) + float32((1-beta1)*d)
			v[k] = float32(beta2*v[k]) + float32(float32((1-beta2)*d)*d)
			p.W[k] = w - float32(scale*(m[k]/(float32(math.Sqrt(float64(v[k])))/root+adamEpsilon)))
		}
	}
}

func (o *adam) state() map[string][][]float32 {
	return map[string][][]float32{"first": o.first, "second": o.second}
}
