package baseline

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sapf/sapf"
)

// TestOptions_defaults: every attack resolves, and a resolved struct resolves
// to itself.
func TestOptions_defaults(t *testing.T) {
	for _, e := range All() {
		a := e.New()
		values, err := Options(a)
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		if len(values) != len(OptionNames(a)) {
			t.Errorf("%s: %d values for %d options", e.Name, len(values), len(OptionNames(a)))
		}
		for _, p := range Presets(a) {
			if err := Set(a, "preset", p); err != nil {
				t.Errorf("%s: preset %s: %v", e.Name, p, err)
			}
			with, err := Options(a)
			if err != nil {
				t.Errorf("%s: preset %s: %v", e.Name, p, err)
			}
			if reflect.DeepEqual(with, values) {
				t.Errorf("%s: preset %s changes nothing", e.Name, p)
			}
		}
	}
}

func TestSet(t *testing.T) {
	a, _ := New("cw-l0")
	for _, s := range [][2]string{{"steps", "77"}, {"step_size", "0.5"}, {"independent_channels", "true"}} {
		if err := Set(a, s[0], s[1]); err != nil {
			t.Error(err)
		}
	}
	if got := a.(*CWL0); got.Steps != 77 || got.StepSize != 0.5 || !got.IndependentChannels {
		t.Errorf("after Set: %+v", got)
	}
	// A field set by hand beats the preset, the preset beats the default.
	p := &PGDL0{Preset: "table1", K: 7}
	values, err := Options(p)
	if err != nil || values["k"] != 7 || values["constraint"] != "linf" || values["steps"] != 100 {
		t.Errorf("options %v (%v), expected k 7, constraint linf, steps 100", values, err)
	}
}

// TestFailure28_UnknownOption and 29: what cannot be meant is refused, and
// nothing is changed.
func TestFailure28_UnknownOption(t *testing.T) {
	for _, c := range []struct{ attack, name, value, want string }{
		{"cw-l0", "stepsize", "1", `"step_size"`},
		{"cw-l0", "inital_const", "1", `"initial_const"`},
		{"pgd-l0", "constraint", "l3", "sigma"},
		{"pgd-l0", "preset", "tabel1", "table1"},
		{"cw-l2", "preset", "x", "none"},
	} {
		a, _ := New(c.attack)
		before := fmt.Sprintf("%+v", a)
		if err := Set(a, c.name, c.value); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.attack) {
			t.Errorf("%s: set %s=%s: %v, expected an error naming %s and %s", c.attack, c.name, c.value, err, c.attack, c.want)
		}
		if after := fmt.Sprintf("%+v", a); after != before {
			t.Errorf("%s: a refused option changed %s to %s", c.attack, before, after)
		}
	}
}

func TestFailure29_WrongValue(t *testing.T) {
	for _, c := range []struct{ attack, name, value string }{
		{"cw-l0", "steps", "many"}, {"cw-l0", "steps", "-1"}, {"cw-l0", "steps", "0"}, {"cw-l0", "steps", "1.5"},
		{"cw-l0", "step_size", "NaN"}, {"cw-l0", "step_size", "+Inf"}, {"cw-l0", "step_size", ""},
		{"fgsm", "epsilon", "2"}, {"pgd-l0", "seed", "-1"}, {"cw-l0", "reduce_const", "maybe"},
	} {
		a, _ := New(c.attack)
		if err := Set(a, c.name, c.value); err == nil {
			t.Errorf("%s: %s=%s is accepted", c.attack, c.name, c.value)
		}
	}
	m, x, _ := linearModel(t, 2, 1, 1)
	for _, a := range []sapf.Attack{CWL0{Steps: -1}, FGSM{Epsilon: 2}, PGDL0{Constraint: "l7"}, PGDL0{Preset: "no"}} {
		if _, err := a.Run(context.Background(), m, x, sapf.Goal{Label: 0, Target: 1}); err == nil {
			t.Errorf("%+v runs", a)
		}
	}
	if err := Set(CWL0{}, "steps", "3"); err == nil {
		t.Error("an attack that is no pointer is set")
	}
}

func ExampleNames() {
	for _, e := range All() {
		fmt.Printf("%-13s keeps %-8s by %s\n", e.Name, e.Keeps, e.Access)
	}
	// Output:
	// cw-l0         keeps pixels   by gradient
	// one-pixel     keeps pixels   by score
	// sparsefool    keeps entries  by gradient
	// cornersearch  keeps pixels   by score
	// pgd-l0        keeps pixels   by gradient
	// strattack     keeps l2       by gradient
	// jsma          keeps entries  by gradient
	// lavan         keeps patch    by gradient
	// l0-admm       keeps entries  by gradient
	// cw-l2         keeps l2       by gradient
	// deepfool      keeps l2       by gradient
	// fgsm          keeps linf     by gradient
	// pgd-linf      keeps linf     by gradient
	// sigma-zero    keeps entries  by gradient
	// fmn-l0        keeps entries  by gradient
	// sparse-rs     keeps pixels   by score
	// greedyfool    keeps pixels   by gradient
	// ead-l1        keeps l1       by gradient
}

func ExampleSet() {
	a, _ := New("pgd-l0")
	fmt.Println(Set(a, "preset", "table1"))
	fmt.Println(Set(a, "step", "3"))
	values, _ := Options(a)
	fmt.Println(values["constraint"], values["k"])
	// Output:
	// <nil>
	// pgd-l0: unknown option "step", did you mean "steps"?
	// linf 185
}
