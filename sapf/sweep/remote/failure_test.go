package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sapf/models"
	"sapf/models/atomicfile"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/localq"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
	"sapf/sapf/sweep/table"
)

// TestFailure41_WorkerKilled: kill -9 of a worker in the middle of its jobs; what
// it had is delivered again, and every attack has one result. A worker that gets
// SIGTERM ends its jobs first.
func TestFailure41_WorkerKilled(t *testing.T) {
	t.Parallel()
	options, open, shut := gate(t, 8)
	options += ", sleep: 100"
	reference := folder(t, options, 10, 2, 1)
	run(t, reference)
	apart(t, func(t *testing.T, url string, hub func(string) *child) {
		shut()
		dir := folder(t, options, 10, 2, 1)
		h := hub(dir)
		victim := work(t, url)
		until(t, "some results", func() bool { return files(t, dir) >= 3 })
		kill(t, victim)
		gentle := work(t, url)
		until(t, "more results", func() bool { return files(t, dir) >= 8 })
		gentle.Process.Signal(syscall.SIGTERM)
		open()
		if code := ends(t, gentle); code != 130 {
			t.Errorf("the worker ended with %d", code)
		}
		endWell(t, h, work(t, url))
		same(t, dir, reference)
	})
}

// TestFailure42_ProcessKilled: kill -9 of the only process, and of the hub, again
// and again: 200 of 200 results, none twice, the same table.
func TestFailure42_ProcessKilled(t *testing.T) {
	t.Parallel()
	reference := folder(t, "sleep: 20", 100, 2, 3)
	run(t, reference)
	t.Run("single", func(t *testing.T) {
		dir := folder(t, "sleep: 20", 100, 2, 3)
		for kills := 0; kills < 3; kills++ {
			before := files(t, dir)
			victim := start(t, "run", dir)
			until(t, "more results", func() bool { return files(t, dir) >= min(before+20, 200) })
			kill(t, victim)
		}
		if p := run(t, dir); p.Done != 200 || p.Dead != 0 || p.Kept < 60 {
			t.Errorf("%+v", p)
		}
		same(t, dir, reference)
	})
	apart(t, func(t *testing.T, url string, hub func(string) *child) {
		dir := folder(t, "sleep: 20", 100, 2, 3)
		h := hub(dir)
		worker := work(t, url)
		for range 2 {
			before := files(t, dir)
			until(t, "more results", func() bool { return files(t, dir) >= min(before+20, 200) })
			kill(t, h)
			h = hub(dir)
		}
		endWell(t, h, worker)
		same(t, dir, reference)
	})
}

