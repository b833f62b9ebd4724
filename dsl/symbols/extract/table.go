// Package extract makes the tables by which cells reach compiled packages, in
// the form of yaegi's extract, and the documentation that Shift-Tab shows.
//
// It differs from `yaegi extract` in that it goes by types that the compiler has
// exported instead of by sources, writes no build tags (the module's Go version
// is the one that counts), and notes types that are met but not exported.
package extract

import (
	"fmt"
	"go/constant"
	"go/format"
	"go/types"
	"path"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table is what cells can name of a package.
type Table struct {
	pkg     *types.Package
	values  map[string]string // name: expression
	types   []string
	wraps   []string          // wrapper types, as source
	wrapped []string          // names of interfaces with a wrapper
	hidden  map[string]string // name of a type that is not exported, but met: expression
	imports map[string]string
}

// Of collects the exported symbols of a package, but for those to skip.
func Of(p *types.Package, skip func(string) bool) *Table {
	t := &Table{pkg: p, values: map[string]string{}, imports: map[string]string{}, hidden: map[string]string{}}
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() || skip != nil && skip(name) {
			continue
		}
		qualified := t.qualify(p) + "." + name
		switch o := o.(type) {
		case *types.Const:
			t.values[name] = "reflect.ValueOf(" + t.constant(qualified, o) + ")"
		case *types.Func:
			if o.Signature().TypeParams().Len() == 0 {
				t.values[name] = "reflect.ValueOf(" + qualified + ")"
				t.meet(o.Signature(), "reflect.TypeOf("+qualified+")")
			}
		case *types.Var:
			t.values[name] = "reflect.ValueOf(&" + qualified + ").Elem()"
			t.meetOne(o.Type(), "reflect.TypeOf(&"+qualified+").Elem()")
		case *types.TypeName:
			if generic(o.Type()) {
				continue
			}
			u, isInterface := o.Type().Underlying().(*types.Interface)
			if isInterface && !u.IsMethodSet() {
				continue
			}
			t.types = append(t.types, name)
			if isInterface {
				t.wrap(name, u)
			} else {
				t.meetMembers(o.Type(), qualified)
			}
		}
	}
	return t
}

// meet notes the types that a function returns and its package does not export:
// a cell can't name them, but its variables can have them. They are found by
// reflection.
func (t *Table) meet(sig *types.Signature, function string) {
	for i := range sig.Results().Len() {
		t.meetOne(sig.Results().At(i).Type(), fmt.Sprintf("%s.Out(%d)", function, i))
	}
}

// meetOne notes a type, or what it points to, if it is not exported.
func (t *Table) meetOne(met types.Type, expr string) {
	pointer, isPointer := met.(*types.Pointer)
	if isPointer {
		met = pointer.Elem()
	} else {
		expr = "reflect.PointerTo(" + expr + ")"
	}
	n, ok := types.Unalias(met).(*types.Named)
	if !ok || n.Obj().Pkg() != t.pkg || n.Obj().Exported() || n.TypeArgs().Len() > 0 || t.hidden[n.Obj().Name()] != "" {
		return
	}
	t.hidden[n.Obj().Name()] = "reflect.Zero(" + expr + ")"
}

// meetMembers notes the types of an exported type's fields and results.
func (t *Table) meetMembers(of types.Type, qualified string) {
	if st, ok := of.Underlying().(*types.Struct); ok {
		for i := range st.NumFields() {
			if f := st.Field(i); f.Exported() {
				t.meetOne(f.Type(), fmt.Sprintf("reflect.TypeFor[%s]().Field(%d).Type", qualified, i))
			}
		}
	}
	methods := types.NewMethodSet(types.NewPointer(of))
	for i := range methods.Len() {
		if m := methods.At(i).Obj().(*types.Func); m.Exported() {
			t.meet(m.Signature(), fmt.Sprintf("reflect.TypeOf((*%s).%s)", qualified, m.Name()))
		}
	}
}

