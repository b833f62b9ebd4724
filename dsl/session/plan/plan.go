// Package plan checks a cell as a whole against what earlier cells declared,
// and works out what changes: which declarations are new, which older ones have
// to follow, which variables keep their place. Nothing is changed before that.
package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// Plan is a cell that has been checked as a whole and changes nothing yet.
type Plan struct {
	Pos    token.Pos           // of the cell's first part
	Scope  universe.Scope      // what the top level names after the cell
	Chunks []*universe.Checked // statements, in order
	Decls  []*universe.Decl    // new and renewed declarations, in order
	Vars   []*types.Var
	Same   map[types.Object]types.Object // redefined variables that keep their place
	// follows has functions that replace one of the same signature.
	Follows map[types.Object]types.Object
	// hoisted are statements that declare variables and were checked together
	// with declarations that they mention and that mention them.
	hoisted map[ast.Stmt]*types.Info
	Freed   []*types.Var // variables that nothing can name any more
	// Renewals are types declared anew with their structure as it was.
	Renewals []Renewal
	Notes    []string
	locals   []*local        // packages of folders that were read for it
	reading  map[string]bool // folders
	Main     *types.Func     // the cell's func main, to be run
	Show     bool            // the last statement is an expression to be shown
	Quiet    bool            // or not, for a semicolon ends it
}

// Declared is what cells have declared so far.
type Declared struct {
	Universe *universe.Universe
	Scope    universe.Scope
	order    []*universe.Decl        // the declarations that can be named, oldest first
	locals   map[string]*local       // packages of folders, by folder
	implied  map[*types.PkgName]bool // packages that no cell has imported: see ImportUsed
}

// Refusal is an error at a place in a cell.
type Refusal struct {
	Pos token.Pos
	Msg string
}

func (r *Refusal) Error() string { return r.Msg }

// Plan checks a cell against what is declared. The error is a types.Error or a
// *refusal.
func (s *Declared) Plan(p *syntax.Cell) (*Plan, error) {
	pl := &Plan{Scope: s.Scope.Clone(), Same: map[types.Object]types.Object{}, hoisted: map[ast.Stmt]*types.Info{}, Follows: map[types.Object]types.Object{}}
	for _, spec := range p.Imports {
		if err := s.PlanImport(pl, p.Src, spec); err != nil {
			return nil, err
		}
	}
	if err := s.renewLocals(pl, p); err != nil {
		return nil, err
	}
	pl.startLocals()
	s.ImportUsed(pl.Scope, p.Qualifiers())
	for _, g := range syntax.Schedule(p, func(name string) bool { return pl.Scope[name] != nil }) {
		if len(g.Decls) > 0 {
			if err := s.planDecls(pl, p.Src, g.Decls, map[types.Object]bool{}); err != nil {
				return nil, err
			}
		}
		runs := syntax.SplitAtRedefinitions(g.Stmts, func(st ast.Stmt) bool { return pl.hoisted[st] != nil })
		for i, stmts := range runs {
			if info := pl.hoisted[stmts[0]]; info != nil { // checked with the declarations
				pl.Chunks = append(pl.Chunks, &universe.Checked{Stmts: stmts, Info: info})
				continue
			}
			if err := s.planStmts(pl, p, stmts, g.Last && i == len(runs)-1); err != nil {
				return nil, err
			}
		}
	}
	if pl.Main != nil && callsMain(pl) {
		pl.Main = nil
	}
	pl.Pos = p.Start()
	s.freeUnused(pl)
	return pl, nil
}

// callsMain reports whether the cell calls its func main itself, at the top.
func callsMain(pl *Plan) bool {
	for _, c := range pl.Chunks {
		for _, st := range c.Stmts {
			x, ok := st.(*ast.ExprStmt)
			if !ok {
				continue
			}
			if c2, ok := ast.Unparen(x.X).(*ast.CallExpr); ok {
				if id, ok := ast.Unparen(c2.Fun).(*ast.Ident); ok && c.Info.Uses[id] == pl.Main {
					return true
				}
			}
		}
	}
	return false
}

// freeUnused keeps in pl.freed what no declaration that stays mentions.
func (s *Declared) freeUnused(pl *Plan) {
	if len(pl.Freed) == 0 {
		return
	}
	used := map[types.Object]bool{}
	for _, d := range s.current(pl) {
		for _, obj := range d.Names {
			used[obj] = true
		}
	}
	pl.Freed = slices.DeleteFunc(pl.Freed, func(v *types.Var) bool { return used[v] })
}

