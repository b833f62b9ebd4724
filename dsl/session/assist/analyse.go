package assist

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// analysis is what can be made out of a cell as it is typed: parsed as far as
// it goes, checked with its errors ignored.
type analysis struct {
	info  *types.Info
	pkg   *types.Package
	decls []ast.Decl
	fset  *token.FileSet
	code  string
}

// analyse looks at code without running it or changing the session.
func analyse(names *plan.Declared, code string) *analysis {
	src := &syntax.Source{File: "cell", Name: "cell", Code: code}
	p := &syntax.Cell{Src: src}
	fset := token.NewFileSet()
	var decls, stmts []syntax.Item
	for _, it := range syntax.Split(code) {
		switch {
		case it.First == token.PACKAGE:
			code = syntax.Blank(code, []syntax.Item{it})
		case it.Decl:
			decls = append(decls, it)
		default:
			stmts = append(stmts, it)
		}
	}
	a := &analysis{fset: fset, code: code}
	sc := names.Scope.Clone()
	fd, _ := parser.ParseFile(fset, src.File, p.FileStart()+syntax.Blank(code, stmts), parser.ParseComments)
	fs, _ := parser.ParseFile(fset, src.File, "package main;func _(){"+p.LineMark()+syntax.Blank(code, decls)+"\n}", parser.ParseComments)
	for _, d := range fd.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			a.decls = append(a.decls, d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if spec, ok := spec.(*ast.ImportSpec); ok && spec.Path != nil {
					names.PlanImport(&plan.Plan{Scope: sc}, src, spec)
				}
			}
		}
	}
	// Variables of the cell's top level are seen by its functions as well.
	for _, d := range fs.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			a.decls = append(a.decls, fn)
			continue
		}
		a.decls = append(a.decls, d)
	}
	for _, d := range a.decls {
		names.ImportUsed(sc, completed(syntax.Qualifiers(d)))
	}
	a.info = universe.NewInfo()
	a.info.Scopes = map[ast.Node]*types.Scope{}
	a.pkg = names.Universe.Check(fset, "main", a.decls, sc, a.info, func(error) {})
	return a
}

// completed leaves out the members that are being typed.
func completed(used map[string]map[string]bool) map[string]map[string]bool {
	for _, members := range used {
		for m := range members {
			if strings.HasSuffix(m, stand) || m == "_" {
				delete(members, m)
			}
		}
	}
	return used
}

// offset is where a node starts in the code, or -1.
func (a *analysis) offset(pos token.Pos) int {
	p := a.fset.Position(pos)
	if !p.IsValid() || p.Filename != "cell" {
		return -1
	}
	return syntax.LineStart(a.code, p.Line) + p.Column - 1
}

// identAt finds the identifier that starts at an offset, with the nodes it is
// in, outermost first.
func (a *analysis) identAt(offset int) (*ast.Ident, []ast.Node) {
	var found *ast.Ident
	var path, stack []ast.Node
	for _, d := range a.decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if n == nil {
				stack = stack[:len(stack)-1]
				return true
			}
			if id, ok := n.(*ast.Ident); ok && found == nil && a.offset(id.Pos()) == offset && id.Name != "_" {
				found, path = id, append([]ast.Node(nil), stack...)
			}
			stack = append(stack, n)
			return true
		})
		stack = stack[:0]
	}
	return found, path
}

// scopeAt is the innermost scope at a position.
func (a *analysis) scopeAt(pos token.Pos) *types.Scope {
	best := a.pkg.Scope()
	var size token.Pos
	for n, sc := range a.info.Scopes {
		from, to := n.Pos(), n.End()
		if ft, ok := n.(*ast.FuncType); ok {
			// The scope of a function belongs to its type but spans its body.
			from, to = sc.Pos(), sc.End()
			_ = ft
		}
		if from <= pos && pos <= to && (size == 0 || to-from < size) {
			if _, file := n.(*ast.File); !file {
				best, size = sc, to-from
			}
		}
	}
	return best
}

// object is what an identifier stands for.
func (a *analysis) object(id *ast.Ident) types.Object {
	if obj := a.info.ObjectOf(id); obj != nil {
		return obj
	}
	_, obj := a.pkg.Scope().LookupParent(id.Name, token.NoPos)
	return obj
}

// wordAt is the identifier that ends at or spans the cursor.
func wordAt(code string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 && isWord(lastRune(code[:start])) {
		start -= len(string(lastRune(code[:start])))
	}
	for end < len(code) && isWord(firstRune(code[end:])) {
		end += len(string(firstRune(code[end:])))
	}
	return start, end
}

func clampCursor(code string, cursor int) int {
	cursor = max(0, min(cursor, len(code)))
	for cursor > 0 && cursor < len(code) && code[cursor]&0xC0 == 0x80 {
		cursor--
	}
	return cursor
}

// stringAt tells whether the cursor is in a string literal that is still open
// on its line, and where the literal's text begins.
func stringAt(code string, cursor int) (start int, ok bool) {
	line := strings.LastIndexByte(code[:cursor], '\n') + 1
	open := -1
	for i := line; i < cursor; i++ {
		switch c := code[i]; {
		case open >= 0 && c == '\\' && code[open] == '"':
			i++
		case open >= 0 && c == code[open]:
			open = -1
		case open < 0 && (c == '"' || c == '`'):
			open = i
		case open < 0 && c == '/' && i+1 < cursor && code[i+1] == '/':
			return 0, false
		}
	}
	return open + 1, open >= 0
}
