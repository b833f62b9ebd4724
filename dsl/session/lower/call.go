package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"sapf/dsl/session/core"
	"sapf/dsl/session/facts"
	"sapf/dsl/session/universe"
)

// call lowers a call: a conversion, a builtin, a method, a function. The value
// of a call without results is nil.
func (l *lowerer) call(e *ast.CallExpr) ast.Expr {
	pos := e.Pos()
	fun := ast.Unparen(e.Fun)
	tv := l.Info.Types[e.Fun]
	switch {
	case tv.IsType():
		return l.conversion(e, tv.Type)
	case l.IsBuiltin(e.Fun):
		return l.builtin(e, facts.BuiltinName(fun))
	}
	if x := l.simple(e); x != nil {
		return l.Temp(pos, l.TypeOf(e), x)
	}
	results := l.callResults(e)
	if len(results) == 0 {
		return nil
	}
	return results[0]
}

// callResults makes a call of a function and returns the names of its results.
func (l *lowerer) callResults(e *ast.CallExpr) []ast.Expr {
	c, sig := l.calling(e)
	return l.Results(e.Pos(), c, sig.Results())
}

// calling lowers a call of a function, up to making it.
func (l *lowerer) calling(e *ast.CallExpr) (*ast.CallExpr, *types.Signature) {
	sig := l.TypeOf(e.Fun).Underlying().(*types.Signature)
	c, compiled := l.callee(e, sig)
	out := l.args(e, sig, compiled)
	c.Args = append(c.Args, out.list...)
	c.Ellipsis = out.spread
	if compiled != nil {
		if other := l.replaced(e, c, compiled); other != nil {
			return other, sig
		}
	}
	return c, sig
}

// callee lowers what is called: a call to which arguments are yet to be added.
// compiled is the compiled function or method, or nil.
func (l *lowerer) callee(e *ast.CallExpr, sig *types.Signature) (c *ast.CallExpr, compiled *types.Func) {
	pos := e.Pos()
	fun := ast.Unparen(e.Fun)
	compiled = l.CompiledCallee(fun)
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		if s, ok := l.Info.Selections[f]; ok {
			if s.Kind() != types.MethodVal {
				break
			}
			return l.methodCallee(f, s), compiled
		}
		if inst, ok := l.Info.Instances[f.Sel]; ok {
			return core.Call(pos, l.instance(pos, l.Info.Uses[f.Sel], inst)), compiled
		}
		if fn, ok := l.Info.Uses[f.Sel].(*types.Func); ok {
			return core.Call(pos, l.object(pos, fn)), compiled
		}
	case *ast.Ident:
		if inst, ok := l.Info.Instances[f]; ok {
			return core.Call(pos, l.instance(pos, l.Info.Uses[f], inst)), compiled
		}
		if fn, ok := l.Info.Uses[f].(*types.Func); ok {
			return core.Call(pos, l.object(pos, fn)), compiled
		}
	case *ast.IndexExpr, *ast.IndexListExpr:
		x := fun
		switch f := f.(type) {
		case *ast.IndexExpr:
			x = f.X
		case *ast.IndexListExpr:
			x = f.X
		}
		if id := facts.InstanceIdent(x); id != nil {
			if inst, ok := l.Info.Instances[id]; ok {
				return core.Call(pos, l.instance(pos, l.Info.Uses[id], inst)), compiled
			}
		}
	case *ast.FuncLit:
		lit, args := l.literal(f)
		if args == nil {
			return core.Call(pos, l.Temp(pos, sig, lit)), compiled
		}
		return core.Call(pos, l.Temp(pos, sig, lit)), compiled
	}
	return core.Call(pos, l.Hold(pos, l.expr(fun), l.TypeOf(fun))), compiled
}

