package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"sapf/kernel/exit"
	"sapf/models"
	"sapf/models/plain"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
	"sapf/sapf/sweep/table"
)

// severalImages reports whether an image's name is a folder or a pattern that no
// file has as its name.
func severalImages(image string) bool {
	info, err := os.Stat(image)
	return err == nil && info.IsDir() || err != nil && strings.ContainsAny(image, "*?[")
}

// many attacks every picture of a folder or a pattern: a small sweep, whose
// folder is --out.
func (c *attackCmd) many(ctx context.Context, out output, load models.LoadOptions, set map[string]string) error {
	if c.Groups != "" || c.Trace != "" || c.Checkpoint != "" {
		return fmt.Errorf("image %s is several: --groups, --trace and --checkpoint are for one", c.Image)
	}
	if !reflect.DeepEqual(load, models.LoadOptions{Arch: c.Arch}) {
		return fmt.Errorf("image %s is several: of what says how a model is loaded, only --arch is for them", c.Image)
	}
	s := spec.Spec{
		Models:  []spec.Model{{Name: c.Model, Arch: c.Arch}},
		Images:  spec.Images{Names: []string{c.Image}, Resize: c.Resize},
		Targets: spec.Targets{None: c.Target == ""},
		Methods: []spec.Method{{Name: c.Method, Preset: c.Preset, Options: set}},
	}
	if info, err := os.Stat(c.Image); err == nil && info.IsDir() {
		s.Images = spec.Images{Folder: c.Image, Resize: c.Resize}
	}
	if c.Target != "" {
		s.Targets.Classes = []string{c.Target}
	}
	plan, err := spec.Resolve(ctx, s, spec.Registry)
	if err != nil {
		return err
	}
	dir := c.Out
	if dir == "" {
		if dir, err = os.MkdirTemp("", "sapf-attacks-"); err != nil {
			return failed(err)
		}
		defer os.RemoveAll(dir)
	}
	d, err := runs.Create(dir, plan, runs.Shard{})
	if err != nil {
		return err
	}
	defer d.Close()
	line := newLine(out.stderr, c.JSON)
	p, err := d.Run(ctx, runs.Options{Progress: func(p runs.Progress) { line.show(p.String(), false) }, Notice: line.say})
	line.clear()
	if err != nil && ctx.Err() == nil {
		return failed(err)
	}
	attacks, snapshot, err := table.Read(d)
	if err != nil {
		return failed(err)
	}
	rows, err := table.Rows(attacks, snapshot)
	format := "jsonl"
	if err == nil && !c.JSON {
		rows, err = table.By([]string{"image", "target", "success", "adversarial_prediction"}, attacks, snapshot)
		format = "markdown"
	}
	if err == nil {
		err = rows.Write(plain.Writer(out.stdout), format)
	}
	switch {
	case err != nil:
		return failed(err)
	case ctx.Err() != nil:
		return ctx.Err()
	case p.Dead > 0:
		return failed(fmt.Errorf("%d attacks were given up", p.Dead))
	case p.Succeeded < p.Total:
		return exit.Fail(errors.New(p.String()))
	}
	return nil
}
