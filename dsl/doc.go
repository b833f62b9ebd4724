// Package dsl is the vocabulary of notebook cells. A cell is Go; this package
// is dot-imported for it, so that an attack reads as the paper does:
//
//	m := LoadModel("cwnet")
//	x := LoadImage("cat")
//	r := Attack(m, x, Target("dog"), Options{K: 200})
//	Show(r)
//
// The same source compiles in a Go program that dot-imports the package. Verbs
// have no error results: what cannot be done panics with a *display.Failure,
// which a session shows as one line beside the cell's own. Verbs that take
// long draw one progress display, stop within one step when the user
// interrupts, and return what they have by then.
package dsl
