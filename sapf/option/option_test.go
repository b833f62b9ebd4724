package option

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

type sample struct {
	Loss      string `oneof:"cw ce"`
	Steps     int    `range:"[1,inf)"`
	StepSize  float64
	Decay     float64 `range:"(0,1]"`
	EarlyStop bool
	RhoBoxMax float64
	L0Pixels  int
	Seed      uint64
	Hook      func()
	Hidden    int `option:"-"`
}

func TestNamesAreSnakeCase(t *testing.T) {
	want := []string{"loss", "steps", "step_size", "decay", "early_stop", "rho_box_max", "l0_pixels", "seed"}
	if got := Names(sample{}); !reflect.DeepEqual(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if got := snake("TVWeight"); got != "tv_weight" {
		t.Errorf("TVWeight is %q, want tv_weight", got)
	}
}

func TestSetStoresEveryKind(t *testing.T) {
	s := sample{Loss: "cw", Steps: 1, Decay: 1}
	for _, c := range [][2]string{{"loss", "ce"}, {"steps", "7"}, {"step_size", "0.25"}, {"early_stop", "true"}, {"seed", "18446744073709551615"}} {
		if err := Set(&s, c[0], c[1]); err != nil {
			t.Error(err)
		}
	}
	want := sample{Loss: "ce", Steps: 7, StepSize: 0.25, Decay: 1, EarlyStop: true, Seed: 1<<64 - 1}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("after Set %+v, want %+v", s, want)
	}
	t.Log(Format(s, " "))
	again := sample{}
	for _, pair := range strings.Fields(Format(s, " ")) {
		name, value, _ := strings.Cut(pair, "=")
		if err := Set(&again, name, value); err != nil {
			t.Error(err)
		}
	}
	if !reflect.DeepEqual(s, again) {
		t.Errorf("Format and Set give %+v, want %+v", again, s)
	}
}

func TestFailure28_UnknownOption(t *testing.T) {
	var unknown *UnknownError
	if err := Set(&sample{}, "stepsize", "1"); !errors.As(err, &unknown) || unknown.Nearest != "step_size" {
		t.Errorf("error %v, want the nearest name step_size", err)
	}
}

func TestFailure29_WrongValue(t *testing.T) {
	for _, c := range [][2]string{{"steps", "1.5"}, {"steps", "-1"}, {"steps", "0"}, {"step_size", "NaN"}, {"step_size", "inf"}, {"decay", "0"}, {"decay", "1.1"},
		{"loss", "mse"}, {"early_stop", "perhaps"}, {"seed", "-1"}} {
		s := sample{Loss: "cw", Steps: 3, Decay: 1}
		before := s
		err := Set(&s, c[0], c[1])
		if err == nil || !strings.Contains(err.Error(), c[0]) || !strings.Contains(err.Error(), "expected") {
			t.Errorf("Set(%s, %s) = %v, want an error that names the option and what was expected", c[0], c[1], err)
		}
		if !reflect.DeepEqual(s, before) {
			t.Errorf("Set(%s, %s) changed the options", c[0], c[1])
		}
	}
}
