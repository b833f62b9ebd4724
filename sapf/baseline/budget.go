package baseline

// Unit says what a budget counts.
type Unit string

// The units of a budget.
const (
	// Entries counts channel entries, of which an image has C*H*W.
	Entries Unit = "entries"
	// Pixels counts positions, of which an image has H*W.
	Pixels Unit = "pixels"
)
