package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"sapf/dsl/display"
)

// shown is a value of the last expression, with the display methods of its
// type where that is an interpreted one: compiled code can't see those.
type shown struct {
	value   any
	methods map[string]func() any
}

// displayMethods are the methods that say how a value is shown.
var displayMethods = []string{"MimeBundle", "HTML", "Markdown", "Latex", "SVG", "PNG", "JPEG", "Error", "String", "GoString"}

// lastExpression lowers the last statement of a cell, an expression, so that
// its value is shown.
func (l *lowerer) lastExpression(st ast.Stmt) []ast.Stmt {
	x := st.(*ast.ExprStmt).X
	if at := risky(st); at.IsValid() {
		return append([]ast.Stmt{assign(at, ident(at, l.fn.mark), l.int(at, int(at)))}, l.valueOf(st, x)...)
	}
	return l.valueOf(st, x)
}

func (l *lowerer) valueOf(st ast.Stmt, x ast.Expr) []ast.Stmt {
	if c, ok := x.(*ast.CallExpr); ok {
		if id, ok := c.Fun.(*ast.Ident); ok && id.Name == showName {
			return l.show(c.Args[0])
		}
	}
	tv := l.info.Types[x]
	if tv.IsVoid() || l.silent(x) {
		return l.stmts([]ast.Stmt{st})
	}
	return l.show(x)
}

// silent reports calls whose results nobody wants to see: fmt.Print and its
// like, and verbs that return a handle to what they have shown.
func (l *lowerer) silent(x ast.Expr) bool {
	c, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	if n, ok := types.Unalias(deref(l.typeOf(c))).(*types.Named); ok && n.Obj().Name() == "Handle" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "sapf/dsl" {
		return true
	}
	s, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := l.info.Uses[s.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "fmt" && (strings.HasPrefix(obj.Name(), "Print") || strings.HasPrefix(obj.Name(), "Fprint"))
}

// show lowers the showing of an expression, which may have several values.
func (l *lowerer) show(x ast.Expr) []ast.Stmt {
	pos := x.Pos()
	t := l.typeOf(x)
	tuple, many := t.(*types.Tuple)
	if !many {
		name := l.s.fresh("shown")
		t = types.Default(t)
		if isNil(t) {
			return []ast.Stmt{&ast.ExprStmt{X: l.runtimeCall(pos, "Show", ident(pos, "nil"))}}
		}
		spec := &ast.ValueSpec{Names: []*ast.Ident{ident(pos, name)}, Type: l.typeExprOrNil(pos, t), Values: []ast.Expr{l.expr(x)}}
		return []ast.Stmt{
			&ast.DeclStmt{Decl: &ast.GenDecl{TokPos: pos, Tok: token.VAR, Specs: []ast.Spec{spec}}},
			l.showVar(pos, name, t),
		}
	}
	def := &ast.AssignStmt{TokPos: pos, Tok: token.DEFINE, Rhs: []ast.Expr{l.expr(x)}}
	out := []ast.Stmt{def}
	for i := range tuple.Len() {
		name := l.s.fresh("shown")
		def.Lhs = append(def.Lhs, ident(pos, name))
		out = append(out, l.showVar(pos, name, tuple.At(i).Type()))
	}
	return out
}

// typeExprOrNil leaves a type out that can't be written, where the value says
// it all.
func (l *lowerer) typeExprOrNil(pos token.Pos, t types.Type) (e ast.Expr) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(refuse); !ok {
				panic(r)
			}
			e = nil
		}
	}()
	return l.typeExpr(pos, t)
}

