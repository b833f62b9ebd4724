package sapf

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sapf/sapf/option"
)

// TestOptionsHaveTheFieldsOfSettings: what can be set can be written in a
// notebook, under the same name and type.
func TestOptionsHaveTheFieldsOfSettings(t *testing.T) {
	s, o := reflect.TypeOf(Settings{}), reflect.TypeOf(Options{})
	for i := range s.NumField() {
		f := s.Field(i)
		if g, ok := o.FieldByName(f.Name); !ok || g.Type != f.Type {
			t.Errorf("Settings.%s (%v) is not a field of Options", f.Name, f.Type)
		}
	}
	if extra := o.NumField() - s.NumField(); extra != 2 { // Set and Steps
		t.Errorf("Options has %d fields that Settings lacks, want 2", extra)
	}
}

func TestPresetsAreValidAndPrint(t *testing.T) {
	for _, name := range append(Presets(), "") {
		s, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again := Settings{Preset: s.Preset}
		for _, line := range strings.Split(s.String(), "\n") {
			k, v, _ := strings.Cut(line, "=")
			if err := again.Set(k, v); err != nil {
				t.Error(err)
			}
		}
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s does not survive printing and setting:\n%v\n%v", name, s, again)
		}
		if len(s.Map()) != len(s.Names()) {
			t.Errorf("Map has %d settings, Names %d", len(s.Map()), len(s.Names()))
		}
	}
	if _, err := Preset("papr"); err == nil || !strings.Contains(err.Error(), `"paper"`) {
		t.Errorf("preset papr: %v", err)
	}
}

func TestOptionsResolve(t *testing.T) {
	s, err := Options{Preset: "paper", K: 50, Lambda1: 0.01, Set: map[string]any{"lambda2": 0, "stop_at_first_success": false, "rho_card_max": 0.5}}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	want := Paper()
	want.K, want.Lambda1, want.StopAtFirstSuccess, want.RhoCardMax = 50, 0.01, false, 0.5
	if !reflect.DeepEqual(s, want) {
		t.Errorf("resolved\n%v\nwant\n%v", s, want)
	}
	exact := Reference()
	exact.Preset, exact.Round = "default", "topk"
	if s, _ := (Options{}).Resolve(); !reflect.DeepEqual(s, exact) {
		t.Error("the zero Options are not the reference with exactly k")
	}
	if s, _ := (Options{Preset: "reference"}).Resolve(); !reflect.DeepEqual(s, Reference()) {
		t.Error("the preset reference is not the reference")
	}
	a, _ := Options{Steps: 500, TuneSteps: 7}.Resolve()
	b, _ := Options{TuneSteps: 7, Set: map[string]any{"steps": "500"}}.Resolve()
	if !reflect.DeepEqual(a, b) || a.DeltaSteps != 500 || a.MaskSteps != 500 || a.StepEvery != 13 || a.TuneSteps != 7 {
		t.Errorf("steps 500: %v", a)
	}
}

func TestFailure28_UnknownSetting(t *testing.T) {
	s := Reference()
	err := s.Set("lamda1", "0.1")
	var unknown *option.UnknownError
	if !errors.As(err, &unknown) || unknown.Nearest != "lambda1" {
		t.Errorf("lamda1: %v, want the nearest name", err)
	}
	if _, err := (Options{Set: map[string]any{"rho_crd": 1}}).Resolve(); err == nil || !strings.Contains(err.Error(), `"rho_card"`) {
		t.Errorf("rho_crd: %v", err)
	}
}

func TestFailure29_SettingsOutOfRange(t *testing.T) {
	for _, pair := range []string{"delta_steps=-1", "step_size=NaN", "step_size=0", "lambda1=0", "lambda1=inf", "k=many", "search_rounds=0", "loss=mse", "rho_growth=0.9",
		"step_decay=0", "guard=on", "weight=entropy", "share=row", "keep=best", "stop_at_first_success=maybe", "outer=1.5"} {
		s := Reference()
		name, value, _ := strings.Cut(pair, "=")
		if err := s.Set(name, value); err == nil {
			t.Errorf("%s was accepted", pair)
		}
		if !reflect.DeepEqual(s, Reference()) {
			t.Errorf("%s was refused, and changed the settings", pair)
		}
	}
	for _, o := range []Options{{K: -1}, {Lambda1: 200}, {WeightWindow: 4}, {Steps: -5}, {Set: map[string]any{"steps": 0}}, {DeltaSteps: -3}} {
		if _, err := o.Resolve(); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func ExampleSettings_Set() {
	s := Paper()
	fmt.Println(s.Set("lambda2", "10"), s.Lambda2)
	fmt.Println(s.Set("lamda2", "10"))
	fmt.Println(s.Set("delta_steps", "-1"))
	// Output:
	// <nil> 10
	// unknown option "lamda2", did you mean "lambda2"?
	// option delta_steps: -1, expected a number in [0,inf)
}