// methodCallee is the callee of a method.
func (l *lowerer) methodCallee(e *ast.SelectorExpr, s *types.Selection) *ast.CallExpr {
	pos := e.Pos()
	method := s.Obj().(*types.Func)
	if w := l.standardStream(e.X); w != nil && streamMethods[method.Name()] {
		return core.Call(pos, core.Sel(w, method.Name()))
	}
	at := l.locate(e.X)
	way := s.Index()[:len(s.Index())-1]
	if len(way) > 0 {
		if star, ok := at.x.(*ast.StarExpr); ok {
			at.x, at.t = star.X, types.NewPointer(at.t)
		} else if !core.IsOperand(at.x) && at.addressable {
			at.x, at.t = l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, at.x)), types.NewPointer(at.t)
		}
		at = l.walk(at, way)
	}
	if fn, named := l.UserMethod(s, at.t); fn != nil {
		return core.Call(pos, core.Ident(e.Sel.Pos(), l.s.methodSymbol(l, pos, fn, named)), l.receiver(pos, at, fn))
	}
	if l.Opaque(at.t) {
		return core.Call(pos, l.Method(pos, l.Hold(pos, at.x, at.t), method))
	}
	return core.Call(pos, core.Sel(l.compiledReceiver(pos, at, method), method.Name()))
}

// compiledReceiver is what a compiled method is called on: a name, of a pointer
// if the method wants one.
func (l *lowerer) compiledReceiver(pos token.Pos, at location, method *types.Func) ast.Expr {
	if star, ok := at.x.(*ast.StarExpr); ok {
		return star.X
	}
	if at.addressable && !types.IsInterface(at.t) && !universe.IsPointerKind(at.t) && universe.IsPointer(method.Signature().Recv().Type()) {
		return l.Temp(pos, types.NewPointer(at.t), core.AddressOf(pos, at.x))
	}
	return l.TypedName(pos, at.x, at.t)
}

// arguments are the lowered arguments of a call.
type arguments struct {
	list   []ast.Expr
	spread token.Pos // valid for f(x...)
}

// args lowers arguments for the parameters of sig. compiled is the compiled
// function they go to, or nil.
func (l *lowerer) args(e *ast.CallExpr, sig *types.Signature, compiled *types.Func) arguments {
	n := sig.Params().Len()
	values, list := l.spread(e)
	var out arguments
	var rest []ast.Expr // for a variadic parameter
	var calls []pending
	for i, a := range list {
		pos := e.Pos()
		if a != nil {
			pos = a.Pos()
		}
		var to types.Type
		variadic := sig.Variadic() && i >= n-1
		if variadic {
			to = sig.Params().At(n - 1).Type()
			if s, ok := to.Underlying().(*types.Slice); ok && !e.Ellipsis.IsValid() {
				to = s.Elem()
			}
		} else {
			to = sig.Params().At(i).Type()
		}
		var x ast.Expr
		lit, isLit := a.(*ast.FuncLit)
		switch {
		case isLit && i == 1 && compiled != nil && facts.Sorters[compiled.FullName()]:
			l.SorterFacts(l.Variable(e.Args[0]), lit, func() { x = l.containerArgument(a, to, compiled) })
		case a == nil: // one of several results
			x = l.Hold(pos, l.ConvertTo(pos, values[i].x, values[i].t, to), to)
			if compiled != nil && universe.IsAny(to) && formatted[compiled.Pkg().Path()] {
				x = l.Temp(pos, core.EmptyInterfaceType, l.RuntimeCall(pos, formatter(compiled), x))
			}
		case compiled != nil && universe.IsAny(to):
			x = l.anyArgument(a, compiled)
		case variadic && e.Ellipsis.IsValid() && takesFormat(compiled):
			x = l.operandTo(a, to)
		case variadic && e.Ellipsis.IsValid():
			x = l.spreadArgument(a, to, compiled)
		default:
			x = l.containerArgument(a, to, compiled)
		}
		into := &out.list
		if variadic && !e.Ellipsis.IsValid() {
			into = &rest
		}
		if !core.IsOperand(x) && a != nil && l.CallsFunction(a) {
			calls = append(calls, pending{len(l.Block), into, len(*into), to})
		}
		*into = append(*into, x)
	}
	l.callInOrder(calls)
	if !sig.Variadic() {
		return out
	}
	if e.Ellipsis.IsValid() {
		out.spread = e.Ellipsis
		if takesFormat(compiled) {
			l.verbs(e.Pos(), &out)
		}
		return out
	}
	if takesFormat(compiled) && len(e.Args) >= n-1 {
		if tv := l.Info.Types[e.Args[n-2]]; tv.Value == nil || !plainFormat(constant.StringVal(tv.Value), len(rest)) {
			t := sig.Params().At(n - 1).Type()
			out.list = append(out.list, l.Temp(e.Pos(), t, &ast.CompositeLit{Type: l.TypeExpr(e.Pos(), t), Lbrace: e.Pos(), Elts: rest, Rbrace: e.Pos()}))
			out.spread = e.Rparen
			l.verbs(e.Pos(), &out)
			return out
		}
	}
	if compiled != nil {
		if n >= 2 && formatted[compiled.Pkg().Path()] && len(e.Args) >= n-1 {
			if tv := l.Info.Types[e.Args[n-2]]; tv.Value != nil && tv.Value.Kind() == constant.String {
				if format, changed := l.typeNames(constant.StringVal(tv.Value), rest); changed {
					out.list[n-2] = core.Quoted(e.Args[n-2].Pos(), format)
				}
			}
		}
		out.list = append(out.list, rest...)
		return out
	}
	t := sig.Params().At(n - 1).Type()
	if len(rest) == 0 {
		out.list = append(out.list, l.ZeroOf(e.Pos(), t))
	} else {
		out.list = append(out.list, l.Temp(e.Pos(), t, &ast.CompositeLit{Type: l.TypeExpr(e.Pos(), t), Lbrace: e.Pos(), Elts: rest, Rbrace: e.Pos()}))
	}
	out.spread = e.Rparen
	return out
}

