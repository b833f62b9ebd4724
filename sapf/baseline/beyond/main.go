// Command beyond measures attacks side by side: each run of a specification is
// one attack on the first images of CIFAR-10's test set that a model classifies
// right, and leaves a file of JSON lines, one a case. It goes on where it was
// interrupted.
//
//	SAPF_DATA=... go run ./sapf/baseline/beyond [-out DIR] [-spec FILE] [run ...]
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
)

// spec is the committed specification.
//
//go:embed spec.json
var spec []byte

// run is one attack on many cases.
type run struct {
	// Name is the file of the outcomes, without its ending.
	Name string `json:"name"`
	// Model is the classifier, Images how many images it is to classify right,
	// after Skip others.
	Model  string `json:"model"`
	Images int    `json:"images"`
	Skip   int    `json:"skip"`
	// Photographs, if not empty, is a folder below $SAPF_DATA/data with pictures
	// to take instead of CIFAR-10's.
	Photographs string `json:"photographs"`
	// Goals are "all" (every other class), "untargeted", or "N" for N classes
	// spread over the others.
	Goals string `json:"goals"`
	// Method, Preset and Set are the attack.
	Method string            `json:"method"`
	Preset string            `json:"preset"`
	Set    map[string]string `json:"set"`
	// Budget, if not 0, holds an attack to so many entries (baseline.Budgeted).
	Budget int `json:"budget"`
	// MatchedTo, if not empty, is the run whose count of entries is a case's k.
	MatchedTo string `json:"matched_to"`
	// Table1, if not empty, are methods of Table 1's outcomes on the same cases: a
	// case's k is the fewest entries that one of them needed.
	Table1 []string `json:"table1"`
	// Beside are runs, or methods of Table 1's outcomes, to compare with in the
	// report.
	Beside []string `json:"beside"`
	// Batch is how many tasks share passes, 0 for nine.
	Batch int `json:"batch"`
}

func main() {
	out := flag.String("out", "sapf/baseline/beyond/results", "folder of outcomes")
	file := flag.String("spec", "", "another specification than the committed one")
	report := flag.Bool("report", false, "compare the outcomes that are there, run nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := all(ctx, *file, *out, flag.Args(), *report); err != nil {
		fmt.Fprintln(os.Stderr, "beyond:", err)
		os.Exit(1)
	}
}

// all makes the runs named (all of the specification, if none is), or reports.
func all(ctx context.Context, file, out string, only []string, report bool) error {
	text := spec
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	var runs []run
	if err := json.Unmarshal(text, &runs); err != nil {
		return fmt.Errorf("specification: %w", err)
	}
	for _, name := range only {
		if !slices.ContainsFunc(runs, func(r run) bool { return r.Name == name }) {
			return fmt.Errorf("run %q is not in the specification", name)
		}
	}
	if report {
		return printReport(os.Stdout, out, runs)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, r := range runs {
		if len(only) > 0 && !slices.Contains(only, r.Name) {
			continue
		}
		if err := r.make(ctx, out); err != nil {
			return fmt.Errorf("run %s: %w", r.Name, err)
		}
	}
	return ctx.Err()
}

// path is the file of a run's outcomes.
func path(out, name string) string { return filepath.Join(out, name+".jsonl") }
