package models

// Loss is a function of an example's logits and its targets, one number, with
// its gradient with respect to the logits; the network's own gradient carries it
// on to the image. A loss that has the method Build of graph.NodeLoss is put on
// gorgonia's graph by its own nodes instead.
type Loss interface {
	// Example returns the loss of one example and writes its gradient with
	// respect to the logits to grad, unless grad is nil. All slices have one
	// entry a class; the targets are what the caller fills in at each step:
	// one-hot rows, or weights.
	Example(logits, target, grad []float64) float64
	// String names the loss and its parameters. Equal strings mean equal losses.
	String() string
}
