package remote

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
)

// bench is a server within the process, and a sweep of toys that was run once
// elsewhere, so that its results are known.
type bench struct {
	t     *testing.T
	nc    *nats.Conn
	js    jetstream.JetStream
	d     *runs.Dir
	whole *runs.Dir
	dir   string
	said  func(string)
	name  string
}

func newBench(t *testing.T, options string, images, targets, batch int) *bench {
	t.Helper()
	b := &bench{t: t, dir: folder(t, options, images, targets, batch), said: notices(t)}
	reference := folder(t, "sleep: 0", images, targets, batch)
	if options == "sleep: 0" {
		run(t, reference)
	}
	b.connect()
	var err error
	b.whole, err = runs.Open(reference)
	must(t, err)
	t.Cleanup(func() { b.whole.Close() })
	b.open()
	return b
}

// connect starts the server.
func (b *bench) connect() {
	b.t.Helper()
	b.nc = serverWithin(b.t, b.t.TempDir())
	var err error
	b.js, err = jetstream.New(b.nc)
	must(b.t, err)
}

// serverWithin is a connection to a server in this process.
func serverWithin(t *testing.T, store string) *nats.Conn {
	t.Helper()
	s, err := natsq.Start(natsq.ServerOptions{Store: store})
	must(t, err)
	t.Cleanup(s.Close)
	nc, err := s.Connect()
	must(t, err)
	t.Cleanup(nc.Close)
	return nc
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens the folder, as a hub that starts does.
func (b *bench) open() {
	b.t.Helper()
	var err error
	b.d, err = runs.Resume(b.dir, runs.Shard{})
	must(b.t, err)
	b.name, err = Name(b.d)
	must(b.t, err)
	b.t.Cleanup(func() { b.d.Close() })
}

// queue is the queue as a hub that was killed has left it.
func (b *bench) queue() *natsq.Queue {
	b.t.Helper()
	q, err := natsq.Create(b.t.Context(), b.nc, natsq.Options{Sweep: b.name, Term: term})
	must(b.t, err)
	b.t.Cleanup(func() { q.Close() })
	return q
}

// setUp sets the sweep up in the server, as a hub that starts does.
func (b *bench) setUp() (*hub, *natsq.Queue) {
	b.t.Helper()
	h, err := newHub(b.d, ServeOptions{Conn: b.nc, Catalogue: toy.Catalogue})
	must(b.t, err)
	q, err := h.setUp(b.t.Context())
	must(b.t, err)
	return h, q
}

// hand hands in the result of the n-th attack, as a worker.
func (b *bench) hand(q *natsq.Queue, n int) queue.Result {
	b.t.Helper()
	u := b.d.Units()[n]
	raw, err := b.whole.Raw(u.Key)
	must(b.t, err)
	r := queue.Result{Key: u.Key, File: raw}
	_, err = q.Publish(b.t.Context(), queue.Job{ID: u.Key, Body: []byte("any")})
	must(b.t, err)
	lease, err := q.Next(b.t.Context())
	must(b.t, err)
	must(b.t, lease.Done(b.t.Context(), []queue.Result{r}))
	return r
}

// work starts a worker, which must end by itself and without an error.
func (b *bench) work() {
	b.t.Helper()
	worked := make(chan error, 1)
	go func() {
		_, err := Work(context.Background(), WorkOptions{Conn: b.nc, Sweep: b.name, Slots: 2, Catalogue: toy.Catalogue, Notice: b.said})
		worked <- err
	}()
	b.t.Cleanup(func() {
		if !within(patience, func() bool { return len(worked) > 0 }) {
			b.t.Error("the worker does not end")
		} else if err := <-worked; err != nil {
			b.t.Errorf("the worker: %v", err)
		}
	})
}

// joined waits for a worker, which would otherwise wait for a sweep that is over.
func (b *bench) joined(q *natsq.Queue) {
	b.t.Helper()
	until(b.t, "a worker", func() bool {
		beats, err := q.Beats(b.t.Context())
		return err == nil && len(beats) > 0
	})
}

// serve serves the sweep to its end, which must come.
func (b *bench) serve() runs.Progress {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*patience)
	defer cancel()
	p, err := Serve(ctx, b.d, ServeOptions{Conn: b.nc, Term: term, Look: 300 * time.Millisecond, Catalogue: toy.Catalogue, Notice: b.said})
	if err != nil {
		b.t.Fatalf("%v: %v", p, err)
	}
	return p
}

