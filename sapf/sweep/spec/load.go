package spec

import (
	"fmt"
	"reflect"

	"sapf/models"
	"sapf/models/engine"
)

// Load says how a model is read, where its file does not say: models.LoadOptions
// in words, by the names of the flags of `sapf attack`.
type Load struct {
	// Arch is the architecture; Classes are where the names of the classes are.
	Arch    string `json:"arch,omitempty"`
	Classes string `json:"classes,omitempty"`
	// Mean, Std and Scale are a normalisation that is outside of the network.
	Mean  []float64 `json:"mean,omitempty"`
	Std   []float64 `json:"std,omitempty"`
	Scale float64   `json:"scale,omitempty"`
	// LogitScale divides the logits.
	LogitScale float64 `json:"logit_scale,omitempty"`
	// Output and Input ("3x224x224"), Binary and Probabilities are of ONNX files.
	Output        string `json:"output,omitempty"`
	Input         string `json:"input,omitempty"`
	Binary        bool   `json:"binary,omitempty"`
	Probabilities bool   `json:"probabilities,omitempty"`
}

// Options are what models.Load takes.
func (l Load) Options() (models.LoadOptions, error) {
	o := models.LoadOptions{
		Arch: l.Arch, ClassNames: l.Classes, LogitScale: l.LogitScale, Output: l.Output, Binary: l.Binary, Probabilities: l.Probabilities,
		Normalisation: models.Normalisation{Mean: l.Mean, Std: l.Std, Scale: l.Scale},
	}
	if l.Input == "" {
		return o, nil
	}
	var rest string
	n, _ := fmt.Sscanf(l.Input+" .", "%dx%dx%d %s", &o.Input.C, &o.Input.H, &o.Input.W, &rest) // n says how much of it was read
	if n != 4 || rest != "." || min(o.Input.C, o.Input.H, o.Input.W) < 1 {
		return o, fmt.Errorf("input %q, expected channels x rows x columns, as 3x224x224", l.Input)
	}
	return o, nil
}

// LoadOf is the Load with some options, the inverse of Options, for what has no
// words an error.
func LoadOf(o models.LoadOptions) (Load, error) {
	l := Load{
		Arch: o.Arch, Classes: o.ClassNames, LogitScale: o.LogitScale, Output: o.Output, Binary: o.Binary, Probabilities: o.Probabilities,
		Mean: o.Normalisation.Mean, Std: o.Normalisation.Std, Scale: o.Normalisation.Scale,
	}
	if o.Input != (engine.Shape{}) {
		l.Input = o.Input.String()
	}
	if again, err := l.Options(); err != nil || !reflect.DeepEqual(again, o) {
		return l, fmt.Errorf("a sweep cannot write down how the model is loaded: %+v", o)
	}
	return l, nil
}

// Open loads a model of a plan as the plan was made with it. What is there may be
// another model all the same: see Fits of package runs.
func (p PlanModel) Open() (*models.Model, error) {
	o, err := p.Load.Options()
	if err != nil {
		return nil, err
	}
	o.Arch, o.Classes = p.Arch, p.Classes
	return models.Load(p.From, o)
}

// load reads the words of a specification.
func (r *reader) load(m *Model) map[string]func(at string, v any) {
	name := func(at string, v any) {
		if m.Name != "" {
			r.fail(at, "%q, and %q already: expected one of name and file", v, m.Name)
		}
		m.Name = r.text(at, v)
	}
	word := func(into *string) func(string, any) { return func(at string, v any) { *into = r.text(at, v) } }
	yes := func(into *bool) func(string, any) { return func(at string, v any) { *into = r.yes(at, v) } }
	numbers := func(into *[]float64) func(string, any) {
		return func(at string, v any) {
			if _, ok := v.([]any); !ok {
				v = []any{v}
			}
			each(r, at, v, func(at string, v any) { *into = append(*into, r.number(at, v)) })
		}
	}
	number := func(into *float64) func(string, any) { return func(at string, v any) { *into = r.number(at, v) } }
	return map[string]func(string, any){
		"name": name, "file": name, "arch": word(&m.Arch), "classes": word(&m.Classes),
		"mean": numbers(&m.Mean), "std": numbers(&m.Std), "scale": number(&m.Scale), "logit_scale": number(&m.LogitScale),
		"output": word(&m.Output), "input": word(&m.Input), "binary": yes(&m.Binary), "probabilities": yes(&m.Probabilities),
	}
}
