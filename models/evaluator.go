package models

import (
	"fmt"
	"sapf/models/engine"
	"sapf/models/graph"
)

// Evaluation is what one step of an Evaluator found. Its slices belong to the
// evaluator and are overwritten by its next step.
type Evaluation struct {
	// Loss has length batch.
	Loss []float64
	// Logits has length batch*classes.
	Logits []float64
	// Grad has length batch*C*H*W: each example's own loss with respect to
	// its own image.
	Grad []float64
}

// String says how large the evaluation is, not every number of it.
func (e Evaluation) String() string {
	return fmt.Sprintf("loss %.6g, %d logits, gradient of %d entries", e.Loss, len(e.Logits), len(e.Grad))
}

// Evaluator runs forward and backward passes of one loss at one batch size.
// It is not safe for use by several goroutines at once; make one each.
type Evaluator interface {
	// Batch is the number of examples of one step.
	Batch() int
	// Forward returns the logits of x, which has length batch*C*H*W.
	Forward(x []float64) (logits []float64, err error)
	// Gradient runs one forward and one backward pass. targets has length
	// batch*classes and is what the loss compares the logits with.
	// A logit, loss or gradient that is not finite is a *NumericError.
	Gradient(x, targets []float64) (Evaluation, error)
	// Close gives the buffers back.
	Close() error
}

// evaluator is a Model's Evaluator: a tape, and the runner that computes the
// network on it (nil on the float64 profile).
type evaluator struct {
	model  *Model
	runner *engine.Runner
	tape   *graph.Tape
	batch  int
}

// Evaluator prepares steps of a loss for batches of the given size. Close it
// to give its buffers and threads back.
func (m *Model) Evaluator(batch int, loss Loss) (Evaluator, error) {
	if batch < 1 {
		return nil, fmt.Errorf("evaluator of model %s: batch %d, expected at least 1", m.card.Name, batch)
	}
	e := &evaluator{model: m, batch: batch}
	if m.profile.Family != engine.Float64 {
		program, err := m.Program()
		if err != nil {
			return nil, err
		}
		if e.runner, err = program.Runner(batch, m.Threads); err != nil {
			return nil, err
		}
	}
	var err error
	if e.tape, err = graph.NewTape(m.net, e.runner, batch, len(m.card.Classes), loss); err != nil {
		e.Close()
		return nil, fmt.Errorf("evaluator of model %s, loss %v, batch %d: %w", m.card.Name, loss, batch, err)
	}
	return e, nil
}

// Batch is the number of examples of one step.
func (e *evaluator) Batch() int { return e.batch }

// Forward returns the logits of x.
func (e *evaluator) Forward(x []float64) ([]float64, error) {
	if err := e.fill(e.tape.X, x, "images"); err != nil {
		return nil, err
	}
	logits, err := e.tape.Forward()
	if err != nil {
		return nil, err
	}
	return logits, e.check("logits", logits)
}

// Gradient runs one forward and one backward pass.
func (e *evaluator) Gradient(x, targets []float64) (Evaluation, error) {
	if err := e.fill(e.tape.X, x, "images"); err != nil {
		return Evaluation{}, err
	}
	if err := e.fill(e.tape.Targets, targets, "targets"); err != nil {
		return Evaluation{}, err
	}
	var got Evaluation
	var err error
	if got.Loss, got.Logits, got.Grad, err = e.tape.Gradient(); err != nil {
		return Evaluation{}, err
	}
	if err := e.check("logits", got.Logits); err != nil {
		return got, err
	}
	if err := e.check("loss", got.Loss); err != nil {
		return got, err
	}
	return got, e.check("gradient", got.Grad)
}

// fill copies v into memory of the tape.
func (e *evaluator) fill(to, v []float64, what string) error {
	if len(v) != len(to) {
		return fmt.Errorf("step of model %s, batch %d: %d numbers of %s, expected %d", e.model.card.Name, e.batch, len(v), what, len(to))
	}
	if err := finite(what, v, e.batch); err != nil {
		return err
	}
	copy(to, v)
	return nil
}

// check reports a number that is not finite, and for logits the layer it comes
// from.
func (e *evaluator) check(where string, v []float64) error {
	bad := finite(where, v, e.batch)
	if bad == nil {
		return nil
	}
	if where != "logits" {
		return bad
	}
	n := e.model.net.Input.Len()
	pix := make([]float32, n)
	for i, x := range e.tape.X[bad.Example*n:][:n] {
		pix[i] = float32(x)
	}
	return e.model.locate(bad, pix)
}

// Close gives the buffers and threads back.
func (e *evaluator) Close() error {
	if e.runner != nil {
		e.runner.Close()
		e.runner = nil
	}
	return nil
}

var _ Evaluator = (*evaluator)(nil)
