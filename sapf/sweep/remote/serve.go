// Package remote is sweeps whose workers are elsewhere: the hub, which has the
// plan and the results on its disk and hands jobs out through a queue of package
// natsq, and the workers, which need nothing of it but the queue.
package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/models/atomicfile"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// Terms are what a worker must be like to take part: the handshake.
type Terms struct {
	// Program is the version of the program, with its commit.
	Program string `json:"program"`
	// Folder is the folder of the sweep, by a number of its own.
	Folder string `json:"folder"`
	// Plan is the SHA-256 of the plan, an object of that name.
	Plan string `json:"plan"`
	// Models are those of the plan.
	Models []spec.PlanModel `json:"models"`
}

// name is the name of the sweep in a server. Another plan, another folder, whose
// hub may be at work beside this one, and another version of the program, whose
// workers are refused, each have another one.
func (t Terms) name() string {
	sum := sha256.Sum256([]byte(t.Plan + "\n" + t.Folder + "\n" + t.Program))
	return hex.EncodeToString(sum[:8])
}

// ServeOptions are those of a hub.
type ServeOptions struct {
	// Conn is the connection to the server or cluster.
	Conn *nats.Conn
	// Term is how long a worker's job may make no step; Replicas those of every
	// stream in a cluster.
	Term     time.Duration
	Replicas int
	// Look is how often the hub looks after queue and workers; 0 means 10 s.
	Look time.Duration
	// Catalogue finds attacks; nil is the registry.
	Catalogue spec.Catalogue
	// Progress and Notice are as in runs.Options.
	Progress func(runs.Progress)
	Notice   func(text string)
}

// hub is a sweep that is being served.
type hub struct {
	ServeOptions
	dir    *runs.Dir
	plan   []byte
	terms  Terms
	groups []spec.Group
	tally  *runs.Tally
	// different is the last result that could not be reproduced.
	different error
}

// Serve hands out what is missing of a sweep, and collects, until it is done or
// the context ends. The folder must have been opened with runs.Create or Resume:
// it is the truth, and what the server has of the sweep is made again from it, as
// often as the server loses it.
func Serve(ctx context.Context, d *runs.Dir, o ServeOptions) (runs.Progress, error) {
	h, err := newHub(d, o)
	if err != nil {
		return runs.Progress{}, err
	}
	if err := h.wait(ctx, h.clear); err != nil {
		return h.tally.Progress(), err
	}
	if len(h.groups) > 0 {
		run, finish := context.WithCancel(ctx)
		defer finish()
		h.tally.Start(o.Progress, finish)
		for err = errAgain; errors.Is(err, errAgain); {
			err = h.session(run)
		}
	}
	p := h.tally.Progress()
	if err == nil && p.Over() {
		return p, errors.Join(h.different, h.leave(context.WithoutCancel(ctx)))
	}
	return p, errors.Join(err, h.different, ctx.Err())
}

