package zoo

import (
	"fmt"
	"sort"
	"strings"

	"sapf/models/format"
)

// Params hands a state dict's tensors to an architecture by name and shape,
// and knows which were taken. The first error stays.
type Params struct {
	source string
	byName map[string]*format.Tensor
	taken  map[string]bool
	err    error
	// invent, where set, makes the tensors instead (see NewNet).
	invent func(name string, shape []int) []float32
}

// wrapPrefixes are what training frameworks put before every name.
var wrapPrefixes = []string{"module.", "_orig_mod.", "model.", "net."}

// NewParams prepares the tensors of a state dict. A prefix that all names
// share because the network was wrapped ("module.") is dropped.
func NewParams(d *format.StateDict) (*Params, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	p := &Params{source: d.Source, byName: map[string]*format.Tensor{}, taken: map[string]bool{}}
	prefix := ""
	for again := true; again; {
		again = false
		for _, w := range wrapPrefixes {
			if len(d.Tensors) > 0 && all(d.Tensors, prefix+w) {
				prefix, again = prefix+w, true
			}
		}
	}
	for i := range d.Tensors {
		p.byName[strings.TrimPrefix(d.Tensors[i].Name, prefix)] = &d.Tensors[i]
	}
	return p, nil
}

// Afresh is p before anything was taken.
func (p *Params) Afresh() *Params {
	return &Params{source: p.source, byName: p.byName, taken: map[string]bool{}}
}

func all(tensors []format.Tensor, prefix string) bool {
	for _, t := range tensors {
		if !strings.HasPrefix(t.Name, prefix) {
			return false
		}
	}
	return true
}

// Has reports whether there is a tensor of that name.
func (p *Params) Has(name string) bool { return p.byName[name] != nil }

// Take returns the tensor name, which must have the given shape.
func (p *Params) Take(name string, shape ...int) []float32 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	if p.invent != nil {
		return p.invent(name, shape)
	}
	t := p.byName[name]
	switch {
	case p.err != nil:
	case t == nil:
		p.err = fmt.Errorf("weights %s: no tensor %s of shape %v; the file has %s", p.source, name, shape, p.names())
	case !equal(t.Shape, shape):
		p.err = fmt.Errorf("weights %s: tensor %s has shape %v, expected %v", p.source, name, t.Shape, shape)
	default:
		p.taken[name] = true
		return t.Data
	}
	return make([]float32, min(n, 1)) // never used: Err is checked before the network is
}

// Skip marks tensors that the architecture knows and does not need: those of a
// name, or below it where it ends in a dot.
func (p *Params) Skip(names ...string) {
	for _, name := range names {
		for have := range p.byName {
			if have == name || strings.HasSuffix(name, ".") && strings.HasPrefix(have, name) {
				p.taken[have] = true
			}
		}
	}
}

// Err is the first tensor that was missing or of the wrong shape, or else the
// tensors that nobody took: a file of another architecture.
func (p *Params) Err() error {
	if p.err != nil {
		return p.err
	}
	var extra []string
	for name := range p.byName {
		// Batch norm counts its training batches; inference does not use that.
		if !p.taken[name] && !strings.HasSuffix(name, "num_batches_tracked") {
			extra = append(extra, name)
		}
	}
	if len(extra) == 0 {
		return nil
	}
	sort.Strings(extra)
	return fmt.Errorf("weights %s: %d tensors that the architecture has no layer for: %s", p.source, len(extra), some(extra))
}

func (p *Params) names() string {
	if len(p.byName) == 0 {
		return "no tensors"
	}
	var names []string
	for name := range p.byName {
		names = append(names, name)
	}
	sort.Strings(names)
	return some(names)
}

// some is a list of names, cut to the first few.
func some(names []string) string {
	const shown = 6
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
