package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"sapf/models/data"
)

type dataCmd struct {
	List dataListCmd `cmd:"" default:"1" help:"List samples and data sets, and where they are."`
	Get  dataGetCmd  `cmd:"" help:"Download a data set from its official place and check its digest."`
}

type dataGetCmd struct {
	Name string `arg:"" predictor:"data" help:"cifar10, cifar100, fashion or mnist."`
	Dir  string `type:"path" placeholder:"DIR" predictor:"file" help:"Root to fill, a folder as SAPF_DATA names one (default: the user's cache)."`
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
	w := out.table()
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
