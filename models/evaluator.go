package models

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
