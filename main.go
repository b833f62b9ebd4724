// Command sapf measures how fragile an image classifier is: sparse adversarial
// attack via perturbation factorization (SAPF) and the attacks it is compared
// with, from notebooks, scripts and the command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sapf/kernel/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
