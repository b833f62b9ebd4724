package zoo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sapf/models/engine"
	"sapf/models/format"
)

// Fit is an architecture built from the tensors of a file.
type Fit struct {
	Net *engine.Net
	// Prefix is what the file has before the architecture's names ("module.").
	Prefix string
	// Mean and Std are a normalisation that the file keeps beside the network,
	// one number a channel; nil where it has none.
	Mean, Std []float64
	// Unused are the names of the other tensors beside the network.
	Unused []string
}

// FitTo builds the architecture from tensors whose names it knows, or knows below
// a prefix: a wrapper's ("module."), or that of a network within a larger one
// ("backbone.", "1." after a normalisation). Exactly one prefix must make them
// fit. The error is that of the tensors as they are named.
func (a *Architecture) FitTo(p *Params) (*Fit, error) {
	f, asNamed := a.build(p)
	if asNamed == nil {
		return f, nil
	}
	var fits []*Fit
	for _, prefix := range p.prefixes() {
		below := p.below(prefix)
		f, err := a.build(below)
		if err != nil {
			if prefix == p.shared() { // all names have it: the error of those below is the better one
				asNamed = err
			}
			continue
		}
		f.Prefix = prefix
		if err := p.beside(f, f.Net.Input.C); err != nil {
			return nil, err
		}
		fits = append(fits, f)
	}
	switch {
	case len(fits) == 0:
		return nil, asNamed
	case len(fits) > 1:
		var names []string
		for _, f := range fits {
			names = append(names, f.Prefix)
		}
		return nil, fmt.Errorf("weights %s: the tensors below each of %s fit %s: keep one of them", p.source, strings.Join(names, ", "), a.Name)
	}
	return fits[0], nil
}

// build makes the network of tensors under its names, among which may be a mean and
// deviation: buffers of the network's own class.
func (a *Architecture) build(p *Params) (*Fit, error) {
	net, err := a.Build(p.Afresh())
	if err == nil {
		return &Fit{Net: net}, nil
	}
	rest := p.withoutNormalisation()
	if rest == nil {
		return nil, err
	}
	if net, err = a.Build(rest); err != nil {
		return nil, err
	}
	f := &Fit{Net: net}
	for _, name := range slices.Sorted(maps.Keys(p.byName)) {
		if to := f.normalisation(name); to != nil {
			if err := p.keep(to, name, net.Input.C); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// FitAny finds the only architecture that tensors fit.
func FitAny(p *Params) (*Architecture, *Fit, error) {
	var names, all []string
	var found *Architecture
	var fit *Fit
	for _, a := range Architectures() {
		all = append(all, a.Name)
		if f, err := a.FitTo(p); err == nil {
			found, fit, names = a, f, append(names, a.Name)
		}
	}
	switch len(names) {
	case 0:
		return nil, nil, errors.New("the file does not say what network it is for: name the architecture (one of " + strings.Join(all, ", ") + ")")
	case 1:
		return found, fit, nil
	}
	return nil, nil, fmt.Errorf("the file does not say what network it is for, and its tensors fit %s: name the architecture", strings.Join(names, " and "))
}

// shared is the longest prefix, up to a dot, of all names.
func (p *Params) shared() string {
	names := slices.Sorted(maps.Keys(p.byName))
	if len(names) == 0 {
		return ""
	}
	prefix := names[0]
	for _, n := range names {
		k := 0
		for k < min(len(prefix), len(n)) && prefix[k] == n[k] {
			k++
		}
		prefix = prefix[:k]
	}
	return prefix[:strings.LastIndexByte(prefix, '.')+1]
}

// maxPrefix bounds the parts of a prefix: "_orig_mod.module.model.net.".
const maxPrefix = 4

// prefixes are the beginnings of names, up to a dot, shortest first.
func (p *Params) prefixes() []string {
	seen := map[string]bool{}
	for name := range p.byName {
		at := 0
		for range maxPrefix {
			k := strings.IndexByte(name[at:], '.')
			if k < 0 {
				break
			}
			at += k + 1
			seen[name[:at]] = true
		}
	}
	list := slices.Sorted(maps.Keys(seen))
	slices.SortStableFunc(list, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
	return list
}

// below are the tensors whose names begin with a prefix, without it.
func (p *Params) below(prefix string) *Params {
	q := &Params{source: p.source, byName: map[string]*format.Tensor{}, taken: map[string]bool{}}
	for name, t := range p.byName {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			q.byName[rest] = t
		}
	}
	return q
}

// beside sorts out what a file has beside the network below f.Prefix: the mean and
// deviation of a normalisation, and the rest.
func (p *Params) beside(f *Fit, channels int) error {
	for _, name := range slices.Sorted(maps.Keys(p.byName)) {
		if strings.HasPrefix(name, f.Prefix) {
			continue
		}
		t, to := p.byName[name], f.normalisation(name[strings.LastIndexByte(name, '.')+1:])
		if to == nil || len(t.Data) != channels && len(t.Data) != 1 {
			f.Unused = append(f.Unused, name)
			continue
		}
		if err := p.keep(to, name, channels); err != nil {
			return err
		}
	}
	return nil
}

// normalisation is where the mean or deviation of that name goes, nil for
// another name.
func (f *Fit) normalisation(name string) *[]float64 {
	switch name {
	case "mean", "mu":
		return &f.Mean
	case "std", "sigma":
		return &f.Std
	}
	return nil
}

// keep puts a tensor of a normalisation where it belongs.
func (p *Params) keep(to *[]float64, name string, channels int) error {
	t := p.byName[name]
	if *to != nil {
		return fmt.Errorf("weights %s: several tensors that may be the normalisation's %s", p.source, name)
	}
	if len(t.Data) != channels && len(t.Data) != 1 {
		return fmt.Errorf("weights %s: tensor %s has %d numbers for %d channels", p.source, name, len(t.Data), channels)
	}
	for _, v := range t.Data {
		*to = append(*to, float64(v))
	}
	return nil
}

// withoutNormalisation are the tensors but for a mean and deviation of no
// prefix, nil where there are none.
func (p *Params) withoutNormalisation() *Params {
	q := p.Afresh()
	q.byName = maps.Clone(p.byName)
	for name := range p.byName {
		if (&Fit{}).normalisation(name) != nil {
			delete(q.byName, name)
		}
	}
	if len(q.byName) == len(p.byName) {
		return nil
	}
	return q
}