// clean holds that the server has nothing of the sweep any more.
func (b *bench) clean() {
	b.t.Helper()
	for name := range b.js.StreamNames(b.t.Context()).Name() {
		if strings.Contains(name, b.name) {
			b.t.Errorf("%s is still there", name)
		}
	}
	sweeps, err := natsq.Sweeps(b.t.Context(), b.nc)
	if err != nil || len(sweeps) > 0 {
		b.t.Errorf("announced still: %v, %v", sweeps, err)
	}
}

// TestHubMarkWithoutFile: the server says that a result was collected, and its
// file was lost since: it is made again.
func TestHubMarkWithoutFile(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 4, 2, 1)
	q := b.queue()
	for n := range 3 {
		r := b.hand(q, n)
		must(t, q.Mark(t.Context(), r.Key, r.File)) // nothing: it is there
	}
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	n := 0
	must(t, q.Collect(ctx, b.d, func(*queue.Result, *queue.Dead, error) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 3 {
			stop()
		}
	}))
	must(t, b.d.Close()) // and here the hub is killed, and two files are damaged
	list, err := filepath.Glob(filepath.Join(b.dir, "results", "??", "*.json"))
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	must(t, os.Truncate(list[0], 10))
	must(t, os.Remove(list[1]))
	b.open()
	b.work()
	if p := b.serve(); p.Done != 8 || p.Kept != 1 {
		t.Errorf("%+v", p)
	}
	same(t, b.dir, b.whole.Path)
	b.clean()
}

// TestHubDamagedEntries: what stands in the server and is no result, no dead job
// and no job of this sweep is put out of the way; the sweep ends all the same.
func TestHubDamagedEntries(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 4, 2, 1)
	q := b.queue()
	b.hand(q, 0)
	results, err := b.js.KeyValue(t.Context(), "sapf-results-"+b.name)
	must(t, err)
	key := func(n int) string { return b.d.Units()[n].Key }
	for name, value := range map[string]string{
		key(1):                   `{"digest":"x","file":"bm8gcmVzdWx0"}`,
		key(2):                   `{"digest":`,
		key(3):                   `{"digest":"x","blob":"result.that.is.lost"}`,
		"evil":                   `{"digest":"x","file":"bm8gcmVzdWx0"}`,
		strings.Repeat("ab", 32): `{"digest":"x","file":"bm8gcmVzdWx0"}`,
	} {
		_, err := results.PutString(t.Context(), name, value)
		must(t, err)
	}
	dead, err := b.js.KeyValue(t.Context(), "sapf-dead-"+b.name)
	must(t, err)
	for _, name := range []string{"evil", strings.Repeat("cd", 32)} {
		_, err := dead.PutString(t.Context(), name, `{"reason":`)
		must(t, err)
	}
	for id, body := range map[string]string{
		"junk":                   "junk",
		strings.Repeat("ef", 32): `{"id":"x","units":[{"key":"` + strings.Repeat("ef", 32) + `","model":7,"image":0,"method":0,"target":0}]}`,
	} {
		_, err := q.Publish(t.Context(), queue.Job{ID: id, Body: []byte(body)})
		must(t, err)
	}
	b.work()
	if p := b.serve(); p.Done != 8 || p.Dead != 0 {
		t.Errorf("%+v", p)
	}
	same(t, b.dir, b.whole.Path)
	b.clean()
}

