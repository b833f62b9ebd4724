// Package extend builds programs that interpret cells with further packages
// compiled in.
//
// Cells can import what was compiled into the program that runs them. A Go
// program can't load packages later; so, as xcaddy does for Caddy, another
// program is built, with the Go command: this one's interpreter and the packages
// that were asked for, with the tables by which cells reach them. It is the child
// of a kernel or of the notebook runner, which stay what they are.
//
// What was built is kept in the user's cache, by the set of packages and by the
// sources of this program, which it carries in itself:
//
//	sapf/extend/source-DIGEST/    this program's sources, laid out for the compiler
//	sapf/extend/KEY/              an extension: the program, and set.json
//	sapf/extend/current.json      the set that new kernels start with
//	sapf/extend/lock              held while something is built
//
// Everything is made in a folder of its own and then renamed, so that a build
// that is killed leaves nothing that could be taken for a whole one.
package extend
