package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
)

// problem is a task whose least l2 at k entries is known.
type problem struct {
	kind string // "linear" or "relu"
	m    *models.Model
	x    data.Image
	goal attack.Goal
	k    int
	// least is the least l2 with k entries, entries the fewest that suffice.
	least   float64
	entries int
}

// Gap is how far an attack stays from the optimum on problems of a kind.
type Gap struct {
	Method, Kind string
	// Problems have a solution at k; Solved of them the attack solves with at
	// most k entries.
	Problems, Solved int
	// L2 is the mean of l2 over the least, less 1, over those solved; Worst the
	// largest.
	L2, Worst float64
	// Entries is the mean number of entries beyond the fewest, of an attack that
	// keeps those few, without a budget, over its successes; NaN for others.
	Entries float64
}

// GapTable is what Gaps returns, best first within a kind.
type GapTable []Gap

// String prints a row a method and kind.
func (t GapTable) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s %-13s %9s %9s %9s %15s\n", "kind", "method", "solved", "l2 gap", "worst", "entries beyond")
	for _, g := range t {
		beyond := "-"
		if !math.IsNaN(g.Entries) {
			beyond = fmt.Sprintf("%.2f", g.Entries)
		}
		fmt.Fprintf(&b, "%-7s %-13s %4d/%-4d %8.2f%% %8.2f%% %15s\n", g.Kind, g.Method, g.Solved, g.Problems, percent(g.L2), percent(g.Worst), beyond)
	}
	return b.String()
}

// percent is a share in hundredths of a percent, which rounding does not leave
// below 0: pixels in single precision may end a little before the optimum.
func percent(share float64) float64 { return math.Round(1e4*share)/100 + 0 }

// Gaps runs attacks of the registry (all, without names) on count linear models
// of 48 entries, whose optimum is a closed form, and on count networks of one
// hidden layer of 8 units on 9 entries, whose optimum is found by going through
// all supports and all regions in which the network is linear. Every attack is
// held to k entries (baseline.Budgeted), 2 to 12; how many entries it needs is
// seen without that.
func Gaps(ctx context.Context, count int, names ...string) (GapTable, error) {
	var problems []problem
	for seed := range uint64(count) {
		p, err := linearProblem(seed)
		if err != nil {
			return nil, err
		}
		problems = append(problems, p)
	}
	for seed := uint64(0); len(problems) < 2*count; seed++ {
		p, err := reluProblem(seed)
		if err != nil {
			return nil, err
		}
		if !math.IsInf(p.least, 1) {
			problems = append(problems, p)
		}
	}
	if len(names) == 0 {
		names = baseline.Names()
	}
	var table GapTable
	for _, kind := range []string{"linear", "relu"} {
		var rows GapTable
		for _, name := range names {
			g, err := gapOf(ctx, name, kind, problems)
			if err != nil {
				return nil, err
			}
			rows = append(rows, g)
		}
		slices.SortStableFunc(rows, func(a, b Gap) int { return cmp.Or(b.Solved-a.Solved, cmp.Compare(a.L2, b.L2)) })
		table = append(table, rows...)
	}
	return table, nil
}

// gapOf runs one attack on the problems of a kind.
func gapOf(ctx context.Context, name, kind string, problems []problem) (Gap, error) {
	g := Gap{Method: name, Kind: kind}
	successes := 0
	for _, p := range problems {
		if p.kind != kind {
			continue
		}
		g.Problems++
		a, err := attackFor(name)
		if err != nil {
			return g, err
		}
		held, err := measured(ctx, p, baseline.Budgeted{Attack: a, K: p.k})
		if err != nil {
			return g, fmt.Errorf("%s on %s: %w", name, p.x.Name, err)
		}
		if held.Success && held.L0 <= p.k {
			g.Solved++
			gap := held.L2/p.least - 1
			g.L2 += gap
			g.Worst = max(g.Worst, gap)
		}
		if !keepsFew(name) {
			continue
		}
		free, err := measured(ctx, p, a)
		if err != nil {
			return g, fmt.Errorf("%s on %s: %w", name, p.x.Name, err)
		}
		if free.Success {
			successes++
			g.Entries += float64(free.L0 - p.entries)
		}
	}
	g.L2 /= float64(g.Solved)
	g.Entries /= float64(successes)
	return g, nil
}

// keepsFew reports whether an attack looks for few entries or pixels by itself.
func keepsFew(name string) bool {
	return slices.ContainsFunc(baseline.All(), func(e baseline.Entry) bool {
		return e.Name == name && (e.Keeps == "entries" || e.Keeps == "pixels")
	})
}

