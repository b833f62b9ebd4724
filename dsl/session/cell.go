package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// program is a cell ready to run.
type program struct {
	src  *source
	body *interp.Program
}

// prepare checks and lowers a cell, and declares what it declares.
func (s *Session) prepare(c Cell, code string) (prog *program, failed *CellError) {
	s.state.Lock()
	defer s.state.Unlock()
	src := &source{file: s.fresh("cell"), name: fmt.Sprintf("In [%d]", c.Count), code: code, written: c.Code}
	s.sources[src.file] = src
	p, err := parse(s.fset, src)
	if err != nil {
		return nil, s.syntaxError(src, err)
	}
	pl, cellErr := s.makePlan(p)
	if cellErr != nil {
		return nil, cellErr
	}
	if len(p.parts) == 0 { // imports alone
		s.scope = pl.scope
		return &program{src: src}, nil
	}
	pl.pos = p.parts[0].node().Pos()
	s.out = &emitted{}
	s.depth = 0
	old := s.enact(pl)
	defer func() {
		if r := recover(); r != nil {
			no, ok := r.(refuse)
			if !ok {
				panic(r)
			}
			failed = s.errorAt(src, no.pos, "CompileError", no.msg)
		}
		if failed != nil {
			prog = nil
			old()
			for i := len(s.out.undo) - 1; i >= 0; i-- {
				s.out.undo[i]()
			}
		}
	}()
	body := s.lowerCell(pl)
	if err := s.machine.declare(s.out.imports, s.out.decls); err != nil {
		return nil, s.backEndError(src, err)
	}
	for _, note := range pl.notes {
		s.output.write("stderr", note+"\n")
	}
	if body == nil {
		return &program{src: src}, nil
	}
	compiled, err := s.machine.compile(body)
	if err != nil {
		return nil, s.backEndError(src, err)
	}
	return &program{src: src, body: compiled}, nil
}

// enact makes the plan's changes to the session and returns how to take them
// back.
func (s *Session) enact(pl *plan) (takeBack func()) {
	oldScope, oldOrder := s.scope, s.order
	var undo []func()
	for _, d := range pl.decls {
		before, was := s.decls[d.obj]
		obj := d.obj
		undo = append(undo, func() {
			if was {
				s.decls[obj] = before
			} else {
				delete(s.decls, obj)
			}
		})
		s.decls[obj] = d
	}
	s.order = append(s.order[:len(s.order):len(s.order)], pl.decls...)
	for _, v := range pl.vars {
		s.symbols[v] = s.fresh(v.Name())
	}
	for v, old := range pl.same {
		s.symbols[v] = s.symbols[old]
	}
	s.scope = pl.scope
	return func() {
		s.scope, s.order = oldScope, oldOrder
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
}

// lowerCell lowers the plan: its declarations into s.out.decls, its statements
// into the body of a function that the machine can run, or nil.
func (s *Session) lowerCell(pl *plan) ast.Stmt {
	base := s.lowerer(newInfo())
	for _, v := range pl.vars {
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(v.Pos(), s.symbols[v])}, Type: base.typeExpr(v.Pos(), v.Type())}
		s.out.decls = append(s.out.decls, &ast.GenDecl{TokPos: v.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}})
	}
	for _, d := range pl.decls {
		s.lowerDecl(base, pl, d)
	}
	var body []ast.Stmt
	mark, ok := s.instances[bodyName]
	if !ok {
		mark = s.newMark(pl.pos, bodyName)
		s.remember(bodyName, mark)
	}
	defers := ""
	for _, c := range pl.chunks {
		if defers == "" && hasDefer(&ast.BlockStmt{List: c.stmts}) {
			defers = s.fresh("defers")
		}
	}
	for i, c := range pl.chunks {
		l := s.lowerer(c.info)
		l.fn.defers = defers
		s.pin(c)
		l.captured = capturedInLoops(c.info, &ast.BlockStmt{List: c.stmts})
		l.fn.sig = types.NewSignatureType(nil, nil, nil, nil, nil, false)
		l.fn.mark = mark
		l.statements = true
		last := pl.show && i == len(pl.chunks)-1
		stmts := c.stmts
		if last {
			stmts = stmts[:len(stmts)-1]
		}
		body = append(body, l.stmts(stmts)...)
		if i == len(pl.chunks)-1 {
			body = append(body, s.release(base, pl)...)
		}
		if last {
			body = append(body, l.lastExpression(c.stmts[len(c.stmts)-1], pl.quiet)...)
		}
	}
	if pl.main != nil {
		at := pl.main.Pos()
		body = append(body, assign(at, ident(at, mark), base.int(at, int(at))), &ast.ExprStmt{X: call(at, base.object(at, pl.main))})
	}
	if defers != "" {
		body = base.guarded(pl.pos, defers, &ast.BlockStmt{Lbrace: pl.pos, List: body, Rbrace: pl.pos})
	}
	s.drain()
	if len(s.out.links) > 0 {
		body = append(s.out.links, body...)
	}
	if len(body) == 0 {
		return nil
	}
	pos := pl.pos
	// A function with a name, the same for every cell, so that the last cell's
	// can go: a literal would take a copy of the global frame along.
	fn := &ast.FuncDecl{Name: ident(pos, bodyName), Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, List: body, Rbrace: pos}}
	s.out.decls = append(s.out.decls, fn)
	return &ast.ExprStmt{X: base.runtimeCall(pos, "Run", ident(pos, bodyName))}
}

