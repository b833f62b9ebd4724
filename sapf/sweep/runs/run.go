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
	"slices"
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
	// Workers are those elsewhere.
	Workers int
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
	if p.Workers > 0 {
		s += fmt.Sprintf("; %d running on %s", p.Running, plural(p.Workers, "worker"))
	}
	if p.Rate > 0 {
		s += fmt.Sprintf("; %.3g a second, %v left", p.Rate, p.Left.Round(time.Second))
	}
	return s
}

// Tally counts what comes in, each attack once however often it is told of it:
// what a hub took just before it was killed comes again to the next. It may be
// used by several goroutines.
type Tally struct {
	mu sync.Mutex
	p  Progress
	// states are those of the attacks that are counted, by key. Others are none
	// of its business.
	states  map[string]State
	sumL0   int
	sumL2   float64
	started time.Time
	// tell, where set, is told of every change, with the tally locked.
	tell func(Progress)
	// finish, where set, is called when nothing is left.
	finish func()
}

// State is how far one attack is; 0 is that of one that is not of the sweep.
type State int8

// The states of attacks.
const (
	Missing State = iota + 1
	GivenUp
	Done
)

func newTally() *Tally { return &Tally{states: map[string]State{}} }

// expect has an attack counted.
func (t *Tally) expect(key string) {
	if t.states[key] == 0 {
		t.states[key] = Missing
		t.p.Total++
	}
}

// State is how far an attack is.
func (t *Tally) State(key string) State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.states[key]
}

// Missing are those of the groups of which an attack is neither done nor given up.
func (t *Tally) Missing(groups []spec.Group) []spec.Group {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []spec.Group
	for _, g := range groups {
		if slices.ContainsFunc(g.Units, func(u spec.Unit) bool { return t.states[u.Key] == Missing }) {
			out = append(out, g)
		}
	}
	return out
}

// Start has the clock of the rate run, tell told of changes, and finish called
// when nothing is left.
func (t *Tally) Start(tell func(Progress), finish func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started, t.tell, t.finish = time.Now(), tell, finish
	t.changed()
}

// Progress is how far the sweep is.
func (t *Tally) Progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.p
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Over reports whether nothing is left to do.
func (p Progress) Over() bool { return p.Done+p.Dead >= p.Total }

// Begin counts attacks that have begun.
func (t *Tally) Begin(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p.Running, t.p.Now = t.p.Running+n, what
	t.changed()
}

// End counts attacks that run no more.
func (t *Tally) End(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p.Running -= n
	t.changed()
}

// Take counts results.
func (t *Tally) Take(results ...queue.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range results {
		if rec, err := sweep.DecodeRecord(r.File); err == nil { // it was checked before it was kept
			t.add(r.Key, rec)
		}
	}
	t.changed()
}

// Bury counts a dead job.
func (t *Tally) Bury(dead queue.Dead) error {
	g, err := DecodeJob(queue.Job{ID: dead.Job, Body: dead.Body})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range g.Units {
		t.giveUp(u.Key)
	}
	t.changed()
	return nil
}

func (t *Tally) changed() {
	if t.tell != nil {
		t.tell(t.p)
	}
	if t.finish != nil && t.p.Over() {
		t.finish()
	}
}

func (t *Tally) add(key string, rec sweep.Record) {
	switch t.states[key] {
	case Missing:
	case GivenUp: // and a worker of whom nothing was heard had it after all
		t.p.Dead--
	default:
		return
	}
	t.states[key] = Done
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

func (t *Tally) giveUp(key string) {
	if t.states[key] == Missing {
		t.states[key] = GivenUp
		t.p.Dead++
	}
}

// Unfinished are the groups of a shard of which something is missing, and not
// given up, and how far the sweep is.
func (d *Dir) Unfinished(s Shard) ([]spec.Group, *Tally, error) {
	dead, err := d.deadUnits()
	if err != nil {
		return nil, nil, err
	}
	t := newTally()
	var mine, groups []spec.Group
	for _, g := range d.groups {
		if s.takes(g) {
			mine = append(mine, g)
			for _, u := range g.Units {
				t.expect(u.Key)
			}
		}
	}
	missing := make([]bool, len(mine))
	err = d.eachRecord(mine, func(g int, u spec.Unit, rec *sweep.Record) {
		switch {
		case rec != nil:
			t.add(u.Key, *rec)
		case dead[u.Key]:
			t.giveUp(u.Key)
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
			groups = append(groups, t.living(mine[g]))
		}
	}
	return groups, t, nil
}

// living is a group without what is given up, which would take the others of it
// along again.
func (t *Tally) living(g spec.Group) spec.Group {
	var units []spec.Unit
	for _, u := range g.Units {
		if t.states[u.Key] != GivenUp {
			units = append(units, u)
		}
	}
	if len(units) == len(g.Units) {
		return g
	}
	return spec.NewGroup(units)
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
			continue // it was buried because nobody can read it
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
	groups, t, err := d.Unfinished(o.Shard)
	if err != nil {
		return Progress{}, err
	}
	if len(groups) == 0 {
		return t.Progress(), nil
	}
	e := &Executor{
		Plan: d.Plan, Catalogue: o.Catalogue, Threads: o.Threads, Provenance: sweep.Here(""),
		Checkpoints: filepath.Join(d.Path, "checkpoints"), Known: d.kept,
	}
	if _, _, err := e.Tasks(groups[0].Units[:1]); err != nil { // what every group needs
		return t.Progress(), err
	}
	q, err := localq.Open(localq.Options{Sink: &burials{d, t}, Tries: d.triesFile(o.Shard), Term: o.Term, Worker: e.Provenance.Host})
	if err != nil {
		return t.Progress(), err
	}
	for _, g := range groups {
		j, err := EncodeJob(g)
		if err == nil {
			_, err = q.Publish(ctx, j)
		}
		if err != nil {
			return t.Progress(), errors.Join(err, q.Close())
		}
	}
	run, finish := context.WithCancel(ctx)
	defer finish()
	t.Start(o.Progress, finish)
	w := &Worker{
		Queue: q, Executor: e, Slots: o.Slots, Grace: o.Grace, Notice: o.Notice,
		Began:    func(g spec.Group) { t.Begin(d.Plan.Describe(g.Units[0]), len(g.Units)) },
		Ended:    func(g spec.Group) { t.End(len(g.Units)) },
		Finished: func(results []queue.Result) { t.Take(results...) },
		Found: func(key string) { // a shard of another division has made it meanwhile
			if raw, err := d.Raw(key); err == nil && raw != nil && t.State(key) != Done {
				t.Take(queue.Result{Key: key, File: raw})
			}
		},
	}
	err = errors.Join(w.Work(run), q.Close())
	p := t.Progress()
	switch {
	case err == nil && p.Over(): // nothing is to go on
		err = errors.Join(os.RemoveAll(d.triesFile(o.Shard)), removeEmpty(e.Checkpoints))
	case err == nil:
		err = ctx.Err()
	}
	return p, err
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
	t *Tally
}

func (b *burials) Bury(dead queue.Dead) error {
	if err := b.Dir.Bury(dead); err != nil {
		return err
	}
	return b.t.Bury(dead)
}
