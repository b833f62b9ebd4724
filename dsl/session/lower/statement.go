package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/universe"
)

// funcState is what the lowerer knows of the function it is in.
type funcState struct {
	sig     *types.Signature
	results []*ast.Ident // where `return` leaves its values inside a loop over a function
	saved   bool         // results are temporaries to be declared
	kept    bool         // so are the named ones
	named   bool         // results are the function's own
	targets []*target    // the statements around that break and continue can mean
	depth   int          // bodies of loops over functions around
	mark    string       // the variable that says where the function has come to
	defers  string       // the variable with the deferred calls, if it defers any
	// ender is for a literal that is deferred, as the one in
	//	func f() { defer func() { recover() }() }
	// It is then the variable with the deferred calls of f, which recover asks.
	ender string
	gotos map[string]bool // labels that a goto names
}

// target is a statement that break or continue can refer to.
type target struct {
	label  string
	loop   bool
	code   *ast.Ident // loops over functions: the variable that says how the body was left
	state  string     // and the one that says what the loop is doing
	leaves []leave
	depth  int // of bodies of loops over functions outside it
}

// leave is a break or continue of an outer statement from within the body of
// a loop over a function.
type leave struct {
	tok   token.Token
	label string
	to    *target
}

func (l *lowerer) block(b *ast.BlockStmt) *ast.BlockStmt {
	if b == nil {
		return nil
	}
	return &ast.BlockStmt{Lbrace: b.Lbrace, List: l.collect(func() { l.stmts(b.List) }), Rbrace: b.Rbrace}
}

func (l *lowerer) stmts(list []ast.Stmt) {
	for _, st := range list {
		l.mark(l.Risky(st))
		if l.Compound(st) {
			l.Forget(st)
		}
		l.stmt(st, "")
		l.Forget(st)
	}
}

// mark notes the place that the function has come to.
func (l *lowerer) mark(pos token.Pos) {
	if pos.IsValid() && l.fn.mark != "" {
		l.Emit(core.Assign(pos, core.Ident(pos, l.fn.mark), l.Int(pos, int(pos))))
	}
}

// stmt lowers a statement; label is the one it carries.
func (l *lowerer) stmt(st ast.Stmt, label string) {
	switch st := st.(type) {
	case *ast.EmptyStmt:
	case *ast.ExprStmt:
		l.exprStmt(st)
	case *ast.BlockStmt:
		if label == "" {
			l.Emit(l.block(st))
			return
		}
		// break can leave it: it is a switch with one case.
		l.Emit(l.Labelled(st.Pos(), label, &ast.SwitchStmt{Switch: st.Pos(), Body: &ast.BlockStmt{Lbrace: st.Pos(), Rbrace: st.End(), List: []ast.Stmt{
			&ast.CaseClause{Case: st.Pos(), Colon: st.Pos(), List: []ast.Expr{core.Ident(st.Pos(), "true")}, Body: l.block(st).List}}}}))
	case *ast.LabeledStmt:
		l.labeledStmt(st)
	case *ast.DeclStmt:
		l.declStmt(st.Decl.(*ast.GenDecl))
	case *ast.AssignStmt:
		l.assign(st)
	case *ast.IncDecStmt:
		l.incDec(st)
	case *ast.SendStmt:
		elem := l.TypeOf(st.Chan).Underlying().(*types.Chan).Elem()
		c := l.operand(st.Chan)
		v := l.TypedName(st.Pos(), l.operandTo(st.Value, elem), elem)
		l.Emit(&ast.SendStmt{Chan: c, Arrow: st.Arrow, Value: v})
	case *ast.ReturnStmt:
		l.returns(st)
	case *ast.BranchStmt:
		l.Emit(l.branch(st)...)
	case *ast.DeferStmt:
		l.deferStmt(st)
	case *ast.GoStmt:
		l.goStmt(st)
	case *ast.IfStmt:
		l.ifStmt(st)
	case *ast.SwitchStmt:
		l.switchStmt(st, label)
	case *ast.TypeSwitchStmt:
		l.typeSwitch(st, label)
	case *ast.SelectStmt:
		l.selectStmt(st, label)
	case *ast.ForStmt:
		l.forStmt(st, label)
	case *ast.RangeStmt:
		l.rangeStmt(st, label)
	default:
		l.Refuse(st.Pos(), "this statement can't be used in a cell")
	}
}

// labeledStmt lowers a statement with a label. What goto jumps to stands in front
// of it, since the label of a loop moves with the loop.
func (l *lowerer) labeledStmt(st *ast.LabeledStmt) {
	pos := st.Pos()
	if l.fn.gotos[st.Label.Name] {
		l.Known = nil
		l.Emit(&ast.LabeledStmt{Label: core.Ident(pos, gotoLabel(st.Label.Name)), Colon: st.Colon, Stmt: &ast.BlockStmt{Lbrace: pos, Rbrace: pos}})
	}
	l.stmt(st.Stmt, st.Label.Name)
}

func gotoLabel(name string) string { return name + "#goto" }

