package runs

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/localq"
	"sapf/sapf/sweep/spec"
)

// Options of a run on one machine.
type Options struct {
	// Catalogue finds attacks; nil is the registry.
	Catalogue spec.Catalogue
	// Shard is the part of the sweep to run, which the folder was opened with.
	Shard Shard
	// Slots is how many groups run at a time, Threads how many goroutines share a
	// step of each; 0: a slot for each processor, one thread each.
	Slots, Threads int
	// Term is how long a job may make no step; 0 means localq.DefaultTerm.
	Term time.Duration
	// Grace is Worker.Grace.
	Grace time.Duration
	// Progress, where set, is told when a group begins or ends; Notice of what a
	// user ought to know at once.
	Progress func(Progress)
	Notice   func(text string)
}

// Progress says how far a sweep is.
type Progress struct {
	// Total attacks, Done of them over, Kept of those since before the run, Dead
	// given up; Running are at work.
	Total, Done, Kept, Dead, Running int
	// Succeeded of the Done reached their goals. L0 and L2 are the mean norms of
	// those so far.
	Succeeded int
	L0, L2    float64
	// Rate is attacks a second in this run, Left the time that the rest will take
	// at that; both 0 where nothing is known.
	Rate float64
	Left time.Duration
	// Now is what began last.
	Now string
}

// String is the progress in a line.
func (p Progress) String() string {
	s := fmt.Sprintf("%d of %d attacks, %d succeeded", p.Done, p.Total, p.Succeeded)
	if p.Succeeded > 0 {
		s += fmt.Sprintf(", mean l0 %.1f, l2 %.3f", p.L0, p.L2)
	}
	if p.Kept > 0 {
		s += fmt.Sprintf("; %d kept from before", p.Kept)
	}
	if p.Dead > 0 {
		s += fmt.Sprintf("; %d given up", p.Dead)
	}
	if p.Rate > 0 {
		s += fmt.Sprintf("; %.3g a second, %v left", p.Rate, p.Left.Round(time.Second))
	}
	return s
}

// tally counts what comes in.
type tally struct {
	mu      sync.Mutex
	p       Progress
	sumL0   int
	sumL2   float64
	started time.Time
}

func (t *tally) add(rec sweep.Record) {
	t.p.Done++
	if rec.Success {
		t.p.Succeeded++
		t.sumL0 += rec.L0
		t.sumL2 += rec.L2
		t.p.L0, t.p.L2 = float64(t.sumL0)/float64(t.p.Succeeded), t.sumL2/float64(t.p.Succeeded)
	}
	if now := t.p.Done - t.p.Kept; now > 0 && !t.started.IsZero() {
		t.p.Rate = float64(now) / time.Since(t.started).Seconds()
		t.p.Left = time.Duration(float64(t.p.Total-t.p.Done-t.p.Dead) / t.p.Rate * float64(time.Second))
	}
}

// Unfinished are the groups of a shard of which something is missing, and not
// given up, and how far the sweep is.
func (d *Dir) Unfinished(s Shard) ([]spec.Group, *Counts, error) {
	dead, err := d.deadUnits()
	if err != nil {
		return nil, nil, err
	}
	counts := &Counts{}
	var mine, groups []spec.Group
	for _, g := range d.groups {
		if s.takes(g) {
			mine = append(mine, g)
			counts.Total += len(g.Units)
		}
	}
	t := &counts.tally
	t.p.Total = counts.Total
	missing := make([]bool, len(mine))
	err = d.eachRecord(mine, func(g int, u spec.Unit, rec *sweep.Record) {
		switch {
		case rec != nil:
			t.add(*rec)
		case dead[u.Key]:
			t.p.Dead++
		default:
			missing[g] = true
		}
	})
	if err != nil {
		return nil, nil, err
	}
	t.p.Kept = t.p.Done
	for g, is := range missing {
		if is {
			groups = append(groups, mine[g])
		}
	}
	counts.Done, counts.Dead = t.p.Done, t.p.Dead
	return groups, counts, nil
}

// Counts are the attacks of a sweep by what has become of them.
type Counts struct {
	Total, Done, Dead int
	tally             tally
}

