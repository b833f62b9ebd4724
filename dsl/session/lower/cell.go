package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/machine"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// Lowering turns cells into source for yaegi, and remembers yaegi's names of
// what it has lowered. Every package-level object has its own name, which no cell
// can write ("f#2"), so a redefinition never meets what it replaces.
type Lowering struct {
	*core.Program
	Symbols map[types.Object]string // yaegi's names of variables

	links     map[types.Object]string // variables by which closures call functions, and cells find those of packages
	pinned    map[types.Object]bool   // variables that closures or pointers may hold
	functions map[*types.Func]string  // the symbols of declared functions
	scope     universe.Scope          // of the last plan
	retired   []string                // symbols that no source mentions any more
	recovers  map[string]bool         // functions that call recover, by symbol
	depth     int                     // of instances within instances
}

// New makes a lowering of the cells of one session.
func New(u *universe.Universe, m *machine.Machine) *Lowering {
	s := &Lowering{
		Program:   core.New(u, m),
		Symbols:   map[types.Object]string{},
		links:     map[types.Object]string{},
		pinned:    map[types.Object]bool{},
		functions: map[*types.Func]string{},
		recovers:  map[string]bool{},
	}
	s.Announce = func(pos token.Pos, t types.Type) {
		s.registerMethods(s.lowerer(universe.NewInfo()), pos, t)
	}
	return s
}

// Cell lowers a plan that has been enacted. The error is a *refusal; after one,
// or when yaegi does not take what was lowered, takeBack forgets it all.
func (s *Lowering) Cell(pl *plan.Plan) (body ast.Stmt, err error) {
	s.sweep(pl)
	s.Out = &core.Emitted{}
	s.depth = 0
	s.Types = map[string]types.Type{}
	defer func() {
		if r := recover(); r != nil {
			no, ok := r.(core.Refusal)
			if !ok {
				panic(r)
			}
			err = &plan.Refusal{Pos: no.Pos, Msg: no.Msg}
		}
	}()
	for _, r := range pl.Renewals {
		s.Machine.Renew(r.Old, r.New)
	}
	for _, v := range pl.Vars {
		s.Symbols[v] = s.Fresh(v.Name())
	}
	for v, old := range pl.Same {
		s.Symbols[v] = s.Symbols[old]
		if s.pinned[old] {
			s.pinned[v] = true
		}
	}
	return s.lowerCell(pl), nil
}

// TakeBack forgets the last cell.
func (s *Lowering) TakeBack() {
	for i := len(s.Out.Undo) - 1; i >= 0; i-- {
		s.Out.Undo[i]()
	}
}

