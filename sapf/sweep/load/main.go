// Command load measures what a sweep costs beside its attacks, with a method
// that does nothing or sleeps:
//
//	go run ./sapf/sweep/load tables 9000      seconds to read and write the tables of so many results
//	go run ./sapf/sweep/load memory 100000    memory while so many jobs that do nothing are queued and run
//	go run ./sapf/sweep/load hub 4 2000       results a second of a hub with so many workers and jobs that do nothing
//	go run ./sapf/sweep/load overhead 10 4    what a job of so many seconds takes longer, over so many jobs
//	go run ./sapf/sweep/load scaling 20       two workers beside one on so many attacks of the C&W network
//	go run ./sapf/sweep/load spread 8 18 2000 1, 2, 4 and 8 workers, 18 attacks of 2000 ms for each
//
// Folders are made below -dir (a disk in memory leaves out what the disk costs).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

func main() {
	dir := flag.String("dir", "", "where folders are made and removed again; the system's temporary one by default")
	flag.Parse()
	modes := map[string]struct {
		arguments int
		run       func(dir string, n []int) error
	}{
		"tables": {1, tables}, "memory": {1, memory}, "hub": {2, hub}, "overhead": {2, overhead}, "scaling": {1, scaling}, "spread": {3, spread},
	}
	mode, ok := modes[flag.Arg(0)]
	switch flag.Arg(0) {
	case workerMode:
		exit(worker(flag.Arg(1), flag.Arg(2)))
	case computeMode:
		exit(compute(flag.Arg(1), flag.Arg(2)))
	}
	var numbers []int
	for _, a := range flag.Args()[min(1, flag.NArg()):] {
		n, err := strconv.Atoi(a)
		if err != nil || n < 1 {
			exit(fmt.Errorf("%q, expected a whole number", a))
		}
		numbers = append(numbers, n)
	}
	if !ok || len(numbers) != mode.arguments {
		exit(fmt.Errorf("expected tables N, memory N, hub WORKERS JOBS, overhead SECONDS JOBS, scaling ATTACKS or spread WORKERS ATTACKS MILLISECONDS"))
	}
	folder, err := os.MkdirTemp(*dir, "load-")
	if err == nil {
		err = mode.run(folder, numbers)
		os.RemoveAll(folder)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// toys is a plan of at least n toys, each a job: 100 images, 9 targets, and as
// many seeds as it takes.
func toys(n int, options string) (*spec.Plan, error) {
	images := min(max(n/9, 1), 100)
	s, err := spec.Parse(fmt.Appendf(nil, "model: cwmnist\nimages: {set: fashion, first: %d}\ntargets: {random: %d}\nmethods: [{name: toy, options: {%s}}]\nbatch: 1", images, min(n, 9), options))
	if err != nil {
		return nil, err
	}
	var seeds []string
	for i := range (n + 9*images - 1) / (9 * images) {
		seeds = append(seeds, strconv.Itoa(i))
	}
	s.Methods[0].Grid = map[string][]string{"seed": seeds}
	return spec.Resolve(context.Background(), s, toy.Catalogue)
}

// create makes the folder of a plan and leaves it open.
func create(dir, options string, n int) (*runs.Dir, error) {
	p, err := toys(n, options)
	if err != nil {
		return nil, err
	}
	return runs.Create(dir, p, runs.Shard{})
}

// since is the seconds since a time.
func since(start time.Time) float64 { return time.Since(start).Seconds() }
