// Package queue is what hands the jobs of a sweep to workers and takes their
// results back: an interface, which packages localq (one process) and natsq
// (NATS JetStream, one machine or many) implement and package queuetest holds
// both against.
//
// A queue is disposable. The truth is what it was filled from, a plan, less the
// results that are kept.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Tries is how often a job is run: the delivery after that buries it, for it
// has killed, or stopped, those who ran it.
const Tries = 2

// MaxBody is the largest Job.Body, in bytes.
const MaxBody = 64 << 10

// ErrClosed is the error of a queue that has been closed.
var ErrClosed = errors.New("the queue is closed")

// Job is work that one worker does in one go.
type Job struct {
	// ID is the job's name: letters and digits.
	ID string
	// Body says what the work is.
	Body []byte
}

// Result is a part of what came of a job.
type Result struct {
	Key string
	// File is the result as it is kept.
	File []byte
}

// Dead is a job that is not tried any more.
type Dead struct {
	Job        string `json:"job"`
	Reason     string `json:"reason"`
	Deliveries int    `json:"deliveries"`
	Worker     string `json:"worker"`
	Body       []byte `json:"body"`
}

// DifferentError says that a job gave, the second time, another result under
// the same key. The first result stays.
type DifferentError struct{ Key string }

func (e *DifferentError) Error() string {
	return fmt.Sprintf("result %s: not reproducible: a second run gave another result, the first one is kept", e.Key)
}

// Queue hands out jobs. It may be used by several goroutines.
type Queue interface {
	// Publish adds a job; already says that one of that ID is waiting or running.
	Publish(ctx context.Context, j Job) (already bool, err error)
	// Next waits for a job and leases it.
	Next(ctx context.Context) (Lease, error)
	// Have reports whether there is a result of a key.
	Have(ctx context.Context, key string) (bool, error)
	// Len counts the jobs that wait, run and are buried.
	Len(ctx context.Context) (waiting, running, dead int, err error)
	// Close gives back what the queue holds; what it has handed out is lost to
	// whoever has it.
	Close() error
}

// Lease is a job that nobody else has until the lease ends: when a method other
// than Job, Attempt, Term and Extend returns without error, or when it has not been extended for the
// queue's term. Then it is delivered again.
type Lease interface {
	Job() Job
	// Attempt counts from 1 the deliveries that were not given back.
	Attempt() int
	// Term is the time for which Extend keeps the lease.
	Term() time.Duration
	Extend(ctx context.Context) error
	// Done hands in results and ends the job. The first result of a key stays; a
	// second one that says something else is a *DifferentError, and the job is
	// done all the same. After another error the results are not handed in, or
	// not all of them: Done may be called again.
	Done(ctx context.Context, results []Result) error
	// Retry has the job delivered again after a time. It counts as an attempt.
	Retry(ctx context.Context, after time.Duration) error
	// Return puts the job back as if it had not been delivered.
	Return(ctx context.Context) error
	// Part puts jobs in the place of this one, which does not count as an attempt.
	Part(ctx context.Context, jobs []Job) error
	// Bury ends a job that is not to be tried again, and keeps the reason.
	Bury(ctx context.Context, reason string) error
}

// Sink is where a queue puts results and dead jobs: the folder of a sweep.
type Sink interface {
	// Have reports whether there is a result of a key.
	Have(key string) (bool, error)
	// Create keeps a result. If there is one already it stays, and is compared:
	// the error of another one is a *DifferentError.
	Create(r Result) error
	// Bury keeps a dead job.
	Bury(d Dead) error
}
