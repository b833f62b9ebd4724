package sapf

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"sapf/models/exact"
	"sapf/models/nearest"
	"sapf/sapf/option"
)

// Settings is every choice the method leaves open, resolved and meant
// literally: a K of 0 selects nothing. Options is what a user writes. The
// comments give the paper's value and, where it differs, the value of the
// authors' program as "reference". Numbers in parentheses are rows of the
// table of divergences in the package comment.
type Settings struct {
	// Preset is the name of the preset that the settings started from.
	Preset string `option:"-"`

	// Loss is L of eq. 3: "ce", cross entropy, in the paper; "cw", the hinge on
	// logits, in the reference (2).
	Loss string `oneof:"cw ce"`
	// Confidence is the hinge's kappa, in logits: the margin that a success has.
	Confidence float64 `range:"[0,inf)"`

	// K is the number of ones in G (eq. 3): entries of C*H*W (16), or pixels
	// where Share is "pixel". Default 200.
	K int
	// Round makes G binary: "threshold", 1[G > 1/2] (reference: about K ones),
	// "topk", the K largest G (paper: exactly K), or "topk_product", the K
	// largest |delta*G| (8).
	Round string `oneof:"threshold topk topk_product"`
	// Share is "channel", one G for each entry, or "pixel", one G for all
	// channels of a pixel (16).
	Share string `oneof:"channel pixel"`

	// Lambda1 weighs the loss (eq. 3) in the first round of the search: 1e-3 for
	// CIFAR-10, 1e-2 for ImageNet in the paper (4).
	Lambda1 float64 `range:"(0,inf)"`
	// Lambda1Max, 100, stands for "no success yet"; the search never gets there.
	Lambda1Max float64 `range:"(0,inf)"`
	// Lambda1Growth, 10, is what lambda1 is multiplied by after a failure; below
	// a success the search bisects.
	Lambda1Growth float64 `range:"(1,inf)"`
	// Lambda1Stop, 0.01, ends the search early after a success below
	// Lambda1Stop*Lambda1.
	Lambda1Stop float64 `range:"[0,inf)"`
	// SearchRounds, 6, is how many values of lambda1 are tried.
	SearchRounds int `range:"[1,inf)"`
	// StopAtFirstSuccess ends the search there: true in the paper, false in
	// the reference (3).
	StopAtFirstSuccess bool
	// Keep is the success that is returned (19): "smallest_lambda1" (reference),
	// "smallest_l0", "smallest_l1", "smallest_l2" or "smallest_linf".
	Keep string `oneof:"smallest_lambda1 smallest_l0 smallest_l1 smallest_l2 smallest_linf"`
	// Judge is the image whose prediction counts as success: "float", or
	// "8bit", rounded to 256 levels as a picture file would be (21).
	Judge string `oneof:"float 8bit"`

	// Lambda2 weighs the group norms (eq. 16): 0 in the paper, 1e-3 in the
	// reference, whose published run is thereby SAPF-GS already (14).
	Lambda2 float64 `range:"[0,inf)"`
	// GroupMode is how the group norms are minimised: "gradient" (paper) or
	// "admm", a splitting variable with group soft-threshold (reference, 13).
	GroupMode string `oneof:"admm gradient"`
	// Segments is the number of superpixels asked of SLIC: 150 for CIFAR-10,
	// 350 for ImageNet. Unused where Groups is given or Lambda2 is 0.
	Segments int `range:"[1,inf)"`
	// Compactness is SLIC's, 10.
	Compactness float64 `range:"(0,inf)"`
	// Connectivity names SLIC's rule for small segments: that of scikit-image
	// "0.16" and before or "0.17" and after (24).
	Connectivity string `oneof:"0.16 0.17"`
	// Groups is the group of each pixel, length H*W, numbered from 0. Nil
	// means SLIC superpixels.
	Groups []int

	// Weight is the statistic behind w of SAPF-VI (eq. 17); "none" is w = 1.
	Weight string `oneof:"none variance variance_mean contrast contrast_mean gradient"`
	// WeightStat is the deviation's divisor: "population", the number n of
	// entries in the window (paper), or "sample", n-1 (reference, 15). The window
	// is cut at the image's border in both.
	WeightStat string `oneof:"population sample"`
	// WeightScale is "max", w/max w in (0,1] (the paper only says "in [0,1]"),
	// or "minmax" per channel (reference: the least sensitive entry gets 0, 15).
	WeightScale string `oneof:"max minmax"`
	// WeightWindow is the side of the neighbourhood, odd, 3 pixels.
	WeightWindow int `range:"[1,inf)"`
	// WeightFloor is added to the statistic before it is inverted; 1e-4. The
	// paper prints no floor, and would divide by 0 in a flat neighbourhood.
	WeightFloor float64 `range:"(0,inf)"`

	// Weights, if not nil, are the weights w of eq. 17 themselves, one for each
	// entry, length C*H*W, at least 0; Weight and what belongs to it are unused.
	Weights []float64

	// LossFunc, if not nil, is the loss in place of Loss: of an example's logits
	// and the class of the goal (the target, or the label to leave), which writes
	// its gradient with respect to the logits to grad, unless grad is nil. It must
	// be a function of these alone. Results with it are not kept under a key.
	LossFunc func(logits []float64, class int, grad []float64) float64 `json:"-"`
	// Stop, if not nil, is asked after every step whether this run of the lambda1
	// search is to end here. What has been found is then rounded and judged, and
	// if it is a success, the search ends with it.
	Stop func(*Factorization) bool `json:"-"`

	// Outer is the number of alternations of delta and mask stage (Algorithm 1):
	// 10 in the paper, 1 in the reference (5).
	Outer int `range:"[0,inf)"`
	// OuterTolerance stops the alternations when delta*G changes by less than
	// that, relative in l2; 0 never stops.
	OuterTolerance float64 `range:"[0,inf)"`
	// DeltaSteps are the gradient steps on delta in an alternation (eq. 7), 2000.
	DeltaSteps int `range:"[0,inf)"`
	// MaskSteps are the steps of ADMM on G in an alternation (eq. 11 to 15), 2000.
	MaskSteps int `range:"[0,inf)"`
	// MaskInner is the number of gradient steps on G in each step of ADMM, 1 (6).
	MaskInner int `range:"[1,inf)"`
	// TuneSteps are further delta steps with G binary and fixed: 0 in the
	// paper, 1000 in the reference (7).
	TuneSteps int `range:"[0,inf)"`

	// StepSize is the first step size of both stages, 0.1.
	StepSize float64 `range:"(0,inf)"`
	// StepDecay, 0.9, multiplies the step size every StepEvery steps of a stage.
	StepDecay float64 `range:"(0,1]"`
	// StepEvery is after how many steps the step size decays, 50.
	StepEvery int `range:"[1,inf)"`
	// StepMin is what the step size decays down to: 0 in the paper, 0.001 in the
	// reference (12).
	StepMin float64 `range:"[0,inf)"`
	// ResetStep starts again at StepSize in each alternation; neither the paper
	// nor the reference does.
	ResetStep bool

	// RhoBox is rho1 of eq. 9, the penalty of the box, at first: 5e-3.
	RhoBox float64 `range:"[0,inf)"`
	// RhoBoxMax is what RhoBox grows up to, 20 (9).
	RhoBoxMax float64 `range:"[0,inf)"`
	// RhoSphere is rho2 of eq. 9, the penalty of the sphere, at first: 5e-3.
	RhoSphere float64 `range:"[0,inf)"`
	// RhoSphereMax is what RhoSphere grows up to: 10 in the paper, 20 in the
	// reference (9).
	RhoSphereMax float64 `range:"[0,inf)"`
	// RhoGroup is the penalty of the groups' splitting variable at first, 5e-3.
	RhoGroup float64 `range:"(0,inf)"`
	// RhoGroupMax is what RhoGroup grows up to, 100 in the reference; the paper
	// has no such variable (9).
	RhoGroupMax float64 `range:"(0,inf)"`
	// RhoCard is rho3 of eq. 9, the penalty of the cardinality 1'G = K, at first:
	// 1e-4.
	RhoCard float64 `range:"[0,inf)"`
	// RhoCardMax is what RhoCard grows up to: 100 in the paper, 0.01 in the
	// reference (9).
	RhoCardMax float64 `range:"[0,inf)"`
	// RhoGrowth, 1.01, is what the penalties are multiplied by.
	RhoGrowth float64 `range:"[1,inf)"`
	// RhoGrowthPer is when they grow: each ADMM "step" (reference) or once an
	// "outer" iteration, the other reading of the paper, under which G never
	// becomes binary (10).
	RhoGrowthPer string `oneof:"step outer"`
	// ResetRho starts the penalties afresh in each alternation: false in both (10).
	ResetRho bool
	// ResetDuals starts the multipliers afresh in each alternation: true in both
	// (11).
	ResetDuals bool

	// Guard keeps the cardinality term stable where StepSize*RhoCard*N passes
	// 4/3: "cap" bounds rho_card by GuardTheta/(step size * N), "implicit" takes
	// the term implicitly (stable for any penalty), "off" does neither. The
	// paper's maxima diverge without it, and so do the reference's on images of
	// ImageNet's size (TestPenaltiesThatDiverge). With the paper's maxima "cap"
	// at 1/4 made G binary for every k tried, while "implicit" can hold 1'G = k
	// so firmly that G stays at k/N everywhere (TestGuardsByCardinality).
	Guard string `oneof:"off cap implicit"`
	// GuardTheta is the bound of Guard "cap", 1/4.
	GuardTheta float64 `range:"(0,1.3333]"`
}