// takesFormat reports the functions that print by a format.
func takesFormat(compiled *types.Func) bool {
	if compiled == nil || compiled.Pkg().Path() != "fmt" && compiled.Pkg().Path() != "log" {
		return false
	}
	sig := compiled.Signature()
	return sig.Variadic() && sig.Params().Len() >= 2 && strings.HasSuffix(compiled.Name(), "f") && !strings.HasSuffix(compiled.Name(), "canf")
}

// plainFormat reports formats that number no arguments and have a verb for each of n.
func plainFormat(format string, n int) bool {
	verbs := strings.ReplaceAll(format, "%%", "")
	return !strings.Contains(format, "[") && strings.Count(verbs, "%")+strings.Count(verbs, "*") >= n
}

// verbs has the machine look at a format that is not known yet, or not a plain one: the last two arguments are the format and the slice of the others.
func (l *lowerer) verbs(pos token.Pos, args *arguments) {
	n := len(args.list)
	text, list := types.Typ[types.String], types.NewSlice(core.EmptyInterfaceType)
	c := l.RuntimeCall(pos, "Verbs", l.Hold(pos, args.list[n-2], text), l.Hold(pos, args.list[n-1], list))
	pair := types.NewTuple(types.NewParam(pos, nil, "", text), types.NewParam(pos, nil, "", list))
	copy(args.list[n-2:], l.Results(pos, c, pair))
}

// pending is an argument with calls in it, which are made where it stands: at a
// place among the statements, of a list of arguments.
type pending struct {
	at   int
	list *[]ast.Expr
	i    int
	t    types.Type
}

// callInOrder has the calls in arguments made before what later arguments needed.
func (l *lowerer) callInOrder(calls []pending) {
	end := len(l.Block)
	for _, c := range slices.Backward(calls) {
		if c.at == end {
			continue
		}
		x := (*c.list)[c.i]
		early := l.collect(func() { (*c.list)[c.i] = l.Temp(x.Pos(), c.t, x) })
		l.Block = slices.Insert(l.Block, c.at, early...)
	}
}

// typed is an operand with its type.
type typed struct {
	x ast.Expr
	t types.Type
}

// spread lists the arguments of a call; f(g()) with a g of several results gives
// those, and a nil in the list for each.
func (l *lowerer) spread(e *ast.CallExpr) ([]typed, []ast.Expr) {
	if len(e.Args) != 1 {
		return nil, e.Args
	}
	tuple, ok := l.TypeOf(e.Args[0]).(*types.Tuple)
	if !ok {
		return nil, e.Args
	}
	var values []typed
	for i, x := range l.callResults(ast.Unparen(e.Args[0]).(*ast.CallExpr)) {
		values = append(values, typed{x, tuple.At(i).Type()})
	}
	return values, make([]ast.Expr, len(values))
}

// argument lowers an argument.
func (l *lowerer) argument(a ast.Expr, to types.Type) ast.Expr {
	if universe.PlainBasic(to) {
		if x := l.simple(a); x != nil {
			return x
		}
	}
	return l.operandTo(a, to)
}

