// Package command is the command line: one file a command, each of which parses
// flags, calls the library and prints.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"sapf/kernel"
	"sapf/kernel/exit"
	"sapf/models/plain"
)

// failed marks an error of work that was asked for rightly. Other errors mean
// that the request was wrong (see exit.Code).
func failed(err error) error { return exit.Fail(err) }

// interrupted is an error of work that was stopped by a signal; it says what is
// kept of it.
type interrupted string

func (e interrupted) Error() string {
	if e == "" {
		return "interrupted"
	}
	return "interrupted: " + string(e)
}

// Is makes it a cancellation.
func (e interrupted) Is(target error) bool { return target == context.Canceled }

// output is where a command writes; commands get it from kong.
type output struct{ stdout, stderr io.Writer }

// print writes a value as one line of JSON, or as its String. Names in it may
// come from files, so that neither has control characters.
func (o output) print(asJSON bool, v any) error {
	if asJSON {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = o.stdout.Write(append(plain.JSON(text), '\n'))
		return err
	}
	_, err := fmt.Fprintln(o.stdout, plain.Text(fmt.Sprint(v)))
	return err
}

// table aligns columns for people.
func (o output) table() *tabwriter.Writer {
	return tabwriter.NewWriter(plain.Writer(o.stdout), 0, 0, 2, ' ', 0)
}

// raw is standard output for a program that is to have it as its own.
func (o output) raw() io.Writer {
	if c, ok := o.stdout.(*checked); ok {
		return c.w
	}
	return o.stdout
}

// checked is a writer that keeps its first error, so that a command whose
// output is lost does not end as if all was well.
type checked struct {
	w   io.Writer
	err error
}

func (c *checked) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// cli is the whole command line.
type cli struct {
	Run       runCmd         `cmd:"" help:"Run a notebook (.ipynb) or a script (.go, - for standard input) with no Jupyter."`
	Lab       labCmd         `cmd:"" passthrough:"" help:"Start JupyterLab with this program as a kernel."`
	Extend    extendCmd      `cmd:"" help:"Compile further packages in, for cells to import."`
	Install   installCmd     `cmd:"" help:"Tell Jupyter about the kernel."`
	Uninstall uninstallCmd   `cmd:"" help:"Remove the kernel from Jupyter."`
	Kernel    kernelCmd      `cmd:"" help:"Serve a connection file: what the kernelspec starts."`
	Worker    workerCmd      `cmd:"" name:"worker-session" hidden:""`
	Attack    attackCmd      `cmd:"" help:"Attack one image."`
	Sweep     sweepCmd       `cmd:"" help:"Run many attacks, and make tables of what came of them."`
	Hand      sweepWorkerCmd `cmd:"" name:"worker" help:"Work for a sweep that 'sapf sweep serve' hands out."`
	Gradient  gradientCmd    `cmd:"" help:"Print logits, loss and input gradient, for checking."`
	Models    modelsCmd      `cmd:"" help:"List, show, verify and convert classifiers."`
	Data      dataCmd        `cmd:"" help:"List and get data sets."`
	Train     trainCmd       `cmd:"" help:"Train a classifier."`
	Bench     benchCmd       `cmd:"" help:"Measure gradient steps per second."`

	Completion completionCmd    `cmd:"" help:"Print what makes a shell complete this program's words."`
	Licences   licencesCmd      `cmd:"" help:"Print the licences of what this program is made of."`
	Version    kong.VersionFlag `help:"Print the version and the commit it was built from."`
}

// Main parses the arguments, runs the command and returns the exit code. An
// error is one line on stderr.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return run(ctx, nil, args, stdout, stderr)
}

// run is Main of a program that has its source.
func run(ctx context.Context, source fs.FS, args []string, stdout, stderr io.Writer) int {
	seen := &checked{w: stdout}
	err := obey(ctx, origin{source}, args, output{seen, stderr})
	if err == nil && seen.err != nil {
		err = failed(fmt.Errorf("write the output: %w", seen.err))
	}
	if err == nil {
		return exit.Done
	}
	if errors.Is(err, context.Canceled) && err.Error() == context.Canceled.Error() {
		err = interrupted("")
	}
	text := oneLine(plain.Text(err.Error()))
	text = strings.ReplaceAll(text, context.Canceled.Error(), "interrupted") // what the user did, not what the library calls it
	fmt.Fprintln(stderr, "sapf:", strings.TrimPrefix(text, "sapf: "))        // the method and the program have one name
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return exit.Interrupted
	}
	return exit.Code(err)
}

// oneLine puts the lines of an error, which may be several errors, behind one
// another.
func oneLine(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		switch before := b.String(); {
		case before == "":
		case strings.ContainsAny(before[len(before)-1:], ":,;"):
			b.WriteString(" ")
		default:
			b.WriteString("; ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// finished ends the parsing of --help and --version, after which there is
// nothing to do.
type finished struct{}

// obey parses the arguments and runs the command.
func obey(ctx context.Context, source origin, args []string, out output) (err error) {
	defer func() {
		switch p := recover(); p.(type) {
		case nil:
		case finished:
			err = nil
		default:
			panic(p)
		}
	}()
	// A kernel does without the parser, whose making takes longer than a reply:
	// its client is waiting.
	if len(args) >= 2 && args[0] == "kernel" && !strings.HasPrefix(args[1], "-") {
		return (&kernelCmd{Connection: args[1], Args: args[2:]}).Run(source)
	}
	parser := newParser(ctx, source, out)
	if done, err := completes(parser); done {
		return err
	}
	command, err := parser.Parse(asked(args))
	if errors.Is(err, errListed) {
		return nil
	}
	if err != nil {
		return unknownFlag(args, err)
	}
	if err := aboveMinimum(command.Flags()); err != nil {
		return err
	}
	return command.Run()
}

// newParser makes the parser of the whole command line.
func newParser(ctx context.Context, source origin, out output) *kong.Kong {
	parser, err := kong.New(&cli{},
		kong.Name("sapf"),
		kong.Description("Sparse adversarial attacks on image classifiers."),
		kong.Writers(out.stdout, out.stderr),
		kong.Vars{"version": "sapf " + kernel.Build()},
		kong.Exit(func(int) { panic(finished{}) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(out, source),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	return parser
}
