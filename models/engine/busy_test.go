package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestBusyCore prints how long steps take on all processors while another
// process keeps one of them busy, and how many take more than twice what one
// thread takes (median). SAPF_BUSY=1 asks for it; the other process is this
// test, told so by SAPF_BUSY=spin.
func TestBusyCore(t *testing.T) {
	switch os.Getenv("SAPF_BUSY") {
	case "":
		t.Skip("SAPF_BUSY is not set")
	case "spin":
		for {
		}
	}
	n := cwNet(rand.New(rand.NewPCG(1, 2)))
	p, err := Compile(n, profiles()[len(profiles())-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 9} {
		steps := func(threads int) []time.Duration {
			run, err := p.Runner(batch, threads)
			if err != nil {
				t.Fatal(err)
			}
			defer run.Close()
			x, dl := make([]float32, batch*n.Input.Len()), make([]float32, batch*10)
			y, dx := make([]float32, len(dl)), make([]float32, len(x))
			var times []time.Duration
			for start := time.Now(); time.Since(start) < 4*time.Second; {
				from := time.Now()
				run.Forward(x, y)
				run.Backward(dl, dx)
				times = append(times, time.Since(from))
			}
			slices.Sort(times)
			return times
		}
		show := func(what string, times []time.Duration, limit time.Duration) {
			late := 0
			for _, d := range times {
				if d > limit {
					late++
				}
			}
			at := func(q float64) time.Duration { return times[int(q*float64(len(times)-1))].Round(time.Microsecond) }
			fmt.Printf("batch %d, %-28s %5d steps: median %v, 99 %% within %v, longest %v, %d above %v\n", batch, what, len(times), at(0.5), at(0.99), at(1), late, limit.Round(time.Microsecond))
		}
		threads := runtime.GOMAXPROCS(0)
		one := steps(1)
		limit := 2 * one[len(one)/2]
		show("1 thread, idle", one, limit)
		show(fmt.Sprintf("%d threads, idle", threads), steps(threads), limit)
		cmd := exec.Command(os.Args[0], "-test.run", "^TestBusyCore$")
		cmd.Env = append(os.Environ(), "SAPF_BUSY=spin", "GOMAXPROCS=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		show("1 thread, one core busy", steps(1), limit)
		show(fmt.Sprintf("%d threads, one core busy", threads), steps(threads), limit)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
