package models

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Timing is how fast gradient steps of a model are. A step is one forward and
// one backward pass to the input, for the whole batch.
type Timing struct {
	Model   string `json:"model"`
	Batch   int    `json:"batch"`
	Threads int    `json:"threads"`
	Profile string `json:"profile"`
	// MSPerStep is the median, MSMin the minimum, in milliseconds.
	MSPerStep float64 `json:"ms_per_step"`
	MSMin     float64 `json:"ms_min"`
	Steps     int     `json:"steps"`
	// GFLOPS is 1e9 floating-point operations a second at the median, counted
	// by the layers' definition (engine.Cost), whatever algorithm ran.
	GFLOPS float64 `json:"gflops"`
	// Machine is the system, its processor and how many of them.
	Machine string `json:"machine"`
}

// String is the timing as a line for people.
func (t Timing) String() string {
	return fmt.Sprintf("%s batch %d threads %d: %.3f ms a step (min %.3f), %.0f images/s, %.1f GFLOP/s, %s, %d steps; %s",
		t.Model, t.Batch, t.Threads, t.MSPerStep, t.MSMin, float64(t.Batch)*1000/t.MSPerStep, t.GFLOPS, t.Profile, t.Steps, t.Machine)
}

// Bench times steps of the model for about the given time, after a warm-up of
// a tenth of it, and no fewer than five. The images are a fixed pattern.
func Bench(ctx context.Context, m *Model, batch, threads int, budget time.Duration) (Timing, error) {
	e, err := m.WithThreads(threads).Evaluator(batch, Linear{})
	if err != nil {
		return Timing{}, err
	}
	defer e.Close()
	n := m.InputShape().Len()
	x, targets := make([]float64, batch*n), make([]float64, batch*len(m.Classes()))
	for i := range batch {
		for j, v := range TestPattern(m.InputShape(), i).Pix {
			x[i*n+j] = float64(v)
		}
		targets[i*len(m.Classes())+i%len(m.Classes())] = 1
	}
	var times []float64
	const fewest = 5
	start := time.Now()
	for warm := false; time.Since(start) < budget || len(times) < fewest; {
		if err := ctx.Err(); err != nil {
			return Timing{}, err
		}
		from := time.Now()
		if _, err := e.Gradient(x, targets); err != nil {
			return Timing{}, err
		}
		if !warm {
			warm = time.Since(start) > budget/10
			continue
		}
		times = append(times, float64(time.Since(from).Nanoseconds())/1e6)
	}
	slices.Sort(times)
	cost, err := m.Net().Cost()
	if err != nil {
		return Timing{}, err
	}
	t := Timing{
		Model: m.Card().Name, Batch: batch, Threads: threads, Profile: m.Profile().String(),
		MSPerStep: times[len(times)/2], MSMin: times[0], Steps: len(times), Machine: machine(),
	}
	t.GFLOPS = float64(cost.Step()) * float64(batch) / (t.MSPerStep * 1e6)
	return t, nil
}
