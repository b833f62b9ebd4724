package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/graph"
)

// Normalisation is what is done to an image x in [0,1] before the network:
// (Scale x - Mean) / Std, for each channel. The zero value does nothing.
type Normalisation struct {
	// Mean and Std have one number a channel, or one for all; empty: 0 and 1.
	Mean, Std []float64
	// Scale is 255 for networks of pixels from 0 to 255; 0 means 1.
	Scale float64
}

// isZero reports whether nothing was asked for.
func (n Normalisation) isZero() bool { return n.Scale == 0 && len(n.Mean) == 0 && len(n.Std) == 0 }

// String is the formula: "(255 x - (0.5, 0.5, 0.5)) / (0.25)".
func (n Normalisation) String() string {
	text := "x"
	if n.Scale != 0 && n.Scale != 1 {
		text = fmt.Sprintf("%g x", n.Scale)
	}
	vector := func(v []float64) string {
		return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ", "), "[]") + ")"
	}
	if len(n.Mean) > 0 {
		text += " - " + vector(n.Mean)
	}
	if len(n.Std) > 0 {
		text = "(" + text + ") / " + vector(n.Std)
	}
	return text
}

// affine is the normalisation as a layer for images of that many channels.
func (n Normalisation) affine(channels int) (*engine.Affine, error) {
	at := func(v []float64, c int, otherwise float64, what string) (float64, error) {
		switch {
		case len(v) == 0:
			return otherwise, nil
		case len(v) == 1:
			return v[0], nil
		case len(v) == channels:
			return v[c], nil
		}
		return 0, fmt.Errorf("%d numbers of %s for %d channels", len(v), what, channels)
	}
	a := &engine.Affine{}
	scale := n.Scale
	if scale == 0 {
		scale = 1
	}
	for c := range channels {
		mean, err := at(n.Mean, c, 0, "mean")
		if err != nil {
			return nil, err
		}
		std, err := at(n.Std, c, 1, "std")
		if err != nil {
			return nil, err
		}
		if !(std > 0) || std-std != 0 || mean-mean != 0 || !(scale > 0) || scale-scale != 0 {
			return nil, fmt.Errorf("normalisation %v, expected finite numbers and positive std and scale", n)
		}
		a.Scale, a.Shift = append(a.Scale, scale/std), append(a.Shift, -mean/std)
	}
	return a, nil
}

// normaliseLayer is the name that the architectures give theirs.
const normaliseLayer = "normalise"

// apply returns a network that normalises its images so first, in place of the
// normalisation that an architecture has, or before what a file has.
func (n Normalisation) apply(net *engine.Net) (*engine.Net, error) {
	a, err := n.affine(net.Input.C)
	if err != nil {
		return nil, err
	}
	first := engine.Node{Name: normaliseLayer, Op: a, In: []int{engine.Input}}
	out := *net
	if own := ownNormalisation(net); own >= 0 {
		out.Nodes = slices.Clone(net.Nodes)
		out.Nodes[own] = first
		return &out, nil
	}
	out.Nodes = []engine.Node{first}
	for _, node := range net.Nodes {
		in := make([]int, len(node.In))
		for i, k := range node.In {
			in[i] = 0
			if k != engine.Input {
				in[i] = k + 1
			}
		}
		out.Nodes = append(out.Nodes, engine.Node{Name: node.Name, Op: node.Op, In: in})
	}
	out.Output++
	return &out, nil
}

// ownNormalisation is the layer of that name that reads the image, or -1.
func ownNormalisation(net *engine.Net) int {
	return slices.IndexFunc(net.Nodes, func(n engine.Node) bool {
		_, affine := n.Op.(*engine.Affine)
		return affine && n.Name == normaliseLayer && slices.Equal(n.In, []int{engine.Input})
	})
}

// changes reports whether the options ask for another network than the file's.
func (o LoadOptions) changes() bool {
	return !o.Normalisation.isZero() || o.LogitScale != 0 && o.LogitScale != 1
}

