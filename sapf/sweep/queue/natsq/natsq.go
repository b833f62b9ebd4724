package natsq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
)

// Options of a queue.
type Options struct {
	// Sweep names the sweep: letters and digits.
	Sweep string
	// Term is how long a lease lasts; 0 means DefaultTerm. The hub's counts.
	Term time.Duration
	// Replicas of every stream and bucket in a cluster; 0 means 1.
	Replicas int
	// Worker is the name that dead jobs are signed with.
	Worker string
}

// DefaultTerm is how long a lease lasts without a sign of life.
const DefaultTerm = 60 * time.Second

// inline is the largest result, in bytes, that is kept in its bucket; others
// are objects.
const inline = 48 << 10

// Queue is a queue.Queue.
type Queue struct {
	o        Options
	js       jetstream.JetStream
	stream   jetstream.Stream
	consumer jetstream.Consumer
	results  jetstream.KeyValue
	dead     jetstream.KeyValue
	tries    jetstream.KeyValue
	blobs    jetstream.ObjectStore
	closed   chan struct{}
	once     sync.Once // of closing it
}

var _ queue.Queue = (*Queue)(nil)

func (o Options) name(what string) string { return "sapf-" + what + "-" + o.Sweep }

func (o Options) subject(id string) string { return "sapf.jobs." + o.Sweep + "." + id }

// Create makes the streams and buckets of a sweep, or opens those that are
// there: what the hub does.
func Create(ctx context.Context, nc *nats.Conn, o Options) (*Queue, error) {
	if o.Term == 0 {
		o.Term = DefaultTerm
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: o.name("jobs"), Subjects: []string{o.subject("*")}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
		// One message a job, however often it is published. (Within its window,
		// duplicate detection would swallow a job that is to be done again.)
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		MaxMsgSize: queue.MaxBody + 1024, Replicas: o.Replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the sweep's stream of jobs in the server: %w", err)
	}
	if _, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: "workers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: o.Term, MaxDeliver: -1, MaxAckPending: -1,
	}); err != nil {
		return nil, fmt.Errorf("set up the sweep's consumer of jobs in the server: %w", err)
	}
	for _, b := range []string{"results", "dead", "tries"} {
		if _, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: o.name(b), History: 1, Storage: jetstream.FileStorage, Replicas: o.Replicas}); err != nil {
			return nil, fmt.Errorf("set up the sweep's bucket %s in the server: %w", b, err)
		}
	}
	if _, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: o.name("workers"), TTL: 30 * time.Second, Replicas: o.Replicas}); err != nil {
		return nil, fmt.Errorf("set up the sweep's bucket workers in the server: %w", err)
	}
	if _, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: o.name("blobs"), Storage: jetstream.FileStorage, Replicas: o.Replicas}); err != nil {
		return nil, fmt.Errorf("set up the sweep's objects in the server: %w", err)
	}
	return Open(ctx, nc, o)
}

// Open opens the queue of a sweep that a hub has made.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Queue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	q := &Queue{o: o, js: js, closed: make(chan struct{})}
	if q.stream, err = js.Stream(ctx, o.name("jobs")); err != nil {
		return nil, fmt.Errorf("find the sweep's stream of jobs in the server: %w", err)
	}
	if q.consumer, err = q.stream.Consumer(ctx, "workers"); err != nil {
		return nil, fmt.Errorf("find the sweep's consumer of jobs in the server: %w", err)
	}
	q.o.Term = q.consumer.CachedInfo().Config.AckWait
	for b, into := range map[string]*jetstream.KeyValue{"results": &q.results, "dead": &q.dead, "tries": &q.tries} {
		if *into, err = js.KeyValue(ctx, o.name(b)); err != nil {
			return nil, fmt.Errorf("find the sweep's bucket %s in the server: %w", b, err)
		}
	}
	if q.blobs, err = js.ObjectStore(ctx, o.name("blobs")); err != nil {
		return nil, fmt.Errorf("find the sweep's objects in the server: %w", err)
	}
	return q, nil
}

// Delete removes all that a sweep has in the server, as much of it as there is.
func Delete(ctx context.Context, nc *nats.Conn, sweep string) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	o := Options{Sweep: sweep}
	err = there(js.DeleteStream(ctx, o.name("jobs")))
	for _, b := range []string{"results", "dead", "tries", "workers"} {
		err = errors.Join(err, there(js.DeleteKeyValue(ctx, o.name(b))))
	}
	return errors.Join(err, there(js.DeleteObjectStore(ctx, o.name("blobs"))))
}

// missing reports whether an error says that a stream or a bucket does not exist.
func missing(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrConsumerDeleted)
}

