package attack

import "sapf/models/engine"

// Unit says what a budget counts.
type Unit string

// The units of a budget.
const (
	// Entries counts channel entries, of which an image has C*H*W.
	Entries Unit = "entries"
	// Pixels counts positions, of which an image has H*W.
	Pixels Unit = "pixels"
)

// Of is how many of the unit an image of the given shape has.
func (u Unit) Of(s engine.Shape) int {
	if u == Pixels {
		return s.H * s.W
	}
	return s.Len()
}

// Budgeter is an attack with a budget of its own.
type Budgeter interface {
	Attack
	// Counts reports whether the attack can count its budget in a unit.
	Counts(unit Unit) bool
	// WithBudget returns the attack with a budget of k, in a unit that it can
	// count.
	WithBudget(k int, unit Unit) Attack
}