// deadUnits are the keys of the attacks that are given up.
func (d *Dir) deadUnits() (map[string]bool, error) {
	dead, err := d.Dead()
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, x := range dead {
		g, err := DecodeJob(queue.Job{ID: x.Job, Body: x.Body})
		if err != nil {
			return nil, err
		}
		for _, u := range g.Units {
			out[u.Key] = true
		}
	}
	return out, nil
}

// takes reports whether a group belongs to the shard: its number, drawn from its
// digest, says so.
func (s Shard) takes(g spec.Group) bool {
	if s.Count == 0 {
		return true
	}
	raw, err := hex.DecodeString(g.ID[:16])
	return err == nil && binary.BigEndian.Uint64(raw)%uint64(s.Count) == uint64(s.Index)
}

// Run runs what is missing, on this machine, until it is done or the context
// ends. The folder must have been opened with Create or Resume.
func (d *Dir) Run(ctx context.Context, o Options) (Progress, error) {
	if o.Catalogue == nil {
		o.Catalogue = spec.Registry
	}
	if o.Slots == 0 {
		o.Slots = runtime.GOMAXPROCS(0)
	}
	if o.Threads == 0 {
		o.Threads = 1
	}
	groups, counts, err := d.Unfinished(o.Shard)
	if err != nil {
		return Progress{}, err
	}
	t := &counts.tally
	if len(groups) == 0 {
		return t.p, nil
	}
	e := &Executor{
		Plan: d.Plan, Catalogue: o.Catalogue, Threads: o.Threads, Provenance: sweep.Here(""),
		Checkpoints: filepath.Join(d.Path, "checkpoints"),
	}
	if _, _, err := e.Tasks(groups[0].Units[:1]); err != nil { // what every group needs
		return t.p, err
	}
	run, finish := context.WithCancel(ctx)
	defer finish()
	q, err := localq.Open(localq.Options{Sink: &burials{d, t, finish}, Tries: d.triesFile(o.Shard), Term: o.Term, Worker: e.Provenance.Host})
	if err != nil {
		return t.p, err
	}
	for _, g := range groups {
		j, err := EncodeJob(g)
		if err == nil {
			_, err = q.Publish(ctx, j)
		}
		if err != nil {
			return t.p, errors.Join(err, q.Close())
		}
	}
	tell := func(change func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		change()
		if o.Progress != nil {
			o.Progress(t.p)
		}
		if t.p.Done+t.p.Dead >= t.p.Total {
			finish()
		}
	}
	t.started = time.Now()
	w := &Worker{
		Queue: q, Executor: e, Slots: min(o.Slots, len(groups)*d.Plan.Batch), Grace: o.Grace, Notice: o.Notice,
		Started: func(g spec.Group) {
			tell(func() { t.p.Running, t.p.Now = t.p.Running+len(g.Units), d.Plan.Describe(g.Units[0]) })
		},
		Finished: func(g spec.Group, results []queue.Result) {
			tell(func() {
				t.p.Running -= len(g.Units)
				for _, r := range results {
					if rec, err := sweep.DecodeRecord(r.File); err == nil { // it was encoded a moment ago
						t.add(rec)
					}
				}
			})
		},
	}
	err = errors.Join(w.Work(run), q.Close())
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil && t.p.Done+t.p.Dead == t.p.Total: // nothing is to go on
		err = errors.Join(os.RemoveAll(d.triesFile(o.Shard)), removeEmpty(e.Checkpoints))
	case err == nil:
		err = ctx.Err()
	}
	return t.p, err
}

// removeEmpty removes a folder with nothing in it.
func removeEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 0 {
		return nil // it is not there, or another shard's
	}
	if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return err
	}
	return nil
}

// burials is the folder as the queue of a run sees it: what is given up counts.
type burials struct {
	*Dir
	t      *tally
	finish func()
}

func (b *burials) Bury(dead queue.Dead) error {
	if err := b.Dir.Bury(dead); err != nil {
		return err
	}
	g, err := DecodeJob(queue.Job{ID: dead.Job, Body: dead.Body})
	if err != nil {
		return err
	}
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	b.t.p.Dead += len(g.Units)
	if b.t.p.Done+b.t.p.Dead >= b.t.p.Total {
		b.finish()
	}
	return nil
}