// attackFor is an attack of the registry at its authors' settings; SAPF without
// the groups that its program has by default, and with exactly k entries.
func attackFor(name string) (attack.Attack, error) {
	a, err := baseline.Named(name)
	if err != nil {
		return nil, err
	}
	set := map[string]string{}
	switch name {
	case "sapf":
		set = map[string]string{"lambda2": "0", "round": "topk"}
	case "sapf-matched":
		set = map[string]string{"lambda2": "0", "round": "topk", "to": "sigma-zero"}
	}
	for option, value := range set {
		if err := attack.Set(a, option, value); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func measured(ctx context.Context, p problem, a attack.Attack) (metric.Measurement, error) {
	r, err := a.Run(ctx, p.m, p.x, p.goal)
	if err != nil {
		return metric.Measurement{}, err
	}
	return metric.Measure(p.m, p.x, r.Adversarial, p.goal)
}

// linearProblem is Z = W x + b of two classes on 3x4x4 images. The box is idle at
// the optimum, so the least l2 on a support S is gap/||w_S||, and the k largest
// |w| are the best support.
func linearProblem(seed uint64) (problem, error) {
	const lead, k = 2, 12
	shape := engine.Shape{C: 3, H: 4, W: 4}
	random := rand.New(rand.NewPCG(seed, 101))
	x := randomImage(random, fmt.Sprintf("linear %d", seed), shape, 0.4, 0.6)
	w := normal(random, 2*shape.Len(), 1)
	b := make([]float32, 2)
	n := shape.Len()
	for c := range b {
		z := 0.0
		for i, v := range x.Pix {
			z += float64(float64(w[c*n+i]) * float64(v))
		}
		b[c] = float32(-z)
	}
	b[0] += lead
	m, err := dense("linear", shape, layer{w, b})
	if err != nil {
		return problem{}, err
	}
	gap := float64(b[0]) - float64(b[1])
	slope, gain := make([]float64, n), make([]float64, n)
	for i, v := range x.Pix {
		d := float64(w[n+i]) - float64(w[i])
		gap += float64(float64(w[i])*float64(v)) - float64(float64(w[n+i])*float64(v))
		slope[i] = math.Abs(d)
		gain[i] = max(d*(1-float64(v)), -d*float64(v))
	}
	slices.SortFunc(slope, func(a, b float64) int { return cmp.Compare(b, a) })
	slices.SortFunc(gain, func(a, b float64) int { return cmp.Compare(b, a) })
	entries, sum := 0, 0.0
	for sum < gap {
		sum += gain[entries]
		entries++
	}
	if slope[0]*gap/dot(slope[:k], slope[:k]) > 0.4 {
		return problem{}, fmt.Errorf("linear problem %d: the box binds", seed)
	}
	return problem{"linear", m, x, attack.Goal{Label: 0, Target: 1}, k, gap / norm(slope[:k]), entries}, nil
}

// reluProblem is a network of one hidden layer on 1x3x3 images, k 2 or 3.
func reluProblem(seed uint64) (problem, error) {
	const hidden, classes = 8, 3
	shape := engine.Shape{C: 1, H: 3, W: 3}
	random := rand.New(rand.NewPCG(seed, 103))
	n := shape.Len()
	first := layer{normal(random, hidden*n, 1), normal(random, hidden, 0.5)}
	second := layer{normal(random, classes*hidden, 1), normal(random, classes, 0.5)}
	m, err := dense("relu", shape, first, second)
	if err != nil {
		return problem{}, err
	}
	x := randomImage(random, fmt.Sprintf("relu %d", seed), shape, 0, 1)
	clean, err := m.Predict(x)
	if err != nil {
		return problem{}, err
	}
	x.Label = clean.Class
	target := (x.Label + 1 + int(seed)%(classes-1)) % classes
	net := reluNet{matrix(first.w, n), matrix(second.w, hidden), widen(first.b), widen(second.b)}
	k := 2 + int(seed)%2
	p := problem{"relu", m, x, attack.Goal{Label: x.Label, Target: target}, k, 0, 0}
	p.least = net.leastL2(widen(x.Pix), target, k)
	p.entries = net.fewestEntries(widen(x.Pix), target, k)
	return p, nil
}

// layer is a dense layer's weights, row by row, and biases.
type layer struct{ w, b []float32 }

// dense is a model of dense layers with ReLU between them.
func dense(name string, shape engine.Shape, layers ...layer) (*models.Model, error) {
	nodes := []engine.Node{{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}}}
	in := shape.Len()
	for i, l := range layers {
		if i > 0 {
			nodes = append(nodes, engine.Node{Name: fmt.Sprintf("relu%d", i), Op: &engine.Activation{Func: engine.ReLU}, In: []int{len(nodes) - 1}})
		}
		nodes = append(nodes, engine.Node{Name: fmt.Sprintf("fc%d", i+1), Op: &engine.Dense{In: in, Out: len(l.b), W: l.w, B: l.b}, In: []int{len(nodes) - 1}})
		in = len(l.b)
	}
	m, err := models.New(&engine.Net{Name: name, Input: shape, Nodes: nodes, Output: len(nodes) - 1}, models.Card{Name: name})
	if err == nil {
		m.Threads = 1
	}
	return m, err
}

func randomImage(random *rand.Rand, name string, shape engine.Shape, low, high float64) data.Image {
	x := data.NewImage(name, shape.C, shape.H, shape.W)
	for i := range x.Pix {
		x.Pix[i] = float32(low + float64((high-low)*random.Float64()))
	}
	x.Label = 0
	return x
}

func normal(random *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(scale * random.NormFloat64())
	}
	return v
}

func matrix(v []float32, columns int) [][]float64 {
	var rows [][]float64
	for row := range slices.Chunk(v, columns) {
		rows = append(rows, widen(row))
	}
	return rows
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}
