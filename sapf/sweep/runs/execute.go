package runs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/spec"
)

// Executor runs groups of a plan. It may be used by several goroutines.
type Executor struct {
	Plan      *spec.Plan
	Catalogue spec.Catalogue
	// Threads is how many goroutines share a step of one group.
	Threads int
	// Checkpoints is the folder in which SAPF keeps its state when it is
	// interrupted; "" keeps none.
	Checkpoints string
	// Provenance is what results are signed with.
	Provenance sweep.Provenance
	// Model and Image, where set, load a plan's models and images in place of
	// this machine's files. Image calls waits while it waits for somebody else.
	Model func(spec.PlanModel) (*models.Model, error)
	Image func(p spec.PlanImage, waits func()) (data.Image, error)
	// Watch, where set, is told of every step.
	Watch func(sweep.Progress)
	// Known is sweep.Options.Known.
	Known func(key string) (*sweep.Kept, error)

	mu     sync.Mutex
	loaded map[int]*models.Model
	loader *spec.Loader
}

// PanicError is a job that panicked.
type PanicError struct {
	Value any
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// SetupError says that this machine cannot run the sweep: a model or an image is
// missing or is another one. No job is to blame for it.
type SetupError struct{ err error }

func (e *SetupError) Error() string { return e.err.Error() }
func (e *SetupError) Unwrap() error { return e.err }

// counted is a model whose passes are counted: a job whose count stands still
// hangs.
type counted struct {
	*models.Model
	steps *atomic.Int64
}

func (c counted) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	e, err := c.Model.Evaluator(batch, loss)
	return &countedEvaluator{e, c.steps}, err
}

type countedEvaluator struct {
	models.Evaluator
	steps *atomic.Int64
}

func (e *countedEvaluator) Forward(x []float64) ([]float64, error) {
	e.steps.Add(1)
	return e.Evaluator.Forward(x)
}

func (e *countedEvaluator) Gradient(x, targets []float64) (models.Evaluation, error) {
	e.steps.Add(1)
	return e.Evaluator.Gradient(x, targets)
}

// model loads a model of the plan, once.
func (e *Executor) model(i int) (*models.Model, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m, ok := e.loaded[i]; ok {
		return m, nil
	}
	load := e.Model
	if load == nil {
		load = LoadModel
	}
	m, err := load(e.Plan.Models[i])
	if err != nil {
		return nil, err
	}
	if e.loaded == nil {
		e.loaded = map[int]*models.Model{}
	}
	e.loaded[i] = m.WithThreads(e.Threads)
	return e.loaded[i], nil
}

// Prepare loads a model of the plan, by its number.
func (e *Executor) Prepare(i int) (*models.Model, error) { return e.model(i) }

// LoadModel loads a model of a plan from this machine. It refuses one that is
// another one than was planned with, and a machine with other numerics.
func LoadModel(p spec.PlanModel) (*models.Model, error) {
	m, err := p.Open()
	if err != nil {
		return nil, err
	}
	return m, Fits(p, m.Card(), m.Profile())
}

// UnfitError says that a model is not the plan's, or that the Profile of numerics
// is not.
type UnfitError struct {
	Profile bool
	why     string
}

func (e *UnfitError) Error() string { return e.why }

// Fits refuses a model or a numerics profile that is not the plan's.
func Fits(p spec.PlanModel, c models.Card, profile engine.Profile) error {
	switch got := profile.String(); {
	case c.SHA256 != p.SHA256:
		return &UnfitError{false, fmt.Sprintf("model %s is %.12s here, the sweep was planned with %.12s: the same bytes are needed", p.Name, c.SHA256, p.SHA256)}
	case c.Loaded != p.Loaded:
		return &UnfitError{false, fmt.Sprintf("model %s is loaded with %q here, the sweep was planned with %q", p.Name, c.Loaded, p.Loaded)}
	case got != p.Profile:
		return &UnfitError{true, fmt.Sprintf("numerics profile %s here, the sweep was planned with %s: start with SAPF_KERNELS=%s", got, p.Profile, p.Profile)}
	}
	return nil
}

