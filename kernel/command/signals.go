package command

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"sapf/kernel/exit"
)

// Start runs a command line as the program does: the first SIGINT, SIGTERM or
// SIGHUP ends the work in good order, with what there is so far, and the second
// ends the program at once. Source is the program's own, of which extensions are
// built; nil if it does not have it.
func Start(source fs.FS, args []string, stdout, stderr io.Writer) int {
	if err := limited(); err != nil {
		fmt.Fprintln(stderr, "sapf:", err)
		return exit.Code(err)
	}
	if len(args) > 0 && (args[0] == "kernel" || args[0] == "worker-session") {
		// These have their own ways: a kernel's SIGINT is for the running cell.
		return run(context.Background(), source, args, stdout, stderr)
	}
	patient := len(args) > 0 && args[0] == "lab" // JupyterLab asks back at the first
	return heed(patient, func(ctx context.Context) int { return run(ctx, source, args, stdout, stderr) })
}

// heed calls run with a context that ends with the first signal. With the
// second the program ends, unless it is patient.
func heed(patient bool, run func(context.Context) int) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // it is where nohup started us
		signal.Notify(signals, syscall.SIGHUP)
	}
	defer signal.Stop(signals)
	go func() {
		for range signals {
			if ctx.Err() != nil && !patient {
				os.Exit(exit.Interrupted)
			}
			cancel()
		}
	}()
	return run(ctx)
}