// TestFailure43_KilledBetweenWriteAndRename: a temporary file is removed at the
// start; a result whose job was not acknowledged is done.
func TestFailure43_KilledBetweenWriteAndRename(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 4, 1, 1)
	run(t, dir)
	before := rows(t, dir)
	shards, err := filepath.Glob(filepath.Join(dir, "results", "??"))
	if err != nil || len(shards) == 0 {
		t.Fatal(err)
	}
	stray := filepath.Join(shards[0], ".sapf-0123abcd-0123abcd.tmp")
	if err := os.WriteFile(stray, []byte(`{"record":`), 0o644); err != nil {
		t.Fatal(err)
	}
	// The job of a result that is there is published, as one that was not
	// acknowledged would be: it is not run.
	var ran atomic.Int64
	d, err := runs.Resume(dir, runs.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	q, err := localq.Open(localq.Options{Sink: d, Term: term})
	if err != nil {
		t.Fatal(err)
	}
	u := d.Units()[0]
	j, err := runs.EncodeJob(spec.NewGroup([]spec.Unit{u}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Publish(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	go func() {
		until(t, "an empty queue", func() bool { w, r, _, err := q.Len(t.Context()); return err == nil && w+r == 0 })
		q.Close()
	}()
	w := &runs.Worker{Queue: q, Executor: &runs.Executor{Plan: d.Plan, Catalogue: toy.Catalogue, Threads: 1}, Slots: 1, Began: func(spec.Group) { ran.Add(1) }}
	if err := w.Work(t.Context()); err != nil || ran.Load() != 0 {
		t.Errorf("a job that was done ran %d times, %v", ran.Load(), err)
	}
	if _, err := os.Stat(stray); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the stray file is still there")
	}
	if rows(t, dir) != before {
		t.Error("the table has changed")
	}
}

// TestFailure44_Interrupted: an interrupt, or SIGTERM as Slurm sends it, ends
// the jobs at hand and keeps them; the sweep goes on to the same table.
func TestFailure44_Interrupted(t *testing.T) {
	t.Parallel()
	options, open, shut := gate(t, 1)
	options += ", sleep: 150"
	reference := folder(t, options, 8, 2, 2)
	run(t, reference)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		shut()
		dir := folder(t, options, 8, 2, 2)
		p := start(t, "run", dir)
		until(t, "some results", func() bool { return files(t, dir) >= 2 })
		p.Process.Signal(s)
		open()
		if code := ends(t, p); code != 130 {
			t.Errorf("%v: exit code %d, want 130", s, code)
		}
		n := files(t, dir)
		if st := status(t, dir); st.Done != n || st.Corrupt != 0 || n == 16 {
			t.Errorf("%v: %+v with %d files", s, st, n)
		}
		run(t, dir)
		same(t, dir, reference)
	}
}

// TestFailure45_Checkpoint: SAPF's state is kept by an interrupt, and the attack
// goes on from there to the same bytes.
func TestFailure45_Checkpoint(t *testing.T) {
	t.Parallel()
	text := []byte("model: cwnet\nimages: [cat]\ntargets: [dog, frog]\nmethods: [{name: sapf, options: {steps: 200, search_rounds: 1, k: 100}}]")
	s, err := spec.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := spec.Resolve(t.Context(), s, spec.Registry)
	if err != nil {
		t.Fatal(err)
	}
	dir, reference := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, d := range []string{dir, reference} {
		made, err := runs.Create(d, p, runs.Shard{})
		if err != nil {
			t.Fatal(err)
		}
		made.Close()
	}
	writer := start(t, "run", dir)
	saved := func() bool {
		list, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
		return err == nil && len(list) > 0
	}
	until(t, "a checkpoint", saved)
	writer.Process.Signal(syscall.SIGTERM)
	if code := ends(t, writer); code != 130 && files(t, dir) < 2 {
		t.Errorf("exit code %d, want 130", code)
	}
	if files(t, dir) == 0 && !saved() {
		t.Error("the state is gone")
	}
	run(t, dir)
	run(t, reference)
	same(t, dir, reference)
	if saved() {
		t.Error("the state is still there")
	}
}

// TestFailure47_DamagedResults: torn, with one bit flipped, empty: put aside and
// made again.
func TestFailure47_DamagedResults(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		dir := folder(t, "sleep: 0", 4, 1, 1)
		if p, err := run(dir, wayOptions{}); err != nil || p.Done != 4 {
			t.Fatal(p, err)
		}
		before := rows(t, dir)
		list, err := filepath.Glob(filepath.Join(dir, "results", "??", "*.json"))
		if err != nil || len(list) != 4 {
			t.Fatal(err, list)
		}
		for i, damage := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:len(b)/2] },
			func(b []byte) []byte { b[len(b)/3] ^= 4; return b },
			func([]byte) []byte { return nil },
		} {
			raw, err := os.ReadFile(list[i])
			must(t, err)
			must(t, os.WriteFile(list[i], damage(raw), 0o644))
		}
		if st := status(t, dir); st.Done != 1 || st.Corrupt != 3 || st.Missing != 3 {
			t.Errorf("%+v", st)
		}
		if p, err := run(dir, wayOptions{}); err != nil || p.Kept != 1 || p.Done != 4 {
			t.Errorf("%+v, %v", p, err)
		}
		if rows(t, dir) != before {
			t.Error("the table has changed")
		}
	})
}