// TestHubLosesJobs: jobs that vanish from the queue (an acknowledgement of an
// earlier queue, a node's disk) are published again.
func TestHubLosesJobs(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 10, 2, 1)
	q := b.queue()
	go func() {
		until(t, "jobs", func() bool { w, _, _, err := q.Len(t.Context()); return err == nil && w == 20 })
		s, err := b.js.Stream(t.Context(), "sapf-jobs-"+b.name)
		if err == nil {
			err = s.Purge(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
		b.work()
	}()
	if p := b.serve(); p.Done != 20 {
		t.Errorf("%+v", p)
	}
	same(t, b.dir, b.whole.Path)
	b.clean()
}

// TestHubServerForgets: all that the server has is deleted, in the middle of the
// sweep, while hub and worker are at work: both go on.
func TestHubServerForgets(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 20, 3, 1)
	b.work()
	var once sync.Once
	wreck := func() {
		for name := range b.js.StreamNames(t.Context()).Name() {
			if err := b.js.DeleteStream(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	p, err := Serve(ctx, b.d, ServeOptions{Conn: b.nc, Term: term, Look: 300 * time.Millisecond, Catalogue: toy.Catalogue, Notice: b.said, Progress: func(p runs.Progress) {
		if p.Done >= 5 {
			once.Do(func() { go wreck() })
		}
	}})
	if err != nil || p.Done != 60 {
		t.Errorf("%+v, %v", p, err)
	}
	same(t, b.dir, b.whole.Path)
	b.clean()
}

// TestWorkerForgottenMeanwhile: the server forgets a sweep, which is over before
// its worker can join it again: the worker ends all the same.
func TestWorkerForgottenMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 2, 2, 1)
	_, q := b.setUp()
	forgotten := make(chan struct{})
	said := b.said
	b.said = func(s string) {
		if said(s); strings.Contains(s, "forgotten") {
			select {
			case <-forgotten:
			default:
				close(forgotten)
			}
		}
	}
	b.work()
	b.joined(q)
	for name := range b.js.StreamNames(t.Context()).Name() {
		must(t, b.js.DeleteStream(t.Context(), name))
	}
	select {
	case <-forgotten:
	case <-time.After(patience):
		t.Fatal("the worker does not see that the sweep is forgotten")
	}
	kv, err := b.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "sapf-sweeps"})
	must(t, err)
	must(t, kv.Delete(t.Context(), b.name)) // what is left of a sweep that is over
}

// TestHubKilledAtTheEnd: the last result is on the disk, and the hub is killed
// before it has told the workers and removed the queue: the next hub does that.
func TestHubKilledAtTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 2, 2, 1)
	_, q := b.setUp()
	b.work()
	b.joined(q)
	for _, u := range b.d.Units() {
		raw, err := b.whole.Raw(u.Key)
		must(t, err)
		must(t, b.d.Create(queue.Result{Key: u.Key, File: raw}))
	}
	// Half of it was removed.
	must(t, b.js.DeleteKeyValue(t.Context(), "sapf-tries-"+b.name))
	if p := b.serve(); p.Done != 4 {
		t.Errorf("%+v", p)
	}
	b.clean()
	b.serve() // and once more does nothing
}

// TestHubOtherPlan: a hub that starts with another plan removes what its folder
// had in the server, and nothing else.
func TestHubOtherPlan(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 6, 2, 1)
	h, q := b.setUp()
	must(t, h.publish(t.Context(), q, h.groups))
	_, err := natsq.Create(t.Context(), b.nc, natsq.Options{Sweep: "another"})
	must(t, err)
	earlier := b.name
	must(t, b.d.Close())
	plan(t, b.dir, "sleep: 0", 3, 2, 1)
	b.open()
	if b.name == earlier {
		t.Fatal("two plans have one name")
	}
	b.work()
	if p := b.serve(); p.Total != 6 || p.Done != 6 {
		t.Errorf("%+v", p)
	}
	for name := range b.js.StreamNames(t.Context()).Name() {
		if strings.Contains(name, earlier) {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := b.js.Stream(t.Context(), "sapf-jobs-another"); err != nil {
		t.Errorf("another hub's sweep: %v", err)
	}
}

// TestTwoHubsOnOneServer: of one plan in two folders, at the same time.
func TestTwoHubsOnOneServer(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 8, 2, 1)
	second := &bench{t: t, nc: b.nc, js: b.js, whole: b.whole, dir: folder(t, "sleep: 0", 8, 2, 1), said: b.said}
	second.open()
	if second.name == b.name {
		t.Fatal("two folders have one name")
	}
	var wg sync.WaitGroup
	for _, x := range []*bench{b, second} {
		x.work()
		wg.Go(func() {
			if p := x.serve(); p.Done != 16 {
				t.Errorf("%+v", p)
			}
		})
	}
	wg.Wait()
	same(t, b.dir, b.whole.Path)
	same(t, second.dir, b.whole.Path)
	b.clean()
	second.clean()
}

