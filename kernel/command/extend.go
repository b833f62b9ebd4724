package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"sapf/kernel/extend"
	"sapf/kernel/worker"
	"sapf/models/plain"
)

// origin is the source that this program was built of, if it has it.
type origin struct{ fs fs.FS }

// builder builds extensions of the source in dir, of that in SAPF_SOURCE, or of
// this program's own.
func (o origin) builder(dir string) (*extend.Builder, error) {
	if dir == "" {
		dir = os.Getenv("SAPF_SOURCE")
	}
	b := &extend.Builder{Source: extend.Source{FS: o.fs}}
	var err error
	if dir != "" {
		b.Source, err = extend.Checkout(dir)
	}
	return b, err
}

func (o origin) extender() (worker.Extender, error) {
	b, err := o.builder("")
	return extend.Extender{Builder: b}, err
}

type extendCmd struct {
	Parts  []string `arg:"" optional:"" name:"path" predictor:"file" help:"Import path, with @VERSION or without, or a folder like ./mypkg: it and the packages below it. Without any, what there is is built again where that is needed."`
	List   bool     `xor:"what" help:"List what new kernels start with, and what else is in the cache."`
	Clear  bool     `xor:"what" help:"Remove all that was built: kernels start without extensions."`
	Source string   `placeholder:"DIR" predictor:"file" help:"Build with the sources in this checkout instead of this program's own (also: SAPF_SOURCE)."`
}

func (c *extendCmd) Run(ctx context.Context, out output, source origin) error {
	b, err := source.builder(c.Source)
	if err != nil {
		return err
	}
	if (c.List || c.Clear) && len(c.Parts) > 0 {
		return errors.New("--list and --clear take no packages")
	}
	switch {
	case c.List:
		return c.list(b, out)
	case c.Clear:
		return b.Clear(ctx)
	}
	have, _, err := b.Current()
	if err != nil {
		return err
	}
	more, err := extend.ParseParts(c.Parts, ".")
	if err != nil {
		return err
	}
	parts := extend.Merge(have, more)
	if len(parts) == 0 {
		return errors.New("name a package or a folder to compile in")
	}
	line := &liveLine{w: out.stderr, terminal: isTerminal(out.stderr)}
	e, err := b.Extend(ctx, parts, line.show)
	line.end()
	var long interface{ Output() []string }
	if errors.As(err, &long) {
		fmt.Fprintln(plain.Writer(out.stderr), strings.Join(long.Output(), "\n"))
	}
	if err != nil {
		return failed(err)
	}
	if err := b.SetCurrent(e); err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(out.stdout, "%s\nkernels and runs that start from now on have it\n", plain.Text(e.Summary()))
	return err
}

func (c *extendCmd) list(b *extend.Builder, out output) error {
	parts, e, err := b.Current()
	if err != nil {
		return err
	}
	all, err := b.All()
	if err != nil {
		return err
	}
	w := out.table()
	for _, x := range all {
		state := "in the cache"
		if e != nil && e.Key == x.Key {
			state = "current"
		}
		fmt.Fprintf(w, "%s\t%s\t%d packages\t%s\n", state, strings.Join(x.Modules, ", "), len(x.Packages), x.Program)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if e == nil && len(parts) > 0 {
		fmt.Fprintf(out.stdout, "%v: wanted, but built for another version of sapf: `sapf extend` does it again\n", parts)
	}
	if len(all) == 0 {
		fmt.Fprintln(out.stdout, "nothing has been compiled in")
	}
	return nil
}

// liveLine is a line that is written over on a terminal; elsewhere each new step
// is a line.
type liveLine struct {
	w        io.Writer
	terminal bool
	last     string
}

func (l *liveLine) show(text string) {
	text = plain.Text(text)
	if l.terminal {
		const width = 100
		if len(text) > width {
			text = text[:width]
		}
		fmt.Fprint(l.w, "\r\x1b[K"+text)
		return
	}
	// The time alone is no news, nor is each package.
	step, _, _ := strings.Cut(text, " (")
	step, _, _ = strings.Cut(step, ":")
	if step != l.last {
		l.last = step
		fmt.Fprintln(l.w, step)
	}
}

func (l *liveLine) end() {
	if l.terminal {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
