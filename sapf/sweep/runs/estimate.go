package runs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/spec"
)

// EstimateOptions say what an estimate is of.
type EstimateOptions struct {
	// Dir is the folder of the sweep, "" or missing where nothing is done yet.
	Dir string
	// Slots is how many attacks will run at a time; 0: a processor each.
	Slots int
	// Measure runs one attack of each method, for as long as Longest (0: 20
	// seconds).
	Measure bool
	Longest time.Duration
	// Notice, where set, is told what is measured.
	Notice func(text string)
}

// Estimated is what a sweep will do.
type Estimated struct {
	Images  int `json:"images"`
	Attacks int `json:"attacks"`
	Done    int `json:"done"`
	Dead    int `json:"dead"`
	// Methods are the methods with what is left of each.
	Methods []EstimatedMethod `json:"methods"`
	// LeftOut are images that the spec's choice left out, by reason.
	LeftOut map[string]int `json:"left_out,omitempty"`
	// Seconds are those that the rest takes with Slots attacks at a time, 0 where
	// nothing was measured.
	Slots   int     `json:"slots"`
	Seconds float64 `json:"seconds"`
}

// EstimatedMethod is one method of a plan.
type EstimatedMethod struct {
	Model  string `json:"model"`
	Method string `json:"method"`
	Left   int    `json:"left"`
	// Seconds are those of one attack alone; batches are faster.
	Seconds float64 `json:"seconds"`
}

// String is the estimate in a few lines.
func (e Estimated) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, %d done", plural(e.Attacks, "attack"), plural(e.Images, "image"), e.Done)
	if e.Dead > 0 {
		fmt.Fprintf(&b, ", %d given up", e.Dead)
	}
	for _, why := range slices.Sorted(maps.Keys(e.LeftOut)) {
		fmt.Fprintf(&b, "\n%s left out: %s", plural(e.LeftOut[why], "image"), why)
	}
	for _, m := range e.Methods {
		fmt.Fprintf(&b, "\n%6d  %s on %s", m.Left, m.Method, m.Model)
		if m.Seconds > 0 {
			fmt.Fprintf(&b, ", %.2g s alone", m.Seconds)
		}
	}
	if e.Seconds > 0 {
		fmt.Fprintf(&b, "\nat most about %v with %d at a time", time.Duration(e.Seconds*float64(time.Second)).Round(time.Second), e.Slots)
	}
	return b.String()
}

// Estimate says what running a plan would do.
func Estimate(ctx context.Context, p *spec.Plan, o EstimateOptions) (Estimated, error) {
	out := Estimated{Images: len(p.Images), LeftOut: p.Left, Slots: o.Slots}
	if o.Slots == 0 {
		out.Slots = runtime.GOMAXPROCS(0)
	}
	groups, err := p.Groups()
	if err != nil {
		return out, err
	}
	d := &Dir{Path: o.Dir, Plan: p, groups: groups, pack: &pack{}}
	counts := newTally()
	left := groups
	if _, err := os.Stat(filepath.Join(o.Dir, "spec.json")); o.Dir != "" && err == nil {
		if err := d.open(); err != nil {
			return out, err
		}
		defer d.Close()
		if left, counts, err = d.Unfinished(Shard{}); err != nil {
			return out, err
		}
	}
	out.Done, out.Dead = counts.p.Done, counts.p.Dead
	for _, g := range groups {
		out.Attacks += len(g.Units)
	}
	place := map[[2]int]int{}
	var first []spec.Unit
	for _, g := range left {
		u := g.Units[0]
		at, ok := place[[2]int{u.Model, u.Method}]
		if !ok {
			at = len(out.Methods)
			place[[2]int{u.Model, u.Method}] = at
			out.Methods = append(out.Methods, EstimatedMethod{Model: p.Models[u.Model].Name, Method: p.Methods[u.Method].Label})
			first = append(first, u)
		}
		out.Methods[at].Left += len(g.Units)
	}
	if !o.Measure {
		return out, nil
	}
	for i, u := range first {
		if o.Notice != nil {
			o.Notice("measuring " + p.Describe(u))
		}
		m := &out.Methods[i]
		if m.Seconds, err = seconds(ctx, p, u, cmp.Or(o.Longest, longest)); err != nil {
			return out, err
		}
		out.Seconds += m.Seconds * float64(m.Left) / float64(out.Slots)
	}
	return out, nil
}

// longest is EstimateOptions.Longest by default.
const longest = 20 * time.Second

// seconds measures one attack. What it would take after a limit is reckoned from
// the part of its steps that it has made.
func seconds(ctx context.Context, p *spec.Plan, u spec.Unit, limit time.Duration) (float64, error) {
	var fraction atomic.Uint64 // a float64
	e := &Executor{Plan: p, Catalogue: spec.Registry, Threads: 1, Watch: func(now sweep.Progress) { fraction.Store(math.Float64bits(now.Fraction())) }}
	within, stop := context.WithTimeout(ctx, limit)
	defer stop()
	start := time.Now()
	_, err := e.Run(within, spec.NewGroup([]spec.Unit{u}), []spec.Unit{u}, &atomic.Int64{})
	took := time.Since(start).Seconds()
	if made := math.Float64frombits(fraction.Load()); within.Err() != nil && made > 0 {
		took /= made
	}
	return took, cmp.Or(err, ctx.Err())
}
