package universe

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"sort"
	"strings"

	"sapf/dsl/session/syntax"
)

// ShowName is the function that the last expression of a cell is passed to.
// No identifier can be spelt so.
const ShowName = "#show"

// Scope is what the top level of a cell can name: the user's declarations and
// variables, imported packages, and the objects of dot imports.
type Scope map[string]types.Object

func (sc Scope) Clone() Scope { return maps.Clone(sc) }

// named is the part of the scope that declarations mention: a small cell is
// checked in less time than all names would take to be entered.
func (sc Scope) named(decls []ast.Decl) Scope {
	out := Scope{}
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

// Checked is a chunk of a cell with its types.
type Checked struct {
	decls []*Decl
	Stmts []ast.Stmt
	Info  *types.Info
	pkg   *types.Package
}

func NewInfo() *types.Info {
	return &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Implicits:  map[ast.Node]types.Object{},
		Instances:  map[*ast.Ident]types.Instance{},
	}
}

// Typecheck checks declarations as a file whose package scope already holds
// what they mention of sc. Names that the declarations introduce hide those of sc.
func (u *Universe) Typecheck(decls []ast.Decl, sc Scope) (*types.Info, *types.Package, []types.Error) {
	return u.TypecheckIn("main", decls, sc)
}

func (u *Universe) TypecheckIn(path string, decls []ast.Decl, sc Scope) (*types.Info, *types.Package, []types.Error) {
	sc = sc.named(decls)
	for {
		var errs []types.Error
		info := NewInfo()
		pkg := u.Check(u.Fset, path, decls, sc, info, func(err error) {
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
				st, ok := Deref(t).Underlying().(*types.Struct)
				if !ok || len(lit.Elts) == 0 || st.NumFields() != len(lit.Elts) || st.NumFields() == 0 || st.Field(0).Pkg() == nil || !sameModule(st) {
					return true
				}
				for i, el := range lit.Elts {
					if _, keyed := el.(*ast.KeyValueExpr); !keyed {
						lit.Elts[i] = &ast.KeyValueExpr{Key: &ast.Ident{NamePos: el.Pos(), Name: st.Field(i).Name()}, Colon: el.Pos(), Value: el}
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

// Check runs the type checker.
func (u *Universe) Check(fset *token.FileSet, path string, decls []ast.Decl, sc Scope, info *types.Info, report func(error)) *types.Package {
	pkg := types.NewPackage(path, "main")
	hidden := map[string]bool{}
	for _, d := range decls {
		for _, name := range syntax.Declares(d) {
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
	conf := types.Config{Importer: u, Error: report, DisableUnusedImportCheck: true}
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
	return types.NewFunc(token.NoPos, nil, ShowName, sig)
}()

// CheckStmts checks statements of the top level. What Go calls unused is
// tolerated there: the next cell may use it. show tells that the last
// statement is an expression whose value is wanted.
func (u *Universe) CheckStmts(stmts []ast.Stmt, sc Scope, show bool) (*Checked, []types.Error) {
	last := len(stmts) - 1
	try := append([]ast.Stmt(nil), stmts...)
	if show {
		x := stmts[last].(*ast.ExprStmt).X
		if _, call := ast.Unparen(x).(*ast.CallExpr); !call {
			try[last] = showing(x)
		}
	}
	info, pkg, errs := u.Typecheck([]ast.Decl{syntax.InFunction(try)}, sc)
	errs = Serious(errs)
	if show && len(errs) > 0 && try[last] == stmts[last] {
		// Perhaps the call is a conversion or a builtin, which are not
		// statements: len(x).
		again := append(append([]ast.Stmt(nil), stmts[:last]...), showing(stmts[last].(*ast.ExprStmt).X))
		if info2, pkg2, errs2 := u.Typecheck([]ast.Decl{syntax.InFunction(again)}, sc); len(Serious(errs2)) == 0 {
			try, info, pkg, errs = again, info2, pkg2, nil
		}
	}
	return &Checked{Stmts: try, Info: info, pkg: pkg}, errs
}

func showing(x ast.Expr) ast.Stmt {
	fun := &ast.Ident{Name: ShowName, NamePos: x.Pos()}
	return &ast.ExprStmt{X: &ast.CallExpr{Fun: fun, Lparen: x.Pos(), Args: []ast.Expr{x}, Rparen: x.End()}}
}

func Serious(errs []types.Error) []types.Error {
	var out []types.Error
	for _, e := range errs {
		if !e.Soft {
			out = append(out, e)
		}
	}
	return out
}

// TopLevel lists the variables that statements declare at their top level, in
// order of their names' positions.
func TopLevel(stmts []ast.Stmt, info *types.Info) []*types.Var {
	var out []*types.Var
	for _, st := range stmts {
		for _, id := range syntax.DefinedNames(st) {
			if v, ok := info.Defs[id].(*types.Var); ok {
				out = append(out, v)
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Pos() < out[j].Pos() })
	return out
}

// SameObject reports whether two names mean the same thing.
func SameObject(a, b types.Object) bool {
	if p, ok := a.(*types.PkgName); ok {
		q, ok := b.(*types.PkgName)
		return ok && p.Imported() == q.Imported()
	}
	return a == b
}
