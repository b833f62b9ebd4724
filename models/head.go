package models

import (
	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// ProbabilityOutputs is how the warning of a card begins whose network ends in a
// softmax or a sigmoid.
const ProbabilityOutputs = "the outputs are probabilities, not logits"

// probabilities finds the layer that makes a network's outputs probabilities, and
// which of the two it is; -1 where there is none. Layers after it that only give
// the outputs another shape are passed over.
func probabilities(net *engine.Net, shapes []engine.Shape) (layer int, kind string) {
	for i := net.Output; i >= 0; i = net.Nodes[i].In[0] {
		switch op := net.Nodes[i].Op.(type) {
		case *engine.Flatten:
			continue
		case *engine.Softmax:
			return i, "softmax"
		case *engine.Activation:
			if op.Func == engine.Sigmoid {
				return i, "sigmoid"
			}
		case *engine.General:
			in := net.Nodes[i].In[0]
			if in >= 0 && !flat(shapes[in]) || !flat(op.Out) {
				return -1, "" // the entries may change their order
			}
			switch f := op.F.(type) {
			case *nd.Reshape:
				continue
			case *nd.Softmax:
				if of := op.Args[0].Dims; !f.Log && overAll(f.Axes, of) {
					return i, "softmax"
				}
			}
		}
		return -1, ""
	}
	return -1, ""
}

// flat shapes have the same order of entries, channels first or last.
func flat(s engine.Shape) bool { return s.C == 1 || s.H*s.W == 1 }

// overAll reports whether the other axes have one entry.
func overAll(axes, dims []int) bool {
	all, along := 1, 1
	for _, d := range dims {
		all *= d
	}
	for _, k := range axes {
		along *= dims[k]
	}
	return all == along
}
