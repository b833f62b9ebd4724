package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// funcState is what the lowerer knows of the function it is in.
type funcState struct {
	sig     *types.Signature
	results []*ast.Ident // where `return` leaves its values inside a loop over a function
	saved   bool         // results are temporaries to be declared
	named   bool         // results are the function's own
	targets []*target    // the statements around that break and continue can mean
	depth   int          // bodies of loops over functions around
	mark    string       // the variable that says where the function has come to
	name    string       // of a declared function or method
	defers  string       // the variable with the deferred calls, if it defers any
	// ender is for a literal that is deferred, as the one in
	//	func f() { defer func() { recover() }() }
	// It is then the variable with the deferred calls of f, which recover asks.
	ender string
}

// target is a statement that break or continue can refer to.
type target struct {
	label  string
	loop   bool
	code   *ast.Ident // loops over functions: the variable that says how the body was left
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
	return &ast.BlockStmt{Lbrace: b.Lbrace, List: l.stmts(b.List), Rbrace: b.Rbrace}
}

func (l *lowerer) stmts(list []ast.Stmt) []ast.Stmt {
	var out []ast.Stmt
	for _, st := range list {
		if pos := risky(st); pos.IsValid() && l.fn.mark != "" {
			out = append(out, assign(pos, ident(pos, l.fn.mark), l.int(pos, int(pos))))
		}
		out = append(out, l.stmt(st, "")...)
	}
	return out
}

// one is the statement that a lowered one became, in a block if several.
func (l *lowerer) one(st ast.Stmt) ast.Stmt {
	if st == nil {
		return nil
	}
	list := l.stmt(st, "")
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &ast.BlockStmt{Lbrace: st.Pos(), List: list, Rbrace: st.End()}
}

// stmt lowers a statement; label is the one it carries.
func (l *lowerer) stmt(st ast.Stmt, label string) []ast.Stmt {
	pos := st.Pos()
	switch st := st.(type) {
	case *ast.EmptyStmt:
		return nil
	case *ast.ExprStmt:
		return l.exprStmt(st)
	case *ast.BlockStmt:
		return []ast.Stmt{l.block(st)}
	case *ast.LabeledStmt:
		inner := l.stmt(st.Stmt, st.Label.Name)
		if len(inner) == 0 {
			inner = []ast.Stmt{&ast.EmptyStmt{Semicolon: st.End()}}
		}
		last := len(inner) - 1
		inner[last] = &ast.LabeledStmt{Label: ident(pos, st.Label.Name), Colon: st.Colon, Stmt: inner[last]}
		return inner
	case *ast.DeclStmt:
		return l.declStmt(st.Decl.(*ast.GenDecl))
	case *ast.AssignStmt:
		return l.assign(st)
	case *ast.IncDecStmt:
		return []ast.Stmt{&ast.IncDecStmt{X: l.expr(st.X), TokPos: st.TokPos, Tok: st.Tok}}
	case *ast.SendStmt:
		elem := l.typeOf(st.Chan).Underlying().(*types.Chan).Elem()
		return []ast.Stmt{&ast.SendStmt{Chan: l.expr(st.Chan), Arrow: st.Arrow, Value: l.assignable(st.Value, elem)}}
	case *ast.ReturnStmt:
		return l.returns(st)
	case *ast.BranchStmt:
		return l.branch(st)
	case *ast.DeferStmt:
		return []ast.Stmt{l.deferStmt(st)}
	case *ast.GoStmt:
		return []ast.Stmt{l.goStmt(st)}
	case *ast.IfStmt:
		return []ast.Stmt{l.ifStmt(st)}
	case *ast.SwitchStmt:
		return l.switchStmt(st, label)
	case *ast.TypeSwitchStmt:
		return l.typeSwitch(st, label)
	case *ast.SelectStmt:
		return l.selectStmt(st, label)
	case *ast.ForStmt:
		return l.forStmt(st, label)
	case *ast.RangeStmt:
		return l.rangeStmt(st, label)
	}
	l.refuse(pos, "this statement (%T) can't be used in a cell", st)
	return nil
}

func (l *lowerer) exprStmt(st *ast.ExprStmt) []ast.Stmt {
	if c, ok := ast.Unparen(st.X).(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == universe.ShowName {
			return l.show(c.Args[0])
		}
	}
	return []ast.Stmt{&ast.ExprStmt{X: l.expr(st.X)}}
}

// declStmt lowers a declaration in a function. Constants are already in the
// expressions that use them, and types are declared when one is spelt.
func (l *lowerer) declStmt(d *ast.GenDecl) []ast.Stmt {
	if d.Tok != token.VAR {
		return nil
	}
	var out []ast.Stmt
	for _, spec := range d.Specs {
		out = append(out, l.varSpec(spec.(*ast.ValueSpec))...)
	}
	return out
}

