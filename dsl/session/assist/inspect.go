package assist

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/display"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
	"sapf/dsl/symbols"
)

// Inspect tells what stands at the cursor, a byte offset: its declaration and
// its doc comment. Within the parentheses of a call that is the function's.
// A detail of 1 adds the source of what a cell declared.
func (k Known) Inspect(code string, cursor, detail int) (display.Bundle, bool) {
	cursor = clampCursor(code, cursor)
	start, end := wordAt(code, cursor)
	a := analyse(k.Declared, code)
	var obj types.Object
	if start < end {
		if id, _ := a.identAt(start); id != nil {
			obj = a.object(id)
		}
	}
	if obj == nil && start < end && !precededByDot(code[:start]) {
		if pkg := k.Declared.Universe.PackageFor(code[start:end], nil); pkg != nil {
			obj = types.NewPkgName(token.NoPos, nil, pkg.Name(), pkg)
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
	decl, doc := k.describe(obj, detail)
	text := decl
	markdown := "```go\n" + decl + "\n```"
	if doc != "" {
		text += "\n\n" + doc
		markdown += "\n\n" + docMarkdown(doc)
	}
	if rows := k.fieldsOf(obj); len(rows) > 0 {
		t, m := fieldTable(rows)
		text += "\n\n" + t
		markdown += "\n\n" + m
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
func (k Known) describe(obj types.Object, detail int) (decl, doc string) {
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
	if d := k.Declared.Universe.Decls[obj]; d != nil && d.Pkg == "main" {
		return k.describeOwn(d, decl, detail)
	}
	if obj.Pkg() == nil {
		return decl, ""
	}
	symbol := obj.Name()
	switch obj := obj.(type) {
	case *types.Func:
		if recv := obj.Signature().Recv(); recv != nil {
			if n, ok := universe.NamedBehind(recv.Type()); ok {
				symbol = n.Obj().Name() + "." + symbol
			}
		}
	case *types.Var:
		if obj.IsField() {
			symbol = k.Declared.Universe.StructWith(obj) + "." + symbol
		} else if n, ok := universe.NamedBehind(obj.Type()); ok && n.Obj().Pkg() != nil {
			_, doc, _ = symbols.Doc(n.Obj().Pkg().Path(), n.Obj().Name())
		}
	}
	if text, d, ok := symbols.Doc(obj.Pkg().Path(), symbol); ok {
		return text, d
	}
	return decl, doc
}

// describeOwn describes what a cell declared: its doc comment, or its source.
func (k Known) describeOwn(d *universe.Decl, decl string, detail int) (string, string) {
	doc := ""
	switch n := d.Node.(type) {
	case *ast.FuncDecl:
		doc = n.Doc.Text()
	case *ast.GenDecl:
		doc = n.Doc.Text()
		if spec, ok := n.Specs[0].(*ast.TypeSpec); ok && doc == "" {
			doc = spec.Doc.Text()
		}
	}
	where := "declared in " + d.Src.Name
	if doc = strings.TrimSpace(doc); doc != "" {
		doc += "\n\n"
	}
	if detail > 0 {
		decl = k.text(d)
	}
	return decl, doc + where
}

// text is the source of a declaration as it was written.
func (k Known) text(d *universe.Decl) string {
	from, to := k.Declared.Universe.Fset.Position(d.Node.Pos()), k.Declared.Universe.Fset.Position(d.Node.End())
	start := syntax.LineStart(d.Src.Code, from.Line) + from.Column - 1
	end := syntax.LineStart(d.Src.Code, to.Line) + to.Column - 1
	if start < 0 || end > len(d.Src.Code) || start >= end {
		return ""
	}
	return d.Src.Code[start:end]
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
