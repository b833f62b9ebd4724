package engine

import "fmt"

// Packing anew after a change of the parameters. Where every packed number is
// one parameter, a map says which; it is found by packing a network whose
// parameters are their own numbers 1, 2, 3, ... Winograd's filters are
// transformed again.

// maxNumbered is the largest number of parameters of a tensor: float32 counts
// so far.
const maxNumbered = 1 << 24

// repackStep has a unit for each block of packed numbers.
type repackStep struct{ units []func(w *worker) }

func (s *repackStep) run(w *worker, unit int) { s.units[unit](w) }

// newRepack finds what to pack for a plan of a network.
func newRepack(n *Net, shapes []Shape, pl *plan) (scheduled, error) {
	var err error
	numbered := n.clone(func(w []float32) []float32 {
		if w == nil {
			return nil
		}
		if len(w) > maxNumbered {
			err = fmt.Errorf("%d parameters in one tensor, expected up to %d", len(w), maxNumbered)
			return nil
		}
		v := make([]float32, len(w))
		for i := range v {
			v[i] = float32(i + 1)
		}
		return v
	})
	if err != nil {
		return scheduled{}, err
	}
	marks := newPlan(numbered, shapes, pl.profile, pl.kernels)
	s := &repackStep{}
	end := len(pl.backward)
	for _, ly := range pl.net.layers {
		var w, b []float32
		switch op := ly.op.(type) {
		case *Conv:
			w, b = op.W, op.B
		case *Dense:
			w, b = op.W, op.B
		default:
			end = ly.backward
			continue
		}
		s.add(pl.forward[ly.forward], marks.forward[ly.forward], ly.op, w, b)
		for k := ly.backward; k < end; k++ {
			s.add(pl.backward[k], marks.backward[k], ly.op, w, nil)
		}
		end = ly.backward
	}
	return scheduled{s, len(s.units)}, nil
}

// add packs one step of the layer op; mark is the same step with numbers.
func (s *repackStep) add(step, mark maker, op Op, w, b []float32) {
	switch step := step.(type) {
	case *tapStep:
		for i, p := range step.panels {
			m := mark.(*tapStep).panels[i]
			s.gather(p.w, m.w, w)
			if b != nil {
				s.gather(p.bias, m.bias, b)
			}
		}
	case *winoStep:
		for i := range step.panels {
			p := &step.panels[i]
			s.units = append(s.units, func(*worker) { step.pack(op.(*Conv), p) })
			if b != nil {
				s.gather(p.bias, mark.(*winoStep).panels[i].bias, b)
			}
		}
	}
}

// gather copies parameters to their packed places.
func (s *repackStep) gather(to, numbers, from []float32) {
	index := make([]int32, len(numbers))
	for i, v := range numbers {
		index[i] = int32(v) - 1
	}
	s.units = append(s.units, func(*worker) {
		for i, k := range index {
			if k >= 0 {
				to[i] = from[k]
			}
		}
	})
}
