// Package exit is what the program ends with: its exit codes, and errors that
// ask for one of them.
package exit

import (
	"context"
	"errors"
	"syscall"
)

// The exit codes of every command.
const (
	Done        = 0
	Failed      = 1   // the work ran and failed
	Request     = 2   // the request was wrong
	Interrupted = 130 // as a shell reports a program that SIGINT ended
)

// Coder is an error that knows its exit code. (The method is not ExitCode, which
// errors of kong and os/exec have in meanings of their own.)
type Coder interface {
	error
	Exit() int
}

// coded is an error with the exit code that it was given.
type coded struct {
	code int
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }
func (e *coded) Exit() int     { return e.code }

var _ Coder = (*coded)(nil)

// Mark gives an error its exit code; nil stays nil.
func Mark(code int, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code, err}
}

// Fail marks an error of work that was asked for rightly.
func Fail(err error) error { return Mark(Failed, err) }

// Wrong marks an error of a request that nothing was done for, unless it is the
// machine's.
func Wrong(err error) error {
	if machine(err) {
		return Fail(err)
	}
	return Mark(Request, err)
}

// failures are errors of the machine, which no other request would have avoided.
var failures = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EPIPE, syscall.EFBIG}

// Code is the exit code that an error stands for: what the first Coder in it
// says, else Interrupted for the end of a context, Failed for a machine that
// could not (a full disk, say), and Request for the rest.
func Code(err error) int {
	if err == nil {
		return Done
	}
	var c Coder
	if errors.As(err, &c) {
		return c.Exit()
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	if machine(err) {
		return Failed
	}
	return Request
}

// machine reports an error that no other request would have avoided.
func machine(err error) bool {
	for _, f := range failures {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}
