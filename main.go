// Command sapf measures how fragile an image classifier is: sparse adversarial
// attack via perturbation factorization (SAPF) and the attacks it is compared
// with, from notebooks, scripts and the command line.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"sapf/kernel"
	"sapf/models"
	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/sweep"
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

// print writes a value as one line of JSON, or as its String.
func (o output) print(asJSON bool, v any) error {
	if asJSON {
		return json.NewEncoder(o.stdout).Encode(v)
	}
	_, err := fmt.Fprintln(o.stdout, v)
	return err
}

// cli is the command line of product.md.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], output{os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run parses the arguments, runs the command and returns the exit code. An
// error is one line on stderr.
func run(ctx context.Context, args []string, out output) int {
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
	if err == nil {
		err = command.Run()
	}
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(out.stderr, "sapf:", strings.ReplaceAll(err.Error(), "\n", " "))
	var f failure
	switch {
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &f):
		return f.code
	}
	return exitRequest
}

type runCmd struct {
	File        string            `arg:"" help:"Notebook or script; - reads standard input."`
	Parameter   map[string]string `short:"p" mapsep:"none" placeholder:"NAME=VALUE" help:"Set a variable of the cell tagged parameters; repeat for more."`
	Output      string            `short:"o" placeholder:"OUT.ipynb" help:"Executed notebook (default: FILE.out.ipynb)."`
	HTML        string            `name:"html" placeholder:"OUT.html" help:"Self-contained page (default: FILE.out.html)."`
	Timeout     time.Duration     `placeholder:"10m" help:"Time that a cell may take (default: any)."`
	AllowErrors bool              `help:"Go on after a cell that fails."`
	NoTiming    bool              `help:"Leave times out of the executed notebook."`
	Export      string            `placeholder:"PROG.go" help:"Write the notebook as a Go program instead of running it."`
}

func (c *runCmd) Run(ctx context.Context, out output) error {
	if c.Export != "" {
		return requestOr(kernel.ExportGo(c.File, c.Export))
	}
	if base, ok := strings.CutSuffix(c.File, ".ipynb"); ok {
		c.Output = cmp.Or(c.Output, base+".out.ipynb")
		c.HTML = cmp.Or(c.HTML, base+".out.html")
	}
	err := kernel.RunNotebook(ctx, kernel.RunOptions{
		Path: c.File, Stdin: os.Stdin, Parameters: c.Parameter, Output: c.Output, HTML: c.HTML,
		Timeout: c.Timeout, AllowErrors: c.AllowErrors, NoTiming: c.NoTiming,
		Progress: out.stderr, Terminal: isTerminal(out.stderr), Stdout: out.stdout, Stderr: out.stderr,
	})
	var bad *kernel.RequestError
	if !errors.As(err, &bad) && c.Output != "" {
		fmt.Fprintf(out.stderr, "wrote %s and %s\n", c.Output, c.HTML)
	}
	return requestOr(err)
}

// requestOr gives an error of the kernel package the exit code it stands for.
func requestOr(err error) error {
	if err == nil {
		return nil
	}
	return failure{kernel.ExitCode(err), err}
}

type labCmd struct {
	Args []string `arg:"" optional:"" help:"Arguments for JupyterLab."`
}

func (c *labCmd) Run(ctx context.Context, out output) error {
	return requestOr(kernel.Lab(ctx, kernel.LabOptions{Args: c.Args, Stdin: os.Stdin, Stdout: out.stdout, Stderr: out.stderr}))
}

// placeFlags say where Jupyter's kernels are.
type placeFlags struct {
	User      bool   `xor:"place" help:"For this user (the default)."`
	SysPrefix bool   `xor:"place" help:"In the Python environment that is active."`
	Prefix    string `xor:"place" placeholder:"DIR" help:"Under DIR/share/jupyter."`
	Name      string `default:"sapf" help:"Name of the kernel."`
}

func (f placeFlags) place() kernel.Place {
	return kernel.Place{SysPrefix: f.SysPrefix, Prefix: f.Prefix, Name: f.Name}
}

type installCmd struct {
	placeFlags `embed:""`
}

func (c *installCmd) Run(out output) error {
	r, err := kernel.Install(c.place())
	if err == nil {
		fmt.Fprintln(out.stdout, r)
	}
	return err
}

type uninstallCmd struct {
	placeFlags `embed:""`
}

func (c *uninstallCmd) Run(out output) error {
	r, err := kernel.Uninstall(c.place())
	if err == nil {
		fmt.Fprintln(out.stdout, r)
	}
	return err
}

type kernelCmd struct {
	Connection string `arg:"" help:"Connection file."`
}

// Run does not heed the context of main, which SIGINT ends: a kernel is
// interrupted by it.
func (c *kernelCmd) Run() error { return kernel.Run(context.Background(), c.Connection) }

type workerCmd struct{}

func (c *workerCmd) Run() error { return kernel.WorkerMain(os.Stdin, os.Stdout) }

