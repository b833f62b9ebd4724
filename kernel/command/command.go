// Package command is the command line: one file a command, each of which parses
// flags, calls the library and prints.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"sapf/kernel/exit"
)

// failed marks an error of work that was asked for rightly. Other errors mean
// that the request was wrong (see exit.Code).
func failed(err error) error { return exit.Fail(err) }

// output is where a command writes; commands get it from kong.
type output struct{ stdout, stderr io.Writer }

// print writes a value as one line of JSON, or as its String.
func (o output) print(asJSON bool, v any) error {
	if asJSON {
		return json.NewEncoder(o.stdout).Encode(v)
	}
	_, err := fmt.Fprintln(o.stdout, v)
	return err
}

// cli is the whole command line.
type cli struct {
	Run       runCmd       `cmd:"" help:"Run a notebook (.ipynb) or a script (.go, - for standard input) with no Jupyter."`
	Lab       labCmd       `cmd:"" passthrough:"" help:"Start JupyterLab with this program as a kernel."`
	Install   installCmd   `cmd:"" help:"Tell Jupyter about the kernel."`
	Uninstall uninstallCmd `cmd:"" help:"Remove the kernel from Jupyter."`
	Kernel    kernelCmd    `cmd:"" help:"Serve a connection file: what the kernelspec starts."`
	Worker    workerCmd    `cmd:"" name:"worker-session" hidden:""`
	Attack    attackCmd    `cmd:"" help:"Attack one image."`
	Gradient  gradientCmd  `cmd:"" help:"Print logits, loss and input gradient, for checking."`
	Models    modelsCmd    `cmd:"" help:"List, show, verify and convert classifiers."`
	Data      dataCmd      `cmd:"" help:"List and get data sets."`
	Train     trainCmd     `cmd:"" help:"Train a classifier."`
	Bench     benchCmd     `cmd:"" help:"Measure gradient steps per second."`
}

// Main parses the arguments, runs the command and returns the exit code. An
// error is one line on stderr.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := output{stdout, stderr}
	err := obey(ctx, args, out)
	if err == nil {
		return exit.Done
	}
	fmt.Fprintln(out.stderr, "sapf:", strings.ReplaceAll(err.Error(), "\n", " "))
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return exit.Interrupted
	}
	return exit.Code(err)
}

// obey parses the arguments and runs the command.
func obey(ctx context.Context, args []string, out output) error {
	// A kernel does without the parser, whose making takes longer than a reply:
	// its client is waiting.
	if len(args) == 2 && args[0] == "kernel" && !strings.HasPrefix(args[1], "-") {
		return (&kernelCmd{Connection: args[1]}).Run()
	}
	parser, err := kong.New(&cli{},
		kong.Name("sapf"),
		kong.Description("Sparse adversarial attacks on image classifiers."),
		kong.Writers(out.stdout, out.stderr),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run()
}