// there is an error but for one that says that something does not exist.
func there(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// Lost reports whether the server has forgotten a part of the sweep: its disk was
// lost, or somebody has deleted it. A server that does not answer has forgotten
// nothing.
func (q *Queue) Lost(ctx context.Context) bool {
	_, err := q.stream.Info(ctx)
	if err == nil {
		_, err = q.stream.Consumer(ctx, "workers")
	}
	for _, b := range []string{"results", "dead", "tries", "workers"} {
		if err == nil {
			_, err = q.js.KeyValue(ctx, q.o.name(b))
		}
	}
	if err == nil {
		_, err = q.js.ObjectStore(ctx, q.o.name("blobs"))
	}
	return missing(err)
}

// tooMany is JetStream's code for a subject that has its one message already.
const tooMany jetstream.ErrorCode = 10077

// Publish adds a job.
func (q *Queue) Publish(ctx context.Context, j queue.Job) (bool, error) {
	if len(j.Body) > queue.MaxBody {
		return false, fmt.Errorf("job %s: %d bytes, expected at most %d", j.ID, len(j.Body), queue.MaxBody)
	}
	select {
	case <-q.closed:
		return false, queue.ErrClosed
	default:
	}
	ack, err := q.js.Publish(ctx, q.o.subject(j.ID), j.Body)
	var api jetstream.JetStreamError
	if errors.As(err, &api) && api.APIError() != nil && api.APIError().ErrorCode == tooMany {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("publish job %s: %w", j.ID, err)
	}
	return ack.Duplicate, nil
}

// answer is how long the server may take to answer a Done, or to count an attempt.
const answer = 20 * time.Second

// wait is how long one request for a job waits on the server.
const wait = 5 * time.Second

// Next waits for a job and leases it. While the server cannot be reached it
// goes on asking.
func (q *Queue) Next(ctx context.Context) (queue.Lease, error) {
	for {
		select {
		case <-q.closed:
			return nil, queue.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		default:
		}
		batch, err := q.consumer.Fetch(1, jetstream.FetchMaxWait(wait))
		if err != nil {
			if q.gone(ctx, err) {
				return nil, queue.ErrClosed
			}
			continue
		}
		var msg jetstream.Msg
		for m := range messages(ctx, q.closed, batch) {
			msg = m
		}
		if msg == nil {
			if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) && q.gone(ctx, err) {
				return nil, queue.ErrClosed
			}
			continue
		}
		l := &lease{q: q, msg: msg, id: msg.Subject()[len(q.o.subject("")):]}
		// Whoever does not want the job any more gets it all the same: an attempt that
		// was counted, and not made, would bring it nearer to its grave.
		if l.attempt, err = q.tryNow(l.id, 1); err != nil {
			msg.Nak() // if that does not arrive either, the lease ends by itself
			pause(ctx, q.closed, 500*time.Millisecond)
			continue
		}
		return l, nil
	}
}

// gone reports whether an error means that the stream exists no more; otherwise
// it waits a moment.
func (q *Queue) gone(ctx context.Context, err error) bool {
	if missing(err) {
		return true
	}
	pause(ctx, q.closed, 500*time.Millisecond)
	_, err = q.stream.Info(ctx) // a server whose streams are gone does not answer a request for jobs
	return missing(err)
}

// messages are those of a batch; if the context ends first, one that still comes
// is given back.
func messages(ctx context.Context, closed <-chan struct{}, batch jetstream.MessageBatch) func(func(jetstream.Msg) bool) {
	return func(yield func(jetstream.Msg) bool) {
		for {
			select {
			case m, ok := <-batch.Messages():
				if !ok || !yield(m) {
					return
				}
			case <-ctx.Done():
				go giveBack(batch)
				return
			case <-closed:
				go giveBack(batch)
				return
			}
		}
	}
}

func giveBack(batch jetstream.MessageBatch) {
	for m := range batch.Messages() {
		m.Nak() // or its lease ends by itself
	}
}

func pause(ctx context.Context, closed <-chan struct{}, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	case <-closed:
	}
}

// tryNow is try whatever becomes of the caller.
func (q *Queue) tryNow(id string, by int) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answer)
	defer cancel()
	return q.try(ctx, id, by)
}

// try changes the number of attempts of a job and returns it.
func (q *Queue) try(ctx context.Context, id string, by int) (int, error) {
	for {
		e, err := q.tries.Get(ctx, id)
		n, revision := 0, uint64(0)
		switch {
		case err == nil:
			if n, err = strconv.Atoi(string(e.Value())); err != nil {
				return 0, fmt.Errorf("attempts of job %s: %w", id, err)
			}
			revision = e.Revision()
		case !errors.Is(err, jetstream.ErrKeyNotFound):
			return 0, err
		}
		n = max(n+by, 0)
		if revision == 0 {
			_, err = q.tries.Create(ctx, id, []byte(strconv.Itoa(n)))
		} else {
			_, err = q.tries.Update(ctx, id, []byte(strconv.Itoa(n)), revision)
		}
		var api jetstream.JetStreamError
		if errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) && api.APIError() != nil && api.APIError().ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
			continue // another worker changed it meanwhile
		}
		return n, err
	}
}

