package models

import "fmt"

// NumericError says that a pass produced a number that is not finite.
type NumericError struct {
	// Where is what it was found in: "logits", "loss", "gradient", or a layer.
	Where string
	// Example is the example of the batch, Index the entry within it.
	Example, Index int
	// Value is the number: NaN or an infinity.
	Value float64
}

func (e *NumericError) Error() string {
	return fmt.Sprintf("%s of example %d, entry %d: %v is not finite", e.Where, e.Example, e.Index, e.Value)
}
