package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/spec"
)

// Find returns the attack whose key begins with prefix.
func (d *Dir) Find(prefix string) (spec.Unit, error) {
	var found []spec.Unit
	for _, u := range d.Units() {
		if strings.HasPrefix(u.Key, prefix) {
			found = append(found, u)
		}
	}
	if len(found) != 1 || prefix == "" {
		return spec.Unit{}, fmt.Errorf("key %q: %d attacks of the sweep have a key that begins so, expected one", prefix, len(found))
	}
	return found[0], nil
}

// Replayed is an attack that was run again.
type Replayed struct {
	Key  string `json:"key"`
	What string `json:"what"`
	// Same says that the result is, byte for byte, the one that is kept, but for
	// times and places.
	Same bool `json:"same"`
	// Kept and Again are the two records.
	Kept  sweep.Record `json:"kept"`
	Again sweep.Record `json:"again"`
}

// String is the verdict in a line.
func (r Replayed) String() string {
	if r.Same {
		return fmt.Sprintf("%s %s: the same bytes", r.Key, r.What)
	}
	return fmt.Sprintf("%s %s: not the same: kept %s, l0 %d, l2 %v; again %s, l0 %d, l2 %v", r.Key, r.What,
		r.Kept.Status, r.Kept.L0, r.Kept.L2, r.Again.Status, r.Again.L0, r.Again.L2)
}

// Replay runs one attack of a sweep again, alone, and compares. The result that
// is kept stays.
func (d *Dir) Replay(ctx context.Context, catalogue spec.Catalogue, u spec.Unit) (Replayed, error) {
	out := Replayed{Key: u.Key, What: d.Plan.Describe(u)}
	raw, err := d.Raw(u.Key)
	if err != nil {
		return out, err
	}
	if raw == nil {
		return out, fmt.Errorf("%s: there is no result to compare with", out.What)
	}
	e := &Executor{Plan: d.Plan, Catalogue: catalogue, Provenance: sweep.Here("")}
	results, err := e.Run(ctx, spec.NewGroup([]spec.Unit{u}), []spec.Unit{u}, &atomic.Int64{})
	if err != nil {
		return out, err
	}
	if len(results) == 0 {
		return out, errors.Join(ctx.Err(), fmt.Errorf("%s: interrupted", out.What))
	}
	first, err := sweep.Digest(raw)
	if err != nil {
		return out, err
	}
	second, err := sweep.Digest(results[0].File)
	if err != nil {
		return out, err
	}
	out.Same = first == second
	if out.Kept, err = sweep.DecodeRecord(raw); err != nil {
		return out, err
	}
	out.Again, err = sweep.DecodeRecord(results[0].File)
	return out, err
}

// Diff is how two sweeps differ.
type Diff struct {
	// Same attacks have one key and one result in both; OnlyA and OnlyB are keys
	// of one plan alone; MissingA and MissingB are without a result in one.
	Same     int `json:"same"`
	OnlyA    int `json:"only_a"`
	OnlyB    int `json:"only_b"`
	MissingA int `json:"missing_a"`
	MissingB int `json:"missing_b"`
	// Different have one key and two results; Changed are one image, target and
	// method under two keys (other options, weights or code), with both results.
	Different []Change `json:"different"`
	Changed   []Change `json:"changed"`
}

// Change is a pair of results.
type Change struct {
	What string `json:"what"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// String is the difference in a few lines.
func (x Diff) String() string {
	s := fmt.Sprintf("%d the same, %d different, %d changed; only in the first %d, in the second %d; without a result in the first %d, in the second %d",
		x.Same, len(x.Different), len(x.Changed), x.OnlyA, x.OnlyB, x.MissingA, x.MissingB)
	for _, list := range [][]Change{x.Different, x.Changed} {
		for _, c := range list {
			s += fmt.Sprintf("\n%s: %s | %s", c.What, c.A, c.B)
		}
	}
	return s
}

// Compare holds two sweeps against each other.
func Compare(a, b *Dir) (Diff, error) {
	out := Diff{Different: []Change{}, Changed: []Change{}}
	inB, byName := map[string]spec.Unit{}, map[string]spec.Unit{}
	for _, u := range b.Units() {
		inB[u.Key] = u
		byName[b.Plan.Describe(u)] = u
	}
	matched := map[string]bool{}
	for _, u := range a.Units() {
		other, ok := inB[u.Key]
		renamed := false
		if !ok {
			if other, ok = byName[a.Plan.Describe(u)]; !ok {
				out.OnlyA++
				continue
			}
			renamed = true
		}
		matched[other.Key] = true
		rawA, err := a.Raw(u.Key)
		if err != nil {
			return out, err
		}
		rawB, err := b.Raw(other.Key)
		if err != nil {
			return out, err
		}
		if rawA == nil {
			out.MissingA++
		}
		if rawB == nil {
			out.MissingB++
		}
		if rawA == nil || rawB == nil {
			continue
		}
		change, same, err := changeOf(a.Plan.Describe(u), rawA, rawB)
		switch {
		case err != nil:
			return out, err
		case renamed:
			out.Changed = append(out.Changed, change)
		case same:
			out.Same++
		default:
			out.Different = append(out.Different, change)
		}
	}
	for _, u := range b.Units() {
		if !matched[u.Key] {
			out.OnlyB++
		}
	}
	slices.SortFunc(out.Changed, func(a, b Change) int { return strings.Compare(a.What, b.What) })
	return out, nil
}

// changeOf describes two results.
func changeOf(what string, rawA, rawB []byte) (c Change, same bool, err error) {
	digestA, err := sweep.Digest(rawA)
	if err != nil {
		return c, false, err
	}
	digestB, err := sweep.Digest(rawB)
	if err != nil {
		return c, false, err
	}
	describe := func(raw []byte) (string, error) {
		r, err := sweep.DecodeRecord(raw)
		return fmt.Sprintf("%s, l0 %d, l2 %.6g", r.Status, r.L0, r.L2), err
	}
	c.What = what
	if c.A, err = describe(rawA); err == nil {
		c.B, err = describe(rawB)
	}
	return c, digestA == digestB, err
}
