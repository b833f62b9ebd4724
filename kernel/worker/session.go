package worker

import (
	"io"
	"os"

	"sapf/dsl/display"
	"sapf/dsl/session"
)

// Main is the life of the process that interprets cells of Go: a child of a
// kernel or of the notebook runner, which start it as `sapf worker-session` and
// talk to it over in and out, its standard input and output. It returns when in
// ends.
func Main(in io.Reader, out io.Writer, args ...string) error {
	if len(args) == 0 {
		args = os.Args[:1]
	}
	os.Args = args // which cells see
	return Serve(in, out, func(h display.Host) (Interpreter, error) {
		return session.New(h, session.Options{})
	})
}
