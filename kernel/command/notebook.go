package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sapf/kernel"
	"sapf/kernel/runner"
	"sapf/kernel/worker"
)

type runCmd struct {
	File        string            `arg:"" predictor:"file" help:"Notebook or script; - reads standard input. Of a folder: nothing is run, and its notebooks become one page as they are (--html)."`
	Args        []string          `arg:"" optional:"" help:"Arguments of the notebook or script: cells have them in os.Args, behind FILE. After -- they may begin with a dash."`
	Parameter   map[string]string `short:"p" mapsep:"none" placeholder:"NAME=VALUE" help:"Set a variable of the cell tagged parameters; repeat for more."`
	Output      string            `short:"o" placeholder:"OUT.ipynb" predictor:"file" help:"Executed notebook (default: FILE.out.ipynb)."`
	HTML        string            `name:"html" placeholder:"OUT.html" predictor:"file" help:"Self-contained page (default: FILE.out.html)."`
	HideCode    bool              `help:"Leave the source of cells out of the page: a report."`
	Timeout     time.Duration     `placeholder:"10m" min:"1ms" help:"Time that a cell may take (default: any)."`
	AllowErrors bool              `help:"Go on after a cell that fails."`
	NoTiming    bool              `help:"Leave times out of the executed notebook."`
	Export      string            `placeholder:"PROG.go" predictor:"file" help:"Write the notebook as a Go program instead of running it."`
}

func (c *runCmd) Run(ctx context.Context, out output, source origin) error {
	if c.Export != "" {
		if err := runner.Export(c.File, c.Export, c.Parameter); err != nil {
			return err
		}
		fmt.Fprintf(out.stderr, "wrote %s: `go run %s` in a clone of sapf, or in a module that requires it, runs it\n", c.Export, c.Export)
		return nil
	}
	if info, err := os.Stat(c.File); err == nil && info.IsDir() {
		return c.index(out)
	}
	if base, ok := strings.CutSuffix(c.File, ".ipynb"); ok {
		c.Output = cmp.Or(c.Output, base+".out.ipynb")
		c.HTML = cmp.Or(c.HTML, base+".out.html")
	}
	if err := cmp.Or(runnable(c.File), tryFile("-o", c.Output), tryFile("--html", c.HTML)); err != nil {
		return err
	}
	extender, err := source.extender()
	if err != nil {
		return err
	}
	return runner.Run(ctx, runner.Options{
		Worker: worker.Config{Extender: extender},
		Path:   c.File, Args: c.Args, Stdin: os.Stdin, Parameters: c.Parameter, Output: c.Output, HTML: c.HTML, HideCode: c.HideCode,
		Timeout: c.Timeout, AllowErrors: c.AllowErrors, NoTiming: c.NoTiming,
		Progress: out.stderr, Terminal: isTerminal(out.stderr), Stdout: out.stdout, Stderr: out.stderr,
	})
}

// runnable refuses a file whose name says that it is neither a notebook nor Go.
func runnable(file string) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() { // a pipe has any name
		return nil
	}
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".yaml", ".yml":
		return fmt.Errorf("%s: expected a notebook (.ipynb) or a script (.go); a sweep is run by `sapf sweep run`", file)
	case ".py", ".onnx", ".pth", ".pt", ".safetensors", ".npy", ".npz", ".png", ".jpg", ".jpeg", ".html", ".json", ".csv", ".md":
		return fmt.Errorf("%s: expected a notebook (.ipynb) or a script (.go), got %s", file, ext)
	}
	return nil
}

// index writes one page of all notebooks in a folder.
func (c *runCmd) index(out output) error {
	if len(c.Parameter) > 0 || c.Output != "" {
		return errors.New("of a folder no notebook is run: -p and -o have no meaning, name one notebook")
	}
	page := cmp.Or(c.HTML, filepath.Join(c.File, "index.out.html"))
	n, err := runner.Index(c.File, page, c.HideCode)
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stderr, "wrote %s, %d notebooks\n", page, n)
	return nil
}

type labCmd struct {
	Args []string `arg:"" optional:"" help:"Arguments for JupyterLab."`
}

// labHelp is said for --help, since all flags are JupyterLab's.
const labHelp = `Usage: sapf lab [<args> ...]

Start JupyterLab with this program as a kernel, which is installed for it alone
and as long as it runs. What follows goes to JupyterLab: a notebook, a folder,
--no-browser, --port=8889 (jupyter lab --help-all lists them). JupyterLab is
found on the PATH, or by the Python that SAPF_JUPYTER names.
`

func (c *labCmd) Run(ctx context.Context, out output) error {
	if len(c.Args) == 1 && (c.Args[0] == "--help" || c.Args[0] == "-h") {
		_, err := io.WriteString(out.stdout, labHelp)
		return err
	}
	return kernel.Lab(ctx, kernel.LabOptions{Args: c.Args, Stdin: os.Stdin, Stdout: out.raw(), Stderr: out.stderr})
}

// placeFlags say where Jupyter's kernels are.
type placeFlags struct {
	User      bool   `xor:"place" help:"For this user (the default)."`
	SysPrefix bool   `xor:"place" help:"In the Python environment that is active."`
	Prefix    string `xor:"place" placeholder:"DIR" predictor:"file" help:"Under DIR/share/jupyter."`
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
	Connection string   `arg:"" predictor:"file" help:"Connection file."`
	Args       []string `arg:"" optional:"" help:"What cells have as os.Args: jupyter run gives the files that it runs."`
}

// Run does not heed the context of main, which SIGINT ends: a kernel is
// interrupted by it.
func (c *kernelCmd) Run(source origin) error {
	options := kernel.EnvironmentOptions()
	options.Worker.Args = c.Args
	var err error
	if options.Worker.Extender, err = source.extender(); err != nil {
		return err
	}
	return kernel.Serve(context.Background(), c.Connection, options)
}

type workerCmd struct {
	Args []string `arg:"" optional:"" help:"What cells see as os.Args."`
}

func (c *workerCmd) Run() error { return worker.Main(os.Stdin, os.Stdout, c.Args...) }
