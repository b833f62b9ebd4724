// Command sapf measures how fragile an image classifier is: sparse adversarial
// attack via perturbation factorization (SAPF) and the attacks it is compared
// with, from notebooks, scripts and the command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1 // the work ran and failed
	exitRequest     = 2 // the request was wrong
	exitInterrupted = 130
)

// failure is an error with the exit code it asks for. Other errors mean that
// the request was wrong.
type failure struct {
	code int
	err  error
}

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

// failed marks an error of work that was asked for rightly.
func failed(err error) error { return failure{exitFailed, err} }

// output is where a command writes; commands get it from kong.
type output struct{ stdout, stderr io.Writer }

// cli is the command line of product.md.
type cli struct {
	Run       runCmd       `cmd:"" help:"Run a notebook (.ipynb) or a script (.go, - for standard input) with no Jupyter."`
	Lab       labCmd       `cmd:"" help:"Start JupyterLab with the kernel."`
	Install   installCmd   `cmd:"" help:"Install the Jupyter kernel."`
	Uninstall uninstallCmd `cmd:"" help:"Remove the Jupyter kernel."`
	Kernel    kernelCmd    `cmd:"" help:"What the kernelspec starts."`
	Worker    workerCmd    `cmd:"" name:"worker-session" hidden:""`
	Attack    attackCmd    `cmd:"" help:"Attack one image."`
	Gradient  gradientCmd  `cmd:"" help:"Print logits, loss and input gradient, for checking."`
	Models    modelsCmd    `cmd:"" help:"List, show, verify and convert classifiers."`
	Data      dataCmd      `cmd:"" help:"List and get data sets."`
	Bench     benchCmd     `cmd:"" help:"Measure gradient steps per second."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], output{os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run parses the arguments, runs the command and returns the exit code. An
// error is one line on stderr.
func run(ctx context.Context, args []string, out output) int {
	code := exitDone
	exited := errors.New("kong has printed what was asked for")
	parser, err := kong.New(&cli{},
		kong.Name("sapf"),
		kong.Description("Sparse adversarial attacks on image classifiers."),
		kong.Writers(out.stdout, out.stderr),
		kong.Exit(func(c int) { panic(exitPanic{c, exited}) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	func() {
		defer func() {
			if p, ok := recover().(exitPanic); ok {
				code, err = p.code, exited
			} else if p := p; false {
				_ = p
			}
		}()
		var c *kong.Context
		if c, err = parser.Parse(args); err == nil {
			err = c.Run()
		}
	}()
	return report(ctx, err, exited, code, out.stderr)
}

type exitPanic struct {
	code int
	err  error
}

func report(ctx context.Context, err, exited error, code int, w io.Writer) int {
	var f failure
	switch {
	case err == nil || errors.Is(err, exited):
		return code
	case errors.As(err, &f):
		code = f.code
	default:
		code = exitRequest
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		code = exitInterrupted
	}
	fmt.Fprintln(w, "sapf:", strings.ReplaceAll(err.Error(), "\n", " "))
	return code
}
