package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// Options of a run. The zero value runs quietly and keeps nothing.
type Options struct {
	// Store keeps outcomes by their key; a task whose outcome is there is not
	// run again. Nil keeps nothing.
	Store Store
	// Known, if not nil, finds outcomes that are kept elsewhere, for attacks that
	// begin with another one (attack.Known); it may be called by several
	// goroutines. Nil asks the Store.
	Known func(key string) (*Kept, error)
	// Batch is the largest number of tasks that share a pass; 0 means
	// attack.LargestBatch.
	Batch int
	// Progress, if not nil, is told of every step; it must be quick.
	Progress func(Progress)
	// Trace, if not nil, is called after every TraceEvery steps of SAPF and
	// after the last of a stage, with the index of the task.
	Trace      func(task int, row sapf.TraceRow)
	TraceEvery int
	// Checkpoint, if not nil, keeps the state of the tasks, which must be SAPF's
	// and one batch, and goes on from it.
	Checkpoint *Checkpoint
	// Take, if not nil, is called with each outcome as soon as it is there, in
	// the order of the batches. Its error ends the run.
	Take func(task int, o *Outcome) error
}

// Progress says how far a run is.
type Progress struct {
	// Done of Total tasks are over, Kept of them since before the run, and
	// Succeeded of them reached their goals.
	Done, Total, Kept, Succeeded int
	// Batch is the number of tasks that run now, Task the first of them.
	Batch int
	Task  attack.Task
	// Attack is the step that they have come to.
	Attack attack.Progress
}

// Fraction is the part of the run that is over, from 0 to 1.
func (p Progress) Fraction() float64 {
	now := float64(p.Attack.Done) / float64(max(p.Attack.Total, 1))
	return (float64(p.Done) + float64(now*float64(p.Batch))) / float64(max(p.Total, 1))
}

// Run runs tasks on a classifier and returns one outcome a task, in order. Each
// image is classified, goals are checked, tasks that can share their passes go
// in batches, and what comes back is measured and kept. The outcomes are the
// same bytes as those of a run of each task alone.
//
// When ctx ends, the tasks at hand (the first ones, if it had ended before) end
// as attack.Cancelled with the best so far, and those that were not begun are nil:
// all of them, where many images were still to be classified. An error says that a
// task makes no sense, that an attack could not be run, or that it returned what is
// no image; an attack that fails is an outcome. So is one whose image does not bear
// out the success it claims: only the image decides.
func Run(ctx context.Context, m attack.Classifier, tasks []attack.Task, o Options) ([]*Outcome, error) {
	r := &run{ctx: ctx, m: m, options: o, tasks: tasks, outcomes: make([]*Outcome, len(tasks))}
	if err := r.check(); err != nil {
		return nil, err
	}
	switch done, err := r.classify(); {
	case err != nil:
		return nil, err
	case !done:
		return r.outcomes, nil
	}
	missing, err := r.kept()
	if err != nil {
		return nil, err
	}
	for i, batch := range r.batches(missing) {
		if i > 0 && ctx.Err() != nil { // the first one ends by itself, as cancelled
			break
		}
		if err := r.attack(batch); err != nil {
			return r.outcomes, err
		}
	}
	return r.outcomes, nil
}

// One is Run of a single task.
func One(ctx context.Context, m attack.Classifier, t attack.Task, o Options) (*Outcome, error) {
	outcomes, err := Run(ctx, m, []attack.Task{t}, o)
	if err != nil {
		return nil, err
	}
	return outcomes[0], nil
}

// run is a run in the making.
type run struct {
	ctx      context.Context
	m        attack.Classifier
	options  Options
	tasks    []attack.Task // goals are filled in
	clean    []models.Prediction
	outcomes []*Outcome
	// keys are those of the tasks where there is a store, noKey says why one has
	// none.
	keys     []string
	noKey    map[int]error
	progress Progress
}

// check refuses what could not be run, before anything runs.
func (r *run) check() error {
	for i, t := range r.tasks {
		if t.Attack == nil {
			return r.about(i, errors.New("no attack, expected one"))
		}
		if _, err := attack.Options(t.Attack); err != nil {
			return r.about(i, err)
		}
	}
	if c := r.options.Checkpoint; c != nil {
		if b := attack.Batches(r.tasks, r.options.Batch); len(b) != 1 {
			return fmt.Errorf("checkpoint %s: %d batches of tasks, expected one", c.path, len(b))
		}
		if _, ok := r.tasks[0].Attack.(sapf.Resolver); !ok {
			return fmt.Errorf("checkpoint %s: %s keeps no state to go on from, sapf does", c.path, r.tasks[0].Attack.Name())
		}
	}
	return nil
}

// about names the task of an error where there are several.
func (r *run) about(i int, err error) error {
	if len(r.tasks) == 1 {
		return err
	}
	if name := r.tasks[i].Image.Name; name != "" {
		return fmt.Errorf("task %d, %s: %w", i, name, err)
	}
	return fmt.Errorf("task %d: %w", i, err)
}

