package spec

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"sapf/models"
	"sapf/models/plain"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// Resolve loads what a spec names, checks all of it and freezes it. The context
// ends the classification of images, which choosing the correct ones needs.
func Resolve(ctx context.Context, s Spec, catalogue Catalogue) (*Plan, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	p := &Plan{Schema: planSchema, Batch: cmp.Or(s.Batch, attack.LargestBatch), Dataset: cmp.Or(s.Images.Set, "pictures")}
	var loaded []*models.Model
	for _, m := range s.Models {
		o, err := m.Options()
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
		one, err := models.Load(m.Name, o)
		if err != nil {
			return nil, err
		}
		if len(loaded) > 0 && (one.InputShape() != loaded[0].InputShape() || len(one.Classes()) != len(loaded[0].Classes())) {
			return nil, fmt.Errorf("models %s and %s take images or have classes that differ, expected one kind in a sweep", s.Models[0].Name, m.Name)
		}
		loaded = append(loaded, one)
		from := m.Name
		if _, err := os.Stat(from); err == nil {
			if from, err = filepath.Abs(from); err != nil {
				return nil, err
			}
		}
		card, load := one.Card(), m.Load
		load.Arch, load.Classes = "", "" // the plan has them, resolved
		p.Models = append(p.Models, PlanModel{
			Name: card.Name, From: from, Arch: cmp.Or(m.Arch, card.Architecture), Load: load, Loaded: card.Loaded,
			SHA256: card.SHA256, Profile: one.Profile().String(), Classes: one.Classes(),
		})
	}
	if err := p.tellApart(); err != nil {
		return nil, err
	}
	for _, m := range s.Methods {
		expanded, err := m.expand(catalogue)
		if err != nil {
			return nil, err
		}
		p.Methods = append(p.Methods, expanded...)
	}
	if err := p.label(); err != nil {
		return nil, err
	}
	if err := s.choose(ctx, p, loaded); err != nil {
		return nil, err
	}
	attacks := 0
	for _, x := range p.Images {
		attacks += len(x.Targets) * len(p.Methods) * len(p.Models)
	}
	if attacks > LargestPlan {
		return nil, fmt.Errorf("sweep: %d attacks, expected at most %d: make several of it", attacks, LargestPlan)
	}
	for _, x := range p.Images {
		if len(x.Targets) > 0 {
			return p, p.rehearse(catalogue, loaded, x)
		}
	}
	return nil, errors.New("targets: nothing is left to attack: every image is of the only class that is given")
}

// label gives methods of one name different labels. One that is there twice, with
// the same value for every option, is refused.
func (p *Plan) label() error {
	labels, seen := map[string]bool{}, map[string]string{}
	for i := range p.Methods {
		m := &p.Methods[i]
		raw, err := json.Marshal([]any{m.Name, m.Version, m.Options})
		if err != nil {
			return err
		}
		if other, ok := seen[string(raw)]; ok {
			return fmt.Errorf("methods: %s is there twice: %q and %q have the same value for every option", m.Name, other, m.Label)
		}
		seen[string(raw)] = m.Label
		label := m.Label
		for n := 2; labels[m.Label]; n++ { // two entries of the list with one name
			m.Label = fmt.Sprintf("%s (%d)", label, n)
		}
		labels[m.Label] = true
	}
	return nil
}

// tellApart gives models of one name that are loaded in different ways different
// names. One that is there twice, loaded in one way, is refused.
func (p *Plan) tellApart() error {
	names := map[string]int{}
	for i, m := range p.Models {
		names[m.Name]++
		for _, other := range p.Models[:i] {
			if m.SHA256 == other.SHA256 && m.Loaded == other.Loaded {
				return fmt.Errorf("models: %s is there twice: %q and %q have the same weights", m.Name, other.From, m.From)
			}
		}
	}
	for i, m := range p.Models {
		if names[m.Name] > 1 && m.Loaded != "" {
			p.Models[i].Name += " (" + m.Loaded + ")"
		}
	}
	return nil
}