// TestFailure48_TwoRuns: the second process is refused, by name; shards of one
// sweep are not, but two of one number are.
func TestFailure48_TwoRuns(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 2, 1, 1)
	holder := start(t, "hold", dir)
	until(t, "the lock", func() bool { who, err := runs.Holder(dir); return err == nil && who != "" })
	_, err := runs.Resume(dir, runs.Shard{})
	var held *runs.HeldError
	if !errors.As(err, &held) || !strings.Contains(err.Error(), fmt.Sprintf("held by pid %d on ", holder.Process.Pid)) {
		t.Errorf("%v, want a refusal that names pid %d", err, holder.Process.Pid)
	}
	if st := status(t, dir); !strings.Contains(st.Holder, fmt.Sprint("pid ", holder.Process.Pid)) {
		t.Errorf("status: %q", st.Holder)
	}
	kill(t, holder)
	a, err := runs.Resume(dir, runs.Shard{Index: 0, Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := runs.Resume(dir, runs.Shard{Index: 1, Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, s := range []runs.Shard{{}, {Index: 1, Count: 2}} {
		if _, err := runs.Resume(dir, s); !errors.As(err, &held) {
			t.Errorf("shard %q beside others: %v", s, err)
		}
	}
}

// TestFailure49_LockOfTheDead: the lock is the system's and ends with its
// process.
func TestFailure49_LockOfTheDead(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 2, 1, 1)
	holder := start(t, "hold", dir)
	until(t, "the lock", func() bool { who, err := runs.Holder(dir); return err == nil && who != "" })
	kill(t, holder)
	if p := run(t, dir); p.Done != 2 {
		t.Errorf("%+v", p)
	}
}

// dead reads the reasons of what was given up.
func dead(t *testing.T, dir string) []queue.Dead {
	t.Helper()
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	list, err := d.Dead()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// onOne is a sweep of 9 targets of one image of which one goes wrong.
func onOne(t *testing.T, mode string) string {
	return folder(t, "sleep: 10, on: 4, mode: "+mode, 1, 9, 9)
}

// TestFailure50_Panic: recorded with its stack; the others of the batch go on.
func TestFailure50_Panic(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		dir := onOne(t, "panic")
		if p, err := run(dir, wayOptions{}); err != nil || p.Done != 8 || p.Dead != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		list := dead(t, dir)
		if len(list) != 1 || !strings.Contains(list[0].Reason, "the toy panics") || !strings.Contains(list[0].Reason, "toy.go") {
			t.Errorf("%+v", list)
		}
		if st := status(t, dir); len(st.Reasons) != 1 || !strings.Contains(st.Reasons[0], "the toy panics") {
			t.Errorf("%+v", st)
		}
		// It is not tried again unasked, not even in a batch with new ones.
		plan(t, dir, "sleep: 10, on: 4, mode: panic", 2, 9, 18)
		if p, err := run(dir, wayOptions{}); err != nil || p.Total != 18 || p.Dead != 2 || p.Kept != 8 {
			t.Errorf("%+v, %v", p, err)
		}
		if list := dead(t, dir); len(list) != 2 {
			t.Errorf("%+v", list)
		}
	})
}

// TestFailure51_JobKillsItsProcess: after two processes that it has killed it is
// not run again, but named; everything else is done.
func TestFailure51_JobKillsItsProcess(t *testing.T) {
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		dir := onOne(t, "exit")
		deaths := 0
		for ; ends(t, start(t, "run", dir)) != 0; deaths++ {
			if deaths > 4 {
				t.Fatal("it goes on killing")
			}
		}
		// One for the batch, two for the one to blame.
		if deaths != 3 {
			t.Errorf("%d processes died, want 3", deaths)
		}
		poisoned(t, dir)
	})
	apart(t, func(t *testing.T, url string, hub func(string) *child) {
		dir := onOne(t, "exit")
		h := hub(dir)
		over := make(chan int, 1)
		go func() { over <- ends(t, h) }()
		for deaths := 0; ; deaths++ {
			w := work(t, url)
			died := make(chan int, 1)
			go func() { died <- ends(t, w) }()
			select {
			case code := <-over:
				if code != 0 {
					t.Errorf("the hub ended with %d", code)
				}
				kill(t, w)
				poisoned(t, dir)
				return
			case <-died:
				if deaths > 4 {
					t.Fatal("it goes on killing")
				}
			}
		}
	})
}

func poisoned(t *testing.T, dir string) {
	t.Helper()
	list := dead(t, dir)
	if st := status(t, dir); st.Done != 8 || st.Dead != 1 || len(list) != 1 || !strings.Contains(list[0].Reason, "poison") {
		t.Errorf("%+v, %+v", st, list)
	}
}

