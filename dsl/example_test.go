package dsl_test

import (
	"fmt"
	"strings"

	. "sapf/dsl"
	"sapf/models"
	"sapf/sapf/baseline"
)

// A first attack, and what of its outcome is measured on the image alone.
func ExampleAttack() {
	loaded, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		panic(err)
	}
	m := &Model{loaded} // LoadModel("cwnet") in a cell, where it prints a card
	x := LoadImage("cat")
	r := Attack(m, x, Target("dog"), baseline.SigmaZero{Steps: 100})
	fmt.Println(r.Success(), r.Measured.L0 < 100)
	// Output:
	// true true
}

// What is shown stands in order with what is printed, in a compiled program too;
// progress goes to standard error.
func ExampleShow() {
	fmt.Println("first")
	h := Show("second")
	fmt.Println("third")
	h.Update("fourth")
	// Output:
	// first
	// second
	// third
	// fourth
}

// The primitives of Algorithm 1 are functions of vectors.
func ExampleProjectTopK() {
	v := Vec{0.2, 1.4, -0.3, 0.9}
	fmt.Println(ProjectBox(v))     // eq. 11
	fmt.Println(ProjectTopK(v, 2)) // exactly two ones, the nearest
	fmt.Println(ProjectSphere(Vec{1, 1, 1, 1}))
	// Output:
	// 4 entries [0.2 1 0 0.9]
	// 4 entries [0 1 0 1]
	// 4 entries [1 1 1 1]
}

// What can't be done is a failure with a sentence; Try makes an error of it.
func ExampleTry() {
	err := Try(func() { LoadModel("cwnett") })
	before, names, _ := strings.Cut(err.Error(), " (neither")
	_, hint, _ := strings.Cut(names, ")")
	fmt.Println(before + hint)
	// Output:
	// LoadModel: no model "cwnett", did you mean cwnet?
}

func ExampleNewTable() {
	t := NewTable("k", "l2")
	t.Row("50", "0.91")
	t.Row("100", "0.52")
	fmt.Println(t)
	// Output:
	// k    l2
	// 50   0.91
	// 100  0.52
}