// image loads an image of the plan.
func (e *Executor) image(i int, m *models.Model, waits func()) (data.Image, error) {
	if e.Image != nil {
		return e.Image(e.Plan.Images[i], waits)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loader == nil {
		e.loader = spec.NewLoader(m)
	}
	return e.loader.Load(e.Plan.Images[i])
}

// Tasks are the attacks of units of one model, ready to run.
func (e *Executor) Tasks(units []spec.Unit) (*models.Model, []attack.Task, error) {
	return e.tasks(units, func() {})
}

func (e *Executor) tasks(units []spec.Unit, waits func()) (*models.Model, []attack.Task, error) {
	m, err := e.model(units[0].Model)
	if err != nil {
		return nil, nil, err
	}
	images := map[int]data.Image{}
	tasks := make([]attack.Task, len(units))
	for i, u := range units {
		if _, ok := images[u.Image]; !ok {
			if images[u.Image], err = e.image(u.Image, m, waits); err != nil {
				return nil, nil, err
			}
		}
		a, err := e.Plan.Methods[u.Method].Attack(e.Catalogue)
		if err != nil {
			return nil, nil, err
		}
		tasks[i] = attack.Task{Image: images[u.Image], Goal: e.Plan.Goal(u), Attack: a}
	}
	return m, tasks, nil
}

// Resumes reports whether a group's method keeps its state when it is
// interrupted, so that nothing is lost by interrupting it.
func (e *Executor) Resumes(g spec.Group) bool {
	a, err := e.Plan.Methods[g.Units[0].Method].Attack(e.Catalogue)
	_, ok := a.(sapf.Resolver)
	return err == nil && ok && e.Checkpoints != ""
}

// Run runs units of a group and returns their results; those that were
// interrupted are missing. steps counts as long as the work moves. A panic is a
// *PanicError.
func (e *Executor) Run(ctx context.Context, g spec.Group, units []spec.Unit, steps *atomic.Int64) (results []queue.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			results, err = nil, &PanicError{v, string(debug.Stack())}
		}
	}()
	m, tasks, err := e.tasks(units, func() { steps.Add(1) }) // no job is to blame for a server that is away
	if err != nil {
		return nil, &SetupError{err}
	}
	o := sweep.Options{Batch: e.Plan.Batch, Known: e.Known, Progress: func(p sweep.Progress) {
		steps.Add(1)
		if e.Watch != nil {
			e.Watch(p)
		}
	}}
	file := ""
	if len(units) == len(g.Units) && e.Resumes(g) {
		if err := os.MkdirAll(e.Checkpoints, 0o755); err != nil {
			return nil, err
		}
		file = filepath.Join(e.Checkpoints, g.ID)
		if o.Checkpoint, err = sweep.OpenCheckpoint(file, 0); err != nil {
			// A torn state is worth less than the attack.
			if err := os.Remove(file); err != nil {
				return nil, err
			}
			if o.Checkpoint, err = sweep.OpenCheckpoint(file, 0); err != nil {
				return nil, err
			}
		}
	}
	resumes := o.Checkpoint != nil && o.Checkpoint.Resumes()
	outcomes, err := sweep.Run(ctx, counted{m, steps}, tasks, o)
	if err != nil && resumes { // the state did not fit: from the start
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return e.Run(ctx, g, units, steps)
	}
	if err != nil {
		return nil, err
	}
	p := e.Provenance.Now()
	for i, o := range outcomes {
		if o == nil || o.Result.Status == attack.Cancelled {
			continue
		}
		if key := o.Key(); key != units[i].Key {
			return nil, fmt.Errorf("%s has key %s, planned as %s", e.Plan.Describe(units[i]), key, units[i].Key)
		}
		o.ModelName = e.Plan.Models[units[i].Model].Name // wherever it was loaded from
		k := o.Keep()
		k.Provenance = p
		raw, err := sweep.Encode(k)
		if err != nil {
			return nil, err
		}
		results = append(results, queue.Result{Key: units[i].Key, File: raw})
	}
	if o.Checkpoint != nil && len(results) == len(units) {
		return results, o.Checkpoint.Remove()
	}
	return results, nil
}
