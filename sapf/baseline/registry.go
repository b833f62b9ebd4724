package baseline

import (
	"reflect"
	"slices"
	"sort"

	"sapf/sapf"
)

// Entry describes one attack of the registry.
type Entry struct {
	// Name is what --method and results call the attack.
	Name string
	// Paper is the citation.
	Paper string
	// Keeps says what the attack keeps small or bounds: "entries", "pixels",
	// "l1", "l2", "linf" or "patch".
	Keeps string
	// Access is what it asks of the classifier: "gradient" or "score".
	Access string
	// Targeted says whose the targeted form is: "authors" or "ours".
	Targeted string
	// New returns a fresh attack with the authors' settings.
	New func() sapf.Attack
}

// registry lists the attacks in the order of the paper's Table 1, then the
// dense ones it names, then later ones.
var registry = []Entry{}

// All returns the attacks in a fixed order.
func All() []Entry { return slices.Clone(registry) }

// Names returns the attacks' names in the order of All.
func Names() []string {
	names := make([]string, len(registry))
	for i, e := range registry {
		names[i] = e.Name
	}
	return names
}

// New returns the attack called name with its authors' settings: a pointer to
// its options struct, ready for Set and Run.
func New(name string) (sapf.Attack, bool) {
	for _, e := range registry {
		if e.Name == name {
			return e.New(), true
		}
	}
	return nil, false
}

// Presets lists an attack's named settings besides the authors' defaults.
func Presets(a sapf.Attack) []string {
	var names []string
	if p, ok := a.(presetter); ok {
		for name := range p.presets() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// presetName is the preset that an attack's struct names, "" for none.
func presetName(a sapf.Attack) string {
	if f := reflect.Indirect(reflect.ValueOf(a)).FieldByName(presetField); f.IsValid() {
		return f.String()
	}
	return ""
}
