// Package models holds the classifiers that attacks are run on: networks with
// their weights, as gorgonia graphs whose gradient with respect to the image
// comes from the fast engine.
//
// Load opens a model by name or file; Model.Evaluator prepares forward and
// backward passes of a loss; Model.Predict classifies one image. A model takes
// images in [0,1], carries its own normalisation and returns logits.
//
// Below it, graph has networks as graphs, zoo the architectures that weights are
// put into, format the readers of weight files, and engine the kernels.
package models

import (
	"fmt"
	"sync"

	"sapf/models/data"
	"sapf/models/engine"
)

// Model is a frozen classifier. It is safe for use by several goroutines;
// the evaluators it makes are not.
type Model struct {
	// Threads is how many goroutines share a step. 0: all processors.
	// Results do not depend on it.
	Threads int

	net     *engine.Net
	card    Card
	profile engine.Profile
	core    *core
}

// core is what copies of a model share: the packed weights, made when they are
// first needed, and the buffers of Predict.
type core struct {
	compile sync.Once
	program *engine.Program
	err     error

	predict sync.Mutex
	runner  *engine.Runner
	threads int
}

// New makes a model of a network and its card. The network must give one logit
// a class. The kernels are those of engine.DefaultProfile.
func New(net *engine.Net, card Card) (*Model, error) {
	profile, err := engine.DefaultProfile()
	if err != nil {
		return nil, err
	}
	return NewWithProfile(net, card, profile)
}

// NewWithProfile is New with chosen kernels.
func NewWithProfile(net *engine.Net, card Card, profile engine.Profile) (*Model, error) {
	shapes, err := net.Shapes()
	if err != nil {
		return nil, err
	}
	out := shapes[net.Output]
	if out.H != 1 || out.W != 1 || out.C < 2 {
		return nil, fmt.Errorf("network %s: output %v, expected a vector of at least 2 logits", net.Name, out)
	}
	if card.Name == "" {
		card.Name = net.Name
	}
	if card.Architecture == "" {
		card.Architecture = net.Name
	}
	if len(card.Classes) == 0 {
		for i := range out.C {
			card.Classes = append(card.Classes, fmt.Sprintf("class %d", i))
		}
	}
	if len(card.Classes) != out.C {
		return nil, fmt.Errorf("model %s: %d class names for %d logits", card.Name, len(card.Classes), out.C)
	}
	card = card.plain()
	if end, kind := probabilities(net, shapes); end >= 0 {
		card.Warnings = append(card.Warnings, fmt.Sprintf(ProbabilityOutputs+": the last layer, %s, is a %s", net.Nodes[end].Name, kind))
	}
	return &Model{net: net, card: card, profile: profile, core: &core{}}, nil
}

// InputShape is the shape of the images the model takes.
func (m *Model) InputShape() engine.Shape { return m.net.Input }

// ImageOptions scale pictures to the size that the model takes.
//
//	x := LoadImage("coffee", m.ImageOptions())
func (m *Model) ImageOptions() data.Options {
	s := m.InputShape()
	return data.Options{C: s.C, H: s.H, W: s.W}
}

// Classes are the names of the classes, in the order of the logits.
func (m *Model) Classes() []string { return m.card.Classes }

// Card says what the model is and where it comes from.
func (m *Model) Card() Card { return m.card }

// Net is the network, which must not be changed.
func (m *Model) Net() *engine.Net { return m.net }

// Profile says which kernels run.
func (m *Model) Profile() engine.Profile { return m.profile }

// WithProfile returns the same model on other kernels.
func (m *Model) WithProfile(p engine.Profile) *Model {
	return &Model{Threads: m.Threads, net: m.net, card: m.card, profile: p, core: &core{}}
}

// WithThreads returns the same model with another Threads, sharing the weights.
func (m *Model) WithThreads(n int) *Model {
	c := *m
	c.Threads = n
	return &c
}

// Program is the network packed for the model's profile; it is made once.
func (m *Model) Program() (*engine.Program, error) {
	m.core.compile.Do(func() { m.core.program, m.core.err = engine.Compile(m.net, m.profile) })
	return m.core.program, m.core.err
}

// String is the model's name.
func (m *Model) String() string { return m.card.Name }

// Fits refuses an image that is not of the model's shape.
func (m *Model) Fits(x data.Image) error {
	if s := m.net.Input; x.C != s.C || x.H != s.H || x.W != s.W {
		return fmt.Errorf("image %q is %dx%dx%d, model %s takes %v", x.Name, x.C, x.H, x.W, m.card.Name, s)
	}
	return nil
}

// checkImage refuses an image that does not fit or is not in [0,1].
func (m *Model) checkImage(x data.Image) error {
	if err := m.Fits(x); err != nil {
		return err
	}
	return x.Validate()
}

// Logits classifies one image and returns its logits, one a class.
func (m *Model) Logits(x data.Image) ([]float64, error) {
	if err := m.checkImage(x); err != nil {
		return nil, err
	}
	return m.logits(x.Pix)
}

// logits runs one image through the model's own runner.
func (m *Model) logits(pix []float32) ([]float64, error) {
	program, err := m.Program()
	if err != nil {
		return nil, err
	}
	c := m.core
	c.predict.Lock()
	defer c.predict.Unlock()
	if c.runner == nil || c.threads != m.Threads {
		if c.runner != nil {
			c.runner.Close()
		}
		if c.runner, err = program.Runner(1, m.Threads); err != nil {
			return nil, err
		}
		c.threads = m.Threads
	}
	z := make([]float32, len(m.card.Classes))
	c.runner.Forward(pix, z)
	if err := m.finiteLogits(z, pix); err != nil {
		return nil, err
	}
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = float64(v)
	}
	return out, nil
}

// Predict classifies one image.
func (m *Model) Predict(x data.Image) (Prediction, error) {
	z, err := m.Logits(x)
	if err != nil {
		return Prediction{}, err
	}
	return NewPrediction(z, m.card.Classes), nil
}
