package plan

import (
	"go/token"
	"go/types"

	"sapf/dsl/session/universe"
)

// ImportUsed enters the packages that a cell uses and nothing has imported, given
// its names before a dot and what stands behind it. What was entered so before
// gives way to a package that has what the cell asks for: rand.IntN is of
// math/rand/v2, rand.Seed of math/rand.
func (s *Declared) ImportUsed(sc universe.Scope, used map[string]map[string]bool) {
	for name, members := range used {
		if old := sc[name]; old != nil {
			p, ok := old.(*types.PkgName)
			if !ok || !s.implied[p] || universe.HasAll(p.Imported(), members) {
				continue
			}
		}
		if pkg := s.Universe.PackageFor(name, members); pkg != nil {
			p := types.NewPkgName(token.NoPos, nil, name, pkg)
			if s.implied == nil {
				s.implied = map[*types.PkgName]bool{}
			}
			s.implied[p] = true
			sc[name] = p
		}
	}
}

// Knows tells whether a cell can name something, packages that import themselves
// left aside.
func (s *Declared) Knows(name string) bool {
	return s.Scope[name] != nil || types.Universe.Lookup(name) != nil
}
