package zoo

import (
	"fmt"
	"maps"
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

// NewParams prepares the tensors of a state dict, under their names as they are.
func NewParams(d *format.StateDict) (*Params, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	p := &Params{source: d.Source, byName: map[string]*format.Tensor{}, taken: map[string]bool{}}
	for i := range d.Tensors {
		p.byName[d.Tensors[i].Name] = &d.Tensors[i]
	}
	return p, nil
}

// Afresh is p before anything was taken.
func (p *Params) Afresh() *Params {
	return &Params{source: p.source, byName: p.byName, taken: map[string]bool{}}
}

// Has reports whether there is a tensor of that name.
func (p *Params) Has(name string) bool { return p.byName[name] != nil }

// Add puts a tensor beside those of the file.
func (p *Params) Add(name string, data []float32) {
	p.byName = maps.Clone(p.byName) // shared with others
	p.byName[name] = &format.Tensor{Name: name, Shape: []int{len(data)}, Data: data}
}

// Outputs is the number of rows of a matrix, the classes of a network's last
// layer; otherwise where there is no such matrix.
func (p *Params) Outputs(name string, otherwise int) int {
	if t := p.byName[name]; t != nil && len(t.Shape) >= 2 && t.Shape[0] > 0 {
		return t.Shape[0]
	}
	return otherwise
}

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
