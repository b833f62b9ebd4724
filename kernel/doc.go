// Package kernel is the Jupyter kernel: it serves the sockets of a connection
// file, and leaves the interpreter to a child process.
//
//	Serve                    serves a connection file, as `sapf kernel` does
//	Install, Uninstall, Lab  look after Jupyter's side
//
// The kernel owns the sockets (zmtp), checks and signs what passes over them
// (message), and has cells run in another process (worker), so that nothing a
// cell does can end the kernel. Requests that an editor makes while typing are
// answered at once, also while a cell runs; cells wait in a queue. Package
// runner executes notebooks without any of this.
package kernel
