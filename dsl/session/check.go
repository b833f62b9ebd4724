package session

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"sort"
	"strings"
)

// showName is the function that the last expression of a cell is passed to.
// No identifier can be spelt so.
const showName = "#show"

// scope is what the top level of a cell can name: the user's declarations and
// variables, imported packages, and the objects of dot imports.
type scope map[string]types.Object

func (sc scope) clone() scope { return maps.Clone(sc) }

// named is the part of the scope that declarations mention: a small cell is
// checked in less time than all names would take to be entered.
func (sc scope) named(decls []ast.Decl) scope {
	out := scope{}
	for _, d := range decls {
		ast.Inspect(d, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if obj, ok := sc[id.Name]; ok {
					out[id.Name] = obj
				}
			}
			return true
		})
	}
	return out
}

// checked is a chunk of a cell with its types.
type checked struct {
	decls []*decl
	stmts []ast.Stmt
	info  *types.Info
	pkg   *types.Package
}

func newInfo() *types.Info {
	return &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Implicits:  map[ast.Node]types.Object{},
		Instances:  map[*ast.Ident]types.Instance{},
	}
}

// typecheck checks declarations as a file whose package scope already holds
// what they mention of sc. Names that the declarations introduce hide those of sc.
func (s *Session) typecheck(decls []ast.Decl, sc scope) (*types.Info, *types.Package, []types.Error) {
	return s.typecheckIn("main", decls, sc)
}

func (s *Session) typecheckIn(path string, decls []ast.Decl, sc scope) (*types.Info, *types.Package, []types.Error) {
	sc = sc.named(decls)
	for {
		var errs []types.Error
		info := newInfo()
		pkg := s.check(s.fset, path, decls, sc, info, func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				errs = append(errs, e)
			}
		})
		if !nameFields(decls, info, errs) {
			return info, pkg, errs
		}
	}
}

// nameFields writes out the names of the fields in literals of structures that
// the checker takes for those of a foreign package, because an earlier cell
// declared them. It reports whether there were any.
func nameFields(decls []ast.Decl, info *types.Info, errs []types.Error) bool {
	changed := false
	for _, e := range errs {
		if !strings.HasPrefix(e.Msg, "implicit assignment to unexported field") {
			continue
		}
		for _, d := range decls {
			if e.Pos < d.Pos() || e.Pos > d.End() {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok || e.Pos < lit.Lbrace || e.Pos > lit.Rbrace {
					return true
				}
				t := info.Types[lit].Type
				if t == nil {
					return true
				}
				st, ok := deref(t).Underlying().(*types.Struct)
				if !ok || len(lit.Elts) == 0 || st.NumFields() != len(lit.Elts) || st.NumFields() == 0 || st.Field(0).Pkg() == nil || !sameModule(st) {
					return true
				}
				for i, el := range lit.Elts {
					if _, keyed := el.(*ast.KeyValueExpr); !keyed {
						lit.Elts[i] = &ast.KeyValueExpr{Key: ident(el.Pos(), st.Field(i).Name()), Colon: el.Pos(), Value: el}
						changed = true
					}
				}
				return true
			})
		}
	}
	return changed
}

// sameModule reports whether the fields of a structure are those of a cell's
// type, or of a package in source form.
func sameModule(st *types.Struct) bool {
	path := st.Field(0).Pkg().Path()
	return path == "main" || genericTexts[path] != ""
}

// check runs the type checker.
func (s *Session) check(fset *token.FileSet, path string, decls []ast.Decl, sc scope, info *types.Info, report func(error)) *types.Package {
	pkg := types.NewPackage(path, "main")
	hidden := map[string]bool{}
	for _, d := range decls {
		for _, name := range declares(d) {
			hidden[name] = true
		}
	}
	for name, obj := range sc {
		if hidden[name] {
			continue
		}
		if imp, ok := obj.(*types.PkgName); ok { // the checker wants its own
			obj = types.NewPkgName(imp.Pos(), pkg, name, imp.Imported())
		}
		pkg.Scope().Insert(obj)
	}
	pkg.Scope().Insert(showFunc)
	for _, d := range decls {
		shieldNames(d, pkg.Scope())
	}
	conf := types.Config{Importer: s.universe, Error: report, DisableUnusedImportCheck: true}
	pos := token.NoPos
	if len(decls) > 0 {
		pos = decls[0].Pos()
	}
	file := &ast.File{Name: &ast.Ident{Name: "main", NamePos: pos}, Package: pos, Decls: decls}
	types.NewChecker(&conf, fset, pkg, info).Files([]*ast.File{file})
	return pkg
}

// shieldNames puts a type that is declared as another one of the package's scope
// between parentheses: the checker follows bare names in search of cycles, and
// comes to grief at those that it has no declaration of.
func shieldNames(d ast.Decl, sc *types.Scope) {
	gen, ok := d.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range gen.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok {
			if id, ok := spec.Type.(*ast.Ident); ok && sc.Lookup(id.Name) != nil {
				spec.Type = &ast.ParenExpr{Lparen: id.Pos(), X: id, Rparen: id.End()}
			}
		}
	}
}

