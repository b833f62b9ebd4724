package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sapf/kernel/exit"
	"sapf/kernel/runner"
)

// A script is cells of Go; what a cell ends with is shown.
func ExampleRun() {
	script := `
import ("fmt"; "strings")

words := strings.Fields("sparse adversarial attack")
for _, w := range words {
	fmt.Println(len(w), w)
}
strings.Join(words, "-")
`
	err := runner.Run(context.Background(), runner.Options{
		Path: "-", Stdin: strings.NewReader(script), Stdout: os.Stdout, Stderr: os.Stderr,
	})
	fmt.Println("exit code", exit.Code(err))
	// Output:
	// 6 sparse
	// 11 adversarial
	// 6 attack
	// sparse-adversarial-attack
	// exit code 0
}

// A notebook as a program: functions at the top, the rest in main, and a value
// that ended a cell is shown.
func ExampleExport() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "cells.go")
	os.WriteFile(script, []byte("func double(x int) int { return 2 * x }\nk := 100\n// %%\nk + double(50)\n"), 0o644)
	program := filepath.Join(dir, "main.go")
	if err := runner.Export(script, program, nil); err != nil {
		fmt.Println(err)
	}
	text, _ := os.ReadFile(program)
	fmt.Println(string(text))
	// Output:
	// package main
	//
	// import (
	// 	. "sapf/dsl"
	// )
	//
	// func double(x int) int { return 2 * x }
	//
	// func main() {
	// 	// The notebook cells.go as a program.
	//
	// 	k := 100
	//
	// 	Show(k + double(50))
	// }
}
