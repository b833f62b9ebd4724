// Command attackbench scores l0 attacks as AttackBench does (Cina et al., AAAI
// 2025): untargeted, 2000 passes a sample, the smallest adversarial distance
// seen at any query, and the optimality of each attack's robustness curve
// against the best of the pool.
//
//	SAPF_DATA=... go run ./sapf/baseline/attackbench -models cwnet,resnet20 -images 50
//
// -beside adds what another library found, as reference.py writes it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
)

// passes is AttackBench's budget: forward and backward passes a sample.
const passes = 2000

// pool are the attacks scored. The lower envelope is over all of them.
var pool = []struct {
	name   string
	method attack.Attack
}{
	{"sigma-zero", baseline.SigmaZero{Preset: "benchmark"}},
	{"fmn-l0", baseline.FMNL0{Preset: "benchmark"}},
	{"greedyfool", baseline.GreedyFool{}},
	{"jsma", baseline.JSMA{}},
	{"sparsefool", baseline.SparseFool{}},
}

func main() {
	names := flag.String("models", "cwnet,resnet20", "models, separated by commas")
	images := flag.Int("images", 50, "images, the first of the CIFAR-10 test set")
	beside := flag.String("beside", "", "file of another library's distances")
	batch := flag.Int("batch", 16, "images attacked together")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	others, err := read(*beside)
	if err != nil {
		fmt.Fprintln(os.Stderr, "attackbench:", err)
		os.Exit(1)
	}
	for _, name := range strings.Split(*names, ",") {
		if err := score(ctx, name, *images, *batch, others[name]); err != nil {
			fmt.Fprintln(os.Stderr, "attackbench:", err)
			os.Exit(1)
		}
	}
}

// read returns the distances in a file by model and attack; none without a file.
func read(path string) (map[string]map[string][]float64, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found map[string]map[string][]float64
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return found, nil
}

// score runs the pool on one model and prints a line an attack, and one for each
// of others.
func score(ctx context.Context, name string, images, batch int, others map[string][]float64) error {
	m, err := models.Load(name, models.LoadOptions{})
	if err != nil {
		return err
	}
	distances := make([][]float64, len(pool))
	seconds := make([]float64, len(pool))
	for a, row := range pool {
		start := time.Now()
		for first := 0; first < images; first += batch {
			d, err := smallest(ctx, m, row.method, first, min(first+batch, images))
			if err != nil {
				return fmt.Errorf("%s on %s: %w", row.name, name, err)
			}
			distances[a] = append(distances[a], d...)
		}
		seconds[a] = time.Since(start).Seconds()
		fmt.Fprintf(os.Stderr, "%s %s %.0f s\n", name, row.name, seconds[a])
	}
	names := slices.Sorted(maps.Keys(others))
	for _, other := range names {
		if len(others[other]) != images {
			return fmt.Errorf("%s: %d distances, expected %d, one an image", other, len(others[other]), images)
		}
		distances = append(distances, others[other])
	}
	best, err := metric.BestKnown(distances...)
	if err != nil {
		return err
	}
	for a, row := range pool {
		text, err := line(distances[a], best)
		if err != nil {
			return err
		}
		fmt.Printf("%-9s %-20s %s %.1f s\n", name, row.name, text, seconds[a])
	}
	for _, other := range names {
		text, err := line(others[other], best)
		if err != nil {
			return err
		}
		fmt.Printf("%-9s %-20s %s\n", name, other, text)
	}
	return nil
}

// line is what the table says of an attack's distances.
func line(distances, best []float64) (string, error) {
	optimality, err := metric.Optimality(distances, best)
	if err != nil {
		return "", err
	}
	step, err := metric.StepOptimality(distances, best)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("optimality %.3f  step %.3f  success %.3f  median l0 %g  %d images",
		optimality, step, successRate(distances), metric.Median(distances), len(distances)), nil
}

// smallest runs one attack on some test records and returns the smallest l0
// seen for each: 0 if it is misclassified, +Inf if nothing was found.
func smallest(ctx context.Context, m *models.Model, a attack.Attack, from, to int) ([]float64, error) {
	var tasks []attack.Task
	found := make([]float64, to-from)
	var mu sync.Mutex
	for i := from; i < to; i++ {
		x, err := data.Load(fmt.Sprintf("cifar10:%d", i), data.Options{})
		if err != nil {
			return nil, err
		}
		w := watching{a, func(d float64) {
			mu.Lock()
			defer mu.Unlock()
			found[i-from] = d
		}}
		tasks = append(tasks, attack.Task{Image: x, Goal: attack.Goal{Label: x.Label, Target: attack.None}, Attack: w})
	}
	_, err := sweep.Run(ctx, m, tasks, sweep.Options{Batch: len(tasks)})
	if err == nil {
		err = ctx.Err()
	}
	return found, err
}

// watching is an attack whose classifier is watched within AttackBench's
// budget.
type watching struct {
	attack.Attack
	tell func(l0 float64)
}

func (w watching) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	watched := metric.Watch(m, x, goal)
	watched.Limit = passes
	r, err := w.Attack.Run(ctx, watched, x, goal)
	w.tell(watched.Smallest(metric.L0))
	return r, err
}

func successRate(distances []float64) float64 {
	n := 0
	for _, d := range distances {
		if !math.IsInf(d, 1) {
			n++
		}
	}
	return float64(n) / float64(len(distances))
}
