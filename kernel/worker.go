package kernel

import (
	"io"

	"sapf/dsl/display"
	"sapf/dsl/session"
	"sapf/kernel/worker"
)

// WorkerMain is the life of the process that interprets cells: a child of Run
// or RunNotebook, which talk to it over in and out (its standard input and
// output) and start it as `sapf worker-session`. It returns when in ends.
func WorkerMain(in io.Reader, out io.Writer) error {
	return worker.Serve(in, out, func(h display.Host) (worker.Interpreter, error) {
		return session.New(h, session.Options{})
	})
}
