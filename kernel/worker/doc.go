// Package worker runs cells in a process of their own.
//
// The child holds the interpreter and nothing else; the supervisor (Worker)
// belongs to the kernel or the notebook runner, which own the sockets and the
// files. What ends a Go process whatever one does (unbounded recursion, a
// concurrent map write, no memory, a crash in compiled code) so ends the child:
// the cell gets an error that says what happened, and a new child starts.
//
// The two talk in frames over the child's standard input and output. A frame is
// two big-endian uint32 lengths, a small JSON object (packet) and a body. The
// body of a display is the JSON that goes to the client, made once in the child
// and not read again on its way, so that a picture of 20 MB costs three copies
// and no parsing.
package worker