// Reference returns the settings of the authors' program.
func Reference() Settings {
	return Settings{
		Preset: "reference",
		Loss:   "cw", K: 200, Round: "threshold", Share: "channel",
		Lambda1: 1e-3, Lambda1Max: 100, Lambda1Growth: 10, Lambda1Stop: 0.01, SearchRounds: 6,
		Keep: "smallest_lambda1", Judge: "float",
		Lambda2: 1e-3, GroupMode: "admm", Segments: 150, Compactness: 10, Connectivity: "0.17",
		Weight: "none", WeightStat: "sample", WeightScale: "minmax", WeightWindow: 3, WeightFloor: 1e-4,
		Outer: 1, DeltaSteps: 2000, MaskSteps: 2000, MaskInner: 1, TuneSteps: 1000,
		StepSize: 0.1, StepDecay: 0.9, StepEvery: 50, StepMin: 0.001,
		RhoBox: 5e-3, RhoBoxMax: 20, RhoSphere: 5e-3, RhoSphereMax: 20,
		RhoGroup: 5e-3, RhoGroupMax: 100, RhoCard: 1e-4, RhoCardMax: 0.01,
		RhoGrowth: 1.01, RhoGrowthPer: "step", ResetDuals: true,
		Guard: "off", GuardTheta: 0.25,
	}
}

