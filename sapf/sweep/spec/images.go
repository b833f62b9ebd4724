package spec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
)

// classified is the number of images that are classified together.
const classified = 64

// choose fills in the plan's images with their targets.
func (s Spec) choose(ctx context.Context, p *Plan, loaded []*models.Model) error {
	candidates, err := s.Images.candidates(loaded[0])
	if err != nil {
		return err
	}
	wanted := s.Images.First + s.Images.Count // at most one of them is given
	if wanted == 0 {
		wanted = len(candidates)
	}
	p.Left = map[string]int{}
	seen := map[string]string{}
	loader := NewLoader(loaded[0])
	for len(candidates) > 0 && len(p.Images) < wanted {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Without correct, not one more than are wanted is read.
		n := min(len(candidates), classified)
		if !s.Images.Correct {
			n = min(n, wanted-len(p.Images))
		}
		images := make([]data.Image, n)
		for i := range images {
			if images[i], err = loader.load(candidates[i]); err != nil {
				return err
			}
		}
		classes, err := classify(loaded, images)
		if err != nil {
			return err
		}
		for i, x := range images {
			if len(p.Images) == wanted {
				break
			}
			if s.Images.Correct && slices.ContainsFunc(classes[i], func(c int) bool { return c != x.Label }) {
				p.Left["the image is misclassified"]++
				continue
			}
			c := candidates[i]
			c.Name, c.SHA256, c.Label, c.From = x.Name, sweep.ImageDigest(x), x.Label, x.Label
			own := x.Label
			if own == attack.None {
				own = classes[i][0]
			}
			if s.Targets.None {
				c.From = own
			}
			if c.Targets, err = s.Targets.targetsOf(p.Models[0].Classes, own, c.SHA256); err != nil {
				return err
			}
			if len(c.Targets) == 0 {
				p.Left["its class is the only one that is given as a target"]++
			}
			if first, ok := seen[c.SHA256]; ok {
				p.Left["the same picture as "+first]++
				continue
			}
			seen[c.SHA256] = c.Name
			if err := attack.Check(loaded[0], x, attack.Goal{Label: own, Target: c.firstTarget()}); err != nil {
				return err
			}
			p.Images = append(p.Images, c)
		}
		candidates = candidates[n:]
	}
	if len(p.Images) == 0 {
		return errors.New("images: none are left of those that the spec chooses")
	}
	if (s.Images.First > 0 || s.Images.Count > 0) && len(p.Images) < wanted {
		return fmt.Errorf("images: %d are wanted, there are %d", wanted, len(p.Images))
	}
	return nil
}

// firstTarget is a target of the image for checks, attack.None if it has none.
func (x PlanImage) firstTarget() int {
	if len(x.Targets) == 0 {
		return attack.None
	}
	return x.Targets[0]
}

// classify returns the classes that the models give each image.
func classify(loaded []*models.Model, images []data.Image) ([][]int, error) {
	out := make([][]int, len(images))
	for _, m := range loaded {
		for _, x := range images {
			if err := attack.Fits(m, x); err != nil {
				return nil, fmt.Errorf("%w: scale it with resize: true", err)
			}
		}
		classes, err := metric.Classify(m, images...)
		if err != nil {
			return nil, err
		}
		for i, c := range classes {
			out[i] = append(out[i], c)
		}
	}
	return out, nil
}

// candidates are the images to choose from, in the order of choice.
func (x Images) candidates(m *models.Model) ([]PlanImage, error) {
	var all []PlanImage
	switch {
	case x.Set != "":
		set, err := openSet(x.Set, m, x.Resize)
		if err != nil {
			return nil, err
		}
		for i := range set.N {
			all = append(all, PlanImage{Set: x.Set, Record: i, Resize: x.Resize})
		}
	case x.Folder != "":
		dir, err := filepath.Abs(x.Folder)
		if err != nil {
			return nil, err
		}
		if all, err = x.folder(dir, m); err != nil {
			return nil, err
		}
	default:
		for _, name := range x.Names {
			files, err := Expand(name)
			if err != nil {
				return nil, err
			}
			for _, f := range files {
				if info, err := os.Stat(f); err == nil && info.IsDir() {
					pictures, err := x.folder(f, m)
					if err != nil {
						return nil, err
					}
					all = append(all, pictures...)
					continue
				}
				if !data.IsArray(f) {
					all = append(all, PlanImage{File: f})
					continue
				}
				set, err := openSet(f, m, x.Resize)
				if err != nil {
					return nil, err
				}
				for i := range set.N {
					all = append(all, PlanImage{Set: f, Record: i})
				}
			}
		}
	}
	for i := range all {
		all[i].Resize = x.Resize
	}
	return x.pick(all)
}

// embedded are the sets of which the program has the first records in it.
var embedded = map[string]int{"fashion": 100}

