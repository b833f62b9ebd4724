package runner

import (
	"errors"
	"fmt"
	"io"
	"time"

	"sapf/dsl/session"
	"sapf/kernel/exit"
	"sapf/kernel/worker"
)

// Options says what to run and what to leave behind.
type Options struct {
	// Path is a notebook (.ipynb) or a script (.go, or anything else); "-" reads
	// either from Stdin, telling them apart by their first character.
	Path  string
	Stdin io.Reader
	// Args are what cells have in os.Args behind Path.
	Args []string
	// Parameters sets variables of the cell tagged "parameters".
	Parameters map[string]string
	// Output is where the executed notebook goes, HTML where its page goes; ""
	// means nowhere. What ran so far is there after every cell, however it ends.
	Output, HTML string
	// HideCode leaves the source of cells out of the page.
	HideCode bool
	// Timeout is how long a cell may take; 0 means as long as it likes.
	Timeout time.Duration
	// AllowErrors goes on after a cell that failed, as if it had the tag
	// "raises-exception".
	AllowErrors bool
	// NoTiming leaves the times out of the executed notebook, so that two runs
	// give the same bytes.
	NoTiming bool
	// Dir is the directory that cells run in; "" means the notebook's own for a
	// notebook, the current one for a script.
	Dir string
	// Progress gets a notebook's progress and output as text, nil nothing.
	// Terminal says that it is a screen on which a line can be written over.
	Progress io.Writer
	Terminal bool
	// Stdout and Stderr get what a script writes; nil discards it.
	Stdout, Stderr io.Writer
	// Worker starts the interpreter's process.
	Worker worker.Config
}

// outputs are the files that the run will write.
func (o Options) outputs() outputs {
	var files outputs
	for _, path := range []string{o.Output, o.HTML} {
		if path != "" {
			files = append(files, path)
		}
	}
	return files
}

// CellFailure is the error of a run whose cell failed.
type CellFailure struct {
	Cell  int // counts from 1, Markdown cells too
	Err   *session.CellError
	Lines []string // traceback, ready to print
}

func (e *CellFailure) Error() string { return fmt.Sprintf("cell %d: %v", e.Cell, e.Err) }
func (e *CellFailure) Unwrap() error { return e.Err }

// Exit is the code of work that failed.
func (e *CellFailure) Exit() int { return exit.Failed }

// TimeoutError is the error of a run whose cell took longer than it may.
type TimeoutError struct {
	Cell  int // counts from 1, Markdown cells too
	Limit time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("cell %d: not done after %v", e.Cell, e.Limit)
}

// Exit is the code of work that failed.
func (e *TimeoutError) Exit() int { return exit.Failed }

// ErrInterrupted is the error of a run that was stopped from outside.
var ErrInterrupted = exit.Mark(exit.Interrupted, errors.New("interrupted"))
