// Package runner executes notebooks and scripts without Jupyter, and turns them
// into pages and Go programs.
//
//	Run     executes the cells in a process of their own (worker), as `sapf run`
//	        does, and writes the executed notebook and its page
//	Export  turns a notebook into a Go program
//	Index   makes one page of the notebooks in a folder
//
// A running cell's output goes two ways: into the notebook (collector) and onto
// the terminal (echo).
package runner
