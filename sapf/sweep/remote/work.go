package remote

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// WorkOptions are those of a worker.
type WorkOptions struct {
	// Conn is the connection to the server or cluster.
	Conn *nats.Conn
	// Sweep is the name of the sweep to work for; "" takes whichever is there.
	Sweep string
	// Slots is how many jobs run at a time, Threads how many processors each has;
	// 0: a job a processor.
	Slots, Threads int
	// Grace is runs.Worker.Grace.
	Grace time.Duration
	// Catalogue finds attacks; nil is the registry.
	Catalogue spec.Catalogue
	// Cache is a folder for the models that come from the hub, each under its
	// digest; "" is one of the user's, in which the next worker finds them, or, where
	// that cannot be written to, a temporary one.
	Cache string
	// Notice, where set, is told what a user ought to know.
	Notice func(text string)
	// Program stands in tests for the version of the program, Clock for the
	// machine's.
	Program string
	Clock   func() time.Time

	models *cache
}

// RefusedError says that a worker is not what the sweep asks for.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "the sweep refuses this worker: " + e.Why }

// beat is how often a worker says that it is alive; ask how often it asks whether
// the sweep is over, which it is told besides, unless the server has forgotten
// whom to tell.
const (
	beat = 10 * time.Second
	ask  = 3 * time.Second
)

// Work waits for a sweep and works for it until it is over or the context ends.
// It returns how many results it handed in. Where the server forgets the sweep,
// it waits for the hub to set it up again.
func Work(ctx context.Context, o WorkOptions) (int, error) {
	if o.Catalogue == nil {
		o.Catalogue = spec.Registry
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	o.Slots = cmp.Or(o.Slots, runtime.GOMAXPROCS(0))
	o.models = newCache(o.Cache)
	defer o.models.close()
	for all, name := 0, ""; ; {
		var terms Terms
		var err error
		if name, err = o.join(ctx, name, &terms); name == "" {
			return all, err
		}
		n, err := o.work(ctx, name, terms)
		if all += n; !errors.Is(err, errForgotten) {
			return all, err
		}
		o.Notice("the server has forgotten the sweep: waiting for its hub")
		sleep(ctx, time.Second)
	}
}

// errForgotten says that the sweep is not in the server any more, and was not
// withdrawn.
var errForgotten = errors.New("the server has forgotten the sweep")

// join waits for a sweep: at first for any that there is, then for that which the
// server has forgotten. If that one is over in the end, the name is "".
func (o WorkOptions) join(ctx context.Context, forgotten string, terms *Terms) (name string, err error) {
	if forgotten == "" {
		waits := time.AfterFunc(ask, func() {
			if o.Conn.IsConnected() {
				o.Notice("waiting for a sweep with jobs")
			}
		})
		defer waits.Stop()
		return natsq.Announced(ctx, o.Conn, o.Sweep, terms)
	}
	waiting, end := context.WithCancel(ctx)
	defer end()
	goodbye, err := o.whenOver(waiting, forgotten, end)
	if err != nil {
		return "", err
	}
	defer goodbye.Unsubscribe()
	if name, err = natsq.Announced(waiting, o.Conn, o.Sweep, terms); err != nil && waiting.Err() != nil {
		return "", ctx.Err()
	}
	return name, err
}

// whenOver calls end, which ends the context, when the hub says goodbye or the server
// has it that the sweep was withdrawn.
func (o WorkOptions) whenOver(ctx context.Context, name string, end func()) (*nats.Subscription, error) {
	goodbye, err := natsq.OnGoodbye(o.Conn, name, end)
	if err != nil {
		return nil, err
	}
	go func() {
		for ; ctx.Err() == nil; sleep(ctx, beat/10) {
			if natsq.Withdrawn(ctx, o.Conn, name) == nil {
				end()
			}
		}
	}()
	return goodbye, nil
}

// work works for one sweep.
func (o WorkOptions) work(ctx context.Context, name string, terms Terms) (int, error) {
	if here := cmp.Or(o.Program, Program()); here != terms.Program {
		return 0, &RefusedError{fmt.Sprintf("version %s, the hub has %s", here, terms.Program)}
	}
	here := sweep.Here("")
	id := fmt.Sprintf("%s-%d", clean(here.Host), os.Getpid())
	here.Worker, here.Clock = id, o.Clock
	q, err := natsq.Open(ctx, o.Conn, natsq.Options{Sweep: name, Worker: id})
	if err != nil {
		return 0, o.ended(ctx, name, err)
	}
	defer q.Close()
	w := &worker{ctx: ctx, q: q, o: o}
	e := &runs.Executor{
		Catalogue: o.Catalogue, Threads: cmp.Or(o.Threads, 1), Provenance: here, Model: w.model, Image: w.image,
	}
	if e.Plan, err = w.plan(terms); err != nil {
		return 0, o.ended(ctx, name, err)
	}
	for i, m := range e.Plan.Models { // a worker with other bytes or numerics is refused before it begins
		var server *serverError
		if _, err := e.Prepare(i); errors.As(err, &server) || ctx.Err() != nil {
			return 0, o.ended(ctx, name, err)
		} else if err != nil {
			return 0, &RefusedError{fmt.Sprintf("model %s: %v", m.Name, err)}
		}
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	w.ctx = run // what is still to be fetched is of no use after it
	end := func() {
		q.Close()
		stop()
	}
	goodbye, err := o.whenOver(run, name, end)
	if err != nil {
		return 0, o.ended(ctx, name, err)
	}
	defer goodbye.Unsubscribe()
	go func() {
		for sleep(run, ask); run.Err() == nil; sleep(run, ask) {
			if over, ok := natsq.Over(run, o.Conn, name); over && ok || o.Conn.IsClosed() {
				end()
			}
		}
	}()
	crew := &crew{Beat: runs.Beat{Host: here.Host, Program: terms.Program, Slots: o.Slots}}
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		for ; run.Err() == nil; sleep(run, beat) {
			q.Beat(run, id, crew.says()) // one that does not arrive is followed by another
		}
	}()
	err = (&runs.Worker{
		Queue: q, Executor: e, Slots: o.Slots, Grace: o.Grace, Notice: o.Notice,
		Began:    func(g spec.Group) { crew.add(len(g.Units), 0, e.Plan.Describe(g.Units[0])) },
		Ended:    func(g spec.Group) { crew.add(-len(g.Units), 0, "") },
		Finished: func(results []queue.Result) { crew.add(0, len(results), "") },
	}).Work(run)
	over := run.Err() != nil && ctx.Err() == nil // it was withdrawn
	stop()
	<-silent
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), beat/2)
	defer cancel()
	q.Leave(leave, id) // or it is forgotten in a while
	var server *serverError
	var different *queue.DifferentError
	switch {
	case !over:
		err = o.ended(ctx, name, errors.Join(err, ctx.Err()))
	case errors.As(err, &server) && !errors.As(err, &different): // of the last fetch, which was ended
		err = nil
	}
	return crew.says().Done, err
}

