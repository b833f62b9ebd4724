package engine

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// A step is one pass over the batch: independent units of work that any worker
// may run, in any order, with the same result.
type step interface {
	// run does one unit.
	run(w *worker, unit int)
}

// A maker is a step of a plan, which becomes one or more steps once the batch
// size and the number of threads are known. It says in f what memory they need.
type maker interface {
	prepare(f *fast, batch, threads int) []scheduled
}

// worker is one thread's own scratch memory.
type worker struct {
	r *fast
	// image is the number in the batch of the image that the current step
	// calls 0.
	image int
	// own: that image's passing tensors are in the worker's own memory, passing[id].
	own     bool
	passing [][]float32
	args    tileArgs
	// floats is the size of its memory.
	floats int
	// ref is the scratch of layers that run on the reference.
	ref refScratch
	// taps is the scratch of the max pool.
	taps []poolTap
	// The transforms' arguments and scratch, and a block's transformed inputs
	// and products.
	wino            winoArgs
	scratch         []float32
	winoIn, winoOut []float32
	// pixel is one pixel of the widest tensor.
	pixel []float32
	// grad is the scratch of weight gradients.
	grad gradScratch
	// zeros is a bias of nothing, noOffset the only tap of a matrix product.
	zeros    []float32
	noOffset int64
	// row is for the kernels of rows; tails has what their last block is padded in.
	row       rowArgs
	tails     [5][block]float32
	attention attentionScratch
	// piece is a piece of a row.
	piece []float32
}

// of is a tensor's memory from the image on that the current step calls 0.
func (w *worker) of(t *tensor) []float32 {
	switch {
	case !w.r.passing[t.id]:
		return w.r.buf[t.id][w.image*t.size:]
	case w.own:
		return w.passing[t.id]
	}
	return w.r.buf[t.id]
}

func newWorker(f *fast) *worker {
	w := &worker{r: f, ref: f.plan.scratch.alloc(), taps: make([]poolTap, f.plan.taps), zeros: make([]float32, 64)}
	w.row.consts, w.attention = unsafe.Pointer(&rowConsts), f.plan.attention.alloc()
	for _, t := range f.plan.tensors {
		if t.cs > len(w.pixel) {
			w.pixel = make([]float32, t.cs)
		}
		w.pieceOf(2*piece + t.cs)
	}
	total, largest := 0, 0
	for _, t := range f.plan.tensors {
		if f.passing[t.id] {
			total += t.size
			largest = max(largest, t.size)
		}
	}
	w.passing = make([][]float32, len(f.plan.tensors))
	own := aligned(total + largest)
	for _, t := range f.plan.tensors {
		if f.passing[t.id] {
			w.passing[t.id], own = own, own[t.size:]
		}
	}
	w.scratch = aligned(maxCells * 16)
	w.winoIn, w.winoOut = aligned(f.winoIn), aligned(f.wino)
	w.wino.scratch = unsafe.Pointer(&w.scratch[0])
	w.floats = total + largest + len(w.scratch) + len(w.winoIn) + len(w.winoOut) + f.plan.attention.floats()
	return w
}

// spinTime is how long an idle worker looks for the next step before it parks.
// Steps of one pass follow each other within microseconds; a worker that kept
// spinning between passes would take the processor from other programs.
const spinTime = 40 * time.Microsecond

// pool runs steps on a fixed number of workers. Units are claimed one by one,
// so a worker whose thread the system has taken away delays at most the unit
// it holds.
type pool struct {
	workers []*worker
	// ticket is the number of the step, and below it (32 bits) how many of its
	// units nobody has claimed.
	ticket atomic.Uint64
	job    atomic.Pointer[step]
	// left counts the units that are not done.
	left atomic.Int64
	// waiting is set while the caller sleeps until the last unit is done.
	waiting atomic.Bool
	last    chan struct{}
	helpers []*helper
	stopped atomic.Bool
	// begun is when the pass began, waited how long the caller has waited in it
	// for units of helpers. Where the system gives a processor to somebody else,
	// a pass can take much longer than on one thread: it is stalled, and the rest
	// of it goes without helpers.
	begun   time.Time
	waited  time.Duration
	stalled bool
	// best is the time of the quickest of the last passes.
	best time.Duration
	// If somebody else is running then, the passes that follow go without helpers
	// too, until processors are free, which is looked up at the time look, or
	// else until the time until. Where helpers stall again soon after the time
	// tried, the gap doubles.
	alone              bool
	look, until, tried time.Time
	gap                time.Duration
	load               load
	running            func() int // load's
}

const (
	lookGap  = 20 * time.Millisecond
	firstGap = 250 * time.Millisecond
	lastGap  = 2 * time.Second
	// soon is how long helpers must work without a stall to be trusted again.
	soon = time.Second
)

// begin begins a forward or backward pass.
func (p *pool) begin() {
	if len(p.helpers) == 0 {
		return
	}
	p.begun, p.waited, p.stalled = time.Now(), 0, false
	if !p.alone || p.begun.Before(p.look) {
		return
	}
	if p.look = p.begun.Add(lookGap); p.begun.After(p.until) || p.others() == free {
		p.alone, p.tried = false, p.begun
	}
}

