package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/plain"
	"sapf/sapf/metric"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
	"sapf/sapf/sweep/table"
)

type sweepTableCmd struct {
	sweepFolder `embed:""`
	Rows        bool   `help:"A row for each attack, columns as in 'sapf attack --json'."`
	By          string `placeholder:"COLUMNS" help:"Group by columns or options, separated by commas (method,k)."`
	Norm        string `default:"l2" enum:"l0,l1,l2,linf,per norm" help:"Norm that chooses the best and the worst target: l0, l1, l2, linf or 'per norm'."`
	Format      string `short:"f" placeholder:"FORMAT" predictor:"format" help:"csv, markdown, html, jsonl or parquet (default: what FILE's name ends in, or markdown)."`
	Out         string `short:"o" placeholder:"FILE" predictor:"file" help:"Write it there."`
}

// endings are the formats of files by the ends of their names.
var endings = map[string]string{".csv": "csv", ".md": "markdown", ".html": "html", ".htm": "html", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}

func (c *sweepTableCmd) Run(out output) error {
	c.Format = cmp.Or(c.Format, endings[strings.ToLower(filepath.Ext(c.Out))], "markdown")
	if c.Rows && c.By != "" {
		return errors.New("--rows and --by, expected one of them")
	}
	d, err := c.open()
	if err != nil {
		return err
	}
	defer d.Close()
	attacks, snapshot, err := table.Read(d)
	if err != nil {
		return failed(err)
	}
	var t *table.Table
	switch {
	case c.Rows:
		t, err = table.Rows(attacks, snapshot)
	case c.By != "":
		t, err = table.By(strings.Split(c.By, ","), attacks, snapshot, table.Planned(d.Plan)...)
	default:
		t = table.Table1(d.Plan.Dataset, metric.Norm(c.Norm), attacks, snapshot)
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Write(&b, c.Format); err != nil {
		return err
	}
	if c.Format == "csv" || c.Format == "jsonl" || c.Format == "parquet" {
		fmt.Fprintln(out.stderr, snapshot) // there is no place for it in the file
	}
	if c.Out != "" {
		return failed(atomicfile.WriteFile(c.Out, b.Bytes()))
	}
	if c.Format == "markdown" {
		_, err = io.Copy(plain.Writer(out.stdout), &b)
	} else {
		_, err = io.Copy(out.stdout, &b)
	}
	return failed(err)
}

type sweepAuditCmd struct {
	sweepFolder `embed:""`
	JSON        bool `help:"Print JSON."`
}

func (c *sweepAuditCmd) Run(ctx context.Context, out output) error {
	d, err := c.open()
	if err != nil {
		return err
	}
	defer d.Close()
	bar := newBar(out.stderr, c.JSON)
	a, err := d.Audit(ctx, spec.Registry, func(done, total int) { bar.set(done, total, "results") })
	bar.clear()
	if err != nil {
		return cmp.Or(ctx.Err(), failed(err))
	}
	if err := out.print(c.JSON, a); err != nil {
		return failed(err)
	}
	if n := len(a.Wrong); n > 0 {
		return failed(fmt.Errorf("%d of %d results are wrong", n, a.Checked))
	}
	return nil
}

type sweepReplayCmd struct {
	sweepFolder `embed:""`
	Key         string `arg:"" help:"Key of the result, or how it begins."`
	JSON        bool   `help:"Print both records as JSON."`
}

func (c *sweepReplayCmd) Run(ctx context.Context, out output) error {
	d, err := c.open()
	if err != nil {
		return err
	}
	defer d.Close()
	u, err := d.Find(c.Key)
	if err != nil {
		return err
	}
	r, err := d.Replay(ctx, spec.Registry, u)
	if err != nil {
		return cmp.Or(ctx.Err(), failed(err))
	}
	if err := out.print(c.JSON, r); err != nil {
		return failed(err)
	}
	if !r.Same {
		return failed(fmt.Errorf("result %.12s could not be reproduced", u.Key))
	}
	return nil
}

type sweepDiffCmd struct {
	First  string `arg:"" predictor:"file" help:"Folder of a sweep."`
	Second string `arg:"" predictor:"file" help:"Folder of another."`
	JSON   bool   `help:"Print JSON."`
}

func (c *sweepDiffCmd) Run(out output) error {
	a, err := runs.Open(c.First)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := runs.Open(c.Second)
	if err != nil {
		return err
	}
	defer b.Close()
	diff, err := runs.Compare(a, b)
	if err != nil {
		return failed(err)
	}
	if err := out.print(c.JSON, diff); err != nil {
		return failed(err)
	}
	if n := len(diff.Different); n > 0 {
		return failed(fmt.Errorf("%d results differ under one key", n))
	}
	return nil
}
