package study

import (
	"context"
	"fmt"
	"strings"

	"sapf/sapf"
	"sapf/sapf/attack"
)

// Variant is a change of settings with a name: "loss=ce", or several settings
// separated by spaces.
type Variant string

// apply returns the settings with the variant's values.
func (v Variant) apply(s sapf.Settings) (sapf.Settings, error) {
	for _, pair := range strings.Fields(string(v)) {
		name, value, _ := strings.Cut(pair, "=")
		if err := s.Set(name, value); err != nil {
			return s, err
		}
	}
	return s, nil
}

// TableOfDivergences are the choices in which the paper and the authors'
// program differ (package sapf's comment), each as a change of the reference.
// Rows that need another schedule, or superpixels, say so in their values.
var TableOfDivergences = []Variant{
	"loss=ce",                 // 2
	"outer=2",                 // 5
	"tune_steps=0 round=topk", // 7
	"round=topk",              // 8
	"round=topk_product",      // 8
	"rho_sphere_max=10 rho_card_max=100 guard=cap", // 9
	"outer=2 reset_duals=false",                    // 11
	"step_min=0",                                   // 12
	"lambda2=0.001",                                // 14
	"lambda2=0.001 group_mode=gradient",            // 13
	"weight=variance",                              // 15
	"weight=variance weight_stat=population weight_scale=max", // 15
	"share=pixel k=60", // 16
	"guard=cap",        // the penalties grow without bound
	"guard=implicit",   // as above
}

// Divergences runs SAPF on the tasks, whatever their attack, as the settings say
// and with each variant: what each choice costs.
func Divergences(ctx context.Context, m attack.Classifier, tasks []attack.Task, s sapf.Settings, variants ...Variant) (Table, error) {
	var t Table
	for _, v := range append([]Variant{""}, variants...) {
		changed, err := v.apply(s)
		if err != nil {
			return t, fmt.Errorf("variant %q: %w", v, err)
		}
		name := string(v)
		if name == "" {
			name = "as it is"
		}
		row, err := run(ctx, m, tasks, changed, name)
		if err != nil {
			return t, fmt.Errorf("variant %q: %w", v, err)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}
