package models

import (
	"fmt"
	"sort"
	"strings"

	"sapf/models/engine"
	"sapf/models/nearest"
)

// Architecture is a kind of network that Load can build from weights. Each is
// one file of this package, which registers it.
type Architecture struct {
	// Name is what LoadOptions.Arch takes.
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

// Architectures lists what Load can build, by name.
func Architectures() []*Architecture {
	var list []*Architecture
	for _, a := range architectures {
		list = append(list, a)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// architecture finds one by name; the error offers the nearest.
func architecture(name string) (*Architecture, error) {
	if a := architectures[name]; a != nil {
		return a, nil
	}
	var names []string
	for _, a := range Architectures() {
		names = append(names, a.Name)
	}
	return nil, fmt.Errorf("unknown architecture %q%s; there are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// didYouMean is ", did you mean X?" where a choice is near, else "".
func didYouMean(name string, choices []string) string {
	at := nearest.Within(2, name, choices)
	if at == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", at)
}
