package attack

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"sapf/models"
	"sapf/models/engine"
)

// Together runs several tasks at once and returns one result a task, in order.
// The attacks stay as they are written, one image each; what
// they share are the passes: each waits at its pass until all have asked, and
// the network then serves them in one batch. The results are the same bytes as
// those of Run on each task, since no example of a batch depends on another.
//
// Passes that are a batch already (those of score-based attacks) are run as
// they are, one after the other, so that the attacks share their buffers too.
// The first error in the order of tasks ends with an error, and so
// does the first panic with a panic, in the caller's goroutine.
func Together(ctx context.Context, m Classifier, tasks []Task) ([]Result, error) {
	p := newPool(m, len(tasks))
	defer p.close()
	var progress sync.Mutex
	watched := WithProgress(ctx, func(s Progress) {
		progress.Lock()
		defer progress.Unlock()
		Report(ctx, s)
	})
	results, errs, panics := make([]Result, len(tasks)), make([]error, len(tasks)), make([]any, len(tasks))
	var wg sync.WaitGroup
	for i, t := range tasks {
		wg.Go(func() {
			defer p.leave()
			defer func() {
				if v := recover(); v != nil {
					panics[i] = fmt.Sprintf("task %d: %v\n%s", i, v, debug.Stack())
				}
			}()
			results[i], errs[i] = t.Attack.Run(watched, &member{p, i}, t.Image, t.Goal)
		})
	}
	wg.Wait()
	for _, v := range panics {
		if v != nil { // goes on where the caller can recover from it
			panic(v)
		}
	}
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("task %d: %w", i, err)
		}
	}
	return results, nil
}

// pool gathers the single passes of several attacks into batches.
type pool struct {
	m Classifier

	mu         sync.Mutex
	live       int // attacks that still run
	waiting    []*request
	evaluators *Evaluators

	one     sync.Mutex // held during a pass that is a batch already
	batches *Evaluators
}

func newPool(m Classifier, live int) *pool {
	return &pool{m: m, live: live, evaluators: EvaluatorsOf(m), batches: EvaluatorsOf(m)}
}

// close gives the buffers of all passes back.
func (p *pool) close() {
	p.evaluators.Close()
	p.batches.Close()
}

// request is one pass of one image that an attack waits for.
type request struct {
	member     int
	loss       models.Loss
	x, targets []float64 // targets is nil for a forward pass
	answer     models.Evaluation
	err        error
	done       chan struct{}
}

// kind tells requests apart that cannot share a batch.
func (r *request) kind() string {
	if r.targets == nil {
		return "forward"
	}
	return r.loss.String()
}

// ask hands in a request and waits for its answer. Whoever completes the round
// serves it.
func (p *pool) ask(r *request) error {
	r.done, r.err = make(chan struct{}), nil
	p.mu.Lock()
	p.waiting = append(p.waiting, r)
	p.serveIfAllWait()
	p.mu.Unlock()
	<-r.done
	return r.err
}

// leave takes an attack that has ended out of the round.
func (p *pool) leave() {
	p.mu.Lock()
	p.live--
	p.serveIfAllWait()
	p.mu.Unlock()
}

// serveIfAllWait runs the passes of a full round, in the order of the tasks.
func (p *pool) serveIfAllWait() {
	if len(p.waiting) == 0 || len(p.waiting) < p.live {
		return
	}
	round := p.waiting
	p.waiting = nil
	slices.SortFunc(round, func(a, b *request) int { return a.member - b.member })
	for len(round) > 0 {
		kind := round[0].kind()
		var same, rest []*request
		for _, r := range round {
			if r.kind() == kind {
				same = append(same, r)
			} else {
				rest = append(rest, r)
			}
		}
		p.serve(same)
		round = rest
	}
}

// largestPass is the most examples of a shared pass: on the C&W network a
// gradient costs as much from 8 to 32 and half as much again at 64, where the
// buffers outgrow the processor's caches. Large images have fewer, passEntries
// together: an example of MobileNetV2 at 224x224 keeps 40 MB.
const (
	largestPass = 16
	passEntries = 4 * 3 * 224 * 224
)