// showVar passes a variable to the machine, with the display methods that an
// interpreted type has.
func (l *lowerer) showVar(pos token.Pos, name string, t types.Type) ast.Stmt {
	c := l.runtimeCall(pos, "Show", ident(pos, name))
	st := &ast.ExprStmt{X: c}
	if types.IsInterface(t) {
		// The dynamic type may be interpreted; inside the interpreter fmt sees
		// its methods.
		sprint := call(pos, sel(ident(pos, l.s.importName("fmt")), "Sprint"), ident(pos, name))
		c.Args = append(c.Args, l.constantString(pos, "Sprint"), l.thunk(pos, sprint))
		return st
	}
	named, ok := types.Unalias(deref(t)).(*types.Named)
	if !ok || !l.s.interpreted(named) {
		return st
	}
	set := types.NewMethodSet(types.NewPointer(named))
	for _, method := range displayMethods {
		m := set.Lookup(named.Obj().Pkg(), method)
		if m == nil {
			continue
		}
		sig := m.Type().(*types.Signature)
		if sig.Params().Len() != 0 || sig.Results().Len() != 1 {
			continue
		}
		recv := l.path(ident(pos, name), t, m.Index()[:len(m.Index())-1])
		have := t
		for _, i := range m.Index()[:len(m.Index())-1] {
			have = structOf(have).Field(i).Type()
		}
		var value ast.Expr
		if fn, owner := l.userMethod(m, have); fn != nil {
			value = call(pos, ident(pos, l.s.methodSymbol(l, pos, fn, owner)), l.adjust(recv, have, fn))
		} else {
			value = call(pos, sel(recv, method))
		}
		c.Args = append(c.Args, l.constantString(pos, method), l.thunk(pos, value))
	}
	return st
}

func (l *lowerer) constantString(pos token.Pos, s string) ast.Expr {
	return &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: `"` + s + `"`}
}

// thunk is func() any { return x }.
func (l *lowerer) thunk(pos token.Pos, x ast.Expr) ast.Expr {
	return &ast.FuncLit{
		Type: &ast.FuncType{Func: pos, Params: &ast.FieldList{}, Results: &ast.FieldList{List: []*ast.Field{{Type: l.emptyInterface(pos)}}}},
		Body: &ast.BlockStmt{Lbrace: pos, Rbrace: pos, List: []ast.Stmt{&ast.ReturnStmt{Return: pos, Results: []ast.Expr{x}}}},
	}
}

// show receives a value of the last expression: names and thunks of display
// methods follow it in pairs.
func (m *machine) show(v any, methods ...any) {
	sh := shown{value: v, methods: map[string]func() any{}}
	for i := 0; i+1 < len(methods); i += 2 {
		// They are called now: later the interpreter may be at something else.
		value := methods[i+1].(func() any)()
		sh.methods[methods[i].(string)] = func() any { return value }
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current != nil {
		m.current.shown = append(m.current.shown, sh)
	}
}

// mimeOf are the MIME types of the forms that display methods give.
var mimeOf = map[string]string{
	"HTML": "text/html", "Markdown": "text/markdown", "Latex": "text/latex",
	"SVG": "image/svg+xml", "PNG": "image/png", "JPEG": "image/jpeg",
}

// bundleOf is what is shown for the values of the last expression: one in all
// its forms, several as text.
func bundleOf(values []shown) *display.Bundle {
	if len(values) == 1 {
		b := values[0].bundle()
		return &b
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v.bundle().Data["text/plain"])
	}
	return &display.Bundle{Data: map[string]any{"text/plain": strings.Join(parts, " ")}}
}

func (sh shown) bundle() display.Bundle {
	if f := sh.methods["MimeBundle"]; f != nil {
		if b, ok := f().(display.Bundle); ok {
			return display.Render(b)
		}
	}
	b := display.Render(sh.value)
	data := map[string]any{}
	for mime, d := range b.Data {
		data[mime] = d
	}
	if isStruct(sh.value) {
		data["text/plain"] = fmt.Sprintf("%+v", sh.value)
	}
	for _, name := range []string{"GoString", "Sprint", "String", "Error"} {
		if f := sh.methods[name]; f != nil && name != "GoString" {
			data["text/plain"] = f()
		}
	}
	for name, mime := range mimeOf {
		if f := sh.methods[name]; f != nil {
			data[mime] = f()
		}
	}
	return display.Bundle{Data: data, Metadata: b.Metadata}
}

// isStruct reports whether fmt shows v better with its fields' names: a
// structure that says nothing of itself.
func isStruct(v any) bool {
	switch v.(type) {
	case nil, error, fmt.Stringer, fmt.Formatter:
		return false
	}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t.PkgPath() == ""
}