// TestFailure52_JobLongerThanItsLease: signs of life keep the lease; the job runs
// once.
func TestFailure52_JobLongerThanItsLease(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		begun := filepath.Join(t.TempDir(), "begun")
		dir := folder(t, fmt.Sprintf("sleep: 5000, log: %q", begun), 1, 1, 1)
		slowest := watch(t)
		if p, err := run(dir, wayOptions{term: brief}); err != nil || p.Done != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		if raw, err := os.ReadFile(begun); err != nil || strings.Count(string(raw), "\n") != 1 {
			if d := slowest(); d > brief/3 {
				t.Skipf("this process had to wait for %v: its signs of life came too late", d)
			}
			t.Errorf("it was begun several times: %q, %v", raw, err)
		}
	})
}

// watch measures how long this process has to wait for a processor, or the disk,
// until the function that it returns is called.
func watch(t *testing.T) (slowest func() time.Duration) {
	const tick = 20 * time.Millisecond
	var longest atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "tick")
	go func() {
		for last := time.Now(); ctx.Err() == nil; last = time.Now() {
			time.Sleep(tick)
			atomicfile.WriteFile(file, nil) // where it cannot be written, other things say so
			longest.Store(max(longest.Load(), int64(time.Since(last)-tick)))
		}
	}()
	return func() time.Duration {
		stop()
		return time.Duration(longest.Load())
	}
}

// TestFailure52_ProcessStopped: a run that is stopped (Ctrl-Z, a machine asleep)
// for longer than a lease has its leases still when it goes on.
func TestFailure52_ProcessStopped(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	dir := folder(t, fmt.Sprintf("sleep: 1500, log: %q", log), 1, 2, 1)
	p := start(t, "run", dir)
	begun := func() int {
		raw, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return bytes.Count(raw, []byte("\n"))
	}
	until(t, "both attacks", func() bool { return begun() == 2 })
	must(t, p.Process.Signal(syscall.SIGSTOP))
	time.Sleep(term + term/2)
	must(t, p.Process.Signal(syscall.SIGCONT))
	if code := ends(t, p); code != 0 || begun() != 2 || strings.Contains(p.said.String(), "lease") {
		t.Errorf("exit code %d, %d attacks begun, said %q", code, begun(), p.said.String())
	}
}

// TestFailure53_JobHangs: no steps, no sign of life: the lease ends, and after
// two of them the job is given up. The others are done.
func TestFailure53_JobHangs(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		dir := folder(t, "sleep: 10, on: 4, mode: hang", 1, 9, 1)
		if p, err := run(dir, wayOptions{term: brief}); err != nil || p.Done != 8 || p.Dead != 1 {
			t.Errorf("%+v, %v", p, err)
		}
		if list := dead(t, dir); len(list) != 1 || !strings.Contains(list[0].Reason, "stood still") {
			t.Errorf("%+v", list)
		}
	})
}

// TestFailure54_TwoResultsOfOneKey: the first stays; another time is no
// difference, another value is an error.
func TestFailure54_TwoResultsOfOneKey(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 1, 1, 1)
	run(t, dir)
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	key := d.Units()[0].Key
	raw, err := d.Raw(key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := sweep.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	encode := func() []byte {
		out, err := sweep.Encode(k)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	k.Seconds, k.Record.Seconds, k.Provenance.Host = 99, 99, "elsewhere"
	if err := d.Create(queue.Result{Key: key, File: encode()}); err != nil {
		t.Errorf("another time and place: %v", err)
	}
	k.Values[0] = 0.5
	var different *queue.DifferentError
	if err := d.Create(queue.Result{Key: key, File: encode()}); !errors.As(err, &different) || !strings.Contains(err.Error(), "not reproducible") {
		t.Errorf("another value: %v", err)
	}
	if again, err := d.Raw(key); err != nil || string(again) != string(raw) {
		t.Errorf("the first result did not stay: %v", err)
	}
}

// TestFailure42_TakenTwice: a hub that is killed when a result is on its disk and
// the server does not know it yet: the next hub is told of it again, counts it
// once, and is not over before the rest is there.
func TestFailure42_TakenTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 4, 2, 1)
	q := b.queue()
	for n := range 3 {
		must(t, b.d.Create(b.hand(q, n))) // and here the hub was killed
	}
	b.work()
	if p := b.serve(); p.Done != p.Total || p.Kept != 3 {
		t.Errorf("%v", p)
	}
	same(t, b.dir, b.whole.Path)
}

