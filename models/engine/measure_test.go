package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMeasure prints the minimum and median time of a step, for machines too
// noisy for means. SAPF_MEASURE names profiles and, after a colon, a part of a
// network's name: "avx512-direct:cw".
func TestMeasure(t *testing.T) {
	want, netName, _ := strings.Cut(os.Getenv("SAPF_MEASURE"), ":")
	if want == "" {
		t.Skip("SAPF_MEASURE is not set")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range benchNets() {
		if !strings.Contains(n.Name, netName) {
			continue
		}
		cost, err := n.Cost()
		if err != nil {
			t.Fatal(err)
		}
		for _, profile := range profiles() {
			if !strings.Contains(profile.String(), want) {
				continue
			}
			p, err := Compile(n, profile)
			if err != nil {
				t.Fatal(err)
			}
			for _, batch := range []int{1, 9} {
				for _, threads := range []int{1, 2} {
					if batch > 1 && cost.Step() > 1e9 {
						continue
					}
					run, err := p.Runner(batch, threads)
					if err != nil {
						t.Fatal(err)
					}
					x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*p.Output().Len())
					y, dx := make([]float32, len(dl)), make([]float32, len(x))
					var times, fwd []time.Duration
					for start := time.Now(); time.Since(start) < time.Second; {
						t0 := time.Now()
						run.Forward(x, y)
						fwd = append(fwd, time.Since(t0))
						run.Backward(dl, dx)
						times = append(times, time.Since(t0))
					}
					if os.Getenv("SAPF_STEPS") != "" {
						printSteps(run.exec.(*fast), x, y, dl, dx)
					}
					slices.Sort(times)
					slices.Sort(fwd)
					ms := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
					fmt.Printf("%-8s %-16v batch %d threads %d  min %7.3f ms  median %7.3f ms  forward min %7.3f  best %6.1f GFLOP/s\n", n.Name, profile, batch, threads,
						ms(times[0]), ms(times[len(times)/2]), ms(fwd[0]), float64(batch)*float64(cost.Step())/float64(times[0].Nanoseconds()))
					run.Close()
				}
			}
		}
	}
}

// printSteps prints the minimum time of every step of a pass, and what the
// costliest kinds add up to.
func printSteps(f *fast, x, y, dl, dx []float32) {
	pass := func(name string, steps []scheduled, in, out []float32) {
		best := make([]time.Duration, len(steps))
		for range 20 {
			f.in, f.out = in, out
			for i := range steps {
				t0 := time.Now()
				f.pool.run(&steps[i].step, steps[i].units)
				if d := time.Since(t0); best[i] == 0 || d < best[i] {
					best[i] = d
				}
			}
		}
		for i, s := range steps {
			fmt.Printf("  %s %3d %8.1f us %4d units %T%s\n", name, i, float64(best[i].Nanoseconds())/1e3, s.units, s.step, describe(s.step))
		}
	}
	pass("forward", f.forwards, x, y)
	pass("backward", f.backwds, dl, dx)
}

// describe gives a step's shape and, for products, what share of work it is.
func describe(s step) string {
	switch s := s.(type) {
	case *tapStep:
		flops := 0
		for _, p := range s.panels {
			flops += 2 * p.cost * s.rows * s.cols * s.images
		}
		return fmt.Sprintf(" %v -> %v, %d taps of %d, %.1f MFLOP", s.x.t.Shape, s.y.t.Shape, len(s.panels[0].taps), s.panels[0].k, float64(flops)/1e6)
	case *winoBlocks:
		return fmt.Sprintf(" %v -> %v", s.x.Shape, s.y.Shape)
	case *winoInputs:
		return fmt.Sprintf(" %v -> %v", s.x.Shape, s.y.Shape)
	case *winoProducts:
		return fmt.Sprintf(" %v -> %v", s.x.Shape, s.y.Shape)
	case *refStep:
		return fmt.Sprintf(" %s %v -> %v", s.op.Kind(), s.in, s.out)
	case *addStep:
		return fmt.Sprintf(" %v", s.y.Shape)
	}
	return ""
}
