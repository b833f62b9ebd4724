package sapf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"sapf/sapf/attack"
)

// Options is SAPF as a notebook asks for it: the fields of Settings, where a
// zero means "as the preset says". For a zero that is meant (lambda2 of 0), or
// a false, use Set.
type Options struct {
	// Preset is "default" (also if empty), "reference" or "paper".
	Preset string
	// Set holds settings by name; they win over the fields. "steps" stands for
	// Steps.
	Set map[string]any
	// Steps, if not 0, compresses the preset's schedule from 2000 steps a stage
	// to so many: see Settings.InSteps. Fields and Set win over it.
	Steps int

	// The fields are explained at Settings.
	Loss       string
	Confidence float64

	K            int
	Round, Share string

	Lambda1, Lambda1Max, Lambda1Growth, Lambda1Stop float64

	SearchRounds       int
	StopAtFirstSuccess bool
	Keep, Judge        string

	Lambda2      float64
	GroupMode    string
	Segments     int
	Compactness  float64
	Connectivity string
	Groups       []int

	Weight, WeightStat, WeightScale string
	WeightWindow                    int
	WeightFloor                     float64
	Weights                         []float64

	LossFunc func(logits []float64, class int, grad []float64) float64
	Stop     func(*Factorization) bool

	Outer          int
	OuterTolerance float64

	DeltaSteps, MaskSteps, MaskInner, TuneSteps int

	StepSize, StepDecay float64
	StepEvery           int
	StepMin             float64
	ResetStep           bool

	RhoBox, RhoBoxMax, RhoSphere, RhoSphereMax float64
	RhoGroup, RhoGroupMax, RhoCard, RhoCardMax float64
	RhoGrowth                                  float64
	RhoGrowthPer                               string
	ResetRho, ResetDuals                       bool

	Guard      string
	GuardTheta float64
}

// methodName is what the registry and results call the method.
const methodName = "sapf"

// Resolver is a way to write settings down: Options or Settings.
type Resolver interface {
	// Resolve returns the settings meant, or says what is wrong with them.
	Resolve() (Settings, error)
}

// Both are the attack, run alone or several in lockstep, and can be set by name.
var (
	_ attack.Batcher  = Options{}
	_ attack.Batcher  = Settings{}
	_ attack.Settable = (*Options)(nil)
	_ attack.Settable = (*Settings)(nil)
)

// Own is that of Settings.
func (o Options) Own() bool { return o.LossFunc != nil || o.Stop != nil }

// Resolve returns the settings that the options mean.
func (o Options) Resolve() (Settings, error) {
	s, err := Preset(o.Preset)
	if err != nil {
		return s, err
	}
	steps := o.Steps
	if v, ok := o.Set["steps"]; ok {
		if steps, err = strconv.Atoi(fmt.Sprint(v)); err != nil || steps < 1 {
			return s, fmt.Errorf("option steps: %v, expected a whole number of at least 1", v)
		}
	}
	if steps < 0 {
		return s, fmt.Errorf("option steps: %d, expected at least 0", steps)
	}
	if steps > 0 {
		s = s.InSteps(steps)
	}
	from, to := reflect.ValueOf(o), reflect.ValueOf(&s).Elem()
	for i := range to.NumField() {
		name := to.Type().Field(i).Name
		if name == "Preset" {
			continue
		}
		if f := from.FieldByName(name); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Set)) {
		if name == "steps" {
			continue
		}
		if err := o.nearest(s.Set(name, fmt.Sprint(o.Set[name]))); err != nil {
			return s, err
		}
	}
	return s, s.Validate()
}