// jobFlags name an attack's model, image and target.
type jobFlags struct {
	Model  string `required:"" help:"Model: a name (see 'sapf models') or a file."`
	Arch   string `help:"Architecture, where the model's file does not say."`
	Image  string `required:"" help:"Image: a file, a sample (cat) or a record (cifar10:17)."`
	Resize bool   `help:"Scale a picture of another size to the model's."`
	Target string `help:"Target: a class's name or index."`
}

func (f jobFlags) job() sweep.Job {
	return sweep.Job{Model: f.Model, Arch: f.Arch, Image: f.Image, Resize: f.Resize, Target: f.Target}
}

type attackCmd struct {
	jobFlags   `embed:""`
	Method     string            `default:"sapf" help:"Attack: sapf or a baseline."`
	Preset     string            `help:"Preset of the method (sapf: reference, paper)."`
	K          *int              `help:"Entries that may change (sapf: 200)."`
	Set        map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Set an option; repeat for more."`
	Trace      string            `placeholder:"F.csv" help:"Write a row of the solver's state every --trace-every steps."`
	TraceEvery int               `default:"50" help:"Steps between rows of the trace."`
	Checkpoint string            `placeholder:"FILE" help:"Keep the state of a long SAPF attack there, and go on from it."`
	Out        string            `placeholder:"DIR" help:"Write pictures, delta.npy and result.json there."`
	JSON       bool              `help:"Print the result as JSON."`
}

func (c *attackCmd) Run(ctx context.Context, out output) error {
	job := c.job()
	job.Method, job.Preset, job.Set = c.Method, c.Preset, maps.Clone(c.Set)
	if c.K != nil {
		if job.Set == nil {
			job.Set = map[string]string{}
		}
		job.Set["k"] = strconv.Itoa(*c.K)
	}
	task, err := job.Prepare()
	if err != nil {
		return err
	}
	var traceErr error
	if c.Trace != "" {
		f, err := os.Create(c.Trace)
		if err != nil {
			return err
		}
		defer f.Close()
		ctx = sapf.WithTrace(ctx, c.TraceEvery, sapf.TraceCSV(f, &traceErr))
	}
	if c.Checkpoint != "" {
		if ctx, err = sweep.WithCheckpointFile(ctx, c.Checkpoint, sweep.CheckpointEvery); err != nil {
			return err
		}
	}
	bar := newBar(out.stderr, c.JSON)
	o, err := task.Run(sapf.WithProgress(ctx, bar.show))
	bar.clear()
	if err != nil {
		return err
	}
	if c.Checkpoint != "" && ctx.Err() == nil {
		if err := os.Remove(c.Checkpoint); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed(fmt.Errorf("remove the checkpoint of a finished attack: %w", err))
		}
	}
	if traceErr != nil {
		return failed(fmt.Errorf("write trace %s: %w", c.Trace, traceErr))
	}
	if c.Out != "" {
		if err := o.Save(c.Out); err != nil {
			return failed(fmt.Errorf("save the result: %w", err))
		}
	}
	var shown any = o
	if c.JSON {
		shown = o.Record()
	}
	if err := out.print(c.JSON, shown); err != nil {
		return failed(err)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !o.Measured.Success:
		return failed(fmt.Errorf("%s did not reach the goal (status %s) %s", task.Attack.Name(), o.Result.Status, o.Result.Note))
	}
	return nil
}

// bar is the progress of a command, on a terminal only.
type bar struct{ p *progressbar.ProgressBar }