// openSet opens a data set, or, where it is not on this machine, as much of it
// as is embedded. Its images are scaled if resize allows it; ImageNet's, of which
// no two have one size, always.
func openSet(name string, m *models.Model, resize bool) (*data.Set, error) {
	var o data.Options
	if resize || name == "imagenet" {
		o = m.ImageOptions()
	}
	set, err := data.OpenSet(name, o, 0)
	var missing *data.MissingError
	if n := embedded[name]; n > 0 && errors.As(err, &missing) {
		return data.OpenSet(name, o, n)
	}
	return set, err
}

// pick takes the records asked for, or draws an order.
func (x Images) pick(all []PlanImage) ([]PlanImage, error) {
	switch {
	case len(x.Records) > 0:
		var out []PlanImage
		for _, r := range x.Records {
			if r >= len(all) {
				return nil, fmt.Errorf("images: record %d, expected 0 to %d", r, len(all)-1)
			}
			out = append(out, all[r])
		}
		return out, nil
	case x.Count > 0:
		order := rand.New(rand.NewPCG(x.Seed, 0)).Perm(len(all))
		out := make([]PlanImage, len(all))
		for i, at := range order {
			out[i] = all[at]
		}
		return out, nil
	}
	return all, nil
}

// folder lists the pictures of a folder: those of its labels.csv, or all of them
// by name, without labels.
func (x Images) folder(dir string, m *models.Model) ([]PlanImage, error) {
	if _, err := os.Stat(filepath.Join(dir, "labels.csv")); err == nil {
		set, err := openSet(dir, m, x.Resize)
		if err != nil {
			return nil, err
		}
		out := make([]PlanImage, set.N)
		for i := range out {
			out[i] = PlanImage{Set: dir, Record: i}
		}
		return out, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of images: %w", err)
	}
	var out []PlanImage
	var bad []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !data.IsPicture(e.Name()) {
			continue
		}
		file := filepath.Join(dir, e.Name())
		if _, err := data.LoadFile(file); err != nil {
			bad = append(bad, err.Error())
		}
		out = append(out, PlanImage{File: file})
	}
	if len(bad) > 0 {
		return nil, fmt.Errorf("image folder %s: %d of %d pictures cannot be used: %s", dir, len(bad), len(out), strings.Join(bad[:min(len(bad), 5)], "; "))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("image folder %s: no pictures (%s)", dir, strings.Join(data.PictureExtensions, ", "))
	}
	return out, nil
}

// Expand turns a pattern (photos/*.png) into the files that it matches, in
// order; another name stays what it is, files with their whole path.
func Expand(name string) ([]string, error) {
	path, err := data.Path(name)
	if err != nil {
		return nil, fmt.Errorf("images %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		whole, err := filepath.Abs(path)
		return []string{whole}, err
	}
	if file, record, ok := strings.Cut(name, ".np"); ok { // one image of an array: batch.npz:17
		if kind, record, ok := strings.Cut(record, ":"); ok && data.IsArray(file+".np"+kind) {
			whole, err := filepath.Abs(file + ".np" + kind)
			return []string{whole + ":" + record}, err
		}
	}
	if !strings.ContainsAny(name, "*?[") {
		return []string{name}, nil
	}
	files, err := data.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("images %q: %w", name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("images %q: no file matches", name)
	}
	for i, f := range files {
		if files[i], err = filepath.Abs(f); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Loader loads the images of plans. It keeps data sets open, and may be used by
// one goroutine at a time.
type Loader struct {
	m    *models.Model
	sets map[string]*data.Set
}

// NewLoader returns a loader of images for a model.
func NewLoader(m *models.Model) *Loader { return &Loader{m, map[string]*data.Set{}} }

// Load loads an image of a plan. It refuses one that is not, entry for entry,
// what it was when the plan was made.
func (l *Loader) Load(c PlanImage) (data.Image, error) {
	x, err := l.load(c)
	if err != nil {
		return x, err
	}
	if d := sweep.ImageDigest(x); d != c.SHA256 {
		return x, fmt.Errorf("image %s has changed: its digest is %.12s, the sweep was planned with %.12s", c.Name, d, c.SHA256)
	}
	x.Name, x.Label = c.Name, c.Label
	return x, nil
}

func (l *Loader) load(c PlanImage) (data.Image, error) {
	x, err := l.read(c)
	var size *sweep.SizeError
	if errors.As(err, &size) {
		err = fmt.Errorf("%w: scale it with resize: true", size.Err)
	}
	return x, err
}

func (l *Loader) read(c PlanImage) (data.Image, error) {
	if c.Set == "" {
		return sweep.LoadImage(c.File, l.m, c.Resize)
	}
	set, ok := l.sets[c.Set]
	if !ok {
		var err error
		if set, err = openSet(c.Set, l.m, c.Resize); err != nil {
			return data.Image{}, err
		}
		l.sets[c.Set] = set
	}
	x, err := set.At(c.Record)
	if err != nil {
		return x, err
	}
	return sweep.Fit(x, l.m, c.Resize)
}
