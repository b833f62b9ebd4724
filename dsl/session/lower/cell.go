package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/plan"
	"sapf/dsl/session/universe"
)

// Lowering turns cells into source for yaegi, and remembers yaegi's names of
// what it has lowered.
type Lowering struct {
	universe *universe.Universe
	machine  *machine.Machine
	Out      *emitted

	Symbols   map[types.Object]string // yaegi's names of variables
	instances map[string]string       // of functions and types, by key
	typeIDs   *typeutil.Map           // the machine's numbers of types
	known     *typeutil.Map           // types whose methods the machine has
	imported  map[string]string       // yaegi's names of packages, by path
	literals  []literal               // the function literals of cells
	links     map[types.Object]string // variables by which closures call functions, and cells find those of packages
	pinned    map[types.Object]bool   // variables that closures or pointers may hold
	types     map[string]types.Type   // of the temporaries of this cell
	functions map[*types.Func]string  // the symbols of declared functions
	marks     map[string][]string     // the marks of functions, by symbol
	freeMarks []string                // those that functions have left
	scope     universe.Scope          // of the last plan
	retired   []string                // symbols that no source mentions any more
	emitting  string                  // the symbol of the function at hand
	recovers  map[string]bool         // functions that call recover, by symbol
	params    map[string][]types.Type // of functions that take floating-point numbers, by symbol
	serial    int
	depth     int // of instances within instances
}

func New(u *universe.Universe, m *machine.Machine) *Lowering {
	return &Lowering{
		universe:  u,
		machine:   m,
		Symbols:   map[types.Object]string{},
		instances: map[string]string{},
		typeIDs:   new(typeutil.Map),
		known:     new(typeutil.Map),
		imported:  map[string]string{},
		links:     map[types.Object]string{},
		pinned:    map[types.Object]bool{},
		functions: map[*types.Func]string{},
		marks:     map[string][]string{},
		recovers:  map[string]bool{},
		params:    map[string][]types.Type{},
	}
}

// Cell lowers a plan that has been enacted. The error is a *refusal; after one,
// or when yaegi does not take what was lowered, takeBack forgets it all.
func (s *Lowering) Cell(pl *plan.Plan) (body ast.Stmt, err error) {
	s.sweep(pl)
	s.Out = &emitted{}
	s.depth = 0
	s.types = map[string]types.Type{}
	defer func() {
		if r := recover(); r != nil {
			no, ok := r.(refuse)
			if !ok {
				panic(r)
			}
			err = &plan.Refusal{Pos: no.pos, Msg: no.msg}
		}
	}()
	for _, r := range pl.Renewals {
		s.machine.Renew(r.Old, r.New)
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
	for i := len(s.Out.undo) - 1; i >= 0; i-- {
		s.Out.undo[i]()
	}
}

// lowerCell lowers the plan: its declarations into s.out.decls, its statements
// into the body of a function that the machine can run, or nil.
func (s *Lowering) lowerCell(pl *plan.Plan) ast.Stmt {
	base := s.lowerer(universe.NewInfo())
	for _, v := range pl.Vars {
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(v.Pos(), s.Symbols[v])}, Type: base.typeExpr(v.Pos(), v.Type())}
		s.Out.Decls = append(s.Out.Decls, &ast.GenDecl{TokPos: v.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	for _, d := range pl.Decls {
		s.lowerDecl(base, pl, d)
	}
	var body []ast.Stmt
	mark, ok := s.instances[BodyName]
	if !ok {
		mark = s.newMark(pl.Pos, BodyName)
		s.remember(BodyName, mark)
	}
	defers := ""
	for _, c := range pl.Chunks {
		if defers == "" && hasDefer(&ast.BlockStmt{List: c.Stmts}) {
			defers = s.Fresh("defers")
		}
	}
	for i, c := range pl.Chunks {
		l := s.lowerer(c.Info)
		l.fn.defers = defers
		s.pin(c)
		l.captured = capturedInLoops(c.Info, &ast.BlockStmt{List: c.Stmts})
		l.shared = sharedIn(c.Info, &ast.BlockStmt{List: c.Stmts})
		l.fn.sig = types.NewSignatureType(nil, nil, nil, nil, nil, false)
		l.fn.mark = mark
		l.statements = true
		l.fn.gotos = gotosOf(&ast.BlockStmt{List: c.Stmts})
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
		body = append(body, l.out...)
	}
	if pl.Main != nil {
		at := pl.Main.Pos()
		body = append(body, assign(at, ident(at, mark), base.int(at, int(at))), &ast.ExprStmt{X: call(at, base.object(at, pl.Main))})
	}
	if defers != "" {
		body = base.guarded(pl.Pos, defers, &ast.BlockStmt{Lbrace: pl.Pos, List: body, Rbrace: pl.Pos})
	}
	s.drain()
	if len(s.Out.links) > 0 {
		body = append(s.Out.links, body...)
	}
	if len(body) == 0 {
		return nil
	}
	body = append(body, &ast.ExprStmt{X: base.runtimeCall(pl.Pos, "End")})
	pos := pl.Pos
	// A function with a name, the same for every cell, so that the last cell's
	// can go: a literal would take a copy of the global frame along.
	fn := &ast.FuncDecl{Name: ident(pos, BodyName), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}}
	s.Out.Decls = append(s.Out.Decls, fn)
	return &ast.ExprStmt{X: base.runtimeCall(pos, "Run", ident(pos, BodyName))}
}

// BodyName is yaegi's name of the function that a cell's statements become.
const BodyName = "cell#"

// lowerDecl lowers what a declaration needs right away: functions, and new
// methods of types that exist. The rest comes when it is used.
func (s *Lowering) lowerDecl(l *lowerer, pl *plan.Plan, d *universe.Decl) {
	fn, ok := d.Node.(*ast.FuncDecl)
	if !ok {
		if t, ok := d.Obj.(*types.TypeName); ok && !d.Generic() && !t.IsAlias() {
			if iface, ok := t.Type().Underlying().(*types.Interface); !ok || iface.IsMethodSet() {
				l.typeExpr(t.Pos(), t.Type())
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
			s.Out.links = append(s.Out.links, assign(fn.Pos(), ident(fn.Pos(), link), ident(fn.Pos(), sym)))
		}
		return
	}
	named := d.Recv.Type().(*types.Named)
	if d.Flat == nil {
		return // the type is new too, and brings its methods
	}
	key := l.key(fn.Pos(), obj, nil)
	if old, ok := s.instances[key]; ok {
		delete(s.instances, key)
		s.retired = append(s.retired, old)
		s.Out.undo = append(s.Out.undo, func() {
			s.instances[key] = old
			s.retired = s.retired[:len(s.retired)-1]
		})
	}
	l.typeExpr(fn.Pos(), named)
	m := types.NewMethodSet(types.NewPointer(named)).Lookup(obj.Pkg(), obj.Name())
	if m != nil {
		s.Out.queue = append(s.Out.queue, func() { s.registerMethod(l, fn.Pos(), named, m) })
	}
}