// ended is the error of work that ended: nil where the sweep is over, errForgotten
// where the server has lost it.
func (o WorkOptions) ended(ctx context.Context, name string, err error) error {
	var different *queue.DifferentError
	var setup *runs.SetupError
	var server *serverError // which a setup may have met
	if ctx.Err() != nil || errors.As(err, &different) || errors.As(err, &setup) && !errors.As(err, &server) {
		return err
	}
	switch over, ok := natsq.Over(ctx, o.Conn, name); {
	case ok && over:
		return nil
	case err == nil || gone(err) || passing(err):
		return errForgotten
	}
	return err
}

// crew is what a worker says of itself; it may be used by several goroutines.
type crew struct {
	mu sync.Mutex
	runs.Beat
}

func (c *crew) add(running, done int, now string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Running, c.Done, c.Now = c.Running+running, c.Done+done, cmp.Or(now, c.Now)
}

func (c *crew) says() runs.Beat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Beat
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// clean keeps of a host's name what a bucket's key may have.
func clean(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, cmp.Or(host, "nameless"))
}

// worker fetches what the hub has put into the server.
type worker struct {
	ctx context.Context
	q   *natsq.Queue
	o   WorkOptions
}

// serverError is an error of the server, which no job and no machine is to blame
// for.
type serverError struct{ error }

func (e *serverError) Unwrap() error { return e.error }

// fetch reads an object, again and again while the server is away, or has no
// leader, or does not know what it has yet. It calls waits every second.
func (w *worker) fetch(name string, waits func()) ([]byte, error) {
	fetching, fetched := context.WithCancel(w.ctx)
	defer fetched()
	go func() {
		for sleep(fetching, time.Second); fetching.Err() == nil; sleep(fetching, time.Second) {
			waits()
		}
	}()
	raw, err := w.q.Blob(w.ctx, name)
	for wait := beat / 20; err != nil && !gone(err) && w.ctx.Err() == nil && !w.o.Conn.IsClosed(); wait = min(2*wait, beat) {
		w.o.Notice(err.Error())
		sleep(w.ctx, wait)
		raw, err = w.q.Blob(w.ctx, name)
	}
	if err != nil {
		return nil, &serverError{err}
	}
	return raw, nil
}

// gone reports whether an error says that something is not in the server.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrObjectNotFound)
}

// fetchFile is fetch of an object that is named by the digest of its bytes.
func (w *worker) fetchFile(digest string) ([]byte, error) {
	raw, err := w.fetch(digest, func() {})
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != digest {
		return nil, fmt.Errorf("what came from the hub as object %.12s is damaged: its SHA-256 is %.12x", digest, sum)
	}
	return raw, nil
}

// plan fetches the plan.
func (w *worker) plan(t Terms) (*spec.Plan, error) {
	raw, err := w.fetchFile(t.Plan)
	if err != nil {
		return nil, err
	}
	return spec.Decode(raw)
}

// model loads a model of the plan: this machine's, if it has the same bytes, or
// the hub's, which is kept for the next time.
func (w *worker) model(p spec.PlanModel) (*models.Model, error) {
	m, err := runs.LoadModel(p)
	var fits *runs.UnfitError
	if err == nil || errors.As(err, &fits) && fits.Profile {
		return m, err
	}
	extension := filepath.Ext(p.From)
	file := w.o.models.find(p.SHA256, extension)
	if file == "" {
		raw, e := w.fetchFile(p.SHA256)
		if errors.Is(e, jetstream.ErrObjectNotFound) {
			return nil, err // the hub has no file either: it is this program that lacks the model
		}
		if e != nil {
			return nil, e
		}
		if file, e = w.o.models.add(p.SHA256, extension, raw); e != nil {
			return nil, fmt.Errorf("keep what came from the hub: %w", e)
		}
	}
	p.From = file
	return runs.LoadModel(p)
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// image fetches an image of the plan, which must be what it was.
func (w *worker) image(p spec.PlanImage, waits func()) (data.Image, error) {
	raw, err := w.fetch(p.SHA256, waits)
	if err != nil {
		return data.Image{}, err
	}
	x, err := decodeImage(raw)
	if err != nil {
		return x, fmt.Errorf("image %s: %w", p.Name, err)
	}
	if d := sweep.ImageDigest(x); d != p.SHA256 {
		return x, fmt.Errorf("image %s: its digest is %.12s, the sweep was planned with %.12s", p.Name, d, p.SHA256)
	}
	x.Name, x.Label = p.Name, p.Label
	return x, nil
}
