package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sapf/sapf/metric"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/table"
)

// tables makes n results, the same but for their keys, and reads them.
func tables(dir string, n []int) error {
	d, err := create(dir, "sleep: 0", n[0])
	if err != nil {
		return err
	}
	units := d.Units()
	e := &runs.Executor{Plan: d.Plan, Catalogue: toy.Catalogue}
	m, tasks, err := e.Tasks(units[:1])
	if err != nil {
		return err
	}
	one, err := sweep.One(context.Background(), m, tasks[0], sweep.Options{})
	if err != nil {
		return err
	}
	kept := one.Keep()
	kept.Provenance = sweep.Here("")
	for _, u := range units {
		kept.Record.Target = &u.Target
		raw, err := sweep.Encode(kept)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, "results", u.Key[:2], u.Key+".json")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			return err
		}
	}
	if err := d.Close(); err != nil {
		return err
	}
	for _, what := range []string{"Table 1", "groups", "rows csv", "rows parquet", "status", "Table 1, packed"} {
		if strings.Contains(what, "packed") {
			w, err := runs.Resume(dir, runs.Shard{})
			if err != nil {
				return err
			}
			start := time.Now()
			if _, err := w.Pack(); err != nil {
				return err
			}
			fmt.Printf("%-16s %7d results  %6.2f s\n", "pack", len(units), since(start))
			if err := w.Close(); err != nil {
				return err
			}
		}
		runtime.GC()
		start := time.Now()
		if err := make1(dir, what); err != nil {
			return err
		}
		fmt.Printf("%-16s %7d results  %6.2f s\n", what, len(units), since(start))
	}
	return nil
}

// make1 opens a sweep and makes one table, as a command does.
func make1(dir, what string) error {
	d, err := runs.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if what == "status" {
		_, err := d.Status()
		return err
	}
	attacks, snapshot, err := table.Read(d)
	if err != nil {
		return err
	}
	var t *table.Table
	format := "markdown"
	switch {
	case strings.HasPrefix(what, "Table 1"):
		t = table.Table1(d.Plan.Dataset, metric.L2, attacks, snapshot)
	case what == "groups":
		t, err = table.By([]string{"method", "seed"}, attacks, snapshot)
	default:
		t, err = table.Rows(attacks, snapshot)
		format = strings.TrimPrefix(what, "rows ")
	}
	if err != nil {
		return err
	}
	return t.Write(io.Discard, format)
}

// memory runs n jobs that do nothing, and says how much memory the process has on
// the way.
func memory(dir string, n []int) error {
	fmt.Printf("%7s done  %5.0f MB resident, before planning\n", "-", resident())
	d, err := create(dir, "sleep: 0", n[0])
	if err != nil {
		return err
	}
	defer d.Close()
	start, next := time.Now(), 0
	p, err := d.Run(context.Background(), runs.Options{Catalogue: toy.Catalogue, Slots: 2, Progress: func(p runs.Progress) {
		if p.Done >= next {
			fmt.Printf("%7d done  %5.0f MB resident, %d of them live, %6.1f s\n", p.Done, resident(), live(), since(start))
			next += p.Total / 5
		}
	}})
	if err == nil {
		fmt.Printf("%7d done  %5.0f MB resident, %d of them live, %6.1f s\n", p.Done, resident(), live(), since(start))
	}
	return err
}

// resident is the process's memory in MB, 0 where the system does not say.
func resident() float64 {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(raw, []byte("VmRSS:"))
	var kb float64
	fmt.Sscan(string(after), &kb) // 0 if it is not there
	return kb / 1024
}

// live is the memory in MB that is in use after a collection.
func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20)
}