func (l *lowerer) ifStmt(st *ast.IfStmt) ast.Stmt {
	out := &ast.IfStmt{If: st.If}
	var init []ast.Stmt
	if st.Init != nil {
		init = l.stmt(st.Init, "")
	}
	out.Cond = l.expr(st.Cond)
	out.Body = l.block(st.Body)
	if st.Else != nil {
		out.Else = l.one(st.Else)
		if _, isIf := out.Else.(*ast.IfStmt); !isIf {
			if _, isBlock := out.Else.(*ast.BlockStmt); !isBlock {
				out.Else = &ast.BlockStmt{Lbrace: st.Else.Pos(), List: []ast.Stmt{out.Else}, Rbrace: st.Else.End()}
			}
		}
	}
	if len(init) == 0 {
		return out
	}
	return &ast.BlockStmt{Lbrace: st.Pos(), List: append(init, out), Rbrace: st.End()}
}

// goStmt starts a goroutine whose panic ends only itself.
func (l *lowerer) goStmt(st *ast.GoStmt) ast.Stmt {
	return l.later(st.Call, func(body *ast.FuncLit) ast.Stmt { return &ast.ExprStmt{X: l.runtimeCall(st.Pos(), "Go", body)} })
}

// later hands a call over to run at another time, as a function. What it calls
// and its arguments are evaluated now, as parameters of a function around it:
// whatever a yaegi closure sees changes with the frame.
func (l *lowerer) later(c *ast.CallExpr, hand func(body *ast.FuncLit) ast.Stmt) ast.Stmt {
	pos := c.Pos()
	fun := ast.Unparen(c.Fun)
	lowered := &ast.CallExpr{Fun: fun, Lparen: c.Lparen, Ellipsis: c.Ellipsis, Rparen: c.Rparen}
	if _, isLiteral := fun.(*ast.FuncLit); !isLiteral { // that is lowered once, below
		var ok bool
		if lowered, ok = ast.Unparen(l.expr(c)).(*ast.CallExpr); !ok {
			l.refuse(pos, "this call can't be deferred or started as a goroutine in a cell")
		}
	}
	outer := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}}
	inner := &ast.CallExpr{Fun: lowered.Fun, Lparen: lowered.Lparen, Ellipsis: lowered.Ellipsis, Rparen: lowered.Rparen}
	var now []ast.Expr
	hold := func(x ast.Expr, t types.Type) ast.Expr {
		name := "#g" + strconv.Itoa(len(now))
		outer.Type.Params.List = append(outer.Type.Params.List, &ast.Field{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExpr(pos, t)})
		now = append(now, x)
		return ident(pos, name)
	}
	sig, isFunc := l.typeOf(c.Fun).Underlying().(*types.Signature)
	isFunc = isFunc && !l.info.Types[c.Fun].IsBuiltin()
	if isFunc && !l.static(fun) && !l.ofRuntime(lowered.Fun) {
		// A function value, or a method: its receiver is evaluated now.
		inner.Fun = hold(l.expr(fun), sig)
		lowered.Args = l.args(c, sig, nil)
	}
	extra := len(lowered.Args) - len(c.Args)
	for i, a := range lowered.Args {
		var t types.Type
		switch {
		case i < extra:
			inner.Args = append(inner.Args, a)
			continue
		case !isFunc: // a builtin
			if t = types.Default(l.typeOf(c.Args[i-extra])); universe.IsNil(t) || l.opaque(t) {
				t = emptyInterfaceType
			}
		case sig.Variadic() && i-extra >= sig.Params().Len()-1 && !lowered.Ellipsis.IsValid():
			t = sig.Params().At(sig.Params().Len() - 1).Type().(*types.Slice).Elem()
		default:
			t = sig.Params().At(i - extra).Type()
		}
		inner.Args = append(inner.Args, hold(a, t))
	}
	body := &ast.FuncLit{Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}}, Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ExprStmt{X: inner}}}}
	start := hand(body)
	if len(now) == 0 {
		return start
	}
	outer.Body = &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{start}}
	return &ast.ExprStmt{X: call(pos, outer, now...)}
}

// ofRuntime reports whether a lowered function is one of runtime.go.
func (l *lowerer) ofRuntime(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	id, ok := s.X.(*ast.Ident)
	return ok && id.Name == l.s.imported[machine.RuntimePath]
}

// static reports whether fun names a declared function.
func (l *lowerer) static(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		_, ok := l.info.Uses[fun].(*types.Func)
		return ok
	case *ast.IndexExpr, *ast.IndexListExpr:
		return true
	case *ast.SelectorExpr:
		_, method := l.info.Selections[fun]
		_, ok := l.info.Uses[fun.Sel].(*types.Func)
		return ok && !method
	}
	return false
}
