package engine

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// Program is a network compiled for one kernel family: weights packed, batch
// norm folded, activations fused. It never changes, and any number of Runners
// may share it. The memory of a closed Runner waits for the next one of its size.
type Program struct {
	net     *Net
	profile Profile
	shapes  []Shape
	// plan is nil for Float64.
	plan *plan
	// idle has a *sync.Pool of *fast for every runnerSize.
	idle sync.Map
}

// runnerSize is what a Runner's memory depends on.
type runnerSize struct{ batch, threads int }

// Compile checks a network and packs it for a profile. The network's
// parameters must not change afterwards.
func Compile(n *Net, p Profile) (*Program, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("compile %s: %w", n.Name, err)
	}
	shapes, err := n.Shapes()
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	program := &Program{net: n, profile: p, shapes: shapes}
	if p.Family != Float64 {
		// What reading the file and fusing leave behind makes room for packed weights.
		large := n.parameters() > ManyParameters
		if large {
			runtime.GC()
		}
		fused, sizes := fuse(n, shapes)
		if large {
			debug.FreeOSMemory() // pieces that are too small for anything packed
		}
		program.plan = newPlan(fused, sizes, p, p.Family.kernels())
	}
	return program, nil
}

// ManyParameters is how many weights are worth a collection of garbage before
// memory of their size is taken: 128 MB.
const ManyParameters = 32 << 20

// parameters is the number of weights of convolutions and dense layers.
func (n *Net) parameters() (total int) {
	for _, node := range n.Nodes {
		switch op := node.Op.(type) {
		case *Conv:
			total += len(op.W)
		case *Dense:
			total += len(op.W)
		}
	}
	return total
}

// Net is the network as it was given.
func (p *Program) Net() *Net { return p.net }

// Profile says which kernels run.
func (p *Program) Profile() Profile { return p.profile }

// Output is the shape of the logits of one image.
func (p *Program) Output() Shape { return p.shapes[p.net.Output] }

// Runner owns the buffers of one batch size, and its worker threads. It is not
// safe for use by several goroutines at once.
type Runner struct {
	program *Program
	size    runnerSize
	exec    executor
	// forgotten closes the executor of a Runner that nobody has closed and
	// nobody can reach any more: the threads would live on.
	forgotten runtime.Cleanup
}

// executor is what a kernel family does with a batch.
type executor interface {
	forward(x, logits []float32)
	backward(dlogits, dx []float32)
	close()
}

// Bounds of what a Runner is asked for, far above what is of use: a count from
// elsewhere is refused here, before it becomes memory.
const (
	MaxBatch   = 1 << 16
	MaxThreads = 1 << 10
)

// Runner allocates everything that steps on batches of one size need. threads
// is the number of goroutines that share a step, the caller's included; 0
// means GOMAXPROCS. The results do not depend on it.
func (p *Program) Runner(batch, threads int) (*Runner, error) {
	if batch < 1 || batch > MaxBatch {
		return nil, fmt.Errorf("network %s: batch %d, want 1 to %d", p.net.Name, batch, MaxBatch)
	}
	if threads < 0 || threads > MaxThreads {
		return nil, fmt.Errorf("network %s: %d threads, want 0 to %d", p.net.Name, threads, MaxThreads)
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	r := &Runner{program: p, size: runnerSize{batch, threads}}
	if p.plan == nil {
		r.exec = newDouble(p, batch)
	} else if f, ok := p.idleOf(r.size).Get().(*fast); ok {
		f.open()
		r.exec = f
	} else {
		r.exec = newFast(p.plan, batch, threads, false)
	}
	r.forgotten = runtime.AddCleanup(r, executor.close, r.exec)
	return r, nil
}

func (p *Program) idleOf(s runnerSize) *sync.Pool {
	idle, _ := p.idle.LoadOrStore(s, &sync.Pool{})
	return idle.(*sync.Pool)
}

// Program is what the runner runs.
func (r *Runner) Program() *Program { return r.program }

// Batch is the number of images of one step.
func (r *Runner) Batch() int { return r.size.batch }

// Bytes is the memory of the Runner's activations, gradients and scratch; 0 in
// double precision. Weights are the Program's.
func (r *Runner) Bytes() int {
	if f, ok := r.exec.(*fast); ok {
		return f.bytes()
	}
	return 0
}

// Forward computes the logits (batch*K) of a batch of images x (batch*C*H*W,
// NCHW).
func (r *Runner) Forward(x, logits []float32) {
	r.check("images", len(x), r.program.net.Input)
	r.check("logits", len(logits), r.program.Output())
	r.exec.forward(x, logits)
	runtime.KeepAlive(r)
}

// Backward computes the gradient dx (batch*C*H*W) of sum(dlogits*logits) with
// respect to the images of the last Forward. dlogits has length batch*K.
func (r *Runner) Backward(dlogits, dx []float32) {
	r.check("gradient of the logits", len(dlogits), r.program.Output())
	r.check("gradient of the images", len(dx), r.program.net.Input)
	r.exec.backward(dlogits, dx)
	runtime.KeepAlive(r)
}

// Close stops the worker threads. The Runner is of no use afterwards; the next
// one with its batch and threads takes its memory over.
func (r *Runner) Close() {
	if r.exec == nil {
		return
	}
	r.forgotten.Stop()
	r.exec.close()
	if f, ok := r.exec.(*fast); ok {
		r.program.idleOf(r.size).Put(f)
	}
	r.exec = nil
}

func (r *Runner) check(what string, got int, s Shape) {
	if got != r.size.batch*s.Len() {
		panic(fmt.Sprintf("engine: %s have %d numbers, want %d (%d of %v)", what, got, r.size.batch*s.Len(), r.size.batch, s))
	}
}
