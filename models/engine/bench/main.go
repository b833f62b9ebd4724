//go:build unix

// Command bench times gradient steps on request, so that another program can
// alternate with it in one run (compare_pytorch.py does). It reads a request a
// line from standard input and answers each with one line of JSON:
//
//	{"weights":"net.pth","arch":"resnet20","batch":9,"threads":2,"seconds":0.5}
//
// A step is one forward and one backward pass to the images, by the engine
// alone; sapf bench times the same through gorgonia. With "check" the request
// carries images and a gradient of the logits, and the answer the gradient.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"sapf/models"
	"sapf/models/engine"
)

type request struct {
	Weights, Arch  string
	Profile        string
	Batch, Threads int
	Seconds        float64
	// Check asks for the gradient at X (batch*C*H*W) for DLogits.
	Check      bool
	X, DLogits []float32
}

type answer struct {
	Profile string    `json:"profile"`
	Times   []float64 `json:"ms"`
	// CPU is the processor time of a step on average, all threads together.
	CPU    float64   `json:"cpu_ms"`
	GFLOP  float64   `json:"gflop"`
	Logits []float32 `json:"logits,omitempty"`
	Grad   []float32 `json:"grad,omitempty"`
	Error  string    `json:"error,omitempty"`
}

// programs keeps what was compiled, by weights and profile.
var programs = map[string]*engine.Program{}

func main() {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	dec := json.NewDecoder(in)
	for {
		var q request
		if err := dec.Decode(&q); err != nil {
			return
		}
		a, err := serve(q)
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

func serve(q request) (answer, error) {
	key := q.Weights + "\x00" + q.Profile
	p := programs[key]
	if p == nil {
		profile, err := engine.ParseProfile(q.Profile)
		if err != nil {
			return answer{}, err
		}
		m, err := models.Load(q.Weights, models.LoadOptions{Arch: q.Arch, Profile: &profile})
		if err != nil {
			return answer{}, err
		}
		if p, err = engine.Compile(m.Net(), profile); err != nil {
			return answer{}, err
		}
		programs[key] = p
	}
	cost, err := p.Net().Cost()
	if err != nil {
		return answer{}, err
	}
	r, err := p.Runner(q.Batch, q.Threads)
	if err != nil {
		return answer{}, err
	}
	defer r.Close()
	a := answer{Profile: p.Profile().String(), GFLOP: float64(cost.Step()) * float64(q.Batch) / 1e9}
	x, dlogits := q.X, q.DLogits
	if !q.Check {
		x, dlogits = pattern(q.Batch*p.Net().Input.Len()), pattern(q.Batch*p.Output().Len())
	}
	logits, grad := make([]float32, len(dlogits)), make([]float32, len(x))
	step := func() float64 {
		from := time.Now()
		r.Forward(x, logits)
		r.Backward(dlogits, grad)
		return float64(time.Since(from).Nanoseconds()) / 1e6
	}
	step()
	if q.Check {
		a.Logits, a.Grad = logits, grad
		return a, nil
	}
	step()
	cpu := processorTime()
	for start := time.Now(); time.Since(start).Seconds() < q.Seconds || len(a.Times) < 3; {
		a.Times = append(a.Times, step())
	}
	a.CPU = (processorTime() - cpu).Seconds() * 1e3 / float64(len(a.Times))
	slices.Sort(a.Times)
	return a, nil
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pattern is n numbers in [0, 1).
func pattern(n int) []float32 {
	v := make([]float32, n)
	state := uint32(1)
	for i := range v {
		state = state*1664525 + 1013904223
		v[i] = float32(state>>8) / (1 << 24)
	}
	return v
}