// containerArgument lowers an argument that is a map or list of interfaces, for a
// package that looks into them.
func (l *lowerer) containerArgument(a ast.Expr, to types.Type, compiled *types.Func) ast.Expr {
	x := l.argument(a, to)
	if compiled == nil || !transparent[compiled.Pkg().Path()] {
		return x
	}
	if n, ok := universe.Named(to); ok && compiled.Pkg().Path() == "reflect" && n.Obj().Name() == "Type" && compiled.Signature().Recv() == nil {
		return l.Temp(a.Pos(), to, l.RuntimeCall(a.Pos(), "PlainType", x))
	}
	switch u := to.Underlying().(type) {
	case *types.Map:
		if universe.IsAny(u.Elem()) {
			return l.RuntimeInto(a.Pos(), to, "Plain", x)
		}
	case *types.Slice:
		if universe.IsAny(u.Elem()) {
			return l.RuntimeInto(a.Pos(), to, "Plain", x)
		}
	}
	return x
}

// spreadArgument lowers x... as an argument.
func (l *lowerer) spreadArgument(a ast.Expr, to types.Type, compiled *types.Func) ast.Expr {
	x := l.operandTo(a, to)
	if universe.IsNil(l.TypeOf(a)) {
		x = l.ZeroOf(a.Pos(), to)
	}
	if s, ok := to.Underlying().(*types.Slice); ok && compiled != nil && universe.IsAny(s.Elem()) && formatted[compiled.Pkg().Path()] {
		return l.Temp(a.Pos(), to, l.RuntimeCall(a.Pos(), formatter(compiled)+"All", x))
	}
	return x
}

// streamMethods are what the session's own streams can do as *os.File can.
var streamMethods = map[string]bool{"Write": true, "WriteString": true, "Sync": true}

// replaced swaps some compiled functions for ones that a cell needs: sleeping
// and locking that the interrupt ends, errors.As for interpreted types. It
// returns nil for all others.
func (l *lowerer) replaced(e *ast.CallExpr, c *ast.CallExpr, obj *types.Func) *ast.CallExpr {
	pos := e.Pos()
	name := obj.Pkg().Path() + "." + obj.Name()
	recv := obj.Signature().Recv()
	if recv != nil {
		n, ok := universe.NamedBehind(recv.Type())
		if !ok {
			return nil
		}
		name = obj.Pkg().Path() + "." + n.Obj().Name() + "." + obj.Name()
	}
	target := func() ast.Expr {
		return c.Fun.(*ast.SelectorExpr).X
	}
	switch name {
	case "time.Sleep":
		return l.RuntimeCall(pos, "Sleep", c.Args...)
	case "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "sync.WaitGroup.Wait":
		return l.RuntimeCall(pos, obj.Name(), target())
	case "sync.WaitGroup.Go":
		return l.RuntimeCall(pos, "GroupGo", target(), c.Args[0])
	case "flag.TextVar":
		return l.RuntimeCall(pos, "TextVar", append([]ast.Expr{core.Sel(core.Ident(pos, l.s.ImportName("flag")), "CommandLine")}, c.Args...)...)
	case "flag.FlagSet.TextVar":
		return l.RuntimeCall(pos, "TextVar", append([]ast.Expr{target()}, c.Args...)...)
	case "os.Exit":
		return l.RuntimeCall(pos, "Exit", c.Args...)
	case "runtime.Breakpoint", "runtime.SetFinalizer": // the former would end the kernel, the latter need not run
		return l.RuntimeCall(pos, "Nothing")
	case "log.Logger.Fatal", "log.Logger.Fatalf", "log.Logger.Fatalln": // a cell can't end the kernel
		c.Fun.(*ast.SelectorExpr).Sel.Name = "Panic" + strings.TrimPrefix(obj.Name(), "Fatal")
		return c
	case "errors.As":
		return l.errorsAs(e, c)
	case "reflect.Value.Type", "reflect.Value.Interface", "reflect.Value.NumMethod", "reflect.Value.Method", "reflect.Value.MethodByName":
		name := map[string]string{"Type": "ValueType", "Interface": "ValueInterface", "NumMethod": "ValueMethods", "Method": "ValueMethod", "MethodByName": "ValueMethodByName"}[obj.Name()]
		return l.RuntimeCall(pos, name, append([]ast.Expr{target()}, c.Args...)...)
	case "reflect.TypeOf":
		return l.RuntimeCall(pos, "TypeOf", c.Args...)
	case "text/template.Template.Execute":
		return l.RuntimeCall(pos, "ExecuteText", target(), c.Args[0], c.Args[1])
	case "text/template.Template.ExecuteTemplate":
		return l.RuntimeCall(pos, "ExecuteText", target(), c.Args[0], c.Args[2], c.Args[1])
	case "html/template.Template.Execute":
		return l.RuntimeCall(pos, "ExecuteHTML", target(), c.Args[0], c.Args[1])
	case "html/template.Template.ExecuteTemplate":
		return l.RuntimeCall(pos, "ExecuteHTML", target(), c.Args[0], c.Args[2], c.Args[1])
	case "encoding/json.Unmarshal":
		return l.RuntimeCall(pos, "UnmarshalJSON", c.Args...)
	case "encoding/json.Decoder.Decode":
		return l.RuntimeCall(pos, "DecodeJSON", append([]ast.Expr{target()}, c.Args...)...)
	}
	return nil
}