// Paper returns the settings of the paper's section 4.1, with the stability
// guard that its penalties need.
func Paper() Settings {
	s := Reference()
	s.Preset = "paper"
	s.Loss, s.Round = "ce", "topk"
	s.StopAtFirstSuccess = true
	s.Lambda2, s.GroupMode = 0, "gradient"
	s.WeightStat, s.WeightScale = "population", "max"
	s.Outer, s.TuneSteps, s.StepMin = 10, 0, 0
	s.RhoBoxMax, s.RhoSphereMax, s.RhoCardMax = 20, 10, 100
	s.Guard = "cap"
	return s
}

// Default returns what Options{} and the command mean: the authors' program with
// exactly K ones in G, as the paper has it, where their program rounds to about K.
func Default() Settings {
	s := Reference()
	s.Preset, s.Round = "default", "topk"
	return s
}

// InSteps returns the settings with their schedule compressed (or stretched)
// from DeltaSteps to the given number of steps: the step sizes and penalties
// run through the same values, so that what was stable stays stable. A few
// hundred steps are enough to see the method work; as G has then come less far
// towards binary, "topk" rounding suits them.
func (s Settings) InSteps(steps int) Settings {
	ratio := float64(steps) / float64(s.DeltaSteps)
	scaled := func(n int) int { return int(math.Round(float64(n) * ratio)) }
	s.MaskSteps, s.TuneSteps, s.StepEvery = scaled(s.MaskSteps), scaled(s.TuneSteps), max(1, scaled(s.StepEvery))
	s.RhoGrowth = exact.Pow(s.RhoGrowth, 1/ratio)
	s.DeltaSteps = steps
	return s
}

