package engine

import "unsafe"

// fast runs a plan: the executor of all float32 families.
type fast struct {
	plan *plan
	// arena is the memory of all tensors; buf[id] is one tensor's part, batch
	// images long.
	arena             []float32
	buf               [][]float32
	forwards, backwds []scheduled
	pool              *pool
	// winoIn and wino are the floats of a worker's block of Winograd inputs and
	// products; sharedIn, shared floats long, holds the inputs of all blocks.
	winoIn, wino, shared int
	sharedIn             []float32
	// in and out are the caller's slices during a pass.
	in, out []float32
}

type scheduled struct {
	step  step
	units int
}

func newFast(pl *plan, batch, threads int) *fast {
	f := &fast{plan: pl}
	total, largest := 0, 0
	for _, t := range pl.tensors {
		total += t.size * batch
		largest = max(largest, t.size)
	}
	// Kernels step their pointers one pixel (at most an image) past the end.
	f.arena = aligned(total + largest)
	at := 0
	for _, t := range pl.tensors {
		f.buf = append(f.buf, f.arena[at:])
		at += t.size * batch
	}
	for _, s := range pl.forward {
		f.forwards = append(f.forwards, s.prepare(f, batch, threads)...)
	}
	for _, s := range pl.backward {
		f.backwds = append(f.backwds, s.prepare(f, batch, threads)...)
	}
	f.sharedIn = aligned(f.shared)
	workers := make([]*worker, threads)
	for i := range workers {
		workers[i] = newWorker(f)
	}
	f.pool = newPool(workers)
	return f
}

func (f *fast) forward(x, logits []float32)    { f.pass(f.forwards, x, logits) }
func (f *fast) backward(dlogits, dx []float32) { f.pass(f.backwds, dlogits, dx) }

func (f *fast) pass(steps []scheduled, in, out []float32) {
	f.in, f.out = in, out
	f.pool.pass()
	for i := range steps {
		f.pool.run(&steps[i].step, steps[i].units)
	}
	f.in, f.out = nil, nil
}

func (f *fast) close() { f.pool.close() }

// aligned makes n floats that begin on a cache line.
func aligned(n int) []float32 {
	v := make([]float32, n+lineFloats)
	for uintptr(unsafe.Pointer(&v[0]))%(4*lineFloats) != 0 {
		v = v[1:]
	}
	return v
}