// TestFailure55_SpecEdited: new attacks run, old results stay, and the table is
// of exactly the plan at hand.
func TestFailure55_SpecEdited(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 4, 1, 1)
	run(t, dir)
	four := rows(t, dir)
	plan(t, dir, "sleep: 0", 6, 1, 1)
	if p := run(t, dir); p.Total != 6 || p.Kept != 4 || p.Done != 6 {
		t.Errorf("%+v", p)
	}
	if six := rows(t, dir); !strings.HasPrefix(six, four) || strings.Count(six, "\n") != 6 {
		t.Error("the table of the longer plan does not go on from that of the shorter one")
	}
	plan(t, dir, "sleep: 0", 4, 1, 1)
	if rows(t, dir) != four || files(t, dir) != 6 {
		t.Error("the table is not that of the plan at hand")
	}
}

// TestFailure56_CodeChanged: another version of the code has other keys.
func TestFailure56_CodeChanged(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 2, 1, 1)
	run(t, dir)
	plan(t, dir, `sleep: 0, code: "2"`, 2, 1, 1)
	if st := status(t, dir); st.Done != 0 || st.Missing != 2 {
		t.Errorf("%+v", st)
	}
}

// TestFailure57_Handshake: a worker of another version, with other weights or
// other numerics, is refused before it has a job.
func TestFailure57_Handshake(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 1, 1, 1)
	d, err := runs.Resume(dir, runs.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	model := d.Plan.Models[0]
	if err := runs.Fits(model, models.Card{SHA256: strings.Repeat("0", 64)}, engine.Profile{}); err == nil || !strings.Contains(err.Error(), "same bytes") {
		t.Errorf("other weights: %v", err)
	}
	nc := serverWithin(t, filepath.Join(dir, "queue"))
	for _, c := range []struct {
		what, want string
		change     func(p *spec.PlanModel, o *WorkOptions)
	}{
		{"version", "version 0.0.1", func(_ *spec.PlanModel, o *WorkOptions) { o.Program = "0.0.1" }},
		{"weights", "the same bytes are needed", func(p *spec.PlanModel, _ *WorkOptions) { p.SHA256 = strings.Repeat("ab", 32) }},
		{"numerics", "SAPF_KERNELS=float64", func(p *spec.PlanModel, _ *WorkOptions) { p.Profile = "float64" }},
	} {
		d.Plan.Models[0] = model
		o := WorkOptions{Conn: nc, Catalogue: toy.Catalogue}
		c.change(&d.Plan.Models[0], &o)
		h, err := newHub(d, ServeOptions{Conn: nc, Catalogue: toy.Catalogue})
		if err != nil {
			t.Fatal(err)
		}
		h.groups = nil // whose images this machine could not make with such a model
		if _, err := h.setUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.Sweep = h.terms.name()
		var refused *RefusedError
		if _, err := Work(t.Context(), o); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("another %s: %v, want a refusal about %s", c.what, err, c.want)
		}
	}
}

// TestFailure58_Clocks: hosts whose clocks are hours apart, and one that jumps
// back in mid-sweep: the same results, which only say other times. (Leases are
// timed by the broker, or within a process by the monotonic clock.)
func TestFailure58_Clocks(t *testing.T) {
	t.Parallel()
	options, open, shut := gate(t, 5)
	dir, reference := folder(t, options, 20, 2, 1), folder(t, options, 20, 2, 1)
	run(t, reference)
	shut()
	url := natsServer(t)
	hub := start(t, "hub", dir, url)
	jumps := work(t, url, "86400")
	until(t, "some results", func() bool { return files(t, dir) >= 10 })
	work(t, url, "3600")
	work(t, url, "-86400")
	kill(t, jumps)
	open()
	endWell(t, hub)
	same(t, dir, reference)
	d, err := runs.Open(dir)
	must(t, err)
	defer d.Close()
	apart := map[time.Duration]bool{}
	for _, u := range d.Units() {
		raw, err := d.Raw(u.Key)
		must(t, err)
		k, err := sweep.Decode(raw)
		must(t, err)
		ended, err := time.Parse(time.RFC3339, k.Provenance.Ended)
		must(t, err)
		apart[time.Until(ended).Round(time.Hour)] = true
	}
	if len(apart) < 2 {
		t.Errorf("the clocks were not apart: %v", apart)
	}
}