// Presets are the names that Preset knows.
func Presets() []string { return []string{"default", "reference", "paper"} }

// Preset returns the settings of that name; "" is the default.
func Preset(name string) (Settings, error) {
	switch name {
	case "", "default":
		return Default(), nil
	case "reference":
		return Reference(), nil
	case "paper":
		return Paper(), nil
	}
	return Settings{}, fmt.Errorf("unknown preset %q, did you mean %q?", name, nearest.Of(name, Presets()))
}

// Set parses value into the setting called name ("lambda1", "rho_box_max").
// An unknown name is refused with the nearest one; so is a value of the wrong
// type, out of range, or not finite.
func (s *Settings) Set(name, value string) error { return option.Set(s, name, value) }

// Names lists the settings as Set knows them.
func (s Settings) Names() []string { return option.Names(s) }

// Map returns every setting by name, for results; "groups", the number of
// pixels and a digest, only where a label image was given.
func (s Settings) Map() map[string]any {
	m := option.Values(s)
	if s.Groups != nil {
		digest := crc32.NewIEEE()
		for _, label := range s.Groups {
			fmt.Fprintln(digest, label)
		}
		m["groups"] = fmt.Sprintf("given for %d pixels, CRC-32 %08x", len(s.Groups), digest.Sum32())
	}
	if s.Weights != nil {
		digest := crc32.NewIEEE()
		for _, w := range s.Weights {
			fmt.Fprintln(digest, w)
		}
		m["weights"] = fmt.Sprintf("given for %d entries, CRC-32 %08x", len(s.Weights), digest.Sum32())
	}
	if s.LossFunc != nil {
		m["loss"] = ownPart
	}
	if s.Stop != nil {
		m["stop"] = ownPart
	}
	return m
}

// ownPart stands for a function of the caller's among options.
const ownPart = "own"

// Own reports whether functions of the caller's are part of the settings, which
// no key can know.
func (s Settings) Own() bool { return s.LossFunc != nil || s.Stop != nil }

// String prints every setting as name=value, a line each.
func (s Settings) String() string { return option.Format(s, "\n") }

// Validate reports a setting that no run could use.
func (s Settings) Validate() error {
	if err := option.Check(s); err != nil {
		return err
	}
	switch {
	case s.K < 0:
		return fmt.Errorf("option k: %d, expected at least 0", s.K)
	case s.WeightWindow%2 == 0:
		return fmt.Errorf("option weight_window: %d, expected an odd number", s.WeightWindow)
	case slices.ContainsFunc(s.Weights, func(w float64) bool { return !(w >= 0) || math.IsInf(w, 1) }):
		return errors.New("option weights: expected finite numbers of at least 0")
	case s.Lambda1 >= s.Lambda1Max:
		return fmt.Errorf("option lambda1: %v, expected less than lambda1_max %v", s.Lambda1, s.Lambda1Max)
	}
	return nil
}