// end ends it, and judges whether helpers were of use.
func (p *pool) end() {
	if len(p.helpers) == 0 || p.alone {
		return
	}
	now := time.Now()
	all := now.Sub(p.begun)
	slow := p.slow()
	late := slow || p.best > 0 && all > 3*p.best
	if p.best += p.best / 256; p.best == 0 || all < p.best {
		p.best = all
	}
	if !late {
		return
	}
	if o := p.others(); o == free || o == unknown && !slow {
		return // it was not for want of processors, or nobody knows
	}
	if p.gap *= 2; p.gap == 0 || now.Sub(p.tried) > soon {
		p.gap = firstGap
	}
	p.gap = min(p.gap, lastGap)
	p.alone, p.look, p.until = true, now.Add(lookGap), now.Add(p.gap)
}

// What others leave to the workers.
const (
	unknown = iota
	free    // a processor each
	busy
)

// others says whether other threads of the machine leave a processor to each
// worker.
func (p *pool) others() int {
	running := p.running()
	if running == 0 {
		return unknown
	}
	// Those that run, but for the caller and the helpers that do, and what all
	// workers would make of it.
	for _, h := range p.helpers {
		if h.parked.Load() {
			running++
		}
	}
	if running > runtime.GOMAXPROCS(0) {
		return busy
	}
	return free
}

// slow reports that the pass takes more than twice the time of one thread,
// which is what the caller has worked so far times the number of workers.
func (p *pool) slow() bool {
	if p.waited == 0 {
		return false
	}
	all := time.Since(p.begun)
	return all > 2*time.Duration(len(p.workers))*(all-p.waited)
}

type helper struct {
	parked atomic.Bool
	wake   chan struct{}
	gone   chan struct{}
}

func newPool(workers []*worker) *pool {
	p := &pool{workers: workers, last: make(chan struct{}, 1)}
	p.running = p.load.running
	if len(workers) > 1 {
		p.load.open()
	}
	for _, w := range workers[1:] {
		h := &helper{wake: make(chan struct{}, 1), gone: make(chan struct{})}
		p.helpers = append(p.helpers, h)
		go p.help(h, w)
	}
	return p
}

// run does all units of a step.
func (p *pool) run(s *step, units int) {
	if len(p.helpers) == 0 || units == 1 || p.alone || p.stalled {
		for u := 0; u < units; u++ {
			(*s).run(p.workers[0], u)
		}
		return
	}
	p.left.Store(int64(units))
	p.job.Store(s)
	id := p.ticket.Load()>>32 + 1
	p.ticket.Store(id<<32 + uint64(units))
	for _, h := range p.helpers {
		if h.parked.Load() && h.parked.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
	p.claim(p.workers[0], id)
	if t := p.wait(); t > 0 {
		p.waited += t
		p.stalled = p.slow()
	}
}

// claim runs units of step number id until none is left.
func (p *pool) claim(w *worker, id uint64) {
	for {
		t := p.ticket.Load()
		s := p.job.Load()
		unclaimed := uint32(t)
		if t>>32 != id || unclaimed == 0 {
			return
		}
		// Success means that the step still has an unclaimed unit, so it is
		// the one whose job was read.
		if !p.ticket.CompareAndSwap(t, t-1) {
			continue
		}
		(*s).run(w, int(unclaimed-1))
		if p.left.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
			p.last <- struct{}{}
		}
	}
}

// wait returns when all units are done, and how long that took.
func (p *pool) wait() time.Duration {
	if p.left.Load() == 0 {
		return 0
	}
	from := time.Now()
	if spin(func() bool { return p.left.Load() == 0 }) {
		return 0
	}
	// A worker may wake the caller for a step that it has left long since, so
	// look again; every wake-up is received exactly once.
	for p.left.Load() != 0 {
		p.waiting.Store(true)
		if p.left.Load() != 0 || !p.waiting.CompareAndSwap(true, false) {
			<-p.last
		}
	}
	return time.Since(from)
}

// help is a helper's life: work, spin for a while, park.
func (p *pool) help(h *helper, w *worker) {
	defer close(h.gone)
	seen := uint64(0)
	for !p.stopped.Load() {
		fresh := func() bool { return p.ticket.Load()>>32 != seen || p.stopped.Load() }
		if !spin(fresh) {
			h.parked.Store(true)
			if !fresh() || !h.parked.CompareAndSwap(true, false) {
				<-h.wake
			}
			continue
		}
		seen = p.ticket.Load() >> 32
		p.claim(w, seen)
	}
}

// spin tests a condition for spinTime and reports whether it came true.
func spin(done func() bool) bool {
	if done() {
		return true
	}
	start := time.Now()
	for {
		for i := 0; i < 20; i++ {
			pause()
			if done() {
				return true
			}
		}
		if time.Since(start) > spinTime {
			return false
		}
	}
}

// close ends the helpers and waits for them.
func (p *pool) close() {
	p.stopped.Store(true)
	for _, h := range p.helpers {
		if h.parked.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
		for open := true; open; {
			select {
			case <-h.gone:
				open = false
			default:
				if h.parked.CompareAndSwap(true, false) {
					h.wake <- struct{}{}
				}
				runtime.Gosched()
			}
		}
	}
	p.helpers = nil
	p.load.close()
}
