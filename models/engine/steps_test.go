package engine

import (
	"fmt"
	"time"
)

// StepTime is a step of a pass: what it does, its least time, and how many
// floating-point operations it is worth in the direct algorithm.
type StepTime struct {
	Name  string
	Least time.Duration
	Ops   float64
}

// StepTimes measures every step of a forward and a backward pass.
func (r *Runner) StepTimes(rounds int, x, y, dl, dx []float32) (list []StepTime) {
	f := r.exec.(*fast)
	for k, steps := range [][]scheduled{f.forwards, f.backwds} {
		best := make([]time.Duration, len(steps))
		for range rounds {
			f.in, f.out = x, y
			if k == 1 {
				f.in, f.out = dl, dx
			}
			for i := range steps {
				t0 := time.Now()
				f.pool.run(&steps[i].step, steps[i].units)
				if d := time.Since(t0); best[i] == 0 || d < best[i] {
					best[i] = d
				}
			}
		}
		for i, s := range steps {
			name := fmt.Sprintf("%s %T%s", []string{"forward", "backward"}[k], s.step, describe(s.step))
			list = append(list, StepTime{name, best[i], ops(s.step)})
		}
	}
	return list
}

// ops are a step's additions and multiplications, if it is a product.
func ops(s step) float64 {
	n := 0
	switch s := s.(type) {
	case *tapStep:
		for _, p := range s.panels {
			n += 2 * p.cost * s.rows * s.cols * s.images
		}
	case *attentionStep:
		pairs := s.op.queries * s.op.keys * s.op.groups
		if n = 2 * pairs * (s.op.depth + s.op.width); s.dy != nil {
			n *= 2
		}
	case *imageStep:
		for _, inner := range s.steps {
			n += int(ops(inner.step))
		}
	}
	return float64(n)
}
