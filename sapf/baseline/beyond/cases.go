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
	"strings"

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
	matched, err := r.matched(out)
	if err != nil {
		return err
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
			if matched != nil {
				if k = matched[key].L0; k == 0 {
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

// matched are the successes whose count of entries is a case's k, nil where k is
// the run's.
func (r run) matched(out string) (map[at]outcome, error) {
	fewest := map[at]outcome{}
	take := func(found map[at]outcome) {
		for key, o := range found {
			if was, ok := fewest[key]; o.Success && (!ok || o.L0 < was.L0) {
				fewest[key] = o
			}
		}
	}
	if r.MatchedTo != "" {
		found, err := read(path(out, r.MatchedTo))
		take(found)
		return fewest, err
	}
	if len(r.Table1) == 0 {
		return nil, nil
	}
	for _, method := range r.Table1 {
		found, err := readTable1(method)
		if err != nil {
			return nil, err
		}
		take(found)
	}
	return fewest, nil
}

// table1 has the outcomes of Table 1's methods on ten images and nine targets.
const table1 = "sapf/baseline/table1/cifar10-short.jsonl"

// readTable1 returns the outcomes that Table 1's command left of a method.
func readTable1(method string) (map[at]outcome, error) {
	raw, err := os.ReadFile(table1)
	if err != nil {
		return nil, err
	}
	found := map[at]outcome{}
	for line := range strings.Lines(string(raw)) {
		var o struct {
			Method, Image, LeftOut string
			Target, L0, L0Pixels   int
			Success                bool
			L1, L2, Linf, Seconds  float64
			Forwards, Gradients    int
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			return nil, fmt.Errorf("%s: %w", table1, err)
		}
		if o.Method == method && o.LeftOut == "" {
			found[at{o.Image, o.Target}] = outcome{
				Image: o.Image, Target: o.Target, Success: o.Success, L0: o.L0, L0Pixels: o.L0Pixels,
				L1: o.L1, L2: o.L2, Linf: o.Linf, Forwards: o.Forwards, Gradients: o.Gradients, Seconds: o.Seconds,
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s has no method %q", table1, method)
	}
	return found, nil
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