// expand is the method with each combination of the grid's values.
func (m Method) expand(catalogue Catalogue) ([]PlanMethod, error) {
	for name := range m.Grid {
		if v, ok := m.Options[name]; ok {
			return nil, fmt.Errorf("%s: option %s is %s and in the grid, expected one of them", m.Name, name, v)
		}
	}
	n := 1
	for _, values := range m.Grid {
		if n *= len(values); n > LargestGrid {
			return nil, fmt.Errorf("%s: the grid has more than %d combinations: give fewer values", m.Name, LargestGrid)
		}
	}
	combinations := []map[string]string{maps.Clone(m.Options)}
	for _, name := range sorted(m.Grid) {
		var more []map[string]string
		for _, c := range combinations {
			for _, v := range m.Grid[name] {
				with := maps.Clone(c)
				if with == nil {
					with = map[string]string{}
				}
				with[name] = v
				more = append(more, with)
			}
		}
		combinations = more
	}
	var out []PlanMethod
	for _, set := range combinations {
		a, err := sweep.Build(catalogue, m.Name, m.Preset, set)
		if err != nil {
			return nil, err
		}
		options, err := attack.Options(a)
		if err != nil {
			return nil, err
		}
		if options, err = asJSON(options); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		version, err := sweep.VersionOf(a)
		if err != nil {
			return nil, err
		}
		if set == nil {
			set = map[string]string{}
		}
		label := a.Name()
		switch {
		case m.As != "":
			label = plain.Line(m.As)
		case m.Preset != "":
			label += " " + m.Preset
		}
		for _, name := range sorted(m.Grid) {
			label += " " + name + "=" + set[name]
		}
		out = append(out, PlanMethod{Label: label, Name: a.Name(), Preset: m.Preset, Version: version, Set: set, Options: options})
	}
	return out, nil
}

// asJSON are options as JSON has them, so that a plan that was read again is the
// same as one that was made.
func asJSON(options map[string]any) (map[string]any, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	return out, exactly(raw, &out)
}

// Attack makes the method's attack. It refuses one whose options or version have
// become others since the plan was made.
func (m PlanMethod) Attack(catalogue Catalogue) (attack.Attack, error) {
	a, err := sweep.Build(catalogue, m.Name, m.Preset, m.Set)
	if err != nil {
		return nil, err
	}
	options, err := attack.Options(a)
	if err != nil {
		return nil, err
	}
	if options, err = asJSON(options); err != nil {
		return nil, err
	}
	version, err := sweep.VersionOf(a)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(options, m.Options) || version != m.Version {
		return nil, fmt.Errorf("%s has other defaults or another version here than when the sweep was planned: plan it again", m.Label)
	}
	return a, nil
}

// targetsOf are the targets of an image with a label (or, if that is unknown, a
// prediction), in rising order.
func (t Targets) targetsOf(classes []string, own int, digest string) ([]int, error) {
	var out []int
	switch {
	case t.None:
		return []int{attack.None}, nil
	case len(t.Classes) > 0:
		for _, c := range t.Classes {
			i, err := models.ClassIndex(classes, c)
			if err != nil {
				return nil, fmt.Errorf("targets: %w", err)
			}
			if i != own && !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	default:
		for i := range classes {
			if i != own {
				out = append(out, i)
			}
		}
	}
	if t.Random > 0 {
		if t.Random > len(out) {
			return nil, fmt.Errorf("targets: %d random ones, expected at most the %d other classes", t.Random, len(out))
		}
		draw := rand.New(rand.NewPCG(t.Seed, seedOf(digest)))
		draw.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		out = out[:t.Random]
	}
	slices.Sort(out)
	return out, nil
}

// seedOf is a number that a word decides.
func seedOf(word string) uint64 {
	sum := sha256.Sum256([]byte(strings.ToLower(word)))
	return binary.LittleEndian.Uint64(sum[:])
}