// TestHubDeadAgain: a dead job that is to be tried again is tried as often as any
// other, by a hub on the same queue; without that it stays dead, and is reported
// once.
func TestHubDeadAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 10, on: 4, mode: panic", 1, 9, 9)
	b.work()
	if p := b.serve(); p.Done != 8 || p.Dead != 1 {
		t.Fatalf("%+v", p)
	}
	// A queue in which the job is dead and collected, its attempts counted.
	q := b.queue()
	var u string
	for _, x := range dead(t, b.dir) {
		u = x.Job
		for range queue.Tries + 1 {
			_, err := q.Publish(t.Context(), queue.Job{ID: x.Job, Body: x.Body})
			must(t, err)
			l, err := q.Next(t.Context())
			must(t, err)
			if l.Attempt() > queue.Tries {
				must(t, l.Bury(t.Context(), "why not"))
				break
			}
			must(t, l.Retry(t.Context(), 0))
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	must(t, q.Collect(ctx, b.d, func(*queue.Result, *queue.Dead, error) { stop() }))
	must(t, b.d.Revive())
	must(t, b.d.Close())
	b.open()
	b.work()
	if p := b.serve(); p.Done != 8 || p.Dead != 1 {
		t.Errorf("%+v", p)
	}
	if list := dead(t, b.dir); len(list) != 1 || list[0].Job != u || !strings.Contains(list[0].Reason, "the toy panics") {
		t.Errorf("it was not tried again: %+v", list)
	}
}

// TestHubBuriedAndDone: a job was given up, and whoever had it hands in its
// results after all: it is done, once.
func TestHubBuriedAndDone(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 2, 2, 1)
	q := b.queue()
	groups, _, err := b.d.Unfinished(runs.Shard{})
	must(t, err)
	j, err := runs.EncodeJob(groups[0])
	must(t, err)
	_, err = q.Publish(t.Context(), j)
	must(t, err)
	slow, err := q.Next(t.Context())
	must(t, err)
	again, err := q.Next(t.Context()) // when its lease has ended
	must(t, err)
	must(t, again.Bury(t.Context(), "it hangs"))
	raw, err := b.whole.Raw(groups[0].Units[0].Key)
	must(t, err)
	must(t, slow.Done(t.Context(), []queue.Result{{Key: groups[0].Units[0].Key, File: raw}}))
	b.work()
	if p := b.serve(); p.Done != 4 || p.Dead != 0 {
		t.Errorf("%+v", p)
	}
	if st := status(t, b.dir); st.Done != 4 || st.Dead != 0 || len(st.Reasons) != 0 {
		t.Errorf("%+v", st)
	}
	same(t, b.dir, b.whole.Path)
}

// TestHubResultsOfAKilledWorker: a worker is killed again and again between
// handing in and acknowledging: its job is done, not poison.
func TestHubResultsOfAKilledWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 1, 1, 1)
	q := b.queue()
	groups, _, err := b.d.Unfinished(runs.Shard{})
	must(t, err)
	j, err := runs.EncodeJob(groups[0])
	must(t, err)
	_, err = q.Publish(t.Context(), j)
	must(t, err)
	for range queue.Tries + 1 {
		l, err := q.Next(t.Context())
		must(t, err)
		must(t, l.Retry(t.Context(), 0))
	}
	results, err := b.js.KeyValue(t.Context(), "sapf-results-"+b.name)
	must(t, err)
	r := b.d.Units()[0].Key
	raw, err := b.whole.Raw(r)
	must(t, err)
	second := b.queue()
	_, err = second.Publish(t.Context(), queue.Job{ID: strings.Repeat("12", 32), Body: []byte("x")})
	must(t, err)
	for {
		l, err := second.Next(t.Context())
		must(t, err)
		if l.Job().ID != j.ID {
			must(t, l.Done(t.Context(), []queue.Result{{Key: r, File: raw}}))
			break
		}
		must(t, l.Retry(t.Context(), 0))
	}
	if _, err := results.Get(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w := &runs.Worker{Queue: second, Executor: &runs.Executor{Plan: b.d.Plan, Catalogue: toy.Catalogue}, Slots: 1}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	must(t, w.Work(ctx))
	if _, _, n, err := second.Len(t.Context()); err != nil || n != 0 {
		t.Errorf("%d dead, %v", n, err)
	}
}

// TestWorkerHearsGoodbye: a worker is told that its sweep is over where the server
// has forgotten all by which it could ask.
func TestWorkerHearsGoodbye(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sleep: 0", 1, 1, 1)
	_, q := b.setUp()
	b.work()
	b.joined(q)
	must(t, b.js.DeleteKeyValue(t.Context(), "sapf-sweeps"))
	must(t, natsq.Goodbye(b.nc, b.name)) // and the worker ends, or b.work fails
}