func (l *lowerer) exprStmt(st *ast.ExprStmt) {
	if c, ok := ast.Unparen(st.X).(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			l.show(c.Args[0])
			return
		}
		if !l.Info.Types[c.Fun].IsType() && !l.IsBuiltin(c.Fun) {
			made, _ := l.calling(c)
			l.Emit(&ast.ExprStmt{X: made})
			return
		}
	}
	l.discard(st.X)
}

// declStmt lowers a declaration in a function. Constants are already in the
// expressions that use them, and types are declared when one is spelt.
func (l *lowerer) declStmt(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		l.varSpec(spec.(*ast.ValueSpec))
	}
}

// ifStmt lowers an if. The variables of its header live in a block around it.
func (l *lowerer) ifStmt(st *ast.IfStmt) {
	list := l.collect(func() {
		if st.Init != nil {
			l.stmt(st.Init, "")
		}
		out := &ast.IfStmt{If: st.If, Cond: l.condition(st.Cond)}
		out.Body = l.block(st.Body)
		if st.Else != nil {
			out.Else = l.blockOf(st.Else.Pos(), func() {
				if b, ok := st.Else.(*ast.BlockStmt); ok {
					l.stmts(b.List)
				} else {
					l.mark(l.Risky(st.Else))
					l.stmt(st.Else, "")
				}
			})
		}
		l.Emit(out)
	})
	if len(list) == 1 {
		l.Emit(list[0])
		return
	}
	l.Emit(&ast.BlockStmt{Lbrace: st.Pos(), List: list, Rbrace: st.End()})
}

// condition lowers a condition to something that an if or for can branch on.
func (l *lowerer) condition(e ast.Expr) ast.Expr {
	pos := e.Pos()
	if tv := l.Info.Types[e]; tv.Value != nil {
		return l.Temp(pos, types.Typ[types.Bool], l.expr(e))
	}
	e = ast.Unparen(e)
	if _, isBinary := e.(*ast.BinaryExpr); isBinary {
		if x := l.simple(e); x != nil {
			return x
		}
	}
	if n, ok := e.(*ast.UnaryExpr); ok && n.Op == token.NOT {
		x := l.Hold(pos, l.expr(n.X), types.Typ[types.Bool])
		return &ast.UnaryExpr{OpPos: pos, Op: token.NOT, X: x}
	}
	return l.Hold(pos, l.expr(e), types.Typ[types.Bool])
}

// goStmt starts a goroutine whose panic ends only itself.
func (l *lowerer) goStmt(st *ast.GoStmt) {
	l.later(st.Call, func(body *ast.FuncLit) {
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(st.Pos(), "Go", body)})
	})
}

// later hands a call over to run at another time, as a function. What it calls
// and its arguments are evaluated now, as parameters of a function around it:
//
//	func(a T, b U) { hand(func() { f(a, b) }) }(x, y)
func (l *lowerer) later(c *ast.CallExpr, hand func(body *ast.FuncLit)) {
	pos := c.Pos()
	fun := ast.Unparen(c.Fun)
	none := &ast.FuncType{Func: pos, Params: &ast.FieldList{}}
	if lit, ok := fun.(*ast.FuncLit); ok && len(c.Args) == 0 {
		if f, args := l.literal(lit); args == nil && f.(*ast.FuncLit).Type.Results == nil {
			hand(f.(*ast.FuncLit))
			return
		} else {
			g := l.Temp(pos, l.TypeOf(fun), f)
			l.deferred(pos, []typed{{g, l.TypeOf(fun)}}, none, hand, func(names []ast.Expr) {
				l.Emit(&ast.ExprStmt{X: core.Call(pos, names[0])})
			})
			return
		}
	}
	if l.IsBuiltin(c.Fun) {
		l.laterBuiltin(c, hand)
		return
	}
	sig := l.TypeOf(c.Fun).Underlying().(*types.Signature)
	made, compiled := l.callee(c, sig)
	var recv types.Type
	if f, ok := fun.(*ast.SelectorExpr); ok && l.Info.Selections[f] != nil {
		if m, ok := l.Info.Selections[f].Obj().(*types.Func); ok {
			recv = m.Signature().Recv().Type()
		}
	}
	args := l.args(c, sig, compiled)
	made.Ellipsis = args.spread
	made.Args = append(made.Args, args.list...)
	if compiled != nil {
		if other := l.replaced(c, made, compiled); other != nil {
			made = other
		}
	}
	// Whatever is a temporary is held: the others are names of functions and
	// constants.
	var now []typed
	hold := func(x ast.Expr) ast.Expr {
		id, ok := x.(*ast.Ident)
		if !ok || l.s.Types[id.Name] == nil {
			return x
		}
		now = append(now, typed{x, l.s.Types[id.Name]})
		return nil
	}
	places := make([]bool, len(made.Args)+1)
	target := made.Fun
	method, isMethod := made.Fun.(*ast.SelectorExpr)
	at := l.TypeOf(c.Fun)
	if isMethod {
		target = method.X
		if f, ok := fun.(*ast.SelectorExpr); ok {
			at = l.TypeOf(f.X)
		}
	}
	if id, ok := target.(*ast.Ident); ok && l.s.Types[id.Name] == nil && !l.Static(fun) && l.isVariableName(id.Name, fun) {
		// A variable: its value now.
		target = l.Temp(pos, at, target)
		if isMethod {
			method.X = target
		} else {
			made.Fun = target
		}
	}
	places[0] = hold(target) == nil
	for i, a := range made.Args {
		if _, isName := a.(*ast.Ident); !isName && !core.IsOperand(a) {
			t := l.paramType(recv, sig, i-(len(made.Args)-len(args.list)))
			a = l.Temp(pos, t, a)
			made.Args[i] = a
		}
		if id, ok := a.(*ast.Ident); ok && l.s.Types[id.Name] == nil && id.Name != "true" && id.Name != "false" && id.Name != "nil" {
			// A variable: its value now.
			made.Args[i] = l.Temp(pos, l.paramType(recv, sig, i-(len(made.Args)-len(args.list))), a)
			a = made.Args[i]
		}
		places[i+1] = hold(a) == nil
	}
	l.deferred(pos, now, none, hand, func(names []ast.Expr) {
		next := func() ast.Expr {
			x := names[0]
			names = names[1:]
			return x
		}
		again := &ast.CallExpr{Fun: made.Fun, Lparen: pos, Ellipsis: made.Ellipsis, Rparen: pos}
		if places[0] {
			if isMethod {
				again.Fun = core.Sel(next(), method.Sel.Name)
			} else {
				again.Fun = next()
			}
		}
		for i, a := range made.Args {
			if places[i+1] {
				a = next()
			}
			again.Args = append(again.Args, a)
		}
		l.Emit(&ast.ExprStmt{X: again})
	})
}

