package runs

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/spec"
)

// Status is how far a sweep is.
type Status struct {
	Total     int `json:"total"`
	Done      int `json:"done"`
	Succeeded int `json:"succeeded"`
	Missing   int `json:"missing"`
	// Dead attacks are given up, Corrupt files were damaged.
	Dead    int `json:"dead"`
	Corrupt int `json:"corrupt"`
	// Packed results are in one file.
	Packed int `json:"packed"`
	// Holder runs the sweep now, "" if nobody does.
	Holder string `json:"holder"`
	// Workers are those elsewhere who work for the holder, by name.
	Workers map[string]Beat `json:"workers,omitempty"`
	// Reasons are why attacks were given up, by group.
	Reasons []string `json:"reasons"`
}

// String is the status in a few lines.
func (s Status) String() string {
	out := fmt.Sprintf("%d of %d attacks done, %d succeeded; %d missing, %d given up, %d damaged files put aside", s.Done, s.Total, s.Succeeded, s.Missing, s.Dead, s.Corrupt)
	if s.Packed > 0 {
		out += fmt.Sprintf("; %d in the pack", s.Packed)
	}
	if s.Holder != "" {
		out += "\nheld by " + s.Holder
	}
	for _, id := range slices.Sorted(maps.Keys(s.Workers)) {
		w := s.Workers[id]
		out += fmt.Sprintf("\nworker %s: %d slots, %d attacks running, %d handed in", id, w.Slots, w.Running, w.Done)
		if w.Now != "" {
			out += "; " + w.Now
		}
	}
	for _, r := range s.Reasons {
		out += "\n" + r
	}
	return out
}

// Status reads how far the sweep is. Every result's checksum is looked at.
func (d *Dir) Status() (Status, error) {
	s := Status{Packed: len(d.pack.index), Reasons: []string{}}
	_, t, err := d.Unfinished(Shard{})
	if err != nil {
		return s, err
	}
	s.Total, s.Done, s.Dead, s.Succeeded = t.p.Total, t.p.Done, t.p.Dead, t.p.Succeeded
	s.Missing = s.Total - s.Done - s.Dead
	aside, err := filepath.Glob(filepath.Join(escapeGlob(d.Path), "corrupt", "*.json"))
	if err != nil {
		return s, err
	}
	s.Corrupt = len(aside)
	dead, err := d.Dead()
	if err != nil {
		return s, err
	}
	for _, x := range dead {
		what := x.Job
		if g, err := DecodeJob(queue.Job{ID: x.Job, Body: x.Body}); err == nil {
			if !slices.ContainsFunc(g.Units, func(u spec.Unit) bool { return t.states[u.Key] != Done }) {
				continue // somebody had its results after all
			}
			what = d.describe(g)
		}
		s.Reasons = append(s.Reasons, fmt.Sprintf("given up: %s: %s", what, firstLine(x.Reason)))
	}
	if s.Holder, err = Holder(d.Path); s.Holder != "" {
		s.Workers = readCrew(d.Path)
	}
	return s, err
}

// describe says what a group is. The plan may have changed since it died.
func (d *Dir) describe(g spec.Group) string {
	for _, u := range d.Units() {
		if u.Key == g.Units[0].Key {
			what := d.Plan.Describe(u)
			if n := len(g.Units) - 1; n > 0 {
				what += fmt.Sprintf(" and %d more", n)
			}
			return what
		}
	}
	return g.ID + ", of an earlier plan"
}

// firstLine is a reason without the stack that may follow it.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