// errorsAs is errors.As for a target of an interpreted type, which the
// compiled one can't see: it walks the chain here.
func (l *lowerer) errorsAs(e *ast.CallExpr, c *ast.CallExpr) *ast.CallExpr {
	if len(e.Args) != 2 {
		return nil
	}
	p, ok := l.TypeOf(e.Args[1]).Underlying().(*types.Pointer)
	if !ok {
		return nil
	}
	pos := e.Pos()
	l.Know(pos, p.Elem())
	return l.RuntimeCall(pos, "ErrorAs", c.Args[0], l.TypeID(pos, p.Elem()), l.named(e.Args[1]), c.Args[1])
}

// conversion lowers T(x).
func (l *lowerer) conversion(e *ast.CallExpr, t types.Type) ast.Expr {
	pos := e.Pos()
	arg := e.Args[0]
	from := l.TypeOf(arg)
	switch {
	case types.IsInterface(t):
		return l.value(arg, t)
	case universe.IsNil(from):
		return l.ZeroOf(pos, t)
	}
	from = types.Default(from)
	tb, toBasic := t.Underlying().(*types.Basic)
	fb, fromBasic := from.Underlying().(*types.Basic)
	if toBasic && fromBasic && tb.Kind() == fb.Kind() && l.SameRep(from, t) {
		return l.Hold(pos, l.expr(arg), t)
	}
	if !toBasic && !fromBasic && l.SameRep(from, t) {
		return l.expr(arg)
	}
	x := l.TypedName(pos, l.expr(arg), from)
	if toBasic && fromBasic {
		if tb.Info()&types.IsString != 0 || tb.Info()&types.IsComplex != 0 || fb.Info()&types.IsFloat != 0 && tb.Info()&types.IsInteger != 0 {
			return l.RuntimeInto(pos, t, "Convert", x)
		}
		return l.Temp(pos, t, core.Call(pos, l.TypeExpr(pos, t), x))
	}
	if toBasic || fromBasic { // strings and slices
		return l.RuntimeInto(pos, t, "Convert", x)
	}
	if _, slice := from.Underlying().(*types.Slice); slice {
		if _, slice := t.Underlying().(*types.Slice); !slice { // to an array or a pointer to one
			return l.RuntimeInto(pos, t, "Convert", x)
		}
	}
	if _, isChan := t.Underlying().(*types.Chan); isChan {
		return l.RuntimeInto(pos, t, "Convert", x)
	}
	return l.Reshape(pos, x, from, t)
}

