package baseline

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sapf/sapf/attack"
)

// TestOptions_defaults: every attack resolves, and a resolved struct resolves
// to itself.
func TestOptions_defaults(t *testing.T) {
	for _, e := range All() {
		a := e.New()
		values, err := attack.Options(a)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		for name := range values {
			if !slices.Contains(attack.OptionNames(a), name) {
				t.Errorf("%s: option %s is not listed", e.Name, name)
			}
		}
		for _, p := range attack.Presets(a) {
			if err := attack.Set(a, "preset", p); err != nil {
				t.Errorf("%s: preset %s: %v", e.Name, p, err)
			}
			with, err := attack.Options(a)
			if err != nil {
				t.Errorf("%s: preset %s: %v", e.Name, p, err)
			}
			if reflect.DeepEqual(with, values) && p != "default" { // SAPF's has a name
				t.Errorf("%s: preset %s changes nothing", e.Name, p)
			}
		}
	}
}

func TestSet(t *testing.T) {
	a, _ := New("cw-l0")
	for _, s := range [][2]string{{"steps", "77"}, {"step_size", "0.5"}, {"independent_channels", "true"}} {
		if err := attack.Set(a, s[0], s[1]); err != nil {
			t.Error(err)
		}
	}
	if got := a.(*CWL0); got.Steps != 77 || got.StepSize != 0.5 || !got.IndependentChannels {
		t.Errorf("after Set: %+v", got)
	}
	// A field set by hand beats the preset, the preset beats the default.
	p := &PGDL0{Preset: "table1", K: 7}
	values, err := attack.Options(p)
	if err != nil || values["k"] != 7 || values["constraint"] != "linf" || values["steps"] != 100 {
		t.Errorf("options %v (%v), expected k 7, constraint linf, steps 100", values, err)
	}
}

// TestFailure28_UnknownOption and 29: what cannot be meant is refused, and
// nothing is changed.
func TestFailure28_UnknownOption(t *testing.T) {
	for _, c := range []struct{ method, name, value, want string }{
		{"cw-l0", "stepsize", "1", `"step_size"`},
		{"cw-l0", "inital_const", "1", `"initial_const"`},
		{"pgd-l0", "constraint", "l3", "sigma"},
		{"pgd-l0", "preset", "tabel1", "table1"},
		{"cw-l2", "preset", "x", "none"},
	} {
		a, _ := New(c.method)
		before := fmt.Sprintf("%+v", a)
		if err := attack.Set(a, c.name, c.value); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.method) {
			t.Errorf("%s: set %s=%s: %v, expected an error naming %s and %s", c.method, c.name, c.value, err, c.method, c.want)
		}
		if after := fmt.Sprintf("%+v", a); after != before {
			t.Errorf("%s: a refused option changed %s to %s", c.method, before, after)
		}
	}
}

func TestFailure29_WrongValue(t *testing.T) {
	for _, c := range []struct{ method, name, value string }{
		{"cw-l0", "steps", "many"}, {"cw-l0", "steps", "-1"}, {"cw-l0", "steps", "0"}, {"cw-l0", "steps", "1.5"},
		{"cw-l0", "step_size", "NaN"}, {"cw-l0", "step_size", "+Inf"}, {"cw-l0", "step_size", ""},
		{"fgsm", "epsilon", "2"}, {"pgd-l0", "seed", "-1"}, {"cw-l0", "reduce_const", "maybe"},
	} {
		a, _ := New(c.method)
		if err := attack.Set(a, c.name, c.value); err == nil {
			t.Errorf("%s: %s=%s is accepted", c.method, c.name, c.value)
		}
	}
	m, x, _ := linearModel(t, 2, 1, 1)
	for _, a := range []attack.Attack{CWL0{Steps: -1}, FGSM{Epsilon: 2}, PGDL0{Constraint: "l7"}, PGDL0{Preset: "no"}} {
		if _, err := a.Run(context.Background(), m, x, attack.Goal{Label: 0, Target: 1}); err == nil {
			t.Errorf("%+v runs", a)
		}
	}
	if err := attack.Set(CWL0{}, "steps", "3"); err == nil {
		t.Error("an attack that is no pointer is set")
	}
}

func ExampleAll() {
	for _, e := range All()[:3] {
		fmt.Printf("%-13s keeps %-6s by %s: %s\n", e.Name, e.Keeps, e.Access, e.About)
	}
	// Output:
	// sapf          keeps l2     by gradient: magnitudes times a binary selection of k entries, found in turn by gradient steps and lp-box ADMM
	// sapf-matched  keeps l2     by gradient: sapf with the k that another attack (option to) needed on the same image
	// cw-l0-matched keeps l2     by gradient: cw-l0 ended at the count that another attack (option to) needed on the same image
}

func ExampleNew() {
	a, _ := New("pgd-l0")
	fmt.Println(attack.Set(a, "preset", "table1"))
	fmt.Println(attack.Set(a, "step", "3"))
	values, _ := attack.Options(a)
	fmt.Println(values["constraint"], values["k"])
	// Output:
	// <nil>
	// pgd-l0: unknown option "step", did you mean "steps"?
	// linf 185
}