// bodyName is yaegi's name of the function that a cell's statements become.
const bodyName = "cell#"

// lowerDecl lowers what a declaration needs right away: functions, and new
// methods of types that exist. The rest comes when it is used.
func (s *Session) lowerDecl(l *lowerer, pl *plan, d *decl) {
	fn, ok := d.node.(*ast.FuncDecl)
	if !ok {
		if t, ok := d.obj.(*types.TypeName); ok && !d.generic() && !t.IsAlias() {
			if iface, ok := t.Type().Underlying().(*types.Interface); !ok || iface.IsMethodSet() {
				l.typeExpr(t.Pos(), t.Type())
			}
		}
		return
	}
	if d.generic() {
		return
	}
	obj := d.obj.(*types.Func)
	if d.recv == nil {
		sym := s.funcSymbol(l, fn.Pos(), obj, nil)
		if link, ok := s.links[pl.follows[obj]]; ok {
			s.links[obj] = link
			s.out.links = append(s.out.links, assign(fn.Pos(), ident(fn.Pos(), link), ident(fn.Pos(), sym)))
		}
		return
	}
	named := d.recv.Type().(*types.Named)
	if d.flat == nil {
		return // the type is new too, and brings its methods
	}
	key := l.key(fn.Pos(), obj, nil)
	if old, ok := s.instances[key]; ok {
		delete(s.instances, key)
		s.out.undo = append(s.out.undo, func() { s.instances[key] = old })
	}
	l.typeExpr(fn.Pos(), named)
	m := types.NewMethodSet(types.NewPointer(named)).Lookup(obj.Pkg(), obj.Name())
	if m != nil {
		s.out.queue = append(s.out.queue, func() { s.registerMethod(l, fn.Pos(), named, m) })
	}
}

// backEndError presents what yaegi says of lowered source: something that the
// lowerer should have refused or worked around.
func (s *Session) backEndError(src *source, err error) *CellError {
	msg := err.Error()
	p := token.Position{}
	if m := backEndPosition.FindStringSubmatch(msg); m != nil {
		p.Filename = m[1]
		fmt.Sscan(m[2], &p.Line)
		fmt.Sscan(m[3], &p.Column)
		msg = m[4]
	}
	msg = hashNumber.ReplaceAllString(msg, "")
	return s.located(src, p, "CompileError", "the interpreter can't run this: "+strings.TrimSpace(msg))
}
