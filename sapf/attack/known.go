package attack

import "context"

// knownKey is the context's key of a Lookup.
type knownKey struct{}

// Lookup finds what a task was already found to come to.
type Lookup func(t Task) (Result, bool)

// WithKnown has Known ask a lookup: a run that keeps its results tells its attacks
// of them.
func WithKnown(ctx context.Context, lookup Lookup) context.Context {
	return context.WithValue(ctx, knownKey{}, lookup)
}

// Known is the result of a task where the run has kept it: an attack that begins
// with another one need not do that again. A kept result is what the attack would
// return.
func Known(ctx context.Context, t Task) (Result, bool) {
	lookup, ok := ctx.Value(knownKey{}).(Lookup)
	if !ok || lookup == nil {
		return Result{}, false
	}
	return lookup(t)
}