func generic(t types.Type) bool {
	switch t := t.(type) {
	case *types.Named:
		return t.TypeParams().Len() > 0
	case *types.Alias:
		return t.TypeParams().Len() > 0
	}
	return false
}

// qualify is the name by which generated code calls a package: unlike any
// other's, whatever the package's own.
func (t *Table) qualify(p *types.Package) string {
	if name, ok := t.imports[p.Path()]; ok {
		return name
	}
	name := Identifier(p.Path())
	if name == "reflect" {
		name = "reflect_"
	}
	t.imports[p.Path()] = name
	return name
}

// Identifier is an import path as a name: letters, digits and underscores.
func Identifier(path string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, path)
}

// constant is an untyped constant as a go/constant value, so that it keeps its
// precision, or a typed one as itself.
func (t *Table) constant(qualified string, c *types.Const) string {
	b, ok := c.Type().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped == 0 {
		return qualified
	}
	switch c.Val().Kind() {
	case constant.Bool:
		return fmt.Sprintf("constant.MakeBool(bool(%s))", qualified)
	case constant.String:
		return fmt.Sprintf("constant.MakeString(string(%s))", qualified)
	case constant.Int:
		return fmt.Sprintf("constant.MakeFromLiteral(%q, token.INT, 0)", c.Val().ExactString())
	case constant.Float:
		f := constant.ToFloat(c.Val())
		text := f.ExactString()
		if num, den, isRatio := strings.Cut(text, "/"); isRatio {
			return fmt.Sprintf("constant.BinaryOp(constant.MakeFromLiteral(%q, token.INT, 0), token.QUO, constant.MakeFromLiteral(%q, token.INT, 0))", num, den)
		}
		return fmt.Sprintf("constant.MakeFromLiteral(%q, token.FLOAT, 0)", text)
	}
	return qualified
}

// wrap adds the type by which an interpreted value implements an interface.
func (t *Table) wrap(name string, u *types.Interface) {
	for i := range u.NumMethods() {
		if !u.Method(i).Exported() {
			return // nothing from outside can implement it
		}
		if unspeakable(u.Method(i).Type()) {
			return // nor name what it takes
		}
	}
	typ := "_" + t.qualify(t.pkg) + "_" + name
	var b strings.Builder
	fmt.Fprintf(&b, "// %s is how an interpreted value is a %s.%s.\ntype %s struct {\n\tIValue any\n", typ, t.pkg.Name(), name, typ)
	for i := range u.NumMethods() {
		m := u.Method(i)
		params, _, results := t.signature(m.Signature())
		fmt.Fprintf(&b, "\tW%s func(%s)%s\n", m.Name(), params, results)
	}
	b.WriteString("}\n\n")
	for i := range u.NumMethods() {
		m := u.Method(i)
		params, args, results := t.signature(m.Signature())
		fmt.Fprintf(&b, "func (w %s) %s(%s)%s {\n", typ, m.Name(), params, results)
		if m.Name() == "String" && m.Signature().Params().Len() == 0 {
			b.WriteString("\tif w.WString == nil {\n\t\treturn \"\"\n\t}\n")
		}
		ret := ""
		if m.Signature().Results().Len() > 0 {
			ret = "return "
		}
		fmt.Fprintf(&b, "\t%sw.W%s(%s)\n}\n\n", ret, m.Name(), args)
	}
	t.wraps = append(t.wraps, b.String())
	t.wrapped = append(t.wrapped, name)
}

