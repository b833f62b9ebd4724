package dsl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sapf/sapf/baseline"
	"sapf/sapf/sweep/runs"
)

// TestSweep: a sweep of values, its tables, and that it is found again.
func TestSweep(t *testing.T) {
	s := Sweep{Dir: filepath.Join(t.TempDir(), "x"), Images: []string{"cat"}, Targets: []string{"dog", "frog"}, Methods: []Method{baseline.FMNL0{Steps: 10}}}
	r := s.Run()
	if st := r.Wait(); st.Done != 2 || st.Dead != 0 {
		t.Fatalf("%+v", st)
	}
	if r.over != nil {
		if err := <-r.over; err != nil {
			t.Fatal(err)
		}
	}
	again := OpenSweep(s.Dir)
	if rows := again.Rows(); len(rows) != 2 || rows[0].Method != "fmn-l0" {
		t.Errorf("%+v", rows)
	}
	for _, table := range []*Results{again.Table1(), again.By("method", "steps"), again.Results()} {
		if text := table.String(); !strings.Contains(text, "fmn-l0") || !strings.Contains(text, "2 of 2 attacks") {
			t.Errorf("%v", table)
		}
	}
	if f := failureOf(t, func() { Sweep{Dir: t.TempDir(), Images: []string{"cat"}, Methods: []Method{Own("mine", nil)}}.Run() }); f == nil || !strings.Contains(f.Error(), "mine") {
		t.Errorf("an attack of the cell's own: %v", f)
	}
}

// TestSweepOtherAtWork: a folder in which another sweep runs is refused, where the
// same one is found.
func TestSweepOtherAtWork(t *testing.T) {
	s := Sweep{Dir: filepath.Join(t.TempDir(), "x"), Images: []string{"cat"}, Targets: []string{"dog"}, Methods: []Method{baseline.FMNL0{Steps: 10}}}
	r := s.Run()
	r.Wait()
	if r.over != nil {
		if err := <-r.over; err != nil {
			t.Fatal(err)
		}
	}
	d, err := runs.Resume(s.Dir, runs.Shard{}) // somebody runs it
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if st := s.Run().Status(); st.Done != 1 {
		t.Errorf("%+v", st)
	}
	s.Targets = []string{"frog"}
	if f := failureOf(t, func() { s.Run() }); f == nil || !strings.Contains(f.Error(), "another sweep runs in") {
		t.Errorf("another sweep: %v", f)
	}
}

// TestSweepOwn: an attack that a cell has made is refused, with what runs it instead,
// whatever its name.
func TestSweepOwn(t *testing.T) {
	mine := Own("fmn-l0", func(m Classifier, x Image, goal Goal) Result { return Result{Adversarial: x} })
	s := Sweep{Dir: filepath.Join(t.TempDir(), "x"), Images: []string{"cat"}, Methods: []Method{mine}}
	if f := failureOf(t, func() { s.Run() }); f == nil || !strings.Contains(f.Error(), "MeasureAll(dir, m, cases...)") {
		t.Errorf("an own attack: %v", f)
	}
}

// TestSweepFolder: a folder of any name is handed to the process that runs the
// sweep, and found when the cell's own folder is another one.
func TestSweepFolder(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("sapf", []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SAPF_COMMAND", filepath.Join(dir, "sapf"))
	r := Sweep{Dir: "-a sweep é", Images: []string{"cat"}, Targets: []string{"dog"}, Methods: []Method{baseline.FMNL0{Steps: 10}}}.Run()
	again := OpenSweep("-a sweep é")
	t.Chdir("/")
	want := "sweep\nrun\n-o\n" + filepath.Join(dir, "-a sweep é") + "\n"
	var said []byte
	for range 6000 {
		if said, _ = os.ReadFile(filepath.Join(dir, "-a sweep é", "log")); string(said) == want {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if string(said) != want {
		t.Errorf("the process was started with %q, want %q", said, want)
	}
	for _, run := range []*SweepRun{r, again} {
		if s := run.Status(); s.Total != 1 {
			t.Errorf("%+v", s)
		}
	}
}