// adapt returns the model with what the options ask for: names, normalisation,
// scale of the logits.
func (m *Model) adapt(o LoadOptions) (*Model, error) {
	card, net := m.card, m.net
	card.Warnings = slices.Clone(card.Warnings)
	names, err := o.names()
	if err != nil {
		return nil, err
	}
	if names != nil {
		if len(names) != len(card.Classes) {
			return nil, fmt.Errorf("model %s: %d class names for %d logits", card.Name, len(names), len(card.Classes))
		}
		card.Classes = names
	}
	if !o.changes() {
		c := m.WithThreads(o.Threads)
		c.card = card
		return c, nil
	}
	// The self-test is of the network as it was.
	card.SelfTest = nil
	if !o.Normalisation.isZero() {
		if net, err = o.Normalisation.apply(net); err != nil {
			return nil, fmt.Errorf("model %s: %w", card.Name, err)
		}
		card.Normalisation = o.Normalisation.String() + ", as asked for"
	}
	if s := o.LogitScale; s != 0 && s != 1 {
		if !(s > 0) || s-s != 0 {
			return nil, fmt.Errorf("model %s: logit scale %v, expected a positive number", card.Name, s)
		}
		if net, err = scaleLogits(net, 1/s); err != nil {
			return nil, err
		}
		card.Warnings = append(card.Warnings, fmt.Sprintf("the logits are those of the file divided by %g, as asked for", s))
	}
	c := m.WithProfile(m.profile)
	c.Threads, c.net, c.card = o.Threads, net, card
	return c, nil
}

// names are the class names that the options give, nil if none.
func (o LoadOptions) names() ([]string, error) {
	if o.Classes != nil || o.ClassNames == "" {
		return o.Classes, nil
	}
	return data.ClassNames(o.ClassNames)
}

// scaleLogits multiplies the outputs of a network.
func scaleLogits(net *engine.Net, by float64) (*engine.Net, error) {
	return extend(net, "logit scale", &engine.Affine{Scale: []float64{by}, Shift: []float64{0}})
}

// extend appends a layer to a network's output.
func extend(net *engine.Net, name string, op engine.Op) (*engine.Net, error) {
	out := *net
	out.Nodes = append(slices.Clone(net.Nodes), engine.Node{Name: name, Op: op, In: []int{net.Output}})
	out.Output = len(out.Nodes) - 1
	_, err := out.Shapes()
	return &out, err
}

// asLogits makes a network's outputs logits, one a class. A softmax or sigmoid
// at the end is left out: the classes keep their order, and what it would round
// to 0 and 1 keeps its gradient. A single output z, or the sigmoid of one, may be
// the log odds of class 1 against class 0, two logits, 0 and z, or no classifier's
// at all: it is taken for them where binary is set. note says what was done, "" if
// nothing.
func asLogits(net *engine.Net, binary bool) (out *engine.Net, note string, err error) {
	shapes, err := net.Shapes()
	if err != nil {
		return nil, "", err
	}
	out = net
	single := shapes[net.Output].Len() == 1
	if single && !binary {
		return nil, "", errors.New("a single output, expected a logit a class; of a network that tells two classes apart, --binary takes it for the log odds of class 1, or, after a sigmoid, its probability")
	}
	if end, kind := probabilities(net, shapes); end >= 0 && (kind == "sigmoid" || !single) {
		before := net.Nodes[end].In[0]
		if before >= 0 {
			cut := *net
			cut.Nodes = slices.Clone(net.Nodes)
			cut.Output = before
			if s := shapes[before]; s.H != 1 || s.W != 1 {
				cut.Nodes = append(cut.Nodes, engine.Node{Name: "logits", Op: &engine.Flatten{}, In: []int{cut.Output}})
				cut.Output = len(cut.Nodes) - 1
			}
			out = graph.Prune(&cut)
			note = fmt.Sprintf("the file's outputs are probabilities; its last layer, %s, a %s, is left out, so that the logits before it are what is attacked", net.Nodes[end].Name, kind)
		}
	}
	if !single {
		return out, note, nil
	}
	out, err = extend(out, "two logits", &engine.Dense{In: 1, Out: 2, W: []float32{0, 1}})
	text := "its single output is taken for the log odds of class 1: the logits are 0 and that"
	if note != "" {
		text = note + "; " + text
	}
	return out, text, err
}
