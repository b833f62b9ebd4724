package extend

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sapf/kernel/worker"
)

// Extender extends the children of kernels and of notebook runs.
type Extender struct{ *Builder }

var _ worker.Extender = Extender{}

// Start is the current set.
func (x Extender) Start() (worker.Extended, string) {
	if x.Source.FS == nil {
		return worker.Extended{}, ""
	}
	parts, e, err := x.Current()
	switch {
	case err != nil:
		return worker.Extended{}, fmt.Sprintf("note: extensions are left out: %v\n", err)
	case e == nil && len(parts) > 0:
		return worker.Extended{}, fmt.Sprintf("note: %s: compiled in for another version of sapf; `sapf extend` does it again\n", strings.Join(texts(parts), " "))
	case e == nil:
		return worker.Extended{}, ""
	}
	note := ""
	if dirs := e.changed(); len(dirs) > 0 {
		note = fmt.Sprintf("note: changed since it was compiled in: %s; `sapf extend` does it again\n", strings.Join(dirs, " "))
	}
	return worker.Extended{Command: []string{e.Program}, Parts: texts(parts)}, note
}

// Extend is the program with more parts.
func (x Extender) Extend(ctx context.Context, have, more []string, dir string, report func(string)) (worker.Extended, error) {
	old, err := ParseParts(have, dir)
	if err != nil {
		return worker.Extended{}, err
	}
	added, err := ParseParts(more, dir)
	if err != nil {
		return worker.Extended{}, err
	}
	e, err := x.Builder.Extend(ctx, Merge(old, added), report)
	if err != nil {
		return worker.Extended{}, err
	}
	return worker.Extended{Command: []string{e.Program}, Parts: texts(e.Parts), Text: e.Summary()}, nil
}

func texts(parts []Part) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p.String())
	}
	return out
}

// Summary says what cells can import now.
func (e *Extension) Summary() string {
	var b strings.Builder
	took := "found in the cache"
	if e.Built {
		took = "built in " + time.Duration(e.Seconds*float64(time.Second)).Round(100*time.Millisecond).String()
	}
	fmt.Fprintf(&b, "extended by %s (%s)\n", strings.Join(e.Modules, ", "), took)
	const many = 8
	list := e.Packages
	rest := ""
	if len(list) > many {
		rest = fmt.Sprintf(" and %d more", len(list)-many+1)
		list = list[:many-1]
	}
	fmt.Fprintf(&b, "cells can import %s%s", strings.Join(list, ", "), rest)
	if len(e.Raised) > 0 {
		fmt.Fprintf(&b, "\nversions that differ from sapf's own: %s", strings.Join(e.Raised, "; "))
	}
	return b.String()
}
