package natsq

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// slowest is the line, in bytes a second, over which objects still come through
// before they are tried again. A context of no deadline would be given five seconds
// for all of a model by the client.
const slowest = 256 << 10

// allow gives a context the time for so many bytes.
func allow(ctx context.Context, bytes uint64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, answer+time.Duration(bytes)*time.Second/slowest)
}

// PutBlob keeps bytes under a name, unless they are there.
func (q *Queue) PutBlob(ctx context.Context, name string, raw []byte) error {
	if _, err := q.blobs.GetInfo(ctx, name); err == nil {
		return nil
	}
	ctx, cancel := allow(ctx, uint64(len(raw)))
	defer cancel()
	_, err := q.blobs.PutBytes(ctx, name, raw)
	return err
}

// Blob reads bytes.
func (q *Queue) Blob(ctx context.Context, name string) ([]byte, error) {
	raw, err := q.object(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", name, err)
	}
	return raw, nil
}

func (q *Queue) object(ctx context.Context, name string) ([]byte, error) {
	info, err := q.blobs.GetInfo(ctx, name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := allow(ctx, info.Size)
	defer cancel()
	return q.blobs.GetBytes(ctx, name)
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

// Withdraw tells workers that a sweep is over.
func Withdraw(ctx context.Context, nc *nats.Conn, sweep string) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	kv, err := js.KeyValue(ctx, sweepsBucket)
	if err == nil {
		err = kv.Delete(ctx, sweep)
	}
	return there(err)
}

// Sweeps are the sweeps that a server has, by name, with what they ask of
// workers.
func Sweeps(ctx context.Context, nc *nats.Conn) (map[string][]byte, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	kv, err := js.KeyValue(ctx, sweepsBucket)
	if err == nil {
		err = each(ctx, kv, func(e jetstream.KeyValueEntry) error {
			out[e.Key()] = e.Value()
			return nil
		})
	}
	return out, there(err)
}

// servers are the addresses of a connection, without passwords.
func servers(nc *nats.Conn) (list []string) {
	for _, s := range nc.Servers() {
		if u, err := url.Parse(s); err == nil {
			list = append(list, u.Redacted())
		}
	}
	return list
}

// Announced waits for a sweep, that of the name or, for "", one that has jobs
// waiting, and reads what it asks of workers.
func Announced(ctx context.Context, nc *nats.Conn, name string, terms any) (sweep string, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return "", err
	}
	closed := make(chan struct{})
	for {
		sweeps, err := Sweeps(ctx, nc)
		if err == nil {
			if found := choose(ctx, js, name, sweeps); found != "" {
				if err := json.Unmarshal(sweeps[found], terms); err != nil {
					return "", fmt.Errorf("sweep %s: %w", found, err)
				}
				return found, nil
			}
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if nc.IsClosed() { // for good: a server that is merely away is tried again
			return "", fmt.Errorf("server %s does not let us in: %w", strings.Join(servers(nc), ", "), cmp.Or(nc.LastError(), err))
		}
		pause(ctx, closed, wait/10)
	}
}

// choose is the name, if there is such a sweep, or for "" the first sweep that
// has jobs.
func choose(ctx context.Context, js jetstream.JetStream, name string, sweeps map[string][]byte) string {
	var names []string
	for n := range sweeps {
		if name == "" || n == name {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if name != "" {
			return n
		}
		if s, err := js.Stream(ctx, Options{Sweep: n}.name("jobs")); err == nil && s.CachedInfo().State.Msgs > 0 {
			return n
		}
	}
	return ""
}

// Over reports whether a sweep was withdrawn; ok is false where the server does
// not say, because it cannot be reached or has forgotten its sweeps.
func Over(ctx context.Context, nc *nats.Conn, name string) (over, ok bool) {
	js, err := jetstream.New(nc)
	if err != nil {
		return false, false
	}
	kv, err := js.KeyValue(ctx, sweepsBucket)
	if err != nil {
		return false, false
	}
	_, err = kv.Get(ctx, name)
	return errors.Is(err, jetstream.ErrKeyNotFound), err == nil || errors.Is(err, jetstream.ErrKeyNotFound)
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
	return follow(ctx, w, 0, func(e jetstream.KeyValueEntry) (over bool, err error) {
		return e != nil && e.Operation() != jetstream.KeyValuePut, nil
	})
}

// goodbye is the subject on which workers of a sweep are told, besides, that it is
// over. It needs nothing of what the server keeps: a worker that is connected has
// the word even where it is too slow, or the server too busy, for all else.
func goodbye(sweep string) string { return "sapf.over." + sweep }

// Goodbye tells the workers that are connected that a sweep is over.
func Goodbye(nc *nats.Conn, sweep string) error {
	return errors.Join(nc.Publish(goodbye(sweep), nil), nc.Flush())
}

// OnGoodbye has f called when a worker is told so.
func OnGoodbye(nc *nats.Conn, sweep string, f func()) (*nats.Subscription, error) {
	return nc.Subscribe(goodbye(sweep), func(*nats.Msg) { f() })
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

// Leave says that a worker goes.
func (q *Queue) Leave(ctx context.Context, worker string) error {
	kv, err := q.js.KeyValue(ctx, q.o.name("workers"))
	if err != nil {
		return there(err)
	}
	return kv.Purge(ctx, worker)
}

// Beats lists what live workers said last.
func (q *Queue) Beats(ctx context.Context) (map[string][]byte, error) {
	kv, err := q.js.KeyValue(ctx, q.o.name("workers"))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	return out, each(ctx, kv, func(e jetstream.KeyValueEntry) error {
		out[e.Key()] = e.Value()
		return nil
	})
}