func newBar(w io.Writer, quiet bool) *bar {
	if quiet || !isTerminal(w) {
		return &bar{}
	}
	return &bar{progressbar.NewOptions(1, progressbar.OptionSetWriter(w), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (b *bar) show(p sapf.Progress) {
	b.set(p.Done, p.Total, fmt.Sprintf("%s round %d/%d %s loss %.3g", p.Method, p.Round, p.Rounds, p.Stage, p.Loss))
}

func (b *bar) set(done, total int, what string) {
	if b.p != nil {
		b.p.ChangeMax(max(total, 1))
		b.p.Describe(what)
		b.p.Set(done)
	}
}

func (b *bar) clear() {
	if b.p != nil {
		b.p.Clear()
	}
}

type gradientCmd struct {
	jobFlags `embed:""`
	Loss     string `enum:"cw,ce" default:"cw" help:"Loss to the target: cw (hinge on logits) or ce (cross entropy)."`
	JSON     bool   `help:"Print JSON, the gradient as base64."`
}

func (c *gradientCmd) Run(out output) error {
	g, err := c.job().ComputeGradient(c.Loss)
	if err != nil {
		return err
	}
	return out.print(c.JSON, g)
}

type modelsCmd struct {
	List    modelsListCmd    `cmd:"" default:"1" help:"List the models known by name."`
	Show    modelsShowCmd    `cmd:"" help:"Print layers, shapes, parameters, operations and digest."`
	Verify  modelsVerifyCmd  `cmd:"" help:"Measure the accuracy on clean images."`
	Convert modelsConvertCmd `cmd:"" help:"Write a model's weights as safetensors, with its card."`
}

type modelsListCmd struct {
	JSON bool `help:"Print JSON, a model a line."`
}

func (c *modelsListCmd) Run(out output) error {
	w := tabwriter.NewWriter(out.stdout, 0, 0, 2, ' ', 0)
	for _, l := range models.List() {
		if c.JSON {
			if err := out.print(true, l); err != nil {
				return err
			}
			continue
		}
		where := cmp.Or(l.File, "not on this machine")
		if l.Embedded {
			where = "embedded"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d classes\t%s\t%s\n", l.Name, l.Architecture, l.Input, l.Classes, where, l.About)
	}
	return w.Flush()
}

// modelFlags name a model.
type modelFlags struct {
	Model string `arg:"" help:"Model: a name or a file."`
	Arch  string `help:"Architecture, where the file does not say."`
}

func (f modelFlags) load() (*models.Model, error) {
	return models.Load(f.Model, models.LoadOptions{Arch: f.Arch})
}

type modelsShowCmd struct {
	modelFlags `embed:""`
	JSON       bool `help:"Print JSON."`
}

func (c *modelsShowCmd) Run(out output) error {
	m, err := c.load()
	if err != nil {
		return err
	}
	in, err := m.Inspect()
	if err != nil {
		return err
	}
	return out.print(c.JSON, in)
}

type modelsVerifyCmd struct {
	modelFlags `embed:""`
	Data       string `default:"cifar10" help:"Data set, or a folder of pictures with labels.csv."`
	Limit      int    `help:"First records only."`
	JSON       bool   `help:"Print JSON."`
}

func (c *modelsVerifyCmd) Run(ctx context.Context, out output) error {
	m, err := c.load()
	if err != nil {
		return err
	}
	bar := newBar(out.stderr, c.JSON)
	v, err := models.Verify(ctx, m, models.VerifyOptions{Data: c.Data, Limit: c.Limit, Progress: func(done, total int) {
		bar.set(done, total, "images")
	}})
	bar.clear()
	if err != nil {
		return err
	}
	return out.print(c.JSON, v)
}

type modelsConvertCmd struct {
	modelFlags `embed:""`
	Out        string `arg:"" help:"File to write, .safetensors."`
	JSON       bool   `help:"Print the card as JSON."`
}

func (c *modelsConvertCmd) Run(out output) error {
	card, err := models.Convert(c.Model, c.Out, models.LoadOptions{Arch: c.Arch})
	if err != nil {
		return err
	}
	return out.print(c.JSON, card)
}

type dataCmd struct {
	List dataListCmd `cmd:"" default:"1" help:"List samples and data sets, and where they are."`
	Get  dataGetCmd  `cmd:"" help:"Download a data set from its official place and check its digest."`
}

type dataGetCmd struct {
	Name string `arg:"" help:"cifar10, cifar100 or fashion."`
	Dir  string `type:"path" help:"Root to fill, a folder as SAPF_DATA names one (default: the user's cache)."`
}

func (c *dataGetCmd) Run(ctx context.Context, out output) error {
	bar := newBar(out.stderr, false)
	folder, err := data.Get(ctx, c.Name, data.GetOptions{Dir: c.Dir, Progress: func(file string, done, total int64) {
		bar.set(int(done>>10), int(total>>10), file+" (KB)")
	}})
	bar.clear()
	switch {
	case err != nil && slices.Contains(data.Gettable(), c.Name):
		return failed(err)
	case err != nil: // no such set
		return err
	}
	_, err = fmt.Fprintln(out.stdout, folder)
	return err
}

type dataListCmd struct {
	JSON bool `help:"Print JSON, an entry a line."`
}

func (c *dataListCmd) Run(out output) error {
	w := tabwriter.NewWriter(out.stdout, 0, 0, 2, ' ', 0)
	for _, e := range data.List() {
		if c.JSON {
			if err := out.print(true, e); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.Name, cmp.Or(e.Where, "not on this machine"), e.About)
	}
	return w.Flush()
}

type benchCmd struct {
	Model   string        `default:"cwnet" help:"Model: a name or a file."`
	Batch   []int         `default:"1,9" help:"Batch sizes."`
	Threads []int         `default:"1,2" help:"Numbers of threads."`
	Time    time.Duration `default:"2s" help:"Time for each."`
	JSON    bool          `help:"Print JSON, a line for each batch size and number of threads."`
}

func (c *benchCmd) Run(ctx context.Context, out output) error {
	m, err := models.Load(c.Model, models.LoadOptions{})
	if err != nil {
		return err
	}
	for _, batch := range c.Batch {
		for _, threads := range c.Threads {
			if batch < 1 || threads < 1 {
				return fmt.Errorf("batch %d with %d threads, expected at least 1 of each", batch, threads)
			}
			t, err := models.Bench(ctx, m, batch, threads, c.Time)
			if err != nil {
				return failed(err)
			}
			if err := out.print(c.JSON, t); err != nil {
				return failed(err)
			}
		}
	}
	return nil
}