// builtin lowers a call of a predeclared function.
func (l *lowerer) builtin(e *ast.CallExpr, name string) ast.Expr {
	pos := e.Pos()
	e = l.apart(e)
	result := l.TypeOf(e)
	args := func(i int) types.Type { return types.Default(l.TypeOf(e.Args[i])) }
	run := func(name string, args ...ast.Expr) ast.Expr {
		l.Emit(&ast.ExprStmt{X: l.RuntimeCall(pos, name, args...)})
		return nil
	}
	switch name {
	case "min", "max":
		return l.extremum(e, name, result)
	case "clear":
		return run("Clear", l.TypedName(pos, l.operand(e.Args[0]), args(0)))
	case "print", "println":
		var list []ast.Expr
		for _, a := range l.flat(e) {
			list = append(list, l.Hold(pos, l.toPrint(pos, a), core.EmptyInterfaceType))
		}
		return run(map[string]string{"print": "Print", "println": "Println"}[name], list...)
	case "panic":
		return run("Panic", l.operandTo(e.Args[0], core.EmptyInterfaceType))
	case "recover":
		return l.recoverCall(pos)
	case "make":
		list := []ast.Expr{l.TypeExpr(pos, result)}
		for _, a := range e.Args[1:] {
			list = append(list, l.lengthOperand(a))
		}
		if len(list) > 1 && !l.Constants(e.Args[1:]) {
			if _, slice := result.Underlying().(*types.Slice); slice {
				v := l.ZeroOf(pos, result)
				run("MakeSlice", append([]ast.Expr{core.AddressOf(pos, v)}, list[1:]...)...)
				return v
			}
		}
		if c, ok := result.Underlying().(*types.Chan); ok && c.Dir() != types.SendRecv {
			both := types.NewChan(types.SendRecv, c.Elem())
			list[0] = l.TypeExpr(pos, both)
			return l.RuntimeInto(pos, result, "Convert", l.Temp(pos, both, core.Call(pos, core.Ident(pos, name), list...)))
		}
		return l.Temp(pos, result, core.Call(pos, core.Ident(pos, name), list...))
	case "new":
		if l.Info.Types[e.Args[0]].IsType() {
			return l.Temp(pos, result, core.Call(pos, core.Ident(pos, name), l.TypeExpr(pos, universe.Deref(result.Underlying()))))
		}
		elem := universe.Deref(result.Underlying())
		return l.PointerTo(pos, l.value(e.Args[0], elem), elem)
	case "append":
		return l.appendCall(e, result)
	case "delete":
		m := universe.CoreType(args(0)).(*types.Map)
		x := l.operand(e.Args[0])
		k := l.TypedName(pos, l.usedKey(e.Args[1], x, m.Key()), m.Key())
		return run("Delete", x, k)
	case "copy":
		to := l.operand(e.Args[0])
		from := l.TypedName(pos, l.operand(e.Args[1]), args(1))
		return l.Temp(pos, types.Typ[types.Int], l.RuntimeCall(pos, "Copy", to, from))
	case "len", "cap":
		x := l.TypedName(pos, l.operand(e.Args[0]), args(0))
		if p, ok := args(0).Underlying().(*types.Pointer); ok {
			_ = p
			return l.Temp(pos, types.Typ[types.Int], &ast.BasicLit{ValuePos: pos, Kind: token.INT, Value: strconv.FormatInt(universe.Deref(args(0).Underlying()).Underlying().(*types.Array).Len(), 10)})
		}
		return l.Temp(pos, types.Typ[types.Int], core.Call(pos, core.Ident(pos, name), x))
	case "close":
		l.Emit(&ast.ExprStmt{X: core.Call(pos, core.Ident(pos, name), l.operand(e.Args[0]))})
		return nil
	case "complex":
		part := types.Typ[types.Float64]
		if result.Underlying().(*types.Basic).Kind() == types.Complex64 {
			part = types.Typ[types.Float32]
		}
		f := l.flat(e)
		re, im := l.Temp(pos, part, f[0].x), l.Temp(pos, part, f[1].x)
		return l.Temp(pos, result, core.Call(pos, core.Ident(pos, name), re, im))
	case "real", "imag":
		return l.Temp(pos, result, core.Call(pos, core.Ident(pos, name), l.TypedName(pos, l.expr(e.Args[0]), args(0))))
	}
	l.Refuse(pos, "%s can't be used in a cell", name)
	return nil
}

// apart is a call of a builtin; one of f(g()) with a g of several results has
// those as its arguments.
func (l *lowerer) apart(e *ast.CallExpr) *ast.CallExpr {
	values, _ := l.spread(e)
	if values == nil {
		return e
	}
	flat := &ast.CallExpr{Fun: e.Fun, Lparen: e.Lparen, Rparen: e.Rparen}
	for _, v := range values {
		id := core.Ident(e.Pos(), "v")
		obj := types.NewVar(e.Pos(), nil, "v", v.t)
		l.Info.Uses[id] = obj
		l.Info.Types[id] = types.TypeAndValue{Type: v.t}
		l.names[obj] = v.x.(*ast.Ident).Name
		flat.Args = append(flat.Args, id)
	}
	l.Info.Types[flat] = l.Info.Types[e]
	return flat
}