// TestFailure59_BrokerAway: the worker finishes what it has, keeps the result,
// and hands it in when the broker is back; so does the hub where it is another
// process.
func TestFailure59_BrokerAway(t *testing.T) {
	t.Parallel()
	brokerAway(t, false)
}

// TestFailure59_ImageLate: a job whose image is waited for, because the server is
// away, does not hang, however long that takes.
func TestFailure59_ImageLate(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 1, 1, 1)
	d, err := runs.Resume(dir, runs.Shard{})
	must(t, err)
	defer d.Close()
	m, err := runs.LoadModel(d.Plan.Models[0])
	must(t, err)
	x, err := spec.NewLoader(m).Load(d.Plan.Images[0])
	must(t, err)
	q, err := localq.Open(localq.Options{Sink: d, Term: brief / 2})
	must(t, err)
	j, err := runs.EncodeJob(spec.NewGroup(d.Units()))
	must(t, err)
	_, err = q.Publish(t.Context(), j)
	must(t, err)
	late := func(_ spec.PlanImage, waits func()) (data.Image, error) {
		for end := time.Now().Add(2 * brief); time.Now().Before(end); time.Sleep(brief / 40) {
			waits()
		}
		return x, nil
	}
	begun := 0
	w := &runs.Worker{
		Queue: q, Slots: 1, Notice: notices(t), Began: func(spec.Group) { begun++ }, Finished: func([]queue.Result) { q.Close() },
		Executor: &runs.Executor{Plan: d.Plan, Catalogue: toy.Catalogue, Threads: 1, Image: late},
	}
	slowest := watch(t)
	if err := w.Work(t.Context()); err != nil || files(t, dir) != 1 {
		t.Errorf("%d results, %v", files(t, dir), err)
	}
	if wait := slowest(); begun != 1 && wait < brief/8 {
		t.Errorf("begun %d times", begun)
	}
}

// TestFailure60_QueueDeleted: it is made again from the plan and the results.
func TestFailure60_QueueDeleted(t *testing.T) {
	t.Parallel()
	brokerAway(t, true)
}

// brokerAway kills the server in mid-sweep, within the hub or by itself, and starts
// it again, with or without its store. A worker, which has jobs at hand, goes on,
// and so does a hub that is another process.
func brokerAway(t *testing.T, empty bool) {
	options, open, shut := gate(t, 1)
	reference := folder(t, options, 4, 2, 1)
	run(t, reference)
	away := func(t *testing.T, dir, store string, server *child) {
		until(t, "some results", func() bool { return files(t, dir) >= 2 })
		kill(t, server)
		open()
		if empty {
			must(t, os.RemoveAll(store))
		} else {
			time.Sleep(term) // long enough for every lease to end
		}
	}
	t.Run("embedded", func(t *testing.T) {
		shut()
		dir, port := folder(t, options, 4, 2, 1), freePort(t)
		hub, worker := start(t, "hub", dir, port), work(t, "nats://127.0.0.1:"+port)
		away(t, dir, filepath.Join(dir, "queue"), hub)
		endWell(t, start(t, "hub", dir, port), worker)
		same(t, dir, reference)
	})
	t.Run("server", func(t *testing.T) {
		shut()
		dir, port, store := folder(t, options, 4, 2, 1), freePort(t), filepath.Join(t.TempDir(), "store")
		url := "nats://127.0.0.1:" + port
		broker, hub, worker := start(t, "nats", port, store), start(t, "hub", dir, url), work(t, url)
		away(t, dir, store, broker)
		start(t, "nats", port, store)
		endWell(t, hub, worker)
		same(t, dir, reference)
	})
}

