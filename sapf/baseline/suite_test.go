package baseline

import (
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// suite is the table over all attacks: what the shared tests run them with, and
// what they expect. A new attack is one row.
var suite = map[string]struct {
	// toy is the setting for the small models of toy_test.go: the attack's own
	// where that is quick.
	toy attack.Attack
	// On a linear model the distance, in the norm that the attack keeps small,
	// is at most slack*optimum + extra; slack 0 means that it promises no
	// distance, only a budget.
	slack, extra float64
	norm         func(q metric.Measurement, o optimum) (got, optimum float64)
	// relu is how many entries more than the exhaustive search finds the attack
	// may change on the tiny ReLU net; negative: not an l0 attack.
	relu int
	// cwnet is what it does to the embedded network and cat.
	cwnet onCWNet
}{
	"sapf": {
		toy:   sapf.Options{K: sparseK, Steps: 400, Round: "topk", Set: map[string]any{"lambda2": 0}},
		slack: 1.05, extra: 0, norm: normSparseL2, relu: -1,
		cwnet: onCWNet{sapf.Options{K: 300, Steps: 60, Round: "topk", Lambda1: 1, SearchRounds: 2, Set: map[string]any{"lambda2": 0}}, true, 300},
	},
	"sapf-matched": {
		toy:   Matched{To: PGDL0{K: sparseK / 3}, Attack: sapf.Options{Steps: 400, Round: "topk", Set: map[string]any{"lambda2": 0}}},
		slack: 1.05, extra: 0, norm: normSparseL2, relu: -1,
		cwnet: onCWNet{Matched{To: SigmaZero{}, Attack: sapf.Options{Steps: 60, Round: "topk", Lambda1: 10, SearchRounds: 2, Set: map[string]any{"lambda2": 0}}}, false, 60},
	},
	"cw-l0-matched": {
		toy:   Matched{Attack: CWL0{Steps: 200, LargestConst: 100, InitialConst: 0.05}, To: PGDL0{K: sparseK / 3}},
		slack: 1.7, extra: 0, norm: normSparseL2, relu: -1,
		cwnet: onCWNet{Matched{Attack: CWL0{Steps: 60, LargestConst: 1, InitialConst: 0.5}, To: SigmaZero{}}, false, 60},
	},
	"best-matched": {
		toy:   Matched{Attack: Best{}, To: PGDL0{K: sparseK / 3}},
		slack: 1.0001, extra: 0, norm: normSparseL2, relu: -1,
		cwnet: onCWNet{Matched{Attack: Best{Preset: "quick"}, To: SigmaZero{}}, false, 60},
	},
	"best": {
		toy:   Best{K: sparseK},
		slack: 1.0001, extra: 0, norm: normSparseL2, relu: -1,
		cwnet: onCWNet{Best{Preset: "quick", K: 100}, true, 100},
	},
	"fewest": {
		toy:   Fewest{Steps: 200},
		slack: 1, extra: 0, norm: normEntries, relu: 0,
		cwnet: onCWNet{Fewest{Steps: 150}, true, 40},
	},
	"cw-l0": {
		toy:   CWL0{Steps: 200, LargestConst: 100, InitialConst: 0.05},
		slack: 1, extra: 1, norm: normPixels, relu: 2,
		cwnet: onCWNet{CWL0{Steps: 60, LargestConst: 1, InitialConst: 0.5}, true, 900},
	},
	"one-pixel": {
		toy:   OnePixel{K: 3},
		slack: 0, extra: 3, norm: normPixels, relu: 2,
		cwnet: onCWNet{OnePixel{K: 1, Population: 50, Generations: 3}, false, 3},
	},
	"sparsefool": {
		toy:   SparseFool{Lambda: 1},
		slack: 1, extra: 1, norm: normEntries, relu: 4,
		cwnet: onCWNet{SparseFool{}, true, 300},
	},
	"cornersearch": {
		toy:   CornerSearch{Top: 40},
		slack: 1, extra: 1, norm: normPixels, relu: 1,
		cwnet: onCWNet{CornerSearch{K: 12, Top: 30, Draws: 64, Increment: 5}, false, 36},
	},
	"pgd-l0": {
		toy:   PGDL0{K: 3},
		slack: 0, extra: 3, norm: normPixels, relu: 2,
		cwnet: onCWNet{PGDL0{K: 60, Steps: 60, Restarts: 1}, true, 180},
	},
	"strattack": {
		toy:   StrAttack{SearchSteps: 5, Steps: 200, StepsGrowth: 50, Refine: 3, RefineSteps: 100},
		slack: 1.2, extra: 0, norm: normL2, relu: -1,
		cwnet: onCWNet{StrAttack{SearchSteps: 2, Steps: 40, StepsGrowth: 1, InitialConst: 25, Refine: 1, RefineSteps: 30}, true, 2000},
	},
	"jsma": {
		toy:   JSMA{},
		slack: 1, extra: 1, norm: normEntries, relu: 3,
		cwnet: onCWNet{JSMA{}, true, 300},
	},
	"lavan": {
		toy:   LaVAN{Side: 2},
		slack: 0, extra: 4, norm: normPixels, relu: -1,
		cwnet: onCWNet{LaVAN{Side: 10, Row: 8, Col: 8, Steps: 100}, true, 300},
	},
	"l0-admm": {
		toy:   L0ADMM{InnerSteps: 100, Iterations: 12},
		slack: 2, extra: 1, norm: normEntries, relu: 4,
		cwnet: onCWNet{L0ADMM{Iterations: 4, InnerSteps: 50, StepSize: 0.02}, false, 3072},
	},
	"cw-l2": {
		toy:   CWL2{SearchSteps: 6, Steps: 250, InitialConst: 0.01},
		slack: 1.02, extra: 0, norm: normL2, relu: -1,
		cwnet: onCWNet{CWL2{SearchSteps: 2, Steps: 60, InitialConst: 1}, true, 3072},
	},
	"deepfool": {
		toy:   DeepFool{},
		slack: 1.03, extra: 0, norm: normL2, relu: -1,
		cwnet: onCWNet{DeepFool{}, true, 3072},
	},
	"fgsm": {
		toy:   FGSM{Epsilon: 0.1},
		slack: 0, extra: 0.1000001, norm: normLinf, relu: -1,
		cwnet: onCWNet{FGSM{}, false, 3072},
	},
	"pgd-linf": {
		toy:   PGDLinf{Epsilon: 0.1},
		slack: 0, extra: 0.1000001, norm: normLinf, relu: -1,
		cwnet: onCWNet{PGDLinf{}, true, 3072},
	},
	"sigma-zero": {
		toy:   SigmaZero{},
		slack: 1, extra: 1, norm: normEntries, relu: 1,
		cwnet: onCWNet{SigmaZero{}, true, 60},
	},
	"fmn-l0": {
		toy:   FMNL0{Steps: 100},
		slack: 1, extra: 1, norm: normEntries, relu: 1,
		cwnet: onCWNet{FMNL0{Steps: 100}, true, 60},
	},
	"saif": {
		toy:   SAIF{K: 24, Epsilon: 0.5},
		slack: 0, extra: 48, norm: normEntries, relu: -1,
		cwnet: onCWNet{SAIF{Epsilon: 0.5}, true, 600},
	},
	"sparse-rs": {
		toy:   SparseRS{K: 3, Queries: 2000},
		slack: 0, extra: 3, norm: normPixels, relu: 2,
		cwnet: onCWNet{SparseRS{K: 24, Queries: 200}, false, 72},
	},
	"greedyfool": {
		toy:   GreedyFool{},
		slack: 1, extra: 2, norm: normPixels, relu: 3,
		cwnet: onCWNet{GreedyFool{ReduceSteps: 20}, true, 300},
	},
	"ead-l1": {
		toy:   EADL1{SearchSteps: 5, Steps: 300, InitialConst: 0.05, NoEarlyAbort: true},
		slack: 1.25, extra: 0, norm: normL1, relu: -1,
		cwnet: onCWNet{EADL1{SearchSteps: 2, Steps: 60, InitialConst: 1}, true, 1500},
	},
}

// onCWNet is a quick setting for the C&W network and the cat: whether the attack
// then succeeds, and how many entries it changes at most.
type onCWNet struct {
	attack attack.Attack
	hits   bool
	most   int
}
