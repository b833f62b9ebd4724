package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"sapf/kernel/internal/leave"
	"sapf/models"
	"sapf/models/atomicfile"
	"sapf/models/data"
	"sapf/models/plain"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/table"
)

// stated is the --target that takes each image's own, as its file states it.
const stated = "stated"

// many attacks every image of a folder, a pattern or an array. Results are
// printed as they come, in the order of the images, and those in --out are not
// made a second time.
func (c *attackCmd) many(ctx context.Context, out output, job sweep.Job) error {
	if c.Groups != "" || c.Trace != "" || c.Checkpoint != "" {
		return fmt.Errorf("image %s is several: --groups, --trace and --checkpoint are for one", c.Image)
	}
	line := newLine(out.stderr, c.JSON)
	var m *models.Model
	tasks, err := leave.When(ctx, func() (tasks []attack.Task, err error) {
		if m, err = models.Load(job.Model, job.Load); err == nil {
			tasks, err = c.tasks(m, job, line.say)
		}
		return tasks, err
	})
	if err != nil {
		return err
	}
	var o sweep.Options
	if c.Out != "" {
		if o.Store, err = sweep.OpenFolder(filepath.Join(c.Out, "kept")); err != nil {
			return err
		}
	}
	var done []*sweep.Outcome // in the order of the tasks
	waiting := map[int]*sweep.Outcome{}
	o.Take = func(task int, outcome *sweep.Outcome) error {
		if outcome.Result.Status == attack.Cancelled && !outcome.Measured.Success {
			return nil
		}
		waiting[task] = outcome
		for waiting[len(done)] != nil {
			next := waiting[len(done)]
			delete(waiting, len(done))
			done = append(done, next)
			if c.JSON {
				if err := out.print(true, next.Record()); err != nil {
					return err
				}
			}
		}
		return nil
	}
	o.Progress = func(p sweep.Progress) {
		line.show(fmt.Sprintf("%d of %d attacks, %d succeeded, now %s", p.Done, p.Total, p.Succeeded, p.Task.Image.Name), false)
	}
	_, err = sweep.Run(ctx, m, tasks, o)
	line.clear()
	if err != nil && ctx.Err() == nil {
		return failed(err)
	}
	return c.deliverMany(ctx, out, done, len(tasks))
}

// tasks are the attacks on the images. One whose own class is the target is left
// out, and named.
func (c *attackCmd) tasks(m *models.Model, job sweep.Job, say func(string)) ([]attack.Task, error) {
	var o data.Options
	if c.Resize {
		o = m.ImageOptions()
	}
	set, err := data.Several(c.Image, o)
	if err != nil {
		return nil, err
	}
	a, err := sweep.NewAttack(job.Method, job.Preset, job.Set)
	if err != nil {
		return nil, err
	}
	if c.Target == "" {
		say("no --target: any other class will do")
	}
	var tasks []attack.Task
	for i := range set.N {
		x, err := set.At(i)
		if err != nil {
			return nil, err
		}
		if x, err = sweep.Fit(x, m, c.Resize); err != nil {
			return nil, err
		}
		target := c.Target
		if target == stated {
			if set.Target(i) == data.NoLabel {
				return nil, fmt.Errorf("--target stated: image %s has none: labels.csv states it as target_index, a .npz as targets", x.Name)
			}
			target = strconv.Itoa(set.Target(i))
		}
		if class, err := models.ClassIndex(m.Classes(), target); err == nil && class == x.Label && c.Target != stated {
			say(fmt.Sprintf("%s is left out: %s is its own class", x.Name, m.Classes()[class]))
			continue
		}
		t := attack.Task{Image: x, Attack: a}
		if t.Goal, err = sweep.GoalOf(m.Classes(), x.Label, target); err != nil {
			return nil, fmt.Errorf("image %s: %w", x.Name, err)
		}
		tasks = append(tasks, t)
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("image %s: none is left to attack", c.Image)
	}
	return tasks, nil
}

// deliverMany saves what is done and prints the table. What could not be saved
// is printed all the same.
func (c *attackCmd) deliverMany(ctx context.Context, out output, done []*sweep.Outcome, total int) error {
	var attacks []table.Attack
	succeeded := 0
	for _, o := range done {
		attacks = append(attacks, table.Of(o))
		if o.Measured.Success {
			succeeded++
		}
	}
	summary := fmt.Sprintf("%d of %d attacks succeeded", succeeded, total)
	var saved error
	if c.Out != "" && len(done) > 0 {
		if saved = saveMany(c.Out, done, attacks, summary); saved != nil {
			saved = failed(fmt.Errorf("save the results: %w", saved))
		}
	}
	if !c.JSON && len(done) > 0 {
		if err := forPeople(done, summary).Write(plain.Writer(out.stdout), "markdown"); err != nil {
			return errors.Join(saved, failed(err))
		}
	}
	switch {
	case saved != nil:
		return saved
	case ctx.Err() != nil:
		return interrupted(fmt.Sprintf("%d of %d attacks are done%s", len(done), total, c.whereKept()))
	case succeeded < total:
		return failed(errors.New(summary))
	}
	return nil
}

// forPeople is a table of what matters, with the classes' names.
func forPeople(done []*sweep.Outcome, caption string) *table.Table {
	t := &table.Table{Caption: caption, Columns: []table.Column{{Name: "image", Kind: table.Text}, {Name: "label", Kind: table.Text},
		{Name: "prediction", Kind: table.Text}, {Name: "target", Kind: table.Text}, {Name: "adversarial", Kind: table.Text}, {Name: "success", Kind: table.Truth},
		{Name: "l0", Kind: table.Number}, {Name: "pixels", Kind: table.Number}, {Name: "l2", Kind: table.Real}, {Name: "linf", Kind: table.Real}}}
	for _, o := range done {
		class := func(i int) any {
			if i < 0 {
				return nil
			}
			return o.ClassName(i)
		}
		n := o.Measured
		t.Rows = append(t.Rows, []any{o.Image.Name, class(o.Image.Label), class(o.Clean.Class), class(o.Goal.Target), class(n.AdversarialPrediction),
			n.Success, int64(n.L0), int64(n.L0Pixels), n.L2, n.Linf})
	}
	return t
}

// saveMany writes pictures and result.json of each image into a folder of its
// own, and all adversarial images and results, row by row the same, into
// adversarial_nchw.npy and results.csv.
func saveMany(dir string, done []*sweep.Outcome, attacks []table.Attack, caption string) error {
	var images []data.Image
	for i, o := range done {
		if err := o.Save(filepath.Join(dir, fmt.Sprintf("%04d-%s", i, folderName(o.Image.Name)))); err != nil {
			return err
		}
		images = append(images, o.Result.Adversarial)
	}
	if err := atomicfile.Write(filepath.Join(dir, "adversarial_nchw.npy"), 0o644, func(w io.Writer) error { return data.SaveNPY(w, images...) }); err != nil {
		return err
	}
	rows, err := table.Rows(attacks, caption)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "results.csv"), 0o644, func(w io.Writer) error { return rows.Write(w, "csv") })
}

// folderName is an image's name as part of a folder's.
func folderName(image string) string {
	base := filepath.Base(image)
	if ext := filepath.Ext(base); !strings.Contains(ext, ":") {
		base = strings.TrimSuffix(base, ext)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '-'
		}
		return r
	}, base)
}