// lengthOperand lowers a length for make, which may be of any integer type.
func (l *lowerer) lengthOperand(e ast.Expr) ast.Expr {
	if l.Info.Types[e].Value != nil {
		return l.Number(e.Pos(), token.INT, constant.ToInt(l.Info.Types[e].Value).ExactString())
	}
	return l.indexOperand(e)
}

// flat is the arguments of a call as operands.
func (l *lowerer) flat(e *ast.CallExpr) []typed {
	var out []typed
	for _, a := range e.Args {
		out = append(out, typed{l.operand(a), types.Default(l.TypeOf(a))})
	}
	return out
}

// toPrint is an operand as print takes it: plain.
func (l *lowerer) toPrint(pos token.Pos, v typed) ast.Expr {
	if universe.IsNil(v.t) {
		return l.ZeroOf(pos, core.EmptyInterfaceType)
	}
	if types.IsInterface(v.t) {
		return l.RuntimeCall(pos, "Face", l.Hold(pos, l.Convert(pos, v.x, v.t, core.EmptyInterfaceType), core.EmptyInterfaceType))
	}
	return l.RuntimeCall(pos, "Any", l.TypedName(pos, v.x, v.t))
}

// appendCall lowers append.
func (l *lowerer) appendCall(e *ast.CallExpr, result types.Type) ast.Expr {
	pos := e.Pos()
	s := l.operandTo(e.Args[0], result)
	if universe.IsNil(l.TypeOf(e.Args[0])) {
		s = l.ZeroOf(pos, result)
	}
	if e.Ellipsis.IsValid() {
		if universe.IsNil(l.TypeOf(e.Args[1])) {
			return s
		}
		x := l.TypedName(pos, l.operand(e.Args[1]), types.Default(l.TypeOf(e.Args[1])))
		if universe.IsString(l.TypeOf(e.Args[1])) {
			x = l.Temp(pos, types.NewSlice(types.Typ[types.Byte]), l.RuntimeInto(pos, types.NewSlice(types.Typ[types.Byte]), "Convert", x))
		}
		return l.Temp(pos, result, &ast.CallExpr{Fun: core.Ident(pos, "append"), Lparen: pos, Args: []ast.Expr{s, x}, Ellipsis: pos, Rparen: pos})
	}
	elem := result.Underlying().(*types.Slice).Elem()
	var list []typed
	for _, a := range e.Args[1:] {
		list = append(list, typed{l.operandTo(a, elem), elem})
	}
	return l.appended(pos, result, s, list)
}

// appended appends operands.
func (l *lowerer) appended(pos token.Pos, t types.Type, s ast.Expr, list []typed) ast.Expr {
	elem := t.Underlying().(*types.Slice).Elem()
	if len(list) == 0 {
		return s
	}
	if len(list) == 1 && universe.PlainBasic(elem) {
		return l.Temp(pos, t, core.Call(pos, core.Ident(pos, "append"), s, list[0].x))
	}
	lit := &ast.CompositeLit{Type: &ast.ArrayType{Lbrack: pos, Elt: l.TypeExpr(pos, elem)}, Lbrace: pos, Rbrace: pos}
	for _, v := range list {
		lit.Elts = append(lit.Elts, l.Hold(pos, l.ConvertTo(pos, v.x, v.t, elem), elem))
	}
	x := l.Temp(pos, types.NewSlice(elem), lit)
	return l.Temp(pos, t, &ast.CallExpr{Fun: core.Ident(pos, "append"), Lparen: pos, Args: []ast.Expr{s, x}, Ellipsis: pos, Rparen: pos})
}

// extremum lowers min and max to the compiled ones of the basic type.
func (l *lowerer) extremum(e *ast.CallExpr, name string, t types.Type) ast.Expr {
	pos := e.Pos()
	basic := types.Default(t).Underlying().(*types.Basic)
	out := l.RuntimeCall(pos, map[string]string{"min": "Min", "max": "Max"}[name]+"_"+types.Typ[basic.Kind()].Name())
	for _, v := range l.flat(e) {
		x := v.x
		if !l.SameRep(v.t, basic) {
			x = core.Call(pos, core.Ident(pos, basic.Name()), l.TypedName(pos, x, v.t))
		}
		out.Args = append(out.Args, l.Temp(pos, basic, x))
	}
	if x := l.Temp(pos, basic, out); l.SameRep(basic, t) {
		return x
	} else {
		return l.Temp(pos, t, core.Call(pos, l.TypeExpr(pos, t), x))
	}
}
