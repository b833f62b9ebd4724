package natsq

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
)

// DamagedError says that something in the server is not what a worker puts
// there. It was removed, so that it does not stand in the way of what comes
// behind it; its job is to be done again.
type DamagedError struct {
	What string
	err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s in the server is damaged and was removed: %v", e.What, e.err)
}

func (e *DamagedError) Unwrap() error { return e.err }

// Collect moves results and dead jobs to a sink until the context ends: what the
// hub does. taken is told of each after it is there, also of one that the sink
// had already; a result that differs from the first comes with a
// *queue.DifferentError, one that is damaged with a *DamagedError. An error of the
// sink ends it: what was not moved is still in the server.
func (q *Queue) Collect(ctx context.Context, sink queue.Sink, taken func(r *queue.Result, d *queue.Dead, err error)) error {
	err := q.collectAll(ctx, sink, taken)
	if ctx.Err() != nil { // what was interrupted is collected again
		return nil
	}
	return err
}

func (q *Queue) collectAll(ctx context.Context, sink queue.Sink, taken func(r *queue.Result, d *queue.Dead, err error)) error {
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
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-results.Updates():
			if !ok {
				err = fmt.Errorf("results: %w", errWatchClosed)
				break
			}
			if e == nil { // that was all there is
				continue
			}
			err = q.collect(ctx, sink, e, taken)
			err = q.remove(ctx, q.results, e, err, taken)
		case e, ok := <-dead.Updates():
			if !ok {
				err = fmt.Errorf("dead jobs: %w", errWatchClosed)
				break
			}
			if e == nil {
				continue
			}
			var d *queue.Dead
			if d, err = q.bury(ctx, sink, e); d != nil {
				taken(nil, d, nil)
			}
			err = q.remove(ctx, q.dead, e, err, taken)
		}
		if err != nil {
			return err
		}
	}
}

// remove removes an entry if the error says that it is damaged, and passes
// another error on.
func (q *Queue) remove(ctx context.Context, from jetstream.KeyValue, e jetstream.KeyValueEntry, err error, taken func(*queue.Result, *queue.Dead, error)) error {
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		return err
	}
	if err := from.Purge(ctx, e.Key(), jetstream.LastRevision(e.Revision())); err != nil {
		return err
	}
	taken(nil, nil, damaged)
	return nil
}

// collect moves one result that was not moved before. It is told of as soon as it
// is in the sink, whatever the server says then.
func (q *Queue) collect(ctx context.Context, sink queue.Sink, e jetstream.KeyValueEntry, taken func(*queue.Result, *queue.Dead, error)) error {
	damaged := func(err error) error { return &DamagedError{"result " + e.Key(), err} }
	var v kept
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		return damaged(err)
	}
	if v.collected() {
		return nil
	}
	r := queue.Result{Key: strings.TrimPrefix(e.Key(), second), File: v.File}
	if !sweep.ValidKey(r.Key) {
		return damaged(errors.New("its name is no key, expected 64 digits of a SHA-256"))
	}
	if v.Blob != "" {
		var err error
		r.File, err = q.object(ctx, v.Blob)
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			// A hub that was killed has removed it and not yet said so, or it is lost.
			have, err := sink.Have(r.Key)
			if err == nil && !have {
				err = damaged(errors.New("its object is missing"))
			}
			if err != nil {
				return err
			}
			return q.mark(ctx, e, v)
		}
		if err != nil {
			return err
		}
	}
	if err := sweep.Check(r.File); err != nil {
		return damaged(err)
	}
	err := sink.Create(r)
	var different *queue.DifferentError
	if err != nil && !errors.As(err, &different) {
		return err
	}
	taken(&r, nil, err)
	if err := q.mark(ctx, e, v); err != nil || v.Blob == "" {
		return err
	}
	if err := q.blobs.Delete(ctx, v.Blob); !errors.Is(err, jetstream.ErrObjectNotFound) {
		return err
	}
	return nil
}