// serve runs requests of one kind in batches of powers of two, so that only a
// few evaluators are ever made while attacks end one by one.
func (p *pool) serve(requests []*request) {
	largest := min(largestPass, max(1, passEntries/p.m.InputShape().Len()))
	for len(requests) > 0 {
		batch := 1
		for 2*batch <= min(len(requests), largest) {
			batch *= 2
		}
		now := requests[:batch]
		requests = requests[batch:]
		err := p.pass(now)
		var numeric *models.NumericError
		if errors.As(err, &numeric) && batch > 1 {
			for _, r := range now { // one example spoils a batch: ask for each alone
				r.err = p.pass([]*request{r})
			}
			err = nil
		}
		for _, r := range now {
			if err != nil {
				r.err = err
			}
			close(r.done)
		}
	}
}

// pass runs one batch and copies every example's part to its request.
func (p *pool) pass(requests []*request) error {
	e, err := p.evaluators.Of(len(requests), requests[0].loss)
	if err != nil {
		return err
	}
	var x, targets []float64
	for _, r := range requests {
		x = append(x, r.x...)
		targets = append(targets, r.targets...)
	}
	var out models.Evaluation
	if requests[0].targets == nil {
		out.Logits, err = e.Forward(x)
	} else {
		out, err = e.Gradient(x, targets)
	}
	if err != nil {
		return err
	}
	n, classes := len(requests[0].x), len(out.Logits)/len(requests)
	for i, r := range requests {
		r.answer.Logits = append(r.answer.Logits[:0], out.Logits[i*classes:(i+1)*classes]...)
		if r.targets != nil {
			r.answer.Loss = append(r.answer.Loss[:0], out.Loss[i])
			r.answer.Grad = append(r.answer.Grad[:0], out.Grad[i*n:(i+1)*n]...)
		}
	}
	return nil
}

// member is the classifier as one attack of a pool sees it.
type member struct {
	p     *pool
	index int
}

func (c *member) InputShape() engine.Shape { return c.p.m.InputShape() }
func (c *member) Classes() []string        { return c.p.m.Classes() }

func (c *member) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	if batch > 1 {
		return &batchEvaluator{p: c.p, batch: batch, loss: loss}, nil
	}
	return &memberEvaluator{p: c.p, forward: request{member: c.index, loss: loss}, gradient: request{member: c.index, loss: loss}}, nil
}

// memberEvaluator answers one attack's single passes. Its requests keep their
// buffers from pass to pass.
type memberEvaluator struct {
	p                 *pool
	forward, gradient request
}

func (e *memberEvaluator) Batch() int   { return 1 }
func (e *memberEvaluator) Close() error { return nil }

func (e *memberEvaluator) Forward(x []float64) ([]float64, error) {
	e.forward.x = x
	err := e.p.ask(&e.forward)
	return e.forward.answer.Logits, err
}

func (e *memberEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	e.gradient.x, e.gradient.targets = x, targets
	err := e.p.ask(&e.gradient)
	return e.gradient.answer, err
}

// batchEvaluator runs passes that are a batch already. Its answers are its own,
// since the buffers belong to all attacks.
type batchEvaluator struct {
	p      *pool
	batch  int
	loss   models.Loss
	answer models.Evaluation
}

func (e *batchEvaluator) Batch() int   { return e.batch }
func (e *batchEvaluator) Close() error { return nil }

// shared calls use with the evaluator of all attacks, while nobody else does.
func (e *batchEvaluator) shared(use func(models.Evaluator) error) error {
	e.p.one.Lock()
	defer e.p.one.Unlock()
	all, err := e.p.batches.Of(e.batch, e.loss)
	if err != nil {
		return err
	}
	return use(all)
}

func (e *batchEvaluator) Forward(x []float64) ([]float64, error) {
	err := e.shared(func(all models.Evaluator) error {
		z, err := all.Forward(x)
		e.answer.Logits = append(e.answer.Logits[:0], z...)
		return err
	})
	return e.answer.Logits, err
}

func (e *batchEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	err := e.shared(func(all models.Evaluator) error {
		v, err := all.Gradient(x, targets)
		e.answer.Loss = append(e.answer.Loss[:0], v.Loss...)
		e.answer.Logits = append(e.answer.Logits[:0], v.Logits...)
		e.answer.Grad = append(e.answer.Grad[:0], v.Grad...)
		return err
	})
	return e.answer, err
}