// lowerCell lowers the plan: its declarations into s.out.decls, its statements
// into the body of a function that the machine can run, or nil.
func (s *Lowering) lowerCell(pl *plan.Plan) ast.Stmt {
	base := s.lowerer(universe.NewInfo())
	for _, v := range pl.Vars {
		spec := &ast.ValueSpec{Names: []*ast.Ident{core.Ident(v.Pos(), s.Symbols[v])}, Type: base.TypeExpr(v.Pos(), v.Type())}
		s.Out.Decls = append(s.Out.Decls, &ast.GenDecl{TokPos: v.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	for _, d := range pl.Decls {
		s.lowerDecl(base, pl, d)
	}
	var body []ast.Stmt
	mark, ok := s.Instances[BodyName]
	if !ok {
		mark = s.NewMark(pl.Pos, BodyName)
		s.Remember(BodyName, mark)
	}
	defers := ""
	for _, c := range pl.Chunks {
		if defers == "" && facts.HasDefer(&ast.BlockStmt{List: c.Stmts}) {
			defers = s.Fresh("defers")
		}
	}
	for i, c := range pl.Chunks {
		l := s.lowerer(c.Info)
		l.fn.defers = defers
		s.pin(c)
		l.Captured = facts.CapturedInLoops(c.Info, &ast.BlockStmt{List: c.Stmts})
		l.Shared = facts.SharedIn(c.Info, &ast.BlockStmt{List: c.Stmts})
		l.fn.sig = types.NewSignatureType(nil, nil, nil, nil, nil, false)
		l.fn.mark = mark
		l.statements = true
		l.fn.gotos = facts.GotosOf(&ast.BlockStmt{List: c.Stmts})
		last := pl.Show && i == len(pl.Chunks)-1
		stmts := c.Stmts
		if last {
			stmts = stmts[:len(stmts)-1]
		}
		l.stmts(stmts)
		if i == len(pl.Chunks)-1 {
			s.release(l, pl)
		}
		if last {
			l.lastExpression(c.Stmts[len(c.Stmts)-1], pl.Quiet)
		}
		body = append(body, l.Block...)
	}
	if pl.Main != nil {
		at := pl.Main.Pos()
		body = append(body, core.Assign(at, core.Ident(at, mark), base.Int(at, int(at))), &ast.ExprStmt{X: core.Call(at, base.object(at, pl.Main))})
	}
	if defers != "" {
		body = base.guarded(pl.Pos, defers, &ast.BlockStmt{Lbrace: pl.Pos, List: body, Rbrace: pl.Pos})
	}
	s.drain()
	if len(s.Out.Links) > 0 {
		// A function of their own: what the machine is given keeps the syntax and the
		// frame of the function that gave it.
		pos := pl.Pos
		fn := &ast.FuncDecl{Name: core.Ident(pos, linksName), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: s.Out.Links, Rbrace: pos}}
		s.Out.Decls = append(s.Out.Decls, fn)
		body = append([]ast.Stmt{&ast.ExprStmt{X: core.Call(pos, core.Ident(pos, linksName))}}, body...)
	}
	if len(body) == 0 {
		return nil
	}
	body = append(body, &ast.ExprStmt{X: base.RuntimeCall(pl.Pos, "End")})
	pos := pl.Pos
	// A function with a name, the same for every cell, so that the last cell's
	// can go: a literal would take a copy of the global frame along.
	fn := &ast.FuncDecl{Name: core.Ident(pos, BodyName), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}}
	s.Out.Decls = append(s.Out.Decls, fn)
	return &ast.ExprStmt{X: base.RuntimeCall(pos, "Run", core.Ident(pos, BodyName))}
}

// linksName is yaegi's name of the function that links up what a cell declares.
const linksName = "links#"

// BodyName is yaegi's name of the function that a cell's statements become.
const BodyName = "cell#"

// lowerDecl lowers what a declaration needs right away: functions, and new
// methods of types that exist. The rest comes when it is used.
func (s *Lowering) lowerDecl(l *lowerer, pl *plan.Plan, d *universe.Decl) {
	fn, ok := d.Node.(*ast.FuncDecl)
	if !ok {
		if t, ok := d.Obj.(*types.TypeName); ok && !d.Generic() && !t.IsAlias() {
			if iface, ok := t.Type().Underlying().(*types.Interface); !ok || iface.IsMethodSet() {
				l.TypeExpr(t.Pos(), t.Type())
			}
		}
		return
	}
	if d.Generic() {
		return
	}
	obj := d.Obj.(*types.Func)
	if d.Recv == nil {
		sym := s.funcSymbol(l, fn.Pos(), obj, nil)
		if link, ok := s.links[pl.Follows[obj]]; ok {
			s.links[obj] = link
			s.Out.Links = append(s.Out.Links, core.Assign(fn.Pos(), core.Ident(fn.Pos(), link), core.Ident(fn.Pos(), sym)))
		}
		return
	}
	named := d.Recv.Type().(*types.Named)
	if d.Flat == nil {
		return // the type is new too, and brings its methods
	}
	key := l.Key(fn.Pos(), obj, nil)
	if old, ok := s.Instances[key]; ok {
		delete(s.Instances, key)
		s.retired = append(s.retired, old)
		s.Out.Undo = append(s.Out.Undo, func() {
			s.Instances[key] = old
			s.retired = s.retired[:len(s.retired)-1]
		})
	}
	l.TypeExpr(fn.Pos(), named)
	m := types.NewMethodSet(types.NewPointer(named)).Lookup(obj.Pkg(), obj.Name())
	if m != nil {
		s.Out.Queue = append(s.Out.Queue, func() { s.registerMethod(l, fn.Pos(), named, m) })
	}
}
