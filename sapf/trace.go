package sapf

import (
	"context"
	"fmt"
	"io"

	"sapf/models"
	"sapf/sapf/attack"
)

// TraceRow is the solver at one moment: delta and G as they stand after a step.
type TraceRow struct {
	// Task is the index of the task in its batch; Trial (of lambda1) and Outer
	// count from 1.
	Task, Trial, Outer int
	Stage              Stage
	Step               int
	// Loss is the loss at clip(x + delta*G), L2Sq is ||delta*G||^2 before the
	// clip, SumG is 1'G, AboveHalf the number of G > 1/2.
	Loss, L2Sq, SumG float64
	AboveHalf        int
	// Margin is max_{j != t} Z_j - Z_t (untargeted: Z_y - max_{j != y} Z_j):
	// negative once the goal is reached. Prediction is the class.
	Margin     float64
	Prediction int
	// LearningRate is the stage's step size for the next step.
	LearningRate                         float64
	RhoBox, RhoSphere, RhoGroup, RhoCard float64
	Residuals
	// Delta and G are the solver's own slices, to be read only during the call.
	Delta, G []float64
	Lambda1  float64
}

// TraceHeader is the first line of a trace in CSV.
const TraceHeader = "round,outer,stage,step,loss,l2sq,sum_g,above_half,margin,prediction,lr,rho_box,rho_sphere,rho_card,gap_box,gap_sphere,gap_card"

// CSV returns the row as a line under TraceHeader, without its end.
func (r TraceRow) CSV() string {
	return fmt.Sprintf("%d,%d,%s,%d,%.12g,%.12g,%.12g,%d,%.12g,%d,%.12g,%.12g,%.12g,%.12g,%.12g,%.12g,%.12g",
		r.Trial, r.Outer, r.Stage, r.Step, r.Loss, r.L2Sq, r.SumG, r.AboveHalf, r.Margin, r.Prediction, r.LearningRate,
		r.RhoBox, r.RhoSphere, r.RhoCard, r.Box, r.Sphere, r.Card)
}

// TraceWriter writes rows of a trace as CSV, the header first. After its first
// error it writes nothing more.
type TraceWriter struct {
	w   io.Writer
	err error
}

// NewTraceWriter writes the header.
func NewTraceWriter(w io.Writer) *TraceWriter {
	t := &TraceWriter{w: w}
	t.line(TraceHeader)
	return t
}

// Write writes a row.
func (t *TraceWriter) Write(r TraceRow) { t.line(r.CSV()) }

// Err is the first error of the writer below.
func (t *TraceWriter) Err() error { return t.err }

func (t *TraceWriter) line(s string) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, s)
	}
}

// watchers are those who look on while an attack runs.
type watchers struct {
	every       int
	trace       func(TraceRow)
	checkpoints *Checkpoints
}

type traceKey struct{}

type tracer struct {
	every int
	see   func(TraceRow)
}

// WithTrace returns a context whose SAPF attacks call see after every so many
// steps of a stage and after its last. Each call costs one more forward pass,
// which the result does not count.
func WithTrace(ctx context.Context, every int, see func(TraceRow)) context.Context {
	return context.WithValue(ctx, traceKey{}, tracer{max(1, every), see})
}

func watchersOf(ctx context.Context) watchers {
	var w watchers
	if t, ok := ctx.Value(traceKey{}).(tracer); ok {
		w.every, w.trace = t.every, t.see
	}
	if c, ok := ctx.Value(checkpointKey{}).(Checkpoints); ok {
		w.checkpoints = &c
	}
	return w
}

// observe shows a step that was done to whoever watches.
func (s *solver) observe(stage Stage, steps int) error {
	if moving := s.moving(); len(moving) > 0 {
		at := moving[0].F // all are where the first is
		s.progress(at, stage, steps)
		if s.watch.trace != nil && (at.Step%s.watch.every == 0 || at.Step == steps) {
			if err := s.traceRows(); err != nil {
				return err
			}
		}
	}
	return s.checkpoint()
}

// progressEvery is the number of passes between two calls of the progress
// observer.
const progressEvery = 10

func (s *solver) progress(at *Factorization, stage Stage, steps int) {
	if at.Step%progressEvery != 0 && at.Step != steps {
		return
	}
	t := s.settings
	round := t.Outer*(t.DeltaSteps+t.MaskSteps) + t.TuneSteps
	p := attack.Progress{Method: methodName, Trials: t.SearchRounds, Stage: string(stage), Total: t.SearchRounds * round}
	for _, a := range s.Attempts {
		p.Trial = max(p.Trial, len(a.Trials)+1)
		p.Loss += a.F.Loss / float64(len(s.Attempts))
		p.Success = p.Success || a.BestMask != nil
	}
	p.Trial = min(p.Trial, p.Trials)
	outers := at.Outer - 1 // done
	if stage == TuneStage {
		outers = t.Outer
	}
	p.Outer = min(outers+1, t.Outer)
	p.Done = (p.Trial-1)*round + outers*(t.DeltaSteps+t.MaskSteps) + at.Step
	if stage == MaskStage {
		p.Done += t.DeltaSteps
	}
	attack.Report(s.ctx, p)
}

// traceRows asks the network about delta and G as they stand.
func (s *solver) traceRows() error {
	moving := s.moving()
	if len(moving) == 0 {
		return nil
	}
	p, err := s.pass(len(moving))
	if err != nil {
		return err
	}
	for i, a := range moving {
		p.place(i, a.F)
	}
	logits, err := p.forward()
	if err != nil {
		return nil // the next step meets the same number and ends the attempt
	}
	for i, a := range s.Attempts {
		for slot, b := range moving {
			if a == b {
				s.watch.trace(a.traceRow(i, logits[slot*p.classes:(slot+1)*p.classes]))
			}
		}
	}
	return nil
}

func (a *attempt) traceRow(index int, logits []float64) TraceRow {
	f := a.F
	target := make([]float64, len(logits))
	target[f.Goal.Class()] = 1
	own := f.Goal.Class()
	margin := logits[models.ArgmaxBut(logits, own)] - logits[own]
	if !f.Goal.Targeted() {
		margin = -margin
	}
	r := TraceRow{
		Task: index, Trial: len(a.Trials) + 1, Outer: max(1, f.Outer), Stage: f.Stage, Step: f.Step,
		Loss: f.Settings.loss(f.Goal).Example(logits, target, nil),
		SumG: sum(f.G), AboveHalf: f.Selected(), Margin: margin, Prediction: models.Argmax(logits),
		LearningRate: f.DeltaStepSize, RhoBox: f.RhoBox, RhoSphere: f.RhoSphere, RhoGroup: f.RhoGroup, RhoCard: f.RhoCard,
		Residuals: f.Residuals(), Delta: f.Delta, G: f.G, Lambda1: f.Lambda1,
	}
	if f.Stage == MaskStage {
		r.LearningRate = f.MaskStepSize
	}
	for i, d := range f.Delta {
		e := float64(d * f.G[i%len(f.G)])
		r.L2Sq += float64(e * e)
	}
	return r
}