// TestFailure61_Places: spaces and other alphabets and long paths work; a folder
// within a file is refused.
func TestFailure61_Places(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		long := filepath.Join(t.TempDir(), strings.Repeat("a very long name ", 10), strings.Repeat("й", 100), "*[x]?", strings.Repeat("deep/", 300), "結果")
		plan(t, long, "sleep: 0, on: 4, mode: panic", 2, 9, 9)
		if p, err := run(long, wayOptions{}); err != nil || p.Done != 16 || p.Dead != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		if st := status(t, long); st.Done != 16 || st.Dead != 2 || len(st.Reasons) != 2 {
			t.Errorf("%+v", st)
		}
		d, err := runs.Resume(long, runs.Shard{})
		must(t, err)
		defer d.Close()
		if n, err := d.Pack(); n != 16 || err != nil {
			t.Errorf("%d packed, %v", n, err)
		}
		if files(t, long) != 0 {
			t.Error("files are left beside the pack")
		}
	})
	p, err := toy.Plan("sleep: 0", 1, 1, 1)
	must(t, err)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	if _, err := runs.Create(filepath.Join(file, "sweep"), p, runs.Shard{}); err == nil {
		t.Error("a folder within a file was made")
	}
}

// TestFailure62_TableWhileWriting: 9,000 attacks, whose tables are read while
// they are written, packed in between: each is of what is there, none is of less
// than the one before, and its caption says of how many.
func TestFailure62_TableWhileWriting(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sweep")
	s, err := spec.Parse([]byte("model: cwmnist\nimages: {set: fashion, first: 100}\nmethods: [{name: toy, grid: {seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}}]"))
	must(t, err)
	p, err := spec.Resolve(t.Context(), s, toy.Catalogue)
	must(t, err)
	d, err := runs.Create(dir, p, runs.Shard{})
	must(t, err)
	fill(t, d, 8000)
	must(t, d.Close())
	var writer *child
	last, partial := 0, 0
	took := 100 * time.Millisecond
	for ended := false; !ended; {
		select {
		case <-writer.ended():
			ended = true
		case <-time.After(3 * took): // on a slow machine a writer shall get on too
		}
		began := time.Now()
		d, err := runs.Open(dir)
		must(t, err)
		attacks, caption, err := table.Read(d)
		must(t, err)
		must(t, d.Close())
		took = time.Since(began)
		if n := len(attacks); n < last || caption != thousands(n)+" of 9,000 attacks" {
			t.Fatalf("%d attacks after %d: %q", n, last, caption)
		}
		if last = len(attacks); last > 0 && last < 9000 {
			partial++
		}
		if writer == nil {
			writer = start(t, "run", dir)
		}
	}
	if code := writer.ProcessState.ExitCode(); code != 0 || last != 9000 || partial == 0 {
		t.Errorf("exit code %d, %d attacks, %d tables on the way", code, last, partial)
	}
	d, err = runs.Open(dir) // a reader that is older than the pack
	must(t, err)
	defer d.Close()
	packer, err := runs.Resume(dir, runs.Shard{})
	must(t, err)
	defer packer.Close()
	if n, err := packer.Pack(); n != 9000 || err != nil {
		t.Fatalf("%d packed, %v", n, err)
	}
	if attacks, _, err := table.Read(d); len(attacks) != 9000 || err != nil {
		t.Errorf("%d attacks in a folder that was packed meanwhile, %v", len(attacks), err)
	}
	if st := status(t, dir); st.Corrupt != 0 {
		t.Errorf("%+v", st)
	}
}

// fill makes results of the first groups of a plan, of so many attacks, and writes
// them without waiting for the disk.
func fill(t *testing.T, d *runs.Dir, attacks int) {
	t.Helper()
	groups, err := d.Plan.Groups()
	must(t, err)
	e := &runs.Executor{Plan: d.Plan, Catalogue: toy.Catalogue, Threads: 1}
	for n := 0; n < attacks; {
		g := groups[0]
		results, err := e.Run(t.Context(), g, g.Units, new(atomic.Int64))
		must(t, err)
		for _, r := range results {
			file := filepath.Join(d.Path, "results", r.Key[:2], r.Key+".json")
			must(t, os.MkdirAll(filepath.Dir(file), 0o755))
			must(t, os.WriteFile(file, r.File, 0o644))
		}
		groups, n = groups[1:], n+len(results)
	}
}

