package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"sapf/kernel/exit"
	"sapf/kernel/kernelspec"
)

// Place is where a kernel is installed; see kernelspec.
type Place = kernelspec.Place

// Install tells Jupyter of this program. The report says what was done, in
// sentences.
func Install(p Place) (kernelspec.Report, error) { return kernelspec.Install(p) }

// Uninstall takes back what Install did at the same place.
func Uninstall(p Place) (kernelspec.Report, error) { return kernelspec.Uninstall(p) }

// LabOptions says how JupyterLab is started.
type LabOptions struct {
	Args           []string // given on to JupyterLab
	Stdout, Stderr io.Writer
	Stdin          io.Reader
}

// Lab starts JupyterLab with this program as a kernel, without installing it:
// the kernel's folder is a temporary one that only this JupyterLab knows of.
// When ctx is done JupyterLab is asked to end.
func Lab(ctx context.Context, opts LabOptions) error {
	argv, err := findLab()
	if err != nil {
		return exit.Wrong(err)
	}
	share, err := os.MkdirTemp("", "sapf-lab-")
	if err != nil {
		return exit.Fail(err)
	}
	defer os.RemoveAll(share)
	if _, err := kernelspec.Install(Place{Prefix: share}); err != nil {
		return exit.Fail(err)
	}
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], opts.Args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = linger * 10
	cmd.Stdin, cmd.Stdout, cmd.Stderr = opts.Stdin, opts.Stdout, opts.Stderr
	cmd.Env = append(os.Environ(), "JUPYTER_PATH="+joinPath(filepath.Join(share, "share", "jupyter"), os.Getenv("JUPYTER_PATH")))
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return exit.Fail(fmt.Errorf("jupyter lab: %w", err))
	}
	return nil
}

func joinPath(first, rest string) string {
	if rest == "" {
		return first
	}
	return first + string(os.PathListSeparator) + rest
}

// findLab is the command that starts JupyterLab: $SAPF_JUPYTER is a Python that
// has it, otherwise it is on the PATH.
func findLab() ([]string, error) {
	if python := os.Getenv("SAPF_JUPYTER"); python != "" {
		return []string{python, "-m", "jupyterlab"}, nil
	}
	if path, err := exec.LookPath("jupyter-lab"); err == nil {
		return []string{path}, nil
	}
	return nil, errors.New("JupyterLab is not there: `pip install jupyterlab` (or pipx, or conda) gets it, or set SAPF_JUPYTER to a Python that has it; `sapf run` needs none")
}
