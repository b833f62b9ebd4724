// Package lower turns checked cells into the part of Go that yaegi runs as Go
// does.
package lower

import (
	"go/ast"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
)

// lowerer lowers one checked piece of source: it asks facts about it, and writes
// statements of the core.
type lowerer struct {
	*facts.Facts
	*core.Writer
	s     *Lowering
	names map[types.Object]string // of local objects
	boxes map[types.Object]string // the pointers behind which captured variables live
	fn    *funcState
	// checks are statements that a simple expression wants in front of it.
	checks   []ast.Stmt
	inSimple bool
	// unchecked is set while a place is lowered that is checked later.
	unchecked bool
	lengths   map[types.Object]string // variables with the lengths of lists, see keepLengths
	measured  map[string]bool         // those of them that are used
	// statements tells the statements of a cell from its declarations, literals
	// how many function literals are around.
	statements bool
	literals   int
	nextEnder  string // the ender of the next function
}

func (s *Lowering) lowerer(info *types.Info) *lowerer {
	return &lowerer{
		Facts:    facts.New(info, s.Universe, s.Symbols),
		Writer:   &core.Writer{Program: s.Program},
		s:        s,
		names:    map[types.Object]string{},
		measured: map[string]bool{},
		boxes:    map[types.Object]string{},
		fn:       &funcState{},
	}
}
