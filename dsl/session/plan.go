package session

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"
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

// asDeclaration is a statement that declares variables as a file would have
// it, or nil.
func asDeclaration(st ast.Stmt) *ast.GenDecl {
	switch st := st.(type) {
	case *ast.DeclStmt:
		if d := st.Decl.(*ast.GenDecl); d.Tok == token.VAR {
			return d
		}
	case *ast.AssignStmt:
		if st.Tok != token.DEFINE {
			return nil
		}
		spec := &ast.ValueSpec{Values: st.Rhs}
		for _, l := range st.Lhs {
			id, ok := l.(*ast.Ident)
			if !ok {
				return nil
			}
			spec.Names = append(spec.Names, id)
		}
		return &ast.GenDecl{TokPos: st.Pos(), Tok: token.VAR, Specs: []ast.Spec{spec}}
	}
	return nil
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

// group is a run of statements with the declarations that go before it.
type group struct {
	decls []hoist
	stmts []ast.Stmt
	last  bool
}

// hoist is a declaration, and the statement it is where it declares variables.
type hoist struct {
	ast.Decl
	stmt ast.Stmt
}

// schedule hoists declarations: each goes to the start of the cell, or right
// behind the last statement that declares a variable it mentions.
func (s *Session) schedule(p *parsed, sc scope) []group {
	var stmts []ast.Stmt
	type pending struct {
		decl   ast.Decl
		before int // statements that stand before it in the text
		at     int // statements that have to run before it
		names  map[string]bool
		stmt   ast.Stmt
	}
	var decls []*pending
	for _, part := range p.parts {
		if part.decl != nil {
			decls = append(decls, &pending{decl: part.decl, before: len(stmts)})
		} else {
			stmts = append(stmts, part.stmt)
		}
	}
	declaredBy := map[string][]int{}
	for i, st := range stmts {
		for _, id := range definedNames(st) {
			declaredBy[id.Name] = append(declaredBy[id.Name], i)
		}
	}
	for _, d := range decls {
		d.names = mentions(d.decl)
		for name := range d.names {
			for _, i := range declaredBy[name] {
				// A variable there is already will do for what comes before the
				// statement that declares it again.
				if i < d.before && (sc[name] == nil || !usedBy(stmts[:i+1], d.decl)) || sc[name] == nil && d.at == 0 {
					d.at = max(d.at, i+1)
				}
			}
		}
	}
	// A variable that needs what needs it is checked like a declaration: the
	// names of a type's values, say, that its String method looks up.
	var extra []*pending
	for _, i := range cyclic(stmts, sc, declaredBy, func(yield func(ast.Decl, map[string]bool) bool) {
		for _, d := range decls {
			if !yield(d.decl, d.names) {
				return
			}
		}
	}) {
		v := &pending{decl: asDeclaration(stmts[i]), stmt: stmts[i], names: mentions(stmts[i])}
		for name := range v.names {
			for _, j := range declaredBy[name] {
				if j < i {
					v.at = max(v.at, j+1)
				}
			}
		}
		for _, d := range decls {
			if d.at == i+1 {
				d.at = v.at
			}
		}
		extra = append(extra, v)
	}
	decls = append(decls, extra...)
	// What mentions a later declaration is itself later; a type and its methods
	// stay together.
	owner := map[string]*pending{}
	for _, d := range decls {
		for _, name := range declares(d.decl) {
			owner[name] = d
		}
	}
	for changed := true; changed; {
		changed = false
		for _, d := range decls {
			for name := range d.names {
				if o := owner[name]; o != nil && o.at > d.at {
					d.at, changed = o.at, true
				}
			}
			if fn, ok := d.decl.(*ast.FuncDecl); ok && fn.Recv != nil {
				if o := owner[receiverBase(fn)]; o != nil && o.at < d.at {
					o.at, changed = d.at, true
				}
			}
		}
	}
	sort.SliceStable(decls, func(i, j int) bool { return decls[i].at < decls[j].at })
	var out []group
	start := 0
	for len(decls) > 0 || start < len(stmts) || len(out) == 0 {
		var g group
		for len(decls) > 0 && decls[0].at <= start {
			g.decls = append(g.decls, hoist{decls[0].decl, decls[0].stmt})
			decls = decls[1:]
		}
		end := len(stmts)
		if len(decls) > 0 {
			end = decls[0].at
		}
		g.stmts = stmts[start:end]
		start = end
		out = append(out, g)
	}
	out[len(out)-1].last = true
	return out
}

// cyclic finds the statements that declare variables which a declaration
// mentions that they mention, directly or through other declarations.
func cyclic(stmts []ast.Stmt, sc scope, declaredBy map[string][]int, decls func(func(ast.Decl, map[string]bool) bool)) []int {
	// reach is all that a name leads to by way of declarations.
	direct := map[string]map[string]bool{}
	for d, names := range decls {
		own := declares(d)
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
			own = []string{receiverBase(fn)}
		}
		for _, name := range own {
			if direct[name] == nil {
				direct[name] = map[string]bool{}
			}
			for n := range names {
				direct[name][n] = true
			}
		}
	}
	reaches := func(from map[string]bool, to string) bool {
		seen := map[string]bool{}
		var visit func(map[string]bool) bool
		visit = func(names map[string]bool) bool {
			for n := range names {
				if seen[n] || direct[n] == nil {
					continue
				}
				seen[n] = true
				if direct[n][to] || visit(direct[n]) {
					return true
				}
			}
			return false
		}
		return visit(from)
	}
	var out []int
	for i, st := range stmts {
		if asDeclaration(st) == nil {
			continue
		}
		for _, id := range definedNames(st) {
			_, define := st.(*ast.AssignStmt)
			if define && sc[id.Name] != nil {
				continue // the declarations mean the one there is
			}
			if len(declaredBy[id.Name]) == 1 && reaches(mentions(st), id.Name) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// usedBy reports whether statements mention what d declares.
func usedBy(stmts []ast.Stmt, d ast.Decl) bool {
	for _, st := range stmts {
		names := mentions(st)
		for _, name := range declares(d) {
			if names[name] {
				return true
			}
		}
	}
	return false
}

// receiverBase is the name of the type that a method belongs to.
func receiverBase(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// splitAtRedefinitions cuts statements where one redeclares only variables
// that an earlier one of them has declared: a notebook allows that, as it does
// between cells.
func splitAtRedefinitions(stmts []ast.Stmt, hoisted map[ast.Stmt]*types.Info) [][]ast.Stmt {
	var out [][]ast.Stmt
	seen := map[string]bool{}
	start := 0
	for i, st := range stmts {
		if hoisted[st] != nil { // stands alone
			if start < i {
				out = append(out, stmts[start:i])
			}
			out = append(out, stmts[i:i+1])
			start, seen = i+1, map[string]bool{}
			continue
		}
		names := definedNames(st)
		fresh, old := false, false
		for _, id := range names {
			if seen[id.Name] {
				old = true
			} else {
				fresh = true
			}
		}
		if _, isVar := st.(*ast.DeclStmt); old && (!fresh || isVar) {
			out = append(out, stmts[start:i])
			start, seen = i, map[string]bool{}
		}
		for _, id := range names {
			seen[id.Name] = true
		}
	}
	if start < len(stmts) {
		out = append(out, stmts[start:])
	}
	return out
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

// unit is a declaration to be checked, the user's or one that has to follow
// a change of what it mentions.
type unit struct {
	node ast.Decl
	old  *decl         // nil for the user's
	flat *ast.FuncDecl // a method of a type that stays as it is
	recv *types.TypeName
}

func (u *unit) checkedAs() ast.Decl {
	if u.flat != nil {
		return u.flat
	}
	return u.node
}

func (u *unit) method() string {
	if fn, ok := u.node.(*ast.FuncDecl); ok && fn.Recv != nil {
		return receiverBase(fn) + "." + fn.Name.Name
	}
	return ""
}

// planDecls checks declarations together with all that mention, directly or
// not, what they replace or what is gone. Those of the latter that no longer
// check keep what they were, and a note says so.
func (s *Session) planDecls(pl *plan, src *source, hoists []hoist, gone map[types.Object]bool) *CellError {
	var nodes []ast.Decl
	stmts := map[ast.Decl]ast.Stmt{}
	for _, h := range hoists {
		nodes = append(nodes, h.Decl)
		stmts[h.Decl] = h.stmt
	}
	pull := map[string]bool{}   // types to be declared anew
	dropped := map[*decl]bool{} // dependents that no longer check
	for {
		units := s.gather(pl, nodes, gone, pull, dropped)
		decls := make([]ast.Decl, len(units))
		for i, u := range units {
			decls[i] = u.checkedAs()
		}
		if len(decls) == 0 {
			return nil
		}
		info, pkg, errs := s.typecheck(decls, pl.scope)
		errs = withoutUnusedLabels(errs)
		again := false
		for _, e := range errs {
			u := unitAt(units, e.Pos)
			if u == nil || u.old == nil {
				return s.typeError(src, e)
			}
			if !dropped[u.old] {
				dropped[u.old], again = true, true
				pl.notes = append(pl.notes, fmt.Sprintf("note: %s (%s) keeps what it was: %s", describe(u), u.old.src.name, e.Msg))
			}
		}
		if again {
			continue
		}
		if name := s.changedMethod(units, info); name != "" && !pull[name] {
			pull[name] = true
			continue
		}
		s.enter(pl, src, units, info, pkg)
		for _, u := range units {
			if st := stmts[u.node]; st != nil {
				pl.hoisted[st] = info
				s.enterVars(pl, []ast.Stmt{st}, info)
			}
		}
		return nil
	}
}

func withoutUnusedLabels(errs []types.Error) []types.Error {
	var out []types.Error
	for _, e := range errs {
		if e.Soft && strings.HasPrefix(e.Msg, "label ") {
			continue
		}
		out = append(out, e)
	}
	return out
}

func describe(u *unit) string {
	if m := u.method(); m != "" {
		return "method " + m
	}
	return strings.Join(declares(u.node), ", ")
}

func unitAt(units []*unit, pos token.Pos) *unit {
	for _, u := range units {
		if u.node.Pos() <= pos && pos <= u.node.End() {
			return u
		}
	}
	return nil
}

// gather collects the units to check: the user's, and what follows from them.
func (s *Session) gather(pl *plan, nodes []ast.Decl, gone map[types.Object]bool, pull map[string]bool, dropped map[*decl]bool) []*unit {
	var units []*unit
	declared := map[string]bool{} // names, and "T.M" for methods
	lost := map[types.Object]bool{}
	for obj := range gone {
		lost[obj] = true
	}
	add := func(u *unit) {
		units = append(units, u)
		if m := u.method(); m != "" {
			declared[m] = true
			return
		}
		for _, name := range declares(u.node) {
			declared[name] = true
			if old := pl.scope[name]; s.isUsers(old) {
				lost[old] = true
			}
		}
	}
	for _, n := range nodes {
		if !s.unchangedType(pl, n, nodes) || pull[declares(n)[0]] {
			add(&unit{node: n})
		}
	}
	for name := range pull {
		if d := s.declOf(pl, pl.scope[name]); d != nil && !declared[name] {
			add(&unit{node: d.node, old: d})
		}
	}
	for changed := true; changed; {
		changed = false
		for _, d := range s.current(pl) {
			u := &unit{node: d.node, old: d, recv: d.recv}
			if dropped[d] || u.method() != "" && declared[u.method()] || u.method() == "" && declared[declares(d.node)[0]] {
				continue
			}
			follows := d.recv != nil && declared[d.recv.Name()]
			for _, obj := range d.names {
				follows = follows || lost[obj]
			}
			if follows {
				add(u)
				changed = true
			}
		}
	}
	for _, u := range units {
		fn, ok := u.node.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || declared[receiverBase(fn)] {
			continue
		}
		t, ok := pl.scope[receiverBase(fn)].(*types.TypeName)
		if u.old != nil {
			t, ok = u.old.recv, true
		}
		if !ok || s.declOf(pl, t) == nil {
			continue // the checker says what is wrong
		}
		if s.declOf(pl, t).generic() {
			pull[t.Name()] = true
			return s.gather(pl, nodes, gone, pull, dropped)
		}
		u.flat, u.recv = flatten(fn), t
	}
	return units
}

// unchangedType reports whether n declares a type just as it is declared
// already: running a cell again must not make a new type of it.
func (s *Session) unchangedType(pl *plan, n ast.Decl, nodes []ast.Decl) bool {
	gen, ok := n.(*ast.GenDecl)
	if !ok || gen.Tok != token.TYPE {
		return false
	}
	spec := gen.Specs[0].(*ast.TypeSpec)
	t, ok := pl.scope[spec.Name.Name].(*types.TypeName)
	d := s.declOf(pl, t)
	if !ok || d == nil {
		return false
	}
	oldSpec := d.node.(*ast.GenDecl).Specs[0].(*ast.TypeSpec)
	if spec.Assign.IsValid() || spec.TypeParams != nil || nodeText(spec.Type) != nodeText(oldSpec.Type) || oldSpec.TypeParams != nil || oldSpec.Assign.IsValid() {
		return false
	}
	for name, obj := range d.names {
		if !sameObject(pl.scope[name], obj) && obj != t {
			return false
		}
		for _, other := range nodes {
			if other == n {
				continue
			}
			for _, declares := range declares(other) {
				if declares == name && !s.unchangedType(pl, other, nil) {
					return false
				}
			}
		}
	}
	return true
}

// flatten is a method as a function that takes its receiver first.
func flatten(fn *ast.FuncDecl) *ast.FuncDecl {
	ft := *fn.Type
	list := append(append([]*ast.Field(nil), fn.Recv.List...), fn.Type.Params.List...)
	for i, f := range list {
		if len(f.Names) == 0 {
			list[i] = &ast.Field{Names: []*ast.Ident{ident(f.Pos(), "_")}, Type: f.Type}
		}
	}
	ft.Params = &ast.FieldList{Opening: fn.Type.Params.Opening, List: list, Closing: fn.Type.Params.Closing}
	return &ast.FuncDecl{Name: ident(fn.Name.Pos(), "_"), Type: &ft, Body: fn.Body}
}

// declOf is the declaration that obj has, with the plan's changes.
func (s *Session) declOf(pl *plan, obj types.Object) *decl {
	for i := len(pl.decls) - 1; i >= 0; i-- {
		if pl.decls[i].obj == obj {
			return pl.decls[i]
		}
	}
	if d := s.decls[obj]; d != nil && d.pkg == "main" {
		return d
	}
	return nil
}

// current lists the declarations that cells can name now, oldest first.
func (s *Session) current(pl *plan) []*decl {
	var out []*decl
	seen := map[types.Object]bool{}
	all := append(append([]*decl(nil), s.order...), pl.decls...)
	for i := len(all) - 1; i >= 0; i-- {
		d := all[i]
		if seen[d.obj] {
			continue
		}
		seen[d.obj] = true
		named := d.obj
		if d.recv != nil {
			named = d.recv
		}
		if pl.scope[named.Name()] == named {
			out = append(out, d)
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// changedMethod names the type of a method that is redefined with another
// signature: then the type has to be a new one.
func (s *Session) changedMethod(units []*unit, info *types.Info) string {
	for _, u := range units {
		if u.flat == nil {
			continue
		}
		fn := u.node.(*ast.FuncDecl)
		if old := methodOf(u.recv, fn.Name.Name); old != nil && !types.Identical(old.Signature(), methodSignature(u, info)) {
			return u.recv.Name()
		}
		if st, ok := u.recv.Type().Underlying().(*types.Struct); ok && fieldType(st, fn.Name.Name) != types.Typ[types.Invalid] {
			return u.recv.Name() // the checker says what is wrong
		}
	}
	return ""
}

func methodOf(t *types.TypeName, name string) *types.Func {
	named := t.Type().(*types.Named)
	for i := range named.NumMethods() {
		if m := named.Method(i); m.Name() == name {
			return m
		}
	}
	return nil
}

// methodSignature is the signature of a method that was checked flat.
func methodSignature(u *unit, info *types.Info) *types.Signature {
	flat := info.Defs[u.flat.Name].(*types.Func).Signature()
	var params []*types.Var
	for i := 1; i < flat.Params().Len(); i++ {
		params = append(params, flat.Params().At(i))
	}
	recv := flat.Params().At(0)
	recv = types.NewParam(recv.Pos(), recv.Pkg(), recv.Name(), recv.Type())
	return types.NewSignatureType(recv, nil, nil, types.NewTuple(params...), flat.Results(), flat.Variadic())
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