func newHub(d *runs.Dir, o ServeOptions) (*hub, error) {
	o.Look = cmp.Or(o.Look, 10*time.Second)
	if o.Catalogue == nil {
		o.Catalogue = spec.Registry
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	h := &hub{ServeOptions: o, dir: d}
	var err error
	if h.groups, h.tally, err = d.Unfinished(runs.Shard{}); err != nil {
		return nil, err
	}
	if h.plan, err = d.Plan.Encode(); err != nil {
		return nil, err
	}
	folder, err := number(d.Path)
	sum := sha256.Sum256(h.plan)
	h.terms = Terms{Program: Program(), Folder: folder, Plan: hex.EncodeToString(sum[:]), Models: d.Plan.Models}
	return h, err
}

// number is the number of a folder, drawn when it is served first.
func number(dir string) (string, error) {
	file := filepath.Join(dir, "hub.id")
	raw, err := os.ReadFile(file)
	if err == nil && len(raw) > 0 {
		return string(raw), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := rand.Text()
	return id, atomicfile.WriteFile(file, []byte(id))
}

// Name is the name of a folder's sweep in a server.
func Name(d *runs.Dir) (string, error) {
	h, err := newHub(d, ServeOptions{})
	if err != nil {
		return "", err
	}
	return h.terms.name(), nil
}

// clear removes what a hub of this folder has left in the server that is of no
// more use: the sweep of an earlier plan, or of an earlier version.
func (h *hub) clear(ctx context.Context) error {
	sweeps, err := natsq.Sweeps(ctx, h.Conn)
	if err != nil {
		return err
	}
	for name, raw := range sweeps {
		var t Terms
		if json.Unmarshal(raw, &t) != nil || t.Folder != h.terms.Folder || name == h.terms.name() {
			continue
		}
		if err := errors.Join(natsq.Withdraw(ctx, h.Conn, name), natsq.Delete(ctx, h.Conn, name)); err != nil {
			return err
		}
	}
	return nil
}

// errAgain says that what the server has of the sweep is to be made again.
var errAgain = errors.New("the queue has lost jobs")

// session sets the sweep up in the server, publishes and collects until the
// context ends, or until the server has lost something.
func (h *hub) session(ctx context.Context) error {
	var q *natsq.Queue
	if err := h.wait(ctx, func(ctx context.Context) (err error) {
		q, err = h.setUp(ctx)
		return err
	}); err != nil {
		return ignore(ctx, err)
	}
	defer q.Close()
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := h.publish(run, q, h.tally.Missing(h.groups))
		if err == nil {
			err = h.tend(run, q)
		}
		stop(err)
	}()
	h.collect(run, q)
	<-over
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(run)
}

// ignore is an error but for that of a context that has ended.
func ignore(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// setUp makes the queue, and has it agree with the folder.
func (h *hub) setUp(ctx context.Context) (*natsq.Queue, error) {
	q, err := natsq.Create(ctx, h.Conn, natsq.Options{Sweep: h.terms.name(), Term: h.Term, Replicas: h.Replicas})
	if err != nil {
		return nil, err
	}
	err = q.Settle(ctx,
		func(key string) bool { return h.tally.State(key) == runs.Done },
		func(d queue.Dead) bool {
			g, err := runs.DecodeJob(queue.Job{ID: d.Job, Body: d.Body})
			return err != nil || !slices.ContainsFunc(g.Units, func(u spec.Unit) bool { return h.tally.State(u.Key) == runs.Missing })
		})
	if err == nil {
		err = h.furnish(ctx, q)
	}
	if err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// wait does something that needs the server, again and again while that cannot be
// reached, has no leader, or loses what was just made.
func (h *hub) wait(ctx context.Context, do func(context.Context) error) error {
	for wait := time.Second / 2; ; wait = min(2*wait, 15*time.Second) {
		err := do(ctx)
		if err == nil || !passing(err) && !gone(err) || ctx.Err() != nil {
			return err
		}
		h.Notice(fmt.Sprintf("waiting for the server: %v", err))
		sleep(ctx, wait)
	}
}

// passing reports whether an error is one of a server that will answer later: it
// is starting, or has no leader.
func passing(err error) bool {
	var api jetstream.JetStreamError
	if errors.As(err, &api) && api.APIError() != nil {
		return api.APIError().Code == 503
	}
	return slices.ContainsFunc([]error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, jetstream.ErrNoStreamResponse,
	}, func(e error) bool { return errors.Is(err, e) })
}

// collect collects, again and again where the disk is full or the server is
// away: nothing is lost by waiting.
func (h *hub) collect(ctx context.Context, q *natsq.Queue) {
	for ctx.Err() == nil {
		err := q.Collect(ctx, h.dir, func(r *queue.Result, dead *queue.Dead, err error) {
			var different *queue.DifferentError
			if errors.As(err, &different) {
				h.different = err
			}
			if err != nil {
				h.Notice(err.Error())
			}
			switch {
			case r != nil && err == nil:
				h.tally.Take(*r)
			case dead != nil:
				if err := h.tally.Bury(*dead); err != nil {
					h.Notice(err.Error())
				}
			}
		})
		if err != nil && ctx.Err() == nil {
			h.Notice(fmt.Sprintf("results wait to be collected: %v", err))
			sleep(ctx, 5*time.Second)
		}
	}
}

// publish puts every group into the queue. One that is there already stays.
func (h *hub) publish(ctx context.Context, q *natsq.Queue, groups []spec.Group) error {
	for _, g := range groups {
		j, err := runs.EncodeJob(g)
		if err != nil {
			return err
		}
		for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
			if _, err = q.Publish(ctx, j); err == nil {
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if q.Lost(ctx) {
				return errAgain
			}
			h.Notice(fmt.Sprintf("jobs wait to be published: %v", err))
			sleep(ctx, wait)
		}
	}
	return nil
}

// tend looks after the queue until the context ends. A queue that is empty while
// attacks are missing, or that is not there any more, is made again: errAgain.
func (h *hub) tend(ctx context.Context, q *natsq.Queue) error {
	empty := 0
	last := h.tally.Progress()
	for ctx.Err() == nil {
		sleep(ctx, h.Look)
		if q.Lost(ctx) {
			h.Notice("the server has lost the sweep: it is set up again")
			return errAgain
		}
		h.watch(ctx, q)
		now := h.tally.Progress()
		waiting, running, _, err := q.Len(ctx)
		if empty++; err != nil || waiting+running > 0 || now.Done+now.Dead != last.Done+last.Dead {
			empty = 0
		}
		if last = now; empty >= 2 {
			h.Notice(fmt.Sprintf("the queue is empty, and %d attacks are missing: they are published again", now.Total-now.Done-now.Dead))
			return errAgain
		}
	}
	return nil
}

// goodbye is how long the hub waits for workers to hear that the sweep is over:
// they ask more often. It waits for lastWords where it knows of none.
// The server has the time of removal for all of that: it brings the removal of
// each stream to its disk.
const (
	goodbye   = 2 * ask
	lastWords = 300 * time.Millisecond
	removal   = 2 * time.Minute
)

// leave tells the workers that the sweep is over, lets them go, and removes what
// the server has of it.
func (h *hub) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removal)
	defer cancel()
	name := h.terms.name()
	if err := natsq.Withdraw(ctx, h.Conn, name); err != nil {
		return err
	}
	q, err := natsq.Open(ctx, h.Conn, natsq.Options{Sweep: name})
	for begun := time.Now(); time.Since(begun) < goodbye; sleep(ctx, 50*time.Millisecond) {
		if natsq.Goodbye(h.Conn, name) != nil {
			break
		}
		var beats map[string][]byte
		if err == nil {
			beats, err = q.Beats(ctx)
		}
		if len(beats) == 0 && time.Since(begun) >= lastWords {
			break
		}
	}
	return errors.Join(natsq.Delete(ctx, h.Conn, name), runs.WriteCrew(h.dir.Path, nil))
}

// watch tells of the workers that are at work.
func (h *hub) watch(ctx context.Context, q *natsq.Queue) {
	beats, err := q.Beats(ctx)
	if err != nil {
		return // it is asked again soon
	}
	crew := map[string]runs.Beat{}
	for id, raw := range beats {
		var b runs.Beat
		if json.Unmarshal(raw, &b) == nil {
			crew[id] = b
		}
	}
	h.tally.SetCrew(crew)
	if err := runs.WriteCrew(h.dir.Path, crew); err != nil {
		h.Notice(err.Error())
	}
}