// Enact makes the plan's changes and returns how to take them back.
func (s *Declared) Enact(pl *Plan) (takeBack func()) {
	s.sweep()
	oldScope, oldOrder := s.Scope, s.order
	var undo []func()
	for _, d := range pl.Decls {
		before, was := s.Universe.Decls[d.Obj]
		obj := d.Obj
		undo = append(undo, func() {
			if was {
				s.Universe.Decls[obj] = before
			} else {
				delete(s.Universe.Decls, obj)
			}
		})
		s.Universe.Decls[obj] = d
	}
	for _, l := range pl.locals {
		if s.locals == nil {
			s.locals = map[string]*local{}
		}
		dir, before := l.dir, s.locals[l.dir]
		undo = append(undo, func() { s.locals[dir] = before })
		s.locals[dir] = l
		for _, d := range l.decls {
			s.Universe.Decls[d.Obj] = d
		}
	}
	s.order = s.current(pl) // what can't be named any more is let go
	s.Scope = pl.Scope
	return func() {
		s.Scope, s.order = oldScope, oldOrder
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
}

func (s *Declared) PlanImport(pl *Plan, src *syntax.Source, spec *ast.ImportSpec) error {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return &Refusal{spec.Path.Pos(), "import path " + spec.Path.Value + " is not a string"}
	}
	pkg, err := importer{declared: s, plan: pl, from: "."}.Import(path)
	if err != nil {
		return &Refusal{spec.Path.Pos(), err.Error()}
	}
	name := pkg.Name()
	if spec.Name != nil {
		name = spec.Name.Name
	}
	switch name {
	case "_":
	case ".":
		DotImport(pl.Scope, pkg)
	default:
		pl.Scope[name] = types.NewPkgName(spec.Pos(), nil, name, pkg)
	}
	return nil
}

// DotImport enters the exported names of a package, except where the user has
// a declaration of that name.
func DotImport(sc universe.Scope, pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if old := sc[name]; obj.Exported() && (old == nil || !universe.IsUsers(old)) {
			sc[name] = obj
		}
	}
}

// planStmts checks statements and enters the variables they declare.
func (s *Declared) planStmts(pl *Plan, p *syntax.Cell, stmts []ast.Stmt, last bool) error {
	show := false
	if last {
		_, show = stmts[len(stmts)-1].(*ast.ExprStmt)
	}
	c, errs := s.Universe.CheckStmts(stmts, pl.Scope, show)
	if len(errs) > 0 {
		return errs[0]
	}
	gone := s.enterVars(pl, c.Stmts, c.Info)
	pl.Show, pl.Quiet = show, p.Quiet
	pl.Chunks = append(pl.Chunks, c)
	if len(gone) > 0 {
		return s.planDecls(pl, p.Src, nil, gone)
	}
	return nil
}

// enterVars enters the variables that statements declare. It returns those of
// before that can't be named any more.
func (s *Declared) enterVars(pl *Plan, stmts []ast.Stmt, info *types.Info) map[types.Object]bool {
	gone := map[types.Object]bool{}
	for _, v := range universe.TopLevel(stmts, info) {
		old, _ := pl.Scope[v.Name()].(*types.Var)
		if old != nil && !universe.IsUsers(old) {
			old = nil
		}
		if old != nil && types.Identical(old.Type(), v.Type()) {
			pl.Same[v] = old
			continue
		}
		if before := pl.Scope[v.Name()]; before != nil && universe.IsUsers(before) {
			gone[before] = true
			if old != nil {
				pl.Freed = append(pl.Freed, old)
			}
		}
		pl.Vars = append(pl.Vars, v)
		pl.Scope[v.Name()] = v
	}
	return gone
}

// behindAlias is the declared type that a name stands for.
func behindAlias(t *types.TypeName) *types.TypeName {
	if t == nil || !t.IsAlias() {
		return t
	}
	if n, ok := universe.Named(t.Type()); ok {
		return n.Obj()
	}
	return t
}

// enter adds checked declarations to the plan.
func (s *Declared) enter(pl *Plan, src *syntax.Source, units []*unit, info *types.Info, pkg *types.Package) {
	for _, u := range units {
		d := &universe.Decl{Pkg: "main", Src: src, Node: u.node, Flat: u.flat, Info: info}
		if u.old != nil {
			d.Src = u.old.Src
		}
		d.Names = universe.PackageNames(u.checkedAs(), info, pkg)
		var objs []types.Object
		switch n := u.node.(type) {
		case *ast.FuncDecl:
			switch {
			case u.flat != nil:
				m := methodOf(u.recv, n.Name.Name)
				if m == nil {
					m = types.NewFunc(n.Name.Pos(), u.recv.Pkg(), n.Name.Name, methodSignature(u, info))
					u.recv.Type().(*types.Named).AddMethod(m)
				}
				d.Recv = u.recv
				objs = append(objs, m)
			default:
				obj := info.Defs[n.Name]
				if n.Recv != nil {
					t, _ := pkg.Scope().Lookup(syntax.ReceiverBase(n)).(*types.TypeName)
					d.Recv = behindAlias(t)
				}
				if fn := obj.(*types.Func); n.Recv == nil && n.Name.Name == "main" && u.old == nil {
					pl.Main = fn
				}
				objs = append(objs, obj)
			}
		case *ast.GenDecl:
			if n.Tok == token.VAR {
				continue // of a statement, which enters it
			}
			for _, spec := range n.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					objs = append(objs, info.Defs[spec.Name])
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						objs = append(objs, info.Defs[name])
					}
				}
			}
		}
		for _, obj := range objs {
			one := *d
			one.Obj = obj
			pl.Decls = append(pl.Decls, &one)
			if old, ok := pl.Scope[obj.Name()].(*types.Func); ok && d.Recv == nil && universe.IsUsers(old) && types.Identical(old.Type(), obj.Type()) {
				pl.Follows[obj] = old
			}
			if d.Recv == nil && obj.Name() != "_" {
				pl.Scope[obj.Name()] = obj
			}
		}
	}
}