// unspeakable tells whether a type is made of some that other packages can't
// name: those of internal packages, and those that are not exported.
func unspeakable(t types.Type) bool {
	found := false
	var visit func(types.Type)
	visit = func(t types.Type) {
		named := func(o *types.TypeName, args *types.TypeList) {
			if o.Pkg() != nil && (!o.Exported() || strings.Contains("/"+o.Pkg().Path()+"/", "/internal/")) {
				found = true
			}
			for i := range args.Len() {
				visit(args.At(i))
			}
		}
		switch t := t.(type) {
		case *types.Named:
			named(t.Obj(), t.TypeArgs())
		case *types.Alias:
			named(t.Obj(), t.TypeArgs())
		case *types.Pointer:
			visit(t.Elem())
		case *types.Slice:
			visit(t.Elem())
		case *types.Array:
			visit(t.Elem())
		case *types.Chan:
			visit(t.Elem())
		case *types.Map:
			visit(t.Key())
			visit(t.Elem())
		case *types.Tuple:
			for i := range t.Len() {
				visit(t.At(i).Type())
			}
		case *types.Signature:
			visit(t.Params())
			visit(t.Results())
		case *types.Struct:
			for i := range t.NumFields() {
				found = found || !t.Field(i).Exported()
				visit(t.Field(i).Type())
			}
		case *types.Interface:
			for i := range t.NumMethods() {
				found = found || !t.Method(i).Exported()
				visit(t.Method(i).Type())
			}
		}
	}
	visit(t)
	return found
}

func (t *Table) signature(sig *types.Signature) (params, args, results string) {
	var ps, as, rs []string
	for i := range sig.Params().Len() {
		name := "a" + strconv.Itoa(i)
		typ := types.TypeString(sig.Params().At(i).Type(), t.qualify)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			typ = "..." + strings.TrimPrefix(typ, "[]")
			as = append(as, name+"...")
		} else {
			as = append(as, name)
		}
		ps = append(ps, name+" "+typ)
	}
	for i := range sig.Results().Len() {
		rs = append(rs, types.TypeString(sig.Results().At(i).Type(), t.qualify))
	}
	if len(rs) > 0 {
		results = " (" + strings.Join(rs, ", ") + ")"
	}
	return strings.Join(ps, ", "), strings.Join(as, ", "), results
}

// entries are the lines of the table.
func (t *Table) entries() string {
	var b strings.Builder
	for _, name := range sorted(t.values) {
		fmt.Fprintf(&b, "\t\t%q: %s,\n", name, t.values[name])
	}
	for _, name := range t.types {
		fmt.Fprintf(&b, "\t\t%q: reflect.ValueOf((*%s.%s)(nil)),\n", name, t.qualify(t.pkg), name)
	}
	for _, name := range t.wrapped {
		fmt.Fprintf(&b, "\t\t%q: reflect.ValueOf((*_%s_%s)(nil)),\n", "_"+name, t.qualify(t.pkg), name)
	}
	for _, name := range sorted(t.hidden) {
		fmt.Fprintf(&b, "\t\t%q: %s,\n", name, t.hidden[name])
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Empty tells whether there is nothing in the table.
func (t *Table) Empty() bool { return t.entries() == "" }

const header = "// Code generated by dsl/symbols/generate. DO NOT EDIT.\n\npackage symbols\n\n"

// Source is a file of package symbols that enters the tables into its Symbols.
func Source(tables ...*Table) ([]byte, error) {
	imports := map[string]string{}
	var body, wraps strings.Builder
	body.WriteString("func init() {\n")
	for _, t := range tables {
		fmt.Fprintf(&body, "\tSymbols[%q] = map[string]reflect.Value{\n%s\t}\n", t.pkg.Path()+"/"+t.pkg.Name(), t.entries())
		for _, w := range t.wraps {
			wraps.WriteString(w)
		}
		for at, name := range t.imports {
			imports[at] = name
		}
	}
	body.WriteString("}\n\n")
	return source(imports, body.String()+wraps.String())
}

// source puts a file together.
func source(imports map[string]string, body string) ([]byte, error) {
	var b strings.Builder
	b.WriteString(header + "import (\n")
	for _, std := range []string{"go/constant", "go/token", "reflect"} {
		if strings.Contains(body, path.Base(std)+".") {
			fmt.Fprintf(&b, "\t%q\n", std)
		}
	}
	for _, at := range sorted(imports) {
		if strings.Contains(body, imports[at]+".") {
			fmt.Fprintf(&b, "\t%s %q\n", imports[at], at)
		}
	}
	b.WriteString(")\n\n" + body)
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("a table is no Go: %w\n%s", err, b.String())
	}
	return text, nil
}
