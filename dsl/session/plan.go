package session

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// plan is a cell that has been checked as a whole and changes nothing yet.
type plan struct {
	pos    token.Pos  // of the cell's first part
	scope  scope      // what the top level names after the cell
	chunks []*checked // statements, in order
	decls  []*decl    // new and renewed declarations, in order
	vars   []*types.Var
	same   map[types.Object]types.Object // redefined variables that keep their place
	// follows has functions that replace one of the same signature.
	follows map[types.Object]types.Object
	// hoisted are statements that declare variables and were checked together
	// with declarations that they mention and that mention them.
	hoisted map[ast.Stmt]*types.Info
	freed   []*types.Var // variables that nothing can name any more
	notes   []string
	main    *types.Func // the cell's func main, to be run
	show    bool        // the last statement is an expression to be shown
	quiet   bool        // or not, for a semicolon ends it
}

// makePlan checks a cell against the session.
func (s *Session) makePlan(p *parsed) (*plan, *CellError) {
	pl := &plan{scope: s.scope.clone(), same: map[types.Object]types.Object{}, hoisted: map[ast.Stmt]*types.Info{}, follows: map[types.Object]types.Object{}}
	for _, spec := range p.imports {
		if err := s.planImport(pl, p.src, spec); err != nil {
			return nil, err
		}
	}
	for _, g := range s.schedule(p, pl.scope) {
		if len(g.decls) > 0 {
			if err := s.planDecls(pl, p.src, g.decls, map[types.Object]bool{}); err != nil {
				return nil, err
			}
		}
		runs := splitAtRedefinitions(g.stmts, pl.hoisted)
		for i, stmts := range runs {
			if info := pl.hoisted[stmts[0]]; info != nil { // checked with the declarations
				pl.chunks = append(pl.chunks, &checked{stmts: stmts, info: info})
				continue
			}
			if err := s.planStmts(pl, p, stmts, g.last && i == len(runs)-1); err != nil {
				return nil, err
			}
		}
	}
	return pl, nil
}

func (s *Session) planImport(pl *plan, src *source, spec *ast.ImportSpec) *CellError {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return s.errorAt(src, spec.Path.Pos(), "CompileError", "import path "+spec.Path.Value+" is not a string")
	}
	pkg, err := s.universe.Import(path)
	if err != nil {
		return s.errorAt(src, spec.Path.Pos(), "CompileError", err.Error())
	}
	name := pkg.Name()
	if spec.Name != nil {
		name = spec.Name.Name
	}
	switch name {
	case "_":
	case ".":
		s.dotImport(pl.scope, pkg)
	default:
		pl.scope[name] = types.NewPkgName(spec.Pos(), nil, name, pkg)
	}
	return nil
}

// dotImport enters the exported names of a package, except where the user has
// a declaration of that name.
func (s *Session) dotImport(sc scope, pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if old := sc[name]; obj.Exported() && (old == nil || !s.isUsers(old)) {
			sc[name] = obj
		}
	}
}

// isUsers reports whether a cell declared obj.
func (s *Session) isUsers(obj types.Object) bool {
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "main"
}

// planStmts checks statements and enters the variables they declare.
func (s *Session) planStmts(pl *plan, p *parsed, stmts []ast.Stmt, last bool) *CellError {
	show := false
	if last {
		_, show = stmts[len(stmts)-1].(*ast.ExprStmt)
	}
	c, errs := s.checkStmts(stmts, pl.scope, show)
	if len(errs) > 0 {
		return s.typeError(p.src, errs[0])
	}
	gone := s.enterVars(pl, c.stmts, c.info)
	pl.show, pl.quiet = show, p.quiet
	pl.chunks = append(pl.chunks, c)
	if len(gone) > 0 {
		return s.planDecls(pl, p.src, nil, gone)
	}
	return nil
}

// enterVars enters the variables that statements declare. It returns those of
// before that can't be named any more.
func (s *Session) enterVars(pl *plan, stmts []ast.Stmt, info *types.Info) map[types.Object]bool {
	gone := map[types.Object]bool{}
	for _, v := range topLevel(stmts, info) {
		old, _ := pl.scope[v.Name()].(*types.Var)
		if old != nil && !s.isUsers(old) {
			old = nil
		}
		if old != nil && types.Identical(old.Type(), v.Type()) {
			pl.same[v] = old
			continue
		}
		if before := pl.scope[v.Name()]; before != nil && s.isUsers(before) {
			gone[before] = true
			if old != nil {
				pl.freed = append(pl.freed, old)
			}
		}
		pl.vars = append(pl.vars, v)
		pl.scope[v.Name()] = v
	}
	return gone
}

// enter adds checked declarations to the plan.
func (s *Session) enter(pl *plan, src *source, units []*unit, info *types.Info, pkg *types.Package) {
	for _, u := range units {
		d := &decl{pkg: "main", src: src, node: u.node, flat: u.flat, info: info}
		if u.old != nil {
			d.src = u.old.src
		}
		d.names = packageNames(u.checkedAs(), info, pkg)
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
				d.recv = u.recv
				objs = append(objs, m)
			default:
				obj := info.Defs[n.Name]
				if n.Recv != nil {
					d.recv, _ = pkg.Scope().Lookup(receiverBase(n)).(*types.TypeName)
				}
				if fn := obj.(*types.Func); n.Recv == nil && n.Name.Name == "main" && u.old == nil {
					pl.main = fn
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
			one.obj = obj
			pl.decls = append(pl.decls, &one)
			if old, ok := pl.scope[obj.Name()].(*types.Func); ok && d.recv == nil && s.isUsers(old) && types.Identical(old.Type(), obj.Type()) {
				pl.follows[obj] = old
			}
			if d.recv == nil && obj.Name() != "_" {
				pl.scope[obj.Name()] = obj
			}
		}
	}
}

// packageNames collects the package-level objects that a node mentions.
func packageNames(n ast.Node, info *types.Info, pkg *types.Package) map[string]types.Object {
	out := map[string]types.Object{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := info.Uses[id]; obj != nil && pkg.Scope().Lookup(id.Name) == obj {
				out[id.Name] = obj
			}
		}
		return true
	})
	return out
}
