package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"sapf/models/plain"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// planSchema changes with the form of a Plan.
const planSchema = 1

// Plan is a sweep with everything that decides its results written out. Its
// JSON is canonical: one plan has one text.
type Plan struct {
	Schema  int            `json:"schema"`
	Dataset string         `json:"dataset"`
	Models  []PlanModel    `json:"models"`
	Methods []PlanMethod   `json:"methods"`
	Images  []PlanImage    `json:"images"`
	Batch   int            `json:"batch"`
	Left    map[string]int `json:"left_out,omitempty"` // images that the spec's choice left out, by reason
}

// PlanModel is a model of a plan.
type PlanModel struct {
	Name string `json:"name"`
	// From is what it is loaded by: a name or a file. Arch is its architecture,
	// Load how it is loaded besides, and Loaded what keys know of that.
	From    string   `json:"from"`
	Arch    string   `json:"arch"`
	Load    Load     `json:"load,omitzero"`
	Loaded  string   `json:"loaded,omitempty"`
	SHA256  string   `json:"sha256"`
	Profile string   `json:"profile"`
	Classes []string `json:"classes"`
}

// PlanMethod is a method with one value for every option.
type PlanMethod struct {
	// Label tells methods of one name apart: "fmn-l0 step_size=0.5".
	Label   string `json:"label"`
	Name    string `json:"name"`
	Preset  string `json:"preset,omitempty"`
	Version string `json:"version,omitempty"`
	// Set are the options as the spec gives them, Options all of them, resolved.
	Set     map[string]string `json:"set"`
	Options map[string]any    `json:"options"`
}

// PlanImage is an image with its targets.
type PlanImage struct {
	Name string `json:"name"`
	// Set and Record say where the image is found, or File (a file, a sample).
	Set    string `json:"set,omitempty"`
	Record int    `json:"record"`
	File   string `json:"file,omitempty"`
	Resize bool   `json:"resize,omitempty"`
	SHA256 string `json:"sha256"`
	// Label is the true class, From the class that attacks are to leave: the
	// label, or for untargeted attacks on an image without one its prediction.
	// Both are attack.None where they are unknown.
	Label int `json:"label"`
	From  int `json:"from"`
	// Targets are class indices; attack.None is untargeted.
	Targets []int `json:"targets"`
}

// Unit is one attack of a plan: indices into its models, images and methods.
type Unit struct {
	Key    string `json:"key"`
	Model  int    `json:"model"`
	Image  int    `json:"image"`
	Method int    `json:"method"`
	Target int    `json:"target"`
}

// Group is attacks that run together: of one model and one method, on the
// targets of one image or a few.
type Group struct {
	// ID is a digest of the keys.
	ID    string `json:"id"`
	Units []Unit `json:"units"`
}

// Encode is the plan as canonical JSON.
func (p *Plan) Encode() ([]byte, error) {
	raw, err := json.MarshalIndent(p, "", " ")
	return append(raw, '\n'), err
}

// Decode reads what Encode wrote.
func Decode(raw []byte) (*Plan, error) {
	p := &Plan{}
	if err := exactly(raw, p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if p.Schema != planSchema {
		return nil, fmt.Errorf("plan of schema %d, expected %d", p.Schema, planSchema)
	}
	if len(p.Models) == 0 || len(p.Methods) == 0 {
		return nil, fmt.Errorf("plan: %d models and %d methods, expected at least one of each", len(p.Models), len(p.Methods))
	}
	if p.Batch < 1 || p.Batch > LargestBatch {
		return nil, fmt.Errorf("plan: batch %d, expected 1 to %d", p.Batch, LargestBatch)
	}
	return p, nil
}

// exactly reads JSON with its numbers as they are written.
func exactly(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return plain.BadJSON(d.Decode(v))
}

// Groups are all attacks of the plan, in the order of models, images and
// methods, so that an image is done with every method before the next one. An
// attack that was there already (two images alike) comes once.
func (p *Plan) Groups() ([]Group, error) {
	var out []Group
	seen := map[string]bool{}
	for m := range p.Models {
		for first := 0; first < len(p.Images); {
			last, n := first, 0
			for last < len(p.Images) && (last == first || n+len(p.Images[last].Targets) <= p.Batch) {
				n += len(p.Images[last].Targets)
				last++
			}
			for method := range p.Methods {
				var units []Unit
				for i := first; i < last; i++ {
					for _, target := range p.Images[i].Targets {
						u := Unit{Model: m, Image: i, Method: method, Target: target}
						var err error
						if u.Key, err = p.key(u); err != nil {
							return nil, err
						}
						if !seen[u.Key] {
							seen[u.Key] = true
							units = append(units, u)
						}
					}
				}
				for len(units) > 0 {
					n := min(len(units), p.Batch)
					out = append(out, NewGroup(units[:n:n]))
					units = units[n:]
				}
			}
			first = last
		}
	}
	return out, nil
}

// NewGroup is the group of some units, not none.
func NewGroup(units []Unit) Group { return Group{groupID(units), units} }

func groupID(units []Unit) string {
	var keys strings.Builder
	for _, u := range units {
		keys.WriteString(u.Key)
	}
	sum := sha256.Sum256([]byte(keys.String()))
	return hex.EncodeToString(sum[:])
}

// key is the key of the unit's task, from the plan alone.
func (p *Plan) key(u Unit) (string, error) {
	m, x, a := p.Models[u.Model], p.Images[u.Image], p.Methods[u.Method]
	return sweep.Determinants{
		Method: a.Name, Version: a.Version, Options: a.Options, Model: m.SHA256, Loaded: m.Loaded,
		Image: x.SHA256, Label: x.From, Target: u.Target, Profile: m.Profile,
	}.Key()
}

// Valid reports whether a unit is one of the plan: indices of another plan's name
// nothing here.
func (p *Plan) Valid(u Unit) bool {
	in := func(i, n int) bool { return i >= 0 && i < n }
	return in(u.Model, len(p.Models)) && in(u.Image, len(p.Images)) && in(u.Method, len(p.Methods)) &&
		(u.Target == attack.None || in(u.Target, len(p.Models[u.Model].Classes)))
}

// Describe says in words what a unit is.
func (p *Plan) Describe(u Unit) string {
	s := fmt.Sprintf("%s on %s of %s", p.Methods[u.Method].Label, p.Images[u.Image].Name, p.Models[u.Model].Name)
	if u.Target != attack.None {
		s += " to " + p.Models[u.Model].Classes[u.Target]
	}
	return s
}

// Goal is what the unit's attack is to reach.
func (p *Plan) Goal(u Unit) attack.Goal {
	return attack.Goal{Label: p.Images[u.Image].From, Target: u.Target}
}
