package worker

import (
	"io"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// Main is the life of the process that interprets cells of Go: a child of a
// kernel or of the notebook runner, which start it as `sapf worker-session` and
// talk to it over in and out, its standard input and output. It returns when in
// ends.
func Main(in io.Reader, out io.Writer) error {
	return Serve(in, out, func(h display.Host) (Interpreter, error) {
		return session.New(h, session.Options{})
	})
}