// kept is a result in its bucket.
type kept struct {
	// Digest is sweep.Digest of the file.
	Digest string `json:"digest"`
	// File is the result until the hub has it, or Blob names an object with it.
	File []byte `json:"file,omitempty"`
	Blob string `json:"blob,omitempty"`
}

// collected reports whether the hub has the result, and this is but a mark.
func (v kept) collected() bool { return v.File == nil && v.Blob == "" }

// buried is a dead job in its bucket; Collected says that the hub has it.
type buried struct {
	queue.Dead
	Collected bool `json:"collected,omitempty"`
}

// Have reports whether there is a result of a key.
func (q *Queue) Have(ctx context.Context, key string) (bool, error) {
	_, err := q.results.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Mark says that there is a result of a key on the hub's disk.
func (q *Queue) Mark(ctx context.Context, key string, file []byte) error {
	d, err := sweep.Digest(file)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(kept{Digest: d})
	if err != nil {
		return err
	}
	_, err = q.results.Create(ctx, key, raw)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil
	}
	return err
}

// second begins the keys of results that differ from the first.
const second = "second."

// put keeps a result; the first stays.
func (q *Queue) put(ctx context.Context, r queue.Result) error {
	d, err := sweep.Digest(r.File)
	if err != nil {
		return fmt.Errorf("result %s: %w", r.Key, err)
	}
	v := kept{Digest: d, File: r.File}
	if len(r.File) > inline {
		if first, err := q.first(ctx, r.Key); err != nil || first == d { // no object for one that is there
			return err
		}
		v.File, v.Blob = nil, "result."+r.Key+"."+d[:16]
		if _, err := q.blobs.PutBytes(ctx, v.Blob, r.File); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = q.results.Create(ctx, r.Key, raw)
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return err
	}
	if first, err := q.first(ctx, r.Key); err != nil || first == d {
		return err
	}
	if _, err := q.results.Put(ctx, second+r.Key, raw); err != nil {
		return err
	}
	return &queue.DifferentError{Key: r.Key}
}

// first is the digest of a key's result, "" if there is none.
func (q *Queue) first(ctx context.Context, key string) (string, error) {
	e, err := q.results.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var v kept
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		return "", fmt.Errorf("result %s: %w", key, err)
	}
	return v.Digest, nil
}

// Len counts the jobs.
func (q *Queue) Len(ctx context.Context) (waiting, running, dead int, err error) {
	s, err := q.stream.Info(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	c, err := q.consumer.Info(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	d, err := q.dead.Status(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	return int(s.State.Msgs) - c.NumAckPending, c.NumAckPending, int(d.Values()), nil
}

// Close ends the queue for this process. The connection is the caller's.
func (q *Queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// lease is a queue.Lease.
type lease struct {
	q       *Queue
	msg     jetstream.Msg
	id      string
	attempt int
}

func (l *lease) Job() queue.Job      { return queue.Job{ID: l.id, Body: l.msg.Data()} }
func (l *lease) Attempt() int        { return l.attempt }
func (l *lease) Term() time.Duration { return l.q.o.Term }

func (l *lease) Extend(context.Context) error { return l.msg.InProgress() }

func (l *lease) Done(ctx context.Context, results []queue.Result) error {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	var different error
	for _, r := range results {
		err := l.q.put(ctx, r)
		var d *queue.DifferentError
		if errors.As(err, &d) {
			different = err
		} else if err != nil {
			return err
		}
	}
	return errors.Join(different, l.acknowledge(ctx))
}

// acknowledgement is how long the server may take to confirm one.
const acknowledgement = 2 * time.Second

// acknowledge ends the job. A server does not answer for a lease that it has
// given to another, or forgotten in a crash: the job then comes again, and its
// results are there.
func (l *lease) acknowledge(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, acknowledgement)
	defer cancel()
	err := l.msg.DoubleAck(ctx)
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		return nil
	}
	return err
}

func (l *lease) Retry(_ context.Context, after time.Duration) error {
	return l.msg.NakWithDelay(after)
}

func (l *lease) Return(context.Context) error {
	if _, err := l.q.tryNow(l.id, -1); err != nil {
		return err
	}
	return l.msg.Nak()
}

func (l *lease) Part(ctx context.Context, jobs []queue.Job) error {
	for _, j := range jobs {
		if _, err := l.q.Publish(ctx, j); err != nil {
			return err
		}
	}
	if _, err := l.q.tryNow(l.id, -1); err != nil {
		return err
	}
	return l.acknowledge(ctx)
}

func (l *lease) Bury(ctx context.Context, reason string) error {
	raw, err := json.Marshal(buried{Dead: queue.Dead{Job: l.id, Reason: reason, Deliveries: l.attempt, Worker: l.q.o.Worker, Body: l.msg.Data()}})
	if err != nil {
		return err
	}
	if _, err := l.q.dead.Put(ctx, l.id, raw); err != nil {
		return err
	}
	return l.msg.TermWithReason("given up")
}
