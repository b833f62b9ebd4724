package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// rounds is how often everything is measured: the two processors of a virtual
// machine are not equally fast at all times.
const rounds = 4

// scaling measures two workers of one thread beside one: on attacks that sleep,
// which shows what the queue costs, and on attacks that keep a processor busy. The
// latter are no faster than the machine allows: what two processes beside one do
// that know of no queue is measured in turn with them.
func scaling(dir string, n []int) error {
	busy, err := spec.Parse(fmt.Appendf(nil, "model: cwnet\nimages: [cat, horse]\nmethods: [{name: fmn-l0, options: {steps: 600}, grid: {step_size: [%s]}}]\nbatch: 1", steps(n[0])))
	if err != nil {
		return err
	}
	computing, err := spec.Resolve(context.Background(), busy, spec.Registry)
	if err != nil {
		return err
	}
	sleeping, err := toys(n[0], "sleep: 200")
	if err != nil {
		return err
	}
	sums := map[string]*[2]float64{}
	measure := func(what string, rate func(processes int) (float64, error)) error {
		if sums[what] == nil {
			sums[what] = &[2]float64{}
		}
		for i := range 2 {
			r, err := rate(i + 1)
			if err != nil {
				return err
			}
			sums[what][i] += r
			fmt.Printf("%-9s  %d  %.2f a second\n", what, i+1, r)
		}
		return nil
	}
	for r := range rounds {
		sweep := func(what string, p *spec.Plan) error {
			return measure(what, func(workers int) (float64, error) {
				d, err := runs.Create(filepath.Join(dir, fmt.Sprint(what, r, workers)), p, runs.Shard{})
				if err != nil {
					return 0, err
				}
				seconds, _, err := served(d, workers, 1)
				jobs := float64(len(d.Units()) - workers) // from the first result on
				return jobs / seconds, errors.Join(err, d.Close())
			})
		}
		if r == 0 {
			if err := sweep("sleeping", sleeping); err != nil {
				return err
			}
		}
		for _, err := range []error{measure("additions", apart("additions")), measure("network", apart("network")), sweep("computing", computing)} {
			if err != nil {
				return err
			}
		}
	}
	for _, what := range []string{"additions", "network", "sleeping", "computing"} {
		fmt.Printf("%s: two beside one %.2f times\n", what, sums[what][1]/sums[what][0])
	}
	return nil
}

// spread measures 1, 2, 4 workers and so on up to most, each of one slot, on
// attacks that take a fixed time, in milliseconds, and no processor: how the sweep
// alone scales, on however few processors. At work is the share of the workers'
// time that is within the attacks.
func spread(dir string, n []int) error {
	one, sleep := 0.0, n[2]
	for workers := 1; workers <= n[0]; workers *= 2 {
		d, err := create(filepath.Join(dir, fmt.Sprint("spread", workers)), fmt.Sprint("sleep: ", sleep), n[1]*workers)
		if err != nil {
			return err
		}
		seconds, _, err := served(d, workers, 1)
		inside, e := within(d)
		if err := errors.Join(err, e, d.Close()); err != nil {
			return err
		}
		all := len(d.Units())
		jobs := float64(all - workers) // from the first result on
		rate := jobs / seconds
		if workers == 1 {
			one = rate
		}
		fmt.Printf("%d workers, %d attacks of %d ms: %.2f a second, %.2f times one, %.1f %% of the time at work\n",
			workers, all, sleep, rate, rate/one, 100*inside*jobs/float64(all)/(seconds*float64(workers)))
	}
	return nil
}

// steps are as many step sizes as give at least n attacks of 18.
func steps(n int) string {
	var out string
	for i := range (n + 17) / 18 {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprint(1 + float64(float64(i)/64))
	}
	return out
}

// computeMode is the mode in which this command computes, with one processor, for
// some seconds, and prints how many rounds it made.
const computeMode = "compute"

// apart measures how many rounds a second processes make that have nothing in
// common but the machine: a million additions in a register, or a step of the C&W
// network.
func apart(what string) func(processes int) (float64, error) {
	return func(processes int) (float64, error) {
		const seconds = 2
		said, errs := make([][]byte, processes), make([]error, processes)
		var wg sync.WaitGroup
		for i := range processes {
			cmd := exec.Command(os.Args[0], computeMode, what, strconv.Itoa(seconds))
			cmd.Env, cmd.Stderr = append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
			wg.Go(func() { said[i], errs[i] = cmd.Output() })
		}
		wg.Wait()
		sum := 0.0
		for i, s := range said {
			n, err := strconv.ParseFloat(strings.TrimSpace(string(s)), 64)
			if err = cmp.Or(errs[i], err); err != nil {
				return 0, err
			}
			sum += float64(n / seconds)
		}
		return sum, nil
	}
}

// compute makes rounds for some seconds.
func compute(what, seconds string) error {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		return err
	}
	round := additions
	if what == "network" {
		if round, err = network(); err != nil {
			return err
		}
	}
	rounds := 0
	for end := time.Now().Add(time.Duration(n) * time.Second); time.Now().Before(end); rounds++ {
		if err := round(); err != nil {
			return err
		}
	}
	fmt.Println(rounds)
	return nil
}

// additions are a million, each of which waits for the one before it.
func additions() error {
	x := 0.0
	for i := range 1_000_000 {
		x += float64(i)
	}
	if math.IsNaN(x) {
		return errors.New("a sum that is no number")
	}
	return nil
}

// network is a round of one step, forward and backward, of the C&W network.
func network() (func() error, error) {
	m, err := models.Load("cwnet", models.LoadOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	image, err := data.Load("cat", m.ImageOptions())
	if err != nil {
		return nil, err
	}
	e, err := m.Evaluator(1, attack.Margin{})
	if err != nil {
		return nil, err
	}
	x, target := make([]float64, len(image.Pix)), make([]float64, len(m.Classes()))
	for i, v := range image.Pix {
		x[i] = float64(v)
	}
	target[5] = 1
	return func() error {
		_, err := e.Gradient(x, target)
		return err
	}, nil
}
