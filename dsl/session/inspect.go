package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/display"
	"sapf/dsl/symbols"
)

// Inspect tells what stands at the cursor, a byte offset: its declaration and
// its doc comment. Within the parentheses of a call that is the function's.
// A detail of 1 adds the source of what a cell declared.
func (s *Session) Inspect(code string, cursor, detail int) (display.Bundle, bool) {
	cursor = clampCursor(code, cursor)
	start, end := wordAt(code, cursor)
	a := s.analyse(code)
	var obj types.Object
	if start < end {
		if id, _ := a.identAt(start); id != nil {
			obj = a.object(id)
		}
	}
	if obj == nil {
		if id := a.callAround(cursor); id != nil {
			obj = a.object(id)
		}
	}
	if obj == nil {
		return display.Bundle{}, false
	}
	s.state.Lock()
	defer s.state.Unlock()
	decl, doc := s.describe(obj, detail)
	text := decl
	markdown := "```go\n" + decl + "\n```"
	if doc != "" {
		text += "\n\n" + doc
		markdown += "\n\n" + docMarkdown(doc)
	}
	return display.Bundle{Data: map[string]any{"text/plain": text, "text/markdown": markdown}}, true
}

// callAround is the name of the function whose arguments the cursor is among.
func (a *analysis) callAround(cursor int) *ast.Ident {
	depth := 0
	for i := cursor - 1; i >= 0; i-- {
		switch a.code[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth--; depth < 0 {
				start, end := wordAt(a.code[:i], i)
				if start < end {
					id, _ := a.identAt(start)
					return id
				}
				depth = 0
			}
		}
	}
	return nil
}

// describe gives the declaration and the documentation of an object.
func (s *Session) describe(obj types.Object, detail int) (decl, doc string) {
	if p, ok := obj.(*types.PkgName); ok {
		decl = fmt.Sprintf("import %q", p.Imported().Path())
		_, doc, _ = symbols.Doc(p.Imported().Path(), "")
		return decl, doc
	}
	decl = types.ObjectString(obj, func(p *types.Package) string {
		if obj.Pkg() != nil && p.Path() == "main" {
			return ""
		}
		return p.Name()
	})
	if d := s.decls[obj]; d != nil && d.pkg == "main" {
		return s.describeOwn(d, decl, detail)
	}
	if obj.Pkg() == nil {
		return decl, ""
	}
	symbol := obj.Name()
	switch obj := obj.(type) {
	case *types.Func:
		if recv := obj.Signature().Recv(); recv != nil {
			if n, ok := namedBehind(recv.Type()); ok {
				symbol = n.Obj().Name() + "." + symbol
			}
		}
	case *types.Var:
		if obj.IsField() {
			symbol = s.universe.structWith(obj) + "." + symbol
		} else if n, ok := namedBehind(obj.Type()); ok && n.Obj().Pkg() != nil {
			_, doc, _ = symbols.Doc(n.Obj().Pkg().Path(), n.Obj().Name())
		}
	}
	if text, d, ok := symbols.Doc(obj.Pkg().Path(), symbol); ok {
		return text, d
	}
	return decl, doc
}

// describeOwn describes what a cell declared: its doc comment, or its source.
func (s *Session) describeOwn(d *decl, decl string, detail int) (string, string) {
	doc := ""
	switch n := d.node.(type) {
	case *ast.FuncDecl:
		doc = n.Doc.Text()
	case *ast.GenDecl:
		doc = n.Doc.Text()
		if spec, ok := n.Specs[0].(*ast.TypeSpec); ok && doc == "" {
			doc = spec.Doc.Text()
		}
	}
	where := "declared in " + d.src.name
	if doc = strings.TrimSpace(doc); doc != "" {
		doc += "\n\n"
	}
	if detail > 0 {
		decl = s.text(d)
	}
	return decl, doc + where
}

// text is the source of a declaration as it was written.
func (s *Session) text(d *decl) string {
	from, to := s.fset.Position(d.node.Pos()), s.fset.Position(d.node.End())
	start := lineStart(d.src.code, from.Line) + from.Column - 1
	end := lineStart(d.src.code, to.Line) + to.Column - 1
	if start < 0 || end > len(d.src.code) || start >= end {
		return ""
	}
	return d.src.code[start:end]
}

// docMarkdown presents a doc comment: indented lines are code.
func docMarkdown(doc string) string {
	var out []string
	code := false
	for _, line := range strings.Split(doc, "\n") {
		indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ")
		if indented != code && strings.TrimSpace(line) != "" {
			out = append(out, "```")
			code = indented
		}
		out = append(out, strings.TrimPrefix(line, "\t"))
	}
	if code {
		out = append(out, "```")
	}
	return strings.Join(out, "\n")
}

// Variable is a variable of the session, as %whos lists it.
type Variable struct {
	Name, Type, Value string
}

// Variables lists the variables that cells have declared, by name.
func (s *Session) Variables() []Variable {
	s.state.Lock()
	defer s.state.Unlock()
	values := s.machine.yaegi.Globals()
	var out []Variable
	for _, name := range sortedNames(s.scope) {
		v, ok := s.scope[name].(*types.Var)
		if !ok || !s.isUsers(v) {
			continue
		}
		value := ""
		if rv := values[s.symbols[v]]; rv.IsValid() && rv.CanInterface() {
			value = brief(rv)
		}
		out = append(out, Variable{name, types.TypeString(v.Type(), shortPackage), value})
	}
	return out
}

func shortPackage(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}

var _ = token.NoPos
