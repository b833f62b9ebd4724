// Command compare runs our attacks on the images on which compare.py ran other
// libraries' ones, with the same settings, and prints both side by side.
//
//	SAPF_DATA=... go run ./sapf/baseline/compare [-md] sapf/baseline/compare/reference.json [attack ...]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
)

// record is what a library found on one case, as compare.py wrote it.
type record struct {
	Attack, Goal, Library string
	Set                   map[string]string
	Seconds               float64
	Images                []image
}

// image is one image of a record.
type image struct {
	Record   int
	Success  bool
	L0       int
	L0Pixels int `json:"l0_pixels"`
	L1, L2   float64
	Linf     float64
}

func main() {
	markdown := flag.Bool("md", false, "print a Markdown table")
	flag.Parse()
	if err := run(flag.Arg(0), flag.Args()[min(1, flag.NArg()):], *markdown); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(path string, only []string, markdown bool) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var records []record
	if err := json.Unmarshal(raw, &records); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		return err
	}
	if markdown {
		fmt.Println("| attack | goal | theirs | success | median l0 | median l2 | success of ours | median l0 | median l2 | on shared successes: l0 | l1 | l2 | seconds theirs / ours |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, r := range records {
		if len(only) > 0 && !slices.Contains(only, r.Attack) {
			continue
		}
		found, seconds, err := ours(m, r)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", r.Attack, r.Goal, err)
		}
		fmt.Println(line(r, found, seconds, markdown))
	}
	return nil
}

// ours runs our attack on a record's images, all in one batch.
func ours(m *models.Model, r record) ([]image, float64, error) {
	a, err := sweep.NewAttack(r.Attack, "", r.Set)
	if err != nil {
		return nil, 0, err
	}
	var tasks []attack.Task
	for _, i := range r.Images {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", i.Record), data.Options{})
		if err != nil {
			return nil, 0, err
		}
		goal := attack.Goal{Label: x.Label, Target: attack.None}
		if r.Goal == "targeted" {
			goal.Target = (x.Label + 1) % len(m.Classes())
		}
		tasks = append(tasks, attack.Task{Image: x, Goal: goal, Attack: a})
	}
	outcomes, err := sweep.Run(context.Background(), m, tasks, sweep.Options{Batch: len(tasks)})
	if err != nil {
		return nil, 0, err
	}
	var out []image
	seconds := 0.0
	for i, o := range outcomes {
		q := o.Measured
		out = append(out, image{r.Images[i].Record, q.Success, q.L0, q.L0Pixels, q.L1, q.L2, q.Linf})
		seconds += o.Seconds
	}
	return out, seconds, nil
}

// line compares medians over each one's successes, and over the images on which
// both succeed.
func line(r record, ours []image, seconds float64, markdown bool) string {
	theirs, mine := summarize(r.Images), summarize(ours)
	sharedTheirs, shared := onShared(r.Images, ours)
	cells := []string{
		r.Attack, r.Goal, r.Library,
		fmt.Sprintf("%d/%d", theirs.n, len(ours)), fmt.Sprintf("%g", theirs.l0), fmt.Sprintf("%.4f", theirs.l2),
		fmt.Sprintf("%d/%d", mine.n, len(ours)), fmt.Sprintf("%g", mine.l0), fmt.Sprintf("%.4f", mine.l2),
		percent(shared.l0, sharedTheirs.l0), percent(shared.l1, sharedTheirs.l1), percent(shared.l2, sharedTheirs.l2),
		fmt.Sprintf("%.0f / %.0f", r.Seconds, seconds),
	}
	if markdown {
		return "| " + strings.Join(cells, " | ") + " |"
	}
	return strings.Join(cells, "\t")
}

func percent(ours, theirs float64) string {
	if theirs == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.1f %%", 100*(ours/theirs-1))
}

// summary counts successes and holds the medians of their norms.
type summary struct {
	n          int
	l0, l1, l2 float64
}

func summarize(images []image) summary {
	var l0, l1, l2 []float64
	for _, i := range images {
		if i.Success {
			l0, l1, l2 = append(l0, float64(i.L0)), append(l1, i.L1), append(l2, i.L2)
		}
	}
	return summary{len(l0), metric.Median(l0), metric.Median(l1), metric.Median(l2)}
}

// onShared summarizes the images on which both succeed.
func onShared(theirs, ours []image) (sharedTheirs, shared summary) {
	var a, b []image
	for i := range ours {
		if ours[i].Success && theirs[i].Success {
			a, b = append(a, theirs[i]), append(b, ours[i])
		}
	}
	return summarize(a), summarize(b)
}
