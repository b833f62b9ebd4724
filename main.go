// Command sapf measures how fragile an image classifier is: sparse adversarial
// attack via perturbation factorization (SAPF) and the attacks it is compared
// with, from notebooks, scripts and the command line.
package main

import (
	"embed"
	"os"

	"sapf/kernel/command"
)

// source is what `sapf extend` builds programs of: this one's interpreter with
// more packages in it.
//
//go:embed go.mod go.sum dsl kernel models sapf
var source embed.FS

func main() {
	os.Exit(command.Start(source, os.Args[1:], os.Stdout, os.Stderr))
}
