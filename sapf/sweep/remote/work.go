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
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/models"
	"sapf/models/atomicfile"
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
	// Cache is a folder for the models that come from the hub.
	Cache string
	// Notice, where set, is told what a user ought to know.
	Notice func(text string)
	// Program stands in tests for the version of the program.
	Program string
}

// RefusedError says that a worker is not what the sweep asks for.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "the sweep refuses this worker: " + e.Why }

// beat is how often a worker says that it is alive.
const beat = 10 * time.Second

// Work waits for a sweep and works for it until it is over or the context ends.
// It returns how many results it handed in.
func Work(ctx context.Context, o WorkOptions) (int, error) {
	var terms Terms
	name, err := natsq.Announced(ctx, o.Conn, o.Sweep, &terms)
	if err != nil {
		return 0, err
	}
	if here := cmp.Or(o.Program, Program()); here != terms.Program {
		return 0, &RefusedError{fmt.Sprintf("version %s, the hub has %s", here, terms.Program)}
	}
	here := sweep.Here("")
	id := fmt.Sprintf("%s-%d", clean(here.Host), os.Getpid())
	q, err := natsq.Open(ctx, o.Conn, natsq.Options{Sweep: name, Worker: id})
	if err != nil {
		return 0, err
	}
	defer q.Close()
	raw, err := q.Blob(ctx, terms.Plan)
	if err != nil {
		return 0, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != terms.Plan {
		return 0, fmt.Errorf("the plan of sweep %s is damaged", name)
	}
	w := &worker{ctx: ctx, q: q, o: o}
	e := &runs.Executor{
		Catalogue: o.Catalogue, Threads: cmp.Or(o.Threads, 1), Provenance: sweep.Here(id), Model: w.model, Image: w.image,
	}
	if e.Catalogue == nil {
		e.Catalogue = spec.Registry
	}
	if e.Plan, err = spec.Decode(raw); err != nil {
		return 0, err
	}
	for i, m := range e.Plan.Models { // a worker with other bytes or numerics is refused before it begins
		if _, err := e.Prepare(i); err != nil {
			return 0, &RefusedError{fmt.Sprintf("model %s: %v", m.Name, err)}
		}
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if natsq.Withdrawn(run, o.Conn, name) == nil {
			q.Close() // the sweep is over
			stop()
		}
	}()
	var done, running atomic.Int64
	go func() {
		for ; run.Err() == nil; sleep(run, beat) {
			q.Beat(run, id, map[string]any{ // one that does not arrive is followed by another
				"host": here.Host, "program": terms.Program, "slots": o.Slots, "running": running.Load(), "done": done.Load(),
			})
		}
	}()
	err = (&runs.Worker{
		Queue: q, Executor: e, Slots: cmp.Or(o.Slots, runtime.GOMAXPROCS(0)), Grace: o.Grace, Notice: o.Notice,
		Began:    func(g spec.Group) { running.Add(int64(len(g.Units))) },
		Ended:    func(g spec.Group) { running.Add(-int64(len(g.Units))) },
		Finished: func(results []queue.Result) { done.Add(int64(len(results))) },
	}).Work(run)
	return int(done.Load()), errors.Join(err, ctx.Err())
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

// model loads a model of the plan: this machine's, which must have the same
// bytes, or the hub's.
func (w *worker) model(p spec.PlanModel) (*models.Model, error) {
	m, err := models.Load(p.From, models.LoadOptions{Arch: p.Arch})
	if err == nil {
		return m, runs.Fits(p, m.Card().SHA256, m.Profile())
	}
	raw, blobErr := w.q.Blob(w.ctx, p.SHA256)
	if blobErr != nil {
		return nil, errors.Join(err, blobErr)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, errors.New("the hub's file is damaged")
	}
	folder := filepath.Join(w.o.Cache, p.SHA256)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "model"+filepath.Ext(p.From))
	if err := atomicfile.WriteFile(file, raw); err != nil {
		return nil, err
	}
	if m, err = models.Load(file, models.LoadOptions{Arch: p.Arch, Classes: p.Classes}); err != nil {
		return nil, err
	}
	return m, runs.Fits(p, m.Card().SHA256, m.Profile())
}

// image fetches an image of the plan, which must be what it was.
func (w *worker) image(p spec.PlanImage) (data.Image, error) {
	raw, err := w.q.Blob(w.ctx, p.SHA256)
	for err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) && w.ctx.Err() == nil { // the server is away
		sleep(w.ctx, beat/10)
		raw, err = w.q.Blob(w.ctx, p.SHA256)
	}
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