// thousands is a number of at most six digits as captions have it.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// TestFailure63_NotANumber: kept as a status, never as a number in JSON.
func TestFailure63_NotANumber(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, run func(string, wayOptions) (runs.Progress, error)) {
		dir := onOne(t, "nan")
		if p, err := run(dir, wayOptions{}); err != nil || p.Done != 9 || p.Dead != 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		n := 0
		for line := range strings.Lines(rows(t, dir)) {
			var r sweep.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if r.Status == attack.Numeric {
				n++
				if r.Success || r.Lambda1 != 0 || r.L0 != 0 || !strings.Contains(r.Note, "NaN") {
					t.Errorf("%+v", r)
				}
			}
		}
		if n != 1 {
			t.Errorf("%d results with status numeric, want 1", n)
		}
	})
}

// TestFailure64_ManyFiles: in folders by the key's first digits; one file after
// Pack, with the same table; the pack grows, and a damaged entry is made again.
func TestFailure64_ManyFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 100, 2, 9)
	run(t, dir)
	before := rows(t, dir)
	pack := func(want int) {
		t.Helper()
		d, err := runs.Resume(dir, runs.Shard{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if n, err := d.Pack(); n != want || err != nil {
			t.Fatalf("%d packed, %v, want %d", n, err, want)
		}
	}
	pack(200)
	if rows(t, dir) != before || files(t, dir) != 0 {
		t.Errorf("%d files are left, or the table has changed", files(t, dir))
	}
	plan(t, dir, "sleep: 0", 100, 3, 9)
	if p := run(t, dir); p.Total != 300 || p.Done != 300 || p.Kept == 0 {
		t.Errorf("%+v", p)
	}
	pack(200 + 300 - run(t, dir).Total + files(t, dir))
}

// TestFailure79_NamesThatLeave: a result's name is a key, or it is refused.
func TestFailure79_NamesThatLeave(t *testing.T) {
	t.Parallel()
	dir := folder(t, "sleep: 0", 1, 1, 1)
	run(t, dir)
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	raw, err := d.Raw(d.Units()[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../../evil", "../" + strings.Repeat("a", 61), "", "ab/../../x", strings.Repeat("A", 64), strings.Repeat("z", 64)} {
		if err := d.Create(queue.Result{Key: name, File: raw}); err == nil {
			t.Errorf("a result named %q was kept", name)
		}
		if err := d.Bury(queue.Dead{Job: name}); err == nil {
			t.Errorf("a dead job named %q was kept", name)
		}
		if _, err := d.Raw(name); err == nil {
			t.Errorf("a result named %q was read", name)
		}
	}
}

// TestFailure80_Secrets: nothing of the environment is in a result but what is
// on the list.
func TestFailure80_Secrets(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
	t.Setenv("MY_PASSWORD", "hunter2hunter2")
	t.Setenv("SLURM_JOB_ID", "4711")
	dir := folder(t, "sleep: 0", 1, 1, 1)
	run(t, dir)
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	raw, err := d.Raw(d.Units()[0].Key)
	if err != nil || strings.Contains(string(raw), "hunter2") || !strings.Contains(string(raw), "4711") {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestShardsOverlap: what shards of another division make while a shard runs is
// found by it, counts, and is not made twice.
func TestShardsOverlap(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	dir := folder(t, fmt.Sprintf("log: %q", log), 5, 3, 2)
	shard := func(s runs.Shard, begun func()) {
		d, err := runs.Resume(dir, s)
		must(t, err)
		defer d.Close()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var once sync.Once
		p, err := d.Run(ctx, runs.Options{Catalogue: toy.Catalogue, Shard: s, Slots: 2, Progress: func(runs.Progress) { once.Do(begun) }})
		if err != nil || !p.Over() {
			t.Errorf("shard %v: %+v, %v", s, p, err)
		}
	}
	shard(runs.Shard{Index: 0, Count: 1}, func() {
		for i := range 2 {
			shard(runs.Shard{Index: i, Count: 2}, func() {})
		}
	})
	raw, err := os.ReadFile(log)
	must(t, err)
	if n := strings.Count(string(raw), "\n"); n != 15 || files(t, dir) != 15 {
		t.Errorf("%d attacks were made, there are %d results, want 15", n, files(t, dir))
	}
}
