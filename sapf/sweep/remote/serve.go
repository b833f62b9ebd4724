// Package remote is sweeps whose workers are elsewhere: the hub, which has the
// plan and the results on its disk and hands jobs out through a queue of package
// natsq, and the workers, which need nothing of it but the queue.
package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// Terms are what a worker must be like to take part: the handshake.
type Terms struct {
	// Program is the version of the program, with its commit.
	Program string `json:"program"`
	// Plan is the SHA-256 of the plan, an object of that name.
	Plan string `json:"plan"`
	// Models are those of the plan.
	Models []spec.PlanModel `json:"models"`
}

// ServeOptions are those of a hub.
type ServeOptions struct {
	// Conn is the connection to the server or cluster.
	Conn *nats.Conn
	// Term is how long a worker's job may make no step; Replicas those of every
	// stream in a cluster.
	Term     time.Duration
	Replicas int
	// Catalogue finds attacks; nil is the registry.
	Catalogue spec.Catalogue
	// Progress and Notice are as in runs.Options.
	Progress func(runs.Progress)
	Notice   func(text string)
}

// Name is the name of a plan's sweep in a server.
func Name(plan []byte) string {
	sum := sha256.Sum256(plan)
	return hex.EncodeToString(sum[:8])
}

// Serve hands out what is missing of a sweep, and collects, until it is done or
// the context ends. The folder must have been opened with runs.Create or Resume:
// it is the truth, and what the server has of the sweep is made again from it.
func Serve(ctx context.Context, d *runs.Dir, o ServeOptions) (runs.Progress, error) {
	groups, t, err := d.Unfinished(runs.Shard{})
	if err != nil {
		return runs.Progress{}, err
	}
	if len(groups) == 0 {
		return t.Progress(), nil
	}
	plan, err := d.Plan.Encode()
	if err != nil {
		return t.Progress(), err
	}
	q, err := natsq.Create(ctx, o.Conn, natsq.Options{Sweep: Name(plan), Term: o.Term, Replicas: o.Replicas})
	if err != nil {
		return t.Progress(), err
	}
	defer q.Close()
	if err := furnish(ctx, q, d, plan, groups, o.Catalogue); err != nil {
		return t.Progress(), err
	}
	run, finish := context.WithCancel(ctx)
	defer finish()
	t.Start(o.Progress, finish)
	published := make(chan error, 1)
	go func() { published <- publish(run, q, groups) }()
	var different error
	err = collect(run, q, d, o.Notice, func(r *queue.Result, dead *queue.Dead, err error) {
		switch {
		case err != nil:
			different = err
			if o.Notice != nil {
				o.Notice(err.Error())
			}
		case r != nil:
			t.Take(*r)
		default:
			if err := t.Bury(*dead); err != nil && o.Notice != nil {
				o.Notice(err.Error())
			}
		}
	})
	finish()
	if e := <-published; e != nil && !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	p := t.Progress()
	if err == nil && p.Over() {
		leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		return p, errors.Join(different, q.Withdraw(leave), q.Delete(leave))
	}
	return p, errors.Join(err, different, ctx.Err())
}

// collect collects, again and again where the disk is full or the server is
// away: nothing is lost by waiting.
func collect(ctx context.Context, q *natsq.Queue, sink queue.Sink, notice func(string), taken func(*queue.Result, *queue.Dead, error)) error {
	buried := map[string]bool{} // a new watch begins from the start
	for {
		err := q.Collect(ctx, sink, func(r *queue.Result, dead *queue.Dead, err error) {
			if dead != nil {
				if buried[dead.Job] {
					return
				}
				buried[dead.Job] = true
			}
			taken(r, dead, err)
		})
		if ctx.Err() != nil {
			return nil
		}
		if notice != nil {
			notice(fmt.Sprintf("results wait to be collected: %v", err))
		}
		select {
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

// publish puts every group into the queue. One that is there already stays.
func publish(ctx context.Context, q *natsq.Queue, groups []spec.Group) error {
	for _, g := range groups {
		j, err := runs.EncodeJob(g)
		if err != nil {
			return err
		}
		for wait := time.Second; ; wait = min(2*wait, 15*time.Second) {
			if _, err = q.Publish(ctx, j); err == nil {
				break
			}
			select { // a server that is away comes back
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// furnish puts what workers need into the server: plan, models, images, marks of
// what is done, and last the terms.
func furnish(ctx context.Context, q *natsq.Queue, d *runs.Dir, plan []byte, groups []spec.Group, catalogue spec.Catalogue) error {
	if catalogue == nil {
		catalogue = spec.Registry
	}
	e := &runs.Executor{Plan: d.Plan, Catalogue: catalogue}
	sum := sha256.Sum256(plan)
	terms := Terms{Program: Program(), Plan: hex.EncodeToString(sum[:]), Models: d.Plan.Models}
	if err := q.PutBlob(ctx, terms.Plan, plan); err != nil {
		return err
	}
	for _, m := range d.Plan.Models {
		raw, err := modelFile(m)
		if err != nil {
			return err
		}
		if raw != nil {
			if err := q.PutBlob(ctx, m.SHA256, raw); err != nil {
				return err
			}
		}
	}
	sent := map[int]bool{}
	for _, g := range groups {
		for _, u := range g.Units {
			if !sent[u.Image] {
				sent[u.Image] = true
				_, tasks, err := e.Tasks([]spec.Unit{u})
				if err != nil {
					return err
				}
				if err := q.PutBlob(ctx, d.Plan.Images[u.Image].SHA256, encodeImage(tasks[0].Image)); err != nil {
					return err
				}
			}
			raw, err := d.Raw(u.Key)
			if err != nil {
				return err
			}
			if raw != nil { // others of its group are missing
				if err := q.Mark(ctx, u.Key, raw); err != nil {
					return err
				}
			}
		}
	}
	return q.Announce(ctx, terms)
}

// modelFile is the file of a model, nil if every program has it embedded.
func modelFile(m spec.PlanModel) ([]byte, error) {
	file := m.From
	for _, l := range models.List() {
		if l.Name == m.From {
			if l.Embedded {
				return nil, nil
			}
			file = l.File
		}
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // one of invented weights
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.Name, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != m.SHA256 {
		return nil, fmt.Errorf("model %s: %s has changed since the sweep was planned", m.Name, file)
	}
	return raw, nil
}

// Program is the version that hub and workers must have in common.
func Program() string {
	p := sweep.Here("")
	if p.Commit != "" {
		return p.Program + " " + p.Commit
	}
	return p.Program
}

// encodeImage writes an image's shape and entries.
func encodeImage(x data.Image) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, []uint32{uint32(x.C), uint32(x.H), uint32(x.W)}) // to memory
	binary.Write(&b, binary.LittleEndian, x.Pix)
	return b.Bytes()
}

// decodeImage reads what encodeImage wrote.
func decodeImage(raw []byte) (data.Image, error) {
	var shape [3]uint32
	const most = 1 << 14 // rows, columns
	if len(raw) < 12 {
		return data.Image{}, errors.New("the image is torn")
	}
	for i := range shape {
		shape[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	if shape[0] > 3 || shape[1] > most || shape[2] > most || len(raw) != 12+4*int(shape[0])*int(shape[1])*int(shape[2]) {
		return data.Image{}, fmt.Errorf("the image is torn: %d bytes for %v", len(raw), shape)
	}
	x := data.NewImage("", int(shape[0]), int(shape[1]), int(shape[2]))
	return x, binary.Read(bytes.NewReader(raw[12:]), binary.LittleEndian, x.Pix)
}