// isVariableName reports the names of variables of the user's in what a call was
// lowered to.
func (l *lowerer) isVariableName(name string, fun ast.Expr) bool {
	if f, ok := fun.(*ast.SelectorExpr); ok {
		fun = ast.Unparen(f.X)
	}
	id, ok := fun.(*ast.Ident)
	if !ok || !l.IsVariable(id) {
		return false
	}
	x, ok := l.object(fun.Pos(), l.Info.ObjectOf(id)).(*ast.Ident)
	return ok && x.Name == name
}

// paramType is the type of a lowered argument, that of the receiver in front of
// them: a variadic parameter of a cell's
// function takes a slice.
func (l *lowerer) paramType(recv types.Type, sig *types.Signature, i int) types.Type {
	switch n := sig.Params().Len(); {
	case i < 0:
		return recv
	case i < n-1 || !sig.Variadic():
		return sig.Params().At(i).Type()
	default:
		return sig.Params().At(n - 1).Type()
	}
}

// deferred hands over a function that is given values of now.
func (l *lowerer) deferred(pos token.Pos, now []typed, none *ast.FuncType, hand func(body *ast.FuncLit), run func(names []ast.Expr)) {
	outer := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}}
	var names, values []ast.Expr
	for i, v := range now {
		name := "#g" + strconv.Itoa(i)
		outer.Type.Params.List = append(outer.Type.Params.List, &ast.Field{Names: []*ast.Ident{core.Ident(pos, name)}, Type: l.TypeExpr(pos, v.t)})
		names = append(names, core.Ident(pos, name))
		values = append(values, v.x)
	}
	body := &ast.FuncLit{Type: none, Body: l.bodyOf(pos, func() { run(names) })}
	if len(now) == 0 {
		hand(body)
		return
	}
	outer.Body = l.bodyOf(pos, func() { hand(body) })
	l.Emit(&ast.ExprStmt{X: core.Call(pos, outer, values...)})
}

// laterBuiltin is later for a builtin function.
func (l *lowerer) laterBuiltin(c *ast.CallExpr, hand func(body *ast.FuncLit)) {
	pos := c.Pos()
	plain := &ast.CallExpr{Fun: c.Fun, Lparen: c.Lparen, Ellipsis: c.Ellipsis, Rparen: c.Rparen}
	var now []typed
	var uses []*ast.Ident
	for i, a := range c.Args {
		t := l.TypeOf(a)
		if l.Info.Types[a].Value != nil || l.Info.Types[a].IsType() || universe.IsNil(t) {
			plain.Args = append(plain.Args, a)
			continue
		}
		id := core.Ident(pos, "v")
		obj := types.NewVar(pos, nil, "v"+strconv.Itoa(i), t)
		l.Info.Uses[id] = obj
		l.Info.Types[id] = types.TypeAndValue{Type: t}
		plain.Args = append(plain.Args, id)
		now = append(now, typed{l.Temp(pos, t, l.expr(a)), t})
		uses = append(uses, id)
	}
	l.Info.Types[plain] = l.Info.Types[c]
	l.deferred(pos, now, &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, hand, func(names []ast.Expr) {
		for i, id := range uses {
			l.names[l.Info.Uses[id]] = names[i].(*ast.Ident).Name
		}
		l.builtin(plain, facts.BuiltinName(ast.Unparen(c.Fun)))
	})
}
