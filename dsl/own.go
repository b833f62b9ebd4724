package dsl

import (
	"context"

	"sapf/dsl/display"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// Own makes a function the attack called name, to be used like any other:
//
//	mine := Own("mine", func(m Classifier, x Image, goal Goal) Result {
//		...
//	})
//	r := Attack(m, x, Target("dog"), mine)
//
// What it returns is measured from the image alone. MeasureAll knows it by its
// source: where a cell that it was made of has changed, it runs again. A Sweep, which
// runs in a process of its own, does not have it.
func Own(name string, run func(m attack.Classifier, x Image, goal attack.Goal) attack.Result) Method {
	return &own{name: name, source: display.Source(), run: run}
}

// The vocabulary of own attacks.
type (
	// Classifier is what an attack asks: it makes evaluators of losses.
	Classifier = attack.Classifier
	// Goal is the class wanted, and the image's own.
	Goal = attack.Goal
	// Result is what an attack returns: at least Adversarial.
	Result = attack.Result
)

// known gives an attack that a cell has declared as a type the version that its
// source is; others are what they are.
func known(a attack.Attack) attack.Attack {
	if sweep.IsOwn(a) && display.Source() != "" {
		return sourced{a, display.Source()}
	}
	return a
}

// sourced is an attack with its source.
type sourced struct {
	attack.Attack
	source string
}

var _ sweep.Versioned = sourced{}

// Version is the digest of the source.
func (s sourced) Version() string { return s.source }

type own struct {
	name, source string
	run          func(m attack.Classifier, x Image, goal attack.Goal) attack.Result
}

var _ sweep.Versioned = (*own)(nil)

func (a *own) Name() string { return a.name }

// Version is the digest of the source in which the attack was made.
func (a *own) Version() string { return a.source }

func (a *own) Run(_ context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	if err := attack.Check(m, x, goal); err != nil {
		return attack.Result{}, err
	}
	r := a.run(m, x, goal)
	r.Method, r.Goal = a.name, goal
	if r.Status == "" {
		r.Status = attack.Failed
		if r.Success {
			r.Status = attack.Succeeded
		}
	}
	return r, nil
}
