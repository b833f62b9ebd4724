package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep"
)

// outcome is a case as a line of a file keeps it. Target is -1 for an untargeted
// goal.
type outcome struct {
	Image       string        `json:"image"`
	Target      int           `json:"target"`
	Status      attack.Status `json:"status"`
	Success     bool          `json:"success"`
	Success8Bit bool          `json:"success_8bit"`
	L0          int           `json:"l0"`
	L0Pixels    int           `json:"l0_pixels"`
	L1          float64       `json:"l1"`
	L2          float64       `json:"l2"`
	Linf        float64       `json:"linf"`
	Forwards    int           `json:"forwards"`
	Gradients   int           `json:"gradients"`
	Seconds     float64       `json:"seconds"`
}

// at tells cases of one run apart.
type at struct {
	image  string
	target int
}

// make runs the cases whose outcomes are not there yet, an image at a time.
func (r run) make(ctx context.Context, out string) error {
	have, err := read(path(out, r.Name))
	if err != nil {
		return err
	}
	var matched map[at]outcome
	if r.MatchedTo != "" {
		if matched, err = read(path(out, r.MatchedTo)); err != nil {
			return err
		}
	}
	m, err := models.Load(r.Model, models.LoadOptions{})
	if err != nil {
		return err
	}
	images, err := r.images(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path(out, r.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	var tasks []attack.Task
	for _, x := range images {
		for _, goal := range r.goals(x.Label, len(m.Classes())) {
			key := at{x.Name, goal.Target}
			if _, done := have[key]; done {
				continue
			}
			k := 0
			if r.MatchedTo != "" {
				if k = matched[key].L0; !matched[key].Success {
					continue
				}
			}
			a, err := r.attack(k)
			if err != nil {
				return err
			}
			tasks = append(tasks, attack.Task{Image: x, Goal: goal, Attack: a})
		}
	}
	keep := func(_ int, o *sweep.Outcome) error {
		if o.Result.Status == attack.Cancelled {
			return nil
		}
		line, err := json.Marshal(outcomeOf(o))
		if err == nil {
			_, err = f.Write(append(line, '\n'))
		}
		return err
	}
	_, err = sweep.Run(ctx, m, tasks, sweep.Options{Batch: r.Batch, Take: keep})
	return errors.Join(err, f.Close())
}

func outcomeOf(o *sweep.Outcome) outcome {
	q, r := o.Measured, o.Result
	return outcome{
		o.Image.Name, o.Goal.Target, r.Status, q.Success, q.Success8Bit, q.L0, q.L0Pixels,
		rounded(q.L1), rounded(q.L2), rounded(q.Linf), r.Forwards, r.Gradients, math.Round(o.Seconds*1000) / 1000,
	}
}

// rounded keeps six decimals.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// read returns the outcomes of a file; none where there is no file.
func read(path string) (map[at]outcome, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found := map[at]outcome{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		found[at{o.Image, o.Target}] = o
	}
	return found, lines.Err()
}

// attack is the run's attack, with k where that is not 0.
func (r run) attack(k int) (attack.Attack, error) {
	a, err := sweep.NewAttack(r.Method, r.Preset, r.Set)
	if err != nil {
		return nil, err
	}
	if k > 0 {
		if err := attack.Set(a, "k", strconv.Itoa(k)); err != nil {
			return nil, err
		}
	}
	if r.Budget > 0 {
		return baseline.Budgeted{Attack: a, K: r.Budget}, nil
	}
	return a, nil
}

// images are the first ones that the model classifies right; of photographs all.
func (r run) images(m *models.Model) ([]data.Image, error) {
	var images []data.Image
	if r.Photographs != "" {
		files, err := filepath.Glob(filepath.Join(os.Getenv("SAPF_DATA"), "data", r.Photographs, "*.[jp][pn]g"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			x, err := data.Load(file, m.ImageOptions())
			if err != nil {
				return nil, err
			}
			p, err := m.Predict(x)
			if err != nil {
				return nil, err
			}
			x.Name, x.Label = filepath.Base(file), p.Class
			if images = append(images, x); len(images) == r.Images {
				break
			}
		}
		return images, nil
	}
	for record := 0; len(images) < r.Skip+r.Images; record++ {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", record), data.Options{})
		if err != nil {
			return nil, err
		}
		p, err := m.Predict(x)
		if err != nil {
			return nil, err
		}
		if p.Class == x.Label {
			images = append(images, x)
		}
	}
	return images[r.Skip:], nil
}

// goals are those of an image of a label.
func (r run) goals(label, classes int) []attack.Goal {
	if r.Goals == "untargeted" {
		return []attack.Goal{{Label: label, Target: attack.None}}
	}
	count := classes - 1
	if n, err := strconv.Atoi(r.Goals); err == nil {
		count = min(n, count)
	}
	var goals []attack.Goal
	for i := range count { // 1 to classes-1 beyond the label, evenly spread
		goals = append(goals, attack.Goal{Label: label, Target: (label + 1 + i*(classes-1)/count) % classes})
	}
	return goals
}
