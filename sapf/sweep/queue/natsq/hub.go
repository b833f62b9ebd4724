package natsq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/sapf/sweep/queue"
)

// Collect moves results and dead jobs to a sink until the context ends: what the
// hub does. taken is told of each after it is there; a result that differs from
// the first comes with a *queue.DifferentError. An error of the sink ends it:
// what was not moved is still in the server.
func (q *Queue) Collect(ctx context.Context, sink queue.Sink, taken func(r *queue.Result, d *queue.Dead, err error)) error {
	results, err := q.results.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return err
	}
	defer results.Stop()
	dead, err := q.dead.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return err
	}
	defer dead.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-results.Updates():
			if !ok {
				return errors.New("results: the server closed the watch")
			}
			if e == nil { // that was all there is
				continue
			}
			r, err := q.collect(ctx, sink, e)
			var different *queue.DifferentError
			if err != nil && !errors.As(err, &different) {
				if ctx.Err() != nil { // what was interrupted is collected again
					return nil
				}
				return err
			}
			if r != nil {
				taken(r, nil, err)
			}
		case e, ok := <-dead.Updates():
			if !ok {
				return errors.New("dead jobs: the server closed the watch")
			}
			if e == nil {
				continue
			}
			var d queue.Dead
			if err := json.Unmarshal(e.Value(), &d); err != nil {
				return fmt.Errorf("dead job %s: %w", e.Key(), err)
			}
			d.Job = e.Key()
			if err := sink.Bury(d); err != nil {
				return err
			}
			taken(nil, &d, nil)
		}
	}
}

// collect moves one result, nil if it was moved before.
func (q *Queue) collect(ctx context.Context, sink queue.Sink, e jetstream.KeyValueEntry) (*queue.Result, error) {
	var v kept
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		return nil, fmt.Errorf("result %s: %w", e.Key(), err)
	}
	if v.File == nil && v.Blob == "" {
		return nil, nil
	}
	r := queue.Result{Key: strings.TrimPrefix(e.Key(), second), File: v.File}
	if v.Blob != "" {
		var err error
		r.File, err = q.blobs.GetBytes(ctx, v.Blob)
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			return nil, nil // moved by a hub that was killed before it said so
		}
		if err != nil {
			return nil, err
		}
	}
	err := sink.Create(r)
	var different *queue.DifferentError
	if err != nil && !errors.As(err, &different) {
		return nil, err
	}
	raw, e2 := json.Marshal(kept{Digest: v.Digest})
	if e2 != nil {
		return nil, e2
	}
	if _, e2 := q.results.Update(ctx, e.Key(), raw, e.Revision()); e2 != nil {
		return nil, e2
	}
	if v.Blob != "" {
		if e2 := q.blobs.Delete(ctx, v.Blob); e2 != nil && !errors.Is(e2, jetstream.ErrObjectNotFound) {
			return nil, e2
		}
	}
	return &r, err
}

// PutBlob keeps bytes under a name, unless they are there.
func (q *Queue) PutBlob(ctx context.Context, name string, raw []byte) error {
	if _, err := q.blobs.GetInfo(ctx, name); err == nil {
		return nil
	}
	_, err := q.blobs.PutBytes(ctx, name, raw)
	return err
}

// Blob reads bytes.
func (q *Queue) Blob(ctx context.Context, name string) ([]byte, error) {
	raw, err := q.blobs.GetBytes(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", name, err)
	}
	return raw, nil
}

// sweepsBucket lists the sweeps that a server has.
const sweepsBucket = "sapf-sweeps"

// Announce tells workers of a sweep, and what they must be like.
func (q *Queue) Announce(ctx context.Context, terms any) error {
	kv, err := q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: sweepsBucket, History: 1, Storage: jetstream.FileStorage, Replicas: q.o.Replicas})
	if err != nil {
		return fmt.Errorf("bucket of sweeps: %w", err)
	}
	raw, err := json.Marshal(terms)
	if err != nil {
		return err
	}
	_, err = kv.Put(ctx, q.o.Sweep, raw)
	return err
}

// Withdraw tells workers that the sweep is over.
func (q *Queue) Withdraw(ctx context.Context) error {
	kv, err := q.js.KeyValue(ctx, sweepsBucket)
	if err != nil {
		return err
	}
	return kv.Delete(ctx, q.o.Sweep)
}

// Announced waits for a sweep, that of the name or, for "", any, and reads what
// it asks of workers.
func Announced(ctx context.Context, nc *nats.Conn, name string, terms any) (sweep string, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return "", err
	}
	closed := make(chan struct{})
	for {
		kv, err := js.KeyValue(ctx, sweepsBucket)
		if err == nil {
			keys := []string{name}
			if name == "" {
				keys, err = kv.Keys(ctx)
			}
			for _, k := range keys {
				if e, err := kv.Get(ctx, k); err == nil {
					return k, json.Unmarshal(e.Value(), terms)
				}
			}
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		pause(ctx, closed, wait/10)
	}
}

// Withdrawn waits until a sweep is over.
func Withdrawn(ctx context.Context, nc *nats.Conn, name string) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	kv, err := js.KeyValue(ctx, sweepsBucket)
	if err != nil {
		return err
	}
	w, err := kv.Watch(ctx, name)
	if err != nil {
		return err
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok || e != nil && e.Operation() != jetstream.KeyValuePut {
				return nil
			}
		}
	}
}

// Beat says that a worker is alive and what it is at.
func (q *Queue) Beat(ctx context.Context, worker string, what any) error {
	kv, err := q.js.KeyValue(ctx, q.o.name("workers"))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return err
	}
	_, err = kv.Put(ctx, worker, raw)
	return err
}

// Beats lists what live workers said last.
func (q *Queue) Beats(ctx context.Context) (map[string][]byte, error) {
	kv, err := q.js.KeyValue(ctx, q.o.name("workers"))
	if err != nil {
		return nil, err
	}
	keys, err := kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, k := range keys {
		if e, err := kv.Get(ctx, k); err == nil {
			out[k] = e.Value()
		}
	}
	return out, nil
}
