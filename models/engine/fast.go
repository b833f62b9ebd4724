package engine

// fast runs a plan: the executor of all float32 families.
type fast struct {
	plan *plan
	// arena is the memory of all tensors; buf[id] is one tensor's part, batch
	// images long.
	arena []float32
	buf   [][]float32
	// passing[id]: only the steps of one imageStep use the tensor, so that its
	// part has room for the images left over, and a worker's own for one more.
	passing           []bool
	forwards, backwds []scheduled
	workers           []*worker
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

// newFast makes an executor. keep says that every tensor is to hold all images
// after a pass.
func newFast(pl *plan, batch, threads int, keep bool) *fast {
	f := &fast{plan: pl, passing: make([]bool, len(pl.tensors))}
	user := make([]*imageStep, len(pl.tensors))
	var times [2][]int
	if keep {
		f.forwards, f.backwds = f.prepare(pl.forward, batch, threads), f.prepare(pl.backward, batch, threads)
	} else {
		f.forwards, times[0] = f.schedule(pl.forward, batch, threads, user)
		f.backwds, times[1] = f.schedule(pl.backward, batch, threads, user)
	}
	largest := 0
	images := func(t *tensor) int {
		if f.passing[t.id] {
			return batch % threads
		}
		return batch
	}
	for _, t := range pl.tensors {
		f.passing[t.id] = user[t.id] != nil && user[t.id] != several
		largest = max(largest, t.size)
	}
	at, total := make([]int, len(pl.tensors)), 0
	if keep {
		for _, t := range pl.tensors {
			at[t.id] = total
			total += t.size * images(t)
		}
	} else {
		at, total = f.layout(times, images)
	}
	// Kernels step their pointers one pixel (at most an image) past the end.
	f.arena = aligned(total + largest)
	for _, t := range pl.tensors {
		f.buf = append(f.buf, f.arena[at[t.id]:])
	}
	f.sharedIn = aligned(f.shared)
	f.workers = make([]*worker, threads)
	for i := range f.workers {
		f.workers[i] = newWorker(f)
	}
	f.open()
	return f
}

// open starts the threads, also after close.
func (f *fast) open() { f.pool = newPool(f.workers) }

// bytes is the memory of activations, gradients and scratch.
func (f *fast) bytes() int {
	floats := len(f.arena) + len(f.sharedIn)
	for _, w := range f.workers {
		floats += w.floats
	}
	return 4 * floats
}

// prepare makes a pass of steps that each do the whole batch.
func (f *fast) prepare(makers []maker, batch, threads int) (list []scheduled) {
	for _, m := range makers {
		list = append(list, m.prepare(f, batch, threads)...)
	}
	return list
}

func (f *fast) forward(x, logits []float32)    { f.pass(f.forwards, x, logits) }
func (f *fast) backward(dlogits, dx []float32) { f.pass(f.backwds, dlogits, dx) }

func (f *fast) pass(steps []scheduled, in, out []float32) {
	f.in, f.out = in, out
	f.pool.begin()
	for i := range steps {
		f.pool.run(&steps[i].step, steps[i].units)
	}
	f.pool.end()
	f.in, f.out = nil, nil
}

func (f *fast) close() { f.pool.close() }
