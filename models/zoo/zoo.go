// Package zoo holds the architectures that weights can be put into: each is one
// file, which registers how its network is written down layer by layer, in
// PyTorch's order and with the names its parameters have there.
package zoo

import (
	"fmt"
	"sort"
	"strings"

	"sapf/models/engine"
	"sapf/models/nearest"
)

// Architecture is a kind of network that models.Load can build from weights.
type Architecture struct {
	// Name is what models.LoadOptions.Arch takes.
	Name string
	// About says in a line what it is and where it is described.
	About string
	// Input is the shape of its images; Normalisation what it does to them.
	Input         engine.Shape
	Normalisation string
	// Classes are the names of its classes.
	Classes func() []string
	// Build writes the network down.
	Build func(p *Params) (*engine.Net, error)
}

var architectures = map[string]*Architecture{}

func register(a *Architecture) { architectures[a.Name] = a }

// Architectures lists them by name.
func Architectures() []*Architecture {
	var list []*Architecture
	for _, a := range architectures {
		list = append(list, a)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Find returns the architecture of a name; the error offers the nearest.
func Find(name string) (*Architecture, error) {
	if a := Known(name); a != nil {
		return a, nil
	}
	var names []string
	for _, a := range Architectures() {
		names = append(names, a.Name)
	}
	return nil, fmt.Errorf("unknown architecture %q%s; there are %s", name, nearest.DidYouMean(name, names), strings.Join(names, ", "))
}

// Known is the architecture of a name, in upper or lower case; nil if there is
// none.
func Known(name string) *Architecture { return architectures[strings.ToLower(name)] }

// NewNet builds an architecture with parameters that initial makes: the tensor
// of a name ("conv1.weight") and shape.
func NewNet(arch string, initial func(name string, shape []int) []float32) (*engine.Net, error) {
	a, err := Find(arch)
	if err != nil {
		return nil, err
	}
	return a.Build(&Params{source: "initial", invent: initial})
}