// predictor is a classifier that makes predictions itself.
type predictor interface {
	Predict(x data.Image) (models.Prediction, error)
}

// classifiedAnyhow is how many images, if the first batch has no more, are
// classified although the context has ended, so that the tasks at hand can end as
// cancelled.
const classifiedAnyhow = 64

// classify predicts every image once, and makes goals whole: an untargeted
// attack on an image without a label is to leave its prediction. It reports whether it came to the end before the context's.
func (r *run) classify() (done bool, err error) {
	r.tasks = append([]attack.Task(nil), r.tasks...)
	r.clean = make([]models.Prediction, len(r.tasks))
	seen := map[*float32]int{} // the first task of the pixels
	for i := range r.tasks {
		if i >= max(classifiedAnyhow, r.options.Batch) && r.ctx.Err() != nil {
			return false, nil
		}
		t := &r.tasks[i]
		if err := attack.Fits(r.m, t.Image); err != nil {
			return false, r.about(i, err)
		}
		first, ok := seen[&t.Image.Pix[0]]
		if !ok {
			if r.clean[i], err = predict(r.m, t.Image); err != nil {
				return false, r.about(i, err)
			}
			seen[&t.Image.Pix[0]] = i
		} else {
			r.clean[i] = r.clean[first]
		}
		if !t.Goal.Targeted() && t.Goal.Label == attack.None {
			t.Goal.Label = r.clean[i].Class
		}
		if err := attack.Check(r.m, t.Image, t.Goal); err != nil {
			return false, r.about(i, err)
		}
	}
	return true, nil
}

func predict(m attack.Classifier, x data.Image) (models.Prediction, error) {
	if p, ok := m.(predictor); ok {
		return p.Predict(x)
	}
	logits, err := metric.Logits(m, x)
	if err != nil {
		return models.Prediction{}, err
	}
	return models.NewPrediction(logits, m.Classes()), nil
}