// mark replaces a result by a mark that the hub has it.
func (q *Queue) mark(ctx context.Context, e jetstream.KeyValueEntry, v kept) error {
	raw, err := json.Marshal(kept{Digest: v.Digest})
	if err != nil {
		return err
	}
	_, err = q.results.Update(ctx, e.Key(), raw, e.Revision())
	return err
}

// bury moves one dead job, nil if it was moved before.
func (q *Queue) bury(ctx context.Context, sink queue.Sink, e jetstream.KeyValueEntry) (*queue.Dead, error) {
	var b buried
	if err := json.Unmarshal(e.Value(), &b); err != nil || !sweep.ValidKey(e.Key()) {
		return nil, &DamagedError{"dead job " + e.Key(), errors.Join(err, errors.New("expected a record of why it was given up, under the digest of the job"))}
	}
	if b.Collected {
		return nil, nil
	}
	b.Job = e.Key()
	if err := sink.Bury(b.Dead); err != nil {
		return nil, err
	}
	b.Collected = true
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	_, err = q.dead.Update(ctx, e.Key(), raw, e.Revision())
	return &b.Dead, err
}

// Settle makes what the server remembers of a sweep agree with its folder, which
// is the truth: a result that was collected and is not there any more (its file
// was damaged) is to be made again, and so is a dead job that is to be tried
// again. What the hub has not collected stays.
func (q *Queue) Settle(ctx context.Context, have func(key string) bool, dead func(d queue.Dead) bool) error {
	err := each(ctx, q.results, func(e jetstream.KeyValueEntry) error {
		var v kept
		if json.Unmarshal(e.Value(), &v) != nil || !v.collected() || have(strings.TrimPrefix(e.Key(), second)) {
			return nil
		}
		return q.results.Purge(ctx, e.Key(), jetstream.LastRevision(e.Revision()))
	})
	if err != nil {
		return err
	}
	return each(ctx, q.dead, func(e jetstream.KeyValueEntry) error {
		var b buried
		if json.Unmarshal(e.Value(), &b) != nil || !b.Collected || dead(b.Dead) {
			return nil
		}
		if err := q.tries.Purge(ctx, e.Key()); err != nil {
			return err
		}
		return q.dead.Purge(ctx, e.Key(), jetstream.LastRevision(e.Revision()))
	})
}

// silence is how long a server may tell of nothing while it lists a bucket: one
// whose bucket is deleted meanwhile never says that this was all.
const silence = answer

// each calls f for every entry that a bucket has now.
func each(ctx context.Context, kv jetstream.KeyValue, f func(jetstream.KeyValueEntry) error) error {
	return list(ctx, kv, silence, f)
}

func list(ctx context.Context, kv jetstream.KeyValue, silence time.Duration, f func(jetstream.KeyValueEntry) error) error {
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return err
	}
	return follow(ctx, w, silence, func(e jetstream.KeyValueEntry) (over bool, err error) {
		if e == nil {
			return true, nil
		}
		return false, f(e)
	})
}

// errWatchClosed says that a watch ended that nobody here had ended, errSilent that
// nothing more came of one. Both pass when they are tried again.
var (
	errWatchClosed = fmt.Errorf("the server closed the watch: %w", nats.ErrTimeout)
	errSilent      = fmt.Errorf("the server did not list a bucket to its end: %w", nats.ErrTimeout)
)

// follow calls f for each entry that a watch tells of, and with nil once it has
// told of those that were there, until f says that it is over or has an error. It
// waits for an entry no longer than silence, unless that is 0.
func follow(ctx context.Context, w jetstream.KeyWatcher, silence time.Duration, f func(jetstream.KeyValueEntry) (over bool, err error)) error {
	defer w.Stop()
	for {
		var late <-chan time.Time
		if silence > 0 {
			late = time.After(silence)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return errSilent
		case e, ok := <-w.Updates():
			if !ok { // it may have ended with the context
				return cmp.Or(ctx.Err(), errWatchClosed)
			}
			if over, err := f(e); over || err != nil {
				return err
			}
		}
	}
}
