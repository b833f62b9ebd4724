// Command sapf measures how fragile an image classifier is: sparse adversarial
// attack via perturbation factorization (SAPF) and the attacks it is compared
// with, from notebooks, scripts and the command line.
package main

import (
	"os"

	"sapf/kernel/command"
)

func main() {
	os.Exit(command.Start(os.Args[1:], os.Stdout, os.Stderr))
}
