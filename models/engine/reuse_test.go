package engine

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestBackAgain: going back several times from one forward pass, as a Jacobian
// does, gives what going back once does, though memory has changed hands.
func TestBackAgain(t *testing.T) {
	for _, n := range digestNets() {
		if n.Name == "cw" && testing.Short() {
			continue
		}
		r := rand.New(rand.NewPCG(41, 42))
		const batch = 3
		x, dl, other := randoms(r, batch*n.Input.Len()), randoms(r, batch*10), randoms(r, batch*10)
		for _, profile := range profiles() {
			p, err := Compile(n, profile)
			if err != nil {
				t.Fatal(err)
			}
			_, want := stepOf(t, p, batch, 2, x, dl)
			run, err := p.Runner(batch, 2)
			if err != nil {
				t.Fatal(err)
			}
			y, dx := make([]float32, len(dl)), make([]float32, len(x))
			run.Forward(x, y)
			run.Backward(other, dx)
			run.Backward(dl, dx)
			if !slices.Equal(dx, want) {
				t.Errorf("%s, %v: going back a second time gives another gradient", n.Name, profile)
			}
			run.Forward(x, y)
			run.Forward(x, y)
			run.Backward(dl, dx)
			if !slices.Equal(dx, want) {
				t.Errorf("%s, %v: after two forward passes the gradient is another", n.Name, profile)
			}
			run.Close()
		}
	}
}

// TestForgotten: the threads of a Runner that nobody has closed, as in a notebook's
// cells that run again, end when nobody can reach it any more.
func TestForgotten(t *testing.T) {
	p, err := Compile(digestNets()[0], Profile{Generic, Direct})
	if err != nil {
		t.Fatal(err)
	}
	pools := make([]*pool, 4)
	for i := range pools {
		run, err := p.Runner(1, 3)
		if err != nil {
			t.Fatal(err)
		}
		pools[i] = run.exec.(*fast).pool
		run.Forward(make([]float32, p.net.Input.Len()), make([]float32, p.Output().Len()))
	}
	ended := func(p *pool) bool { return p.stopped.Load() }
	for range 1000 {
		if !slices.ContainsFunc(pools, func(p *pool) bool { return !ended(p) }) {
			return
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("threads of runners that are out of reach go on")
}

// TestReuse: an arena is smaller than all of its tensors together.
func TestReuse(t *testing.T) {
	for _, n := range digestNets() {
		p, err := Compile(n, Profile{Generic, Direct})
		if err != nil {
			t.Fatal(err)
		}
		f := newFast(p.plan, 2, 1, false)
		kept := newFast(p.plan, 2, 1, true)
		if len(f.arena) >= len(kept.arena) {
			t.Errorf("%s: %d floats, expected fewer than the %d without reuse", n.Name, len(f.arena), len(kept.arena))
		}
		f.close()
		kept.close()
	}
}