var showFunc = func() *types.Func {
	any := types.Universe.Lookup("any").Type()
	param := types.NewParam(token.NoPos, nil, "values", types.NewSlice(any))
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(param), nil, true)
	return types.NewFunc(token.NoPos, nil, showName, sig)
}()

// declares lists the package-level names of a declaration.
func declares(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var out []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				out = append(out, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					out = append(out, n.Name)
				}
			}
		}
		return out
	}
	return nil
}

// inFunction wraps statements so that the checker takes them as a body.
func inFunction(stmts []ast.Stmt) *ast.FuncDecl {
	pos, end := stmts[0].Pos(), stmts[len(stmts)-1].End()
	return &ast.FuncDecl{
		Name: &ast.Ident{Name: "_", NamePos: pos},
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{Opening: pos, Closing: pos}},
		Body: &ast.BlockStmt{Lbrace: pos, List: stmts, Rbrace: end},
	}
}

// checkStmts checks statements of the top level. What Go calls unused is
// tolerated there: the next cell may use it. show tells that the last
// statement is an expression whose value is wanted.
func (s *Session) checkStmts(stmts []ast.Stmt, sc scope, show bool) (*checked, []types.Error) {
	last := len(stmts) - 1
	try := append([]ast.Stmt(nil), stmts...)
	if show {
		x := stmts[last].(*ast.ExprStmt).X
		if _, call := ast.Unparen(x).(*ast.CallExpr); !call {
			try[last] = showing(x)
		}
	}
	info, pkg, errs := s.typecheck([]ast.Decl{inFunction(try)}, sc)
	errs = serious(errs)
	if show && len(errs) > 0 && try[last] == stmts[last] {
		// Perhaps the call is a conversion or a builtin, which are not
		// statements: len(x).
		again := append(append([]ast.Stmt(nil), stmts[:last]...), showing(stmts[last].(*ast.ExprStmt).X))
		if info2, pkg2, errs2 := s.typecheck([]ast.Decl{inFunction(again)}, sc); len(serious(errs2)) == 0 {
			try, info, pkg, errs = again, info2, pkg2, nil
		}
	}
	return &checked{stmts: try, info: info, pkg: pkg}, errs
}

func showing(x ast.Expr) ast.Stmt {
	fun := &ast.Ident{Name: showName, NamePos: x.Pos()}
	return &ast.ExprStmt{X: &ast.CallExpr{Fun: fun, Lparen: x.Pos(), Args: []ast.Expr{x}, Rparen: x.End()}}
}

func serious(errs []types.Error) []types.Error {
	var out []types.Error
	for _, e := range errs {
		if !e.Soft {
			out = append(out, e)
		}
	}
	return out
}

// topLevel lists the variables that statements declare at their top level, in
// order of their names' positions.
func topLevel(stmts []ast.Stmt, info *types.Info) []*types.Var {
	var out []*types.Var
	for _, st := range stmts {
		for _, id := range definedNames(st) {
			if v, ok := info.Defs[id].(*types.Var); ok {
				out = append(out, v)
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Pos() < out[j].Pos() })
	return out
}

// definedNames are the identifiers that a statement introduces where it
// stands.
func definedNames(st ast.Stmt) []*ast.Ident {
	var out []*ast.Ident
	switch st := st.(type) {
	case *ast.LabeledStmt:
		return definedNames(st.Stmt)
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE {
			for _, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok && id.Name != "_" {
					out = append(out, id)
				}
			}
		}
	case *ast.DeclStmt:
		for _, spec := range st.Decl.(*ast.GenDecl).Specs {
			if spec, ok := spec.(*ast.ValueSpec); ok {
				for _, id := range spec.Names {
					if id.Name != "_" {
						out = append(out, id)
					}
				}
			}
		}
	}
	return out
}

// mentions collects the names that occur freely in a declaration. The parser
// has resolved local names; the keys of structures are told from variables by
// the type of their literal.
func mentions(d ast.Node) map[string]bool {
	out := map[string]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, visit)
			return false
		case *ast.CompositeLit:
			switch n.Type.(type) {
			case *ast.MapType, *ast.ArrayType, nil:
				return true
			}
			ast.Inspect(n.Type, visit)
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					e = kv.Value
				}
				ast.Inspect(e, visit)
			}
			return false
		case *ast.Ident:
			if n.Obj == nil || n.Obj.Pos() < d.Pos() || n.Obj.Pos() >= d.End() {
				out[n.Name] = true
			}
		}
		return true
	}
	ast.Inspect(d, visit)
	return out
}

// sameObject reports whether two names mean the same thing.
func sameObject(a, b types.Object) bool {
	if p, ok := a.(*types.PkgName); ok {
		q, ok := b.(*types.PkgName)
		return ok && p.Imported() == q.Imported()
	}
	return a == b
}
