package syntax

import "go/ast"

// Qualifiers are the names that stand before a dot and that the parser has found
// no declaration of, with what stands behind it: packages, if nothing else of
// the notebook has the name.
func Qualifiers(nodes ...ast.Node) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			x, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := x.X.(*ast.Ident); ok && id.Obj == nil {
				if out[id.Name] == nil {
					out[id.Name] = map[string]bool{}
				}
				out[id.Name][x.Sel.Name] = true
			}
			return true
		})
	}
	return out
}

// Qualifiers are those of a cell, without the names that it declares.
func (c *Cell) Qualifiers() map[string]map[string]bool {
	var nodes []ast.Node
	for _, p := range c.Parts {
		nodes = append(nodes, p.Node())
	}
	out := Qualifiers(nodes...)
	for _, p := range c.Parts {
		if p.decl != nil {
			for _, name := range Declares(p.decl) {
				delete(out, name)
			}
			continue
		}
		for _, id := range DefinedNames(p.stmt) {
			delete(out, id.Name)
		}
	}
	return out
}
