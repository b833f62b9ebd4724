// Package kernel puts cells in front of people: a Jupyter kernel, a runner that
// executes notebooks without Jupyter, and the installation of both.
//
//	Run          serves a connection file, as `sapf kernel` does
//	WorkerMain   is the process that interprets cells, a child of the above
//	RunNotebook  executes a notebook or script, as `sapf run` does
//	ExportGo     turns a notebook into a Go program
//	Install, Uninstall, Lab  look after Jupyter's side
//
// The kernel owns the sockets (zmtp), checks and signs what passes over them
// (message), and leaves the interpreter to a child process (worker), so that
// nothing a cell does can end the kernel. Requests that an editor makes while
// typing are answered at once, also while a cell runs; cells wait in a queue.
package kernel
