// Package session runs the cells of a notebook: Go source, interpreted by
// yaegi behind a front end that makes it behave as current Go does.
package session

import "sapf/dsl/display"

// Cell is one piece of source to run.
type Cell struct {
	// Count is the number shown as In [Count].
	Count int
	Code  string
	// Quiet leaves the value of the last expression unshown.
	Quiet bool
}

// Outcome is how a cell ended.
type Outcome struct {
	// Value is the last expression's value, ready to show, or nil.
	Value *display.Bundle
	// Err is what stopped the cell, or nil.
	Err *CellError
}

// CellError is an error as the reader of a notebook sees it.
type CellError struct {
	// Name is the kind: "CompileError", "Panic", "Interrupted", "Error".
	Name string
	// Message is one line.
	Message string
	// Line and Column count from 1 in the cell; 0 where unknown.
	Line, Column int
	// Traceback is ready to print: the source line with a caret, the
	// interpreted stack with cell numbers.
	Traceback []string
}

func (e *CellError) Error() string { return e.Name + ": " + e.Message }

// Completion is what can follow the cursor. Positions are byte offsets.
type Completion struct {
	Matches    []string
	Start, End int
	// Kinds has one word a match: "function", "type", "variable", ...
	Kinds []string
}

// Completeness is the answer to "may this cell run?": "complete",
// "incomplete" (Indent is what the next line should begin with) or "invalid".
type Completeness struct {
	Status, Indent string
}