// kept takes the outcomes that the store has and returns the indices of the
// tasks that it lacks.
func (r *run) kept() ([]int, error) {
	var missing []int
	r.progress.Total = len(r.tasks)
	r.keys, r.noKey = make([]string, len(r.tasks)), map[int]error{}
	for i := range r.tasks {
		if r.options.Store == nil {
			missing = append(missing, i)
			continue
		}
		var err error
		r.keys[i], err = Key(r.m, r.tasks[i])
		if errors.Is(err, ErrNoKey) {
			r.noKey[i] = err
			missing = append(missing, i)
			continue
		}
		if err != nil {
			return nil, r.about(i, err)
		}
		o := r.outcome(i)
		k, err := r.options.Store.Get(o.key)
		if err != nil {
			return nil, r.about(i, err)
		}
		if k == nil || o.restore(k) != nil { // a result of another form is made again
			missing = append(missing, i)
			continue
		}
		r.progress.Kept++
		if err := r.take(i, o); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// batches parts the tasks with the given indices into those that run together.
func (r *run) batches(missing []int) [][]int {
	tasks := make([]attack.Task, len(missing))
	for i, at := range missing {
		tasks[i] = r.tasks[at]
	}
	batches := attack.Batches(tasks, r.options.Batch)
	for _, b := range batches {
		for i := range b {
			b[i] = missing[b[i]]
		}
	}
	return batches
}

// attack runs one batch, and measures, keeps and hands over what came of it.
// The seconds of the batch are shared out evenly.
func (r *run) attack(batch []int) error {
	tasks := make([]attack.Task, len(batch))
	for i, at := range batch {
		tasks[i] = r.tasks[at]
	}
	r.progress.Batch, r.progress.Task = len(batch), tasks[0]
	r.progress.Attack = attack.Progress{}
	start := time.Now()
	results, err := attack.RunBatch(r.watched(batch), r.m, tasks)
	if err != nil {
		return &taskError{tasks[0], err}
	}
	seconds := time.Since(start).Seconds() / float64(len(batch))
	for i, at := range batch {
		o := r.outcome(at)
		o.Result, o.Seconds = results[i], seconds
		if err := o.measure(r.m); err != nil {
			return err
		}
		if r.options.Store != nil && o.Result.Status != attack.Cancelled {
			if err := r.noKey[at]; err != nil {
				o.Warnings = append(o.Warnings, "not kept: "+err.Error())
			} else if err := r.options.Store.Put(o.key, o.Keep()); err != nil {
				return fmt.Errorf("keep the result of %s on %s: %w", o.Attack.Name(), o.Image.Name, err)
			}
		}
		if err := r.take(at, o); err != nil {
			return err
		}
	}
	return nil
}

// watched is the context of a batch: its attacks tell it how far they are.
func (r *run) watched(batch []int) context.Context {
	ctx := r.ctx
	if r.options.Progress != nil {
		ctx = attack.WithProgress(ctx, func(p attack.Progress) {
			r.progress.Attack = p
			r.options.Progress(r.progress)
		})
	}
	if r.options.Trace != nil {
		ctx = sapf.WithTrace(ctx, r.options.TraceEvery, func(row sapf.TraceRow) { r.options.Trace(batch[row.Task], row) })
	}
	if r.options.Checkpoint != nil {
		ctx = r.options.Checkpoint.with(ctx)
	}
	if r.options.Known != nil || r.options.Store != nil {
		ctx = attack.WithKnown(ctx, r.known)
	}
	return ctx
}

// known is what a task is known to have come to. What can't be found or read is
// not known: the attack is then run.
func (r *run) known(t attack.Task) (attack.Result, bool) {
	find := r.options.Known
	if find == nil {
		find = r.options.Store.Get
	}
	key, err := Key(r.m, t)
	if err != nil {
		return attack.Result{}, false
	}
	k, err := find(key)
	if err != nil || k == nil {
		return attack.Result{}, false
	}
	o := &Outcome{Task: t, classifier: r.m, key: key}
	err = o.restore(k)
	return o.Result, err == nil
}

// outcome is that of a task before it has run.
func (r *run) outcome(i int) *Outcome {
	o := &Outcome{Task: r.tasks[i], Clean: r.clean[i], classifier: r.m, key: r.keys[i]}
	if m, ok := r.m.(identified); ok {
		o.ModelName, o.Profile = m.Card().Name, m.Profile()
	}
	return o
}

// identified is a classifier whose weights and numerics are known by name.
type identified interface {
	Card() models.Card
	Profile() engine.Profile
}

// take books an outcome and hands it over.
func (r *run) take(i int, o *Outcome) error {
	r.outcomes[i] = o
	r.progress.Batch, r.progress.Attack = 0, attack.Progress{}
	if o.Result.Status != attack.Cancelled {
		r.progress.Done++
		if o.Measured.Success {
			r.progress.Succeeded++
		}
	}
	if r.options.Take != nil {
		return r.options.Take(i, o)
	}
	return nil
}

// measure recomputes success and norms from the image that the attack returned,
// and corrects a claim that it does not bear out.
func (o *Outcome) measure(m attack.Classifier) error {
	o.finite()
	var err error
	if o.Measured, err = metric.MeasureFrom(m, o.Image, o.Clean.Class, o.Result.Adversarial, o.Goal); err != nil {
		return fmt.Errorf("measure the result of %s on %s: %w", o.Attack.Name(), o.Image.Name, err)
	}
	if o.Result.Success && !o.Measured.Success {
		o.Result.Success, o.Result.Status = false, attack.Failed
		o.Result.Note = strings.TrimSuffix(falseSuccess+"; "+o.Result.Note, "; ")
	}
	o.Warnings = o.warnings()
	return nil
}

const falseSuccess = "false success: the image returned does not reach the goal that the attack claims"

// warnings are reasons to mistrust an outcome, whatever the attack says.
func (o *Outcome) warnings() []string {
	var out []string
	r := o.Result
	if strings.HasPrefix(r.Note, falseSuccess) {
		out = append(out, falseSuccess)
	}
	if n := o.Measured.In(r.Unit); r.K > 0 && r.Unit != "" && n > r.K {
		out = append(out, fmt.Sprintf("k exceeded: %d %s changed, k is %d", n, r.Unit, r.K))
	}
	if strings.Contains(r.Note, attack.FlatNote) {
		out = append(out, attack.FlatNote)
	}
	if o.Clean.Warning != "" {
		out = append(out, "the model's outputs: "+o.Clean.Warning)
	} else if m, ok := o.classifier.(*models.Model); ok {
		for _, w := range m.Card().Warnings {
			if strings.HasPrefix(w, models.ProbabilityOutputs) { // a sigmoid's do not sum to 1
				out = append(out, w)
			}
		}
	}
	return out
}

// finite turns a result with numbers that are not finite into one that says so:
// such an image is no attack, and JSON has no words for such numbers.
func (o *Outcome) finite() {
	r := &o.Result
	wrong := func(what string, v float64) bool {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return false
		}
		r.Status, r.Success = attack.Numeric, false
		r.Note = strings.TrimSuffix(fmt.Sprintf("%s is %v; %s", what, v, r.Note), "; ")
		return true
	}
	if wrong("the constant", r.Const) {
		r.Const = 0
	}
	for i, v := range r.Adversarial.Pix {
		if wrong(fmt.Sprintf("entry %d of the image returned", i), float64(v)) {
			r.Adversarial = o.Image.Clone()
			break
		}
	}
}

// taskError is an attack's error, with the image that it was on.
type taskError struct {
	task attack.Task
	err  error
}

// Error names method and image once, though the attack's own words may begin
// with them.
func (e *taskError) Error() string {
	name, text := e.task.Attack.Name(), e.err.Error()
	text = strings.TrimPrefix(text, name+": ")
	text = strings.TrimPrefix(text, fmt.Sprintf("image %q: ", e.task.Image.Name))
	return fmt.Sprintf("%s on %s: %s", name, e.task.Image.Name, text)
}

func (e *taskError) Unwrap() error { return e.err }
