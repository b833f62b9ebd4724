// Command generate writes the symbol tables of the packages that cells can
// import, in the form of yaegi's extract, and the documentation that Shift-Tab
// shows. Run it with go generate in dsl/symbols.
//
// It differs from `yaegi extract` in that it reads export data instead of
// sources, takes all packages at once, writes no build tags (the module's Go
// version is the one that counts), and adds to the standard library of yaegi
// what has come since.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/doc"
	"go/format"
	"go/printer"
	"go/token"
	"go/types"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/traefik/yaegi/stdlib"
	"golang.org/x/tools/go/packages"
)

// ours are the packages that get a table of their own.
var ours = []string{
	"sapf/dsl",
	"sapf/dsl/display",
	"sapf/models",
	"sapf/models/data",
	"sapf/models/engine",
	"sapf/models/format",
	"sapf/models/format/onnx",
	"sapf/models/format/pytorch",
	"sapf/models/graph",
	"sapf/models/train",
	"sapf/models/zoo",
	"sapf/sapf",
	"sapf/sapf/attack",
	"sapf/sapf/baseline",
	"sapf/sapf/figure",
	"sapf/sapf/lpbox",
	"sapf/sapf/metric",
	"sapf/sapf/study",
	"sapf/sapf/sweep",
	"github.com/sbinet/npyio",
	"gonum.org/v1/gonum/dsp/fourier",
	"gonum.org/v1/gonum/floats",
	"gonum.org/v1/gonum/interp",
	"gonum.org/v1/gonum/mat",
	"gonum.org/v1/gonum/optimize",
	"gonum.org/v1/gonum/stat",
	"gonum.org/v1/gonum/stat/distuv",
	"gonum.org/v1/plot",
	"gonum.org/v1/plot/font",
	"gonum.org/v1/plot/palette",
	"gonum.org/v1/plot/palette/moreland",
	"gonum.org/v1/plot/plotter",
	"gonum.org/v1/plot/plotutil",
	"gonum.org/v1/plot/text",
	"gonum.org/v1/plot/vg",
	"gonum.org/v1/plot/vg/draw",
	"gonum.org/v1/plot/vg/vgimg",
	"gonum.org/v1/plot/vg/vgsvg",
	"gorgonia.org/gorgonia",
	"gorgonia.org/tensor",
	"os/exec", // yaegi leaves it out
}

// documented are the packages of the standard library whose documentation is
// kept: those that notebooks use.
var documented = []string{
	"bufio", "bytes", "cmp", "context", "encoding/binary", "encoding/csv", "encoding/hex", "encoding/json", "errors",
	"fmt", "hash/crc32", "image", "image/color", "image/draw", "image/gif", "image/jpeg", "image/png", "io", "iter",
	"log", "maps", "math", "math/big", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "os", "path",
	"path/filepath", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "sync/atomic",
	"text/tabwriter", "text/template", "time", "unicode", "unicode/utf8",
}

// system are packages whose exports differ between systems.
var system = map[string]bool{"log/syslog": true, "syscall": true, "unsafe": true}

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	var std []string
	for key := range stdlib.Symbols {
		if dir := filepath.Dir(key); dir != "." && !strings.Contains(dir, ".") && !system[dir] {
			std = append(std, dir)
		}
	}
	sort.Strings(std)
	patterns := append(append(append([]string(nil), ours...), std...), documented...)
	conf := &packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile}
	list, err := packages.Load(conf, patterns...)
	if err != nil {
		log.Fatal(err)
	}
	byPath := map[string]*packages.Package{}
	for _, p := range list {
		for _, e := range p.Errors {
			log.Fatalf("%s: %v", p.PkgPath, e)
		}
		byPath[p.PkgPath] = p
	}
	for _, path := range ours {
		write(fileName(path), table(byPath[path].Types, nil))
	}
	for _, path := range ours {
		docs(byPath[path])
	}
	for _, path := range documented {
		docs(byPath[path])
	}
	writeAdditions(std, byPath)
	writeDocs()
}

// fileName is the file that holds a package's table.
func fileName(path string) string {
	return "table_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(path) + ".go"
}

// symbols is what a table says of a package.
type symbols struct {
	pkg     *types.Package
	values  map[string]string // name: expression
	types   []string
	wraps   []string          // wrapper types, as source
	wrapped []string          // names of interfaces with a wrapper
	hidden  map[string]string // name of a type that is not exported, but met: expression
	imports map[string]string
}

// table collects the exported symbols of a package, but for those to skip.
func table(p *types.Package, skip func(string) bool) *symbols {
	t := &symbols{pkg: p, values: map[string]string{}, imports: map[string]string{}, hidden: map[string]string{}}
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
func (t *symbols) meet(sig *types.Signature, function string) {
	for i := range sig.Results().Len() {
		t.meetOne(sig.Results().At(i).Type(), fmt.Sprintf("%s.Out(%d)", function, i))
	}
}

// meetOne notes a type, or what it points to, if it is not exported.
func (t *symbols) meetOne(met types.Type, expr string) {
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
func (t *symbols) meetMembers(of types.Type, qualified string) {
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
func (t *symbols) qualify(p *types.Package) string {
	if name, ok := t.imports[p.Path()]; ok {
		return name
	}
	name := strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(p.Path())
	if name == "reflect" {
		name = "reflect_"
	}
	t.imports[p.Path()] = name
	return name
}

// constant is an untyped constant as a go/constant value, so that it keeps its
// precision, or a typed one as itself.
func (t *symbols) constant(qualified string, c *types.Const) string {
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
func (t *symbols) wrap(name string, u *types.Interface) {
	for i := range u.NumMethods() {
		if !u.Method(i).Exported() {
			return // nothing from outside can implement it
		}
		if internal(u.Method(i).Type()) {
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

// internal tells whether a type is made of those of internal packages.
func internal(t types.Type) bool {
	found := false
	types.TypeString(t, func(p *types.Package) string {
		found = found || strings.Contains("/"+p.Path()+"/", "/internal/")
		return ""
	})
	return found
}

func (t *symbols) signature(sig *types.Signature) (params, args, results string) {
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
func (t *symbols) entries() string {
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

const header = "// Code generated by dsl/symbols/generate. DO NOT EDIT.\n\npackage symbols\n\n"

// source puts a file together.
func source(imports map[string]string, body string) []byte {
	var b strings.Builder
	b.WriteString(header + "import (\n")
	for _, std := range []string{"go/constant", "go/token", "reflect"} {
		if strings.Contains(body, filepath.Base(std)+".") {
			fmt.Fprintf(&b, "\t%q\n", std)
		}
	}
	for _, path := range sorted(imports) {
		if strings.Contains(body, imports[path]+".") {
			fmt.Fprintf(&b, "\t%s %q\n", imports[path], path)
		}
	}
	b.WriteString(")\n\n" + body)
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		log.Fatalf("%v\n%s", err, b.String())
	}
	return text
}

func write(name string, t *symbols) {
	entries := t.entries()
	body := fmt.Sprintf("func init() {\n\tSymbols[%q] = map[string]reflect.Value{\n%s\t}\n}\n\n%s", t.pkg.Path()+"/"+t.pkg.Name(), entries, strings.Join(t.wraps, ""))
	save(name, source(t.imports, body))
}

// writeAdditions writes what the standard library has gained since yaegi's
// tables were made.
func writeAdditions(std []string, byPath map[string]*packages.Package) {
	imports := map[string]string{}
	var body, wraps strings.Builder
	body.WriteString("func init() {\n")
	for _, path := range std {
		p := byPath[path]
		known := stdlib.Symbols[path+"/"+p.Name]
		t := table(p.Types, func(name string) bool { return known[name].IsValid() })
		entries := t.entries()
		if entries == "" {
			continue
		}
		fmt.Fprintf(&body, "\tSymbols[%q] = map[string]reflect.Value{\n%s\t}\n", path+"/"+p.Name, entries)
		for _, w := range t.wraps {
			wraps.WriteString(w)
		}
		for k, v := range t.imports {
			imports[k] = v
		}
	}
	body.WriteString("}\n\n")
	save("additions.go", source(imports, body.String()+wraps.String()))
}

func save(name string, text []byte) {
	if err := os.WriteFile(name, text, 0o644); err != nil {
		log.Fatal(err)
	}
}

// entry is the documentation of one symbol.
type entry struct {
	Decl, Doc string
}

var documentation = map[string]map[string]entry{}

// docs collects the documentation of a package.
func docs(p *packages.Package) {
	if p == nil || documentation[p.PkgPath] != nil {
		return
	}
	out := map[string]entry{}
	documentation[p.PkgPath] = out
	d, err := doc.NewFromFiles(p.Fset, p.Syntax, p.PkgPath)
	if err != nil {
		log.Fatalf("%s: %v", p.PkgPath, err)
	}
	out[""] = entry{"package " + p.Name, d.Doc}
	funcs := func(list []*doc.Func, prefix string) {
		for _, f := range list {
			f.Decl.Body = nil
			f.Decl.Doc = nil
			out[prefix+f.Name] = entry{show(p.Fset, f.Decl), f.Doc}
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				spec := spec.(*ast.ValueSpec)
				text := strings.TrimSpace(spec.Doc.Text() + spec.Comment.Text())
				if text == "" {
					text = v.Doc
				}
				for _, name := range spec.Names {
					out[name.Name] = entry{v.Decl.Tok.String() + " " + name.Name, text}
				}
			}
		}
	}
	funcs(d.Funcs, "")
	values(d.Consts)
	values(d.Vars)
	for _, t := range d.Types {
		t.Decl.Doc = nil
		out[t.Name] = entry{show(p.Fset, t.Decl), t.Doc}
		funcs(t.Funcs, "")
		funcs(t.Methods, t.Name+".")
		values(t.Consts)
		values(t.Vars)
		fields(p.Fset, out, t)
	}
	follow(out)
}

// fields adds the fields of a structure and the methods of an interface.
func fields(fset *token.FileSet, out map[string]entry, t *doc.Type) {
	for _, spec := range t.Decl.Specs {
		spec, ok := spec.(*ast.TypeSpec)
		if !ok || spec.Name.Name != t.Name {
			continue
		}
		var list *ast.FieldList
		switch x := spec.Type.(type) {
		case *ast.StructType:
			list = x.Fields
		case *ast.InterfaceType:
			list = x.Methods
		default:
			continue
		}
		// A comment is of the fields below it too, up to a blank line.
		above, line := "", 0
		for _, f := range list.List {
			from := fset.Position(f.Pos()).Line
			if f.Doc != nil || from > line+1 && !explainedAt.MatchString(above) {
				above = strings.TrimSpace(f.Doc.Text())
			}
			line = fset.Position(f.End()).Line
			text := above
			if f.Comment != nil {
				text = strings.TrimSpace(f.Doc.Text() + f.Comment.Text())
			}
			decl := strings.TrimPrefix(show(fset, f.Type), "func")
			if f.Tag != nil { // what values an option may have
				decl += " " + f.Tag.Value
			}
			for _, name := range f.Names {
				out[t.Name+"."+name.Name] = entry{name.Name + " " + decl, text}
			}
		}
	}
}

// explainedAt is the comment of fields that another type has too.
var explainedAt = regexp.MustCompile(`^The fields are explained at (\w+)\.$`)

// follow replaces such comments by those of the other type's fields.
func follow(out map[string]entry) {
	for symbol, e := range out {
		if m := explainedAt.FindStringSubmatch(e.Doc); m != nil {
			_, field, _ := strings.Cut(symbol, ".")
			there, ok := out[m[1]+"."+field]
			if !ok {
				log.Fatalf("%s is explained at %s, which has no such field", symbol, m[1])
			}
			out[symbol] = there
		}
	}
}

func show(fset *token.FileSet, n any) string {
	var b bytes.Buffer
	conf := printer.Config{Mode: printer.UseSpaces, Tabwidth: 4}
	if err := conf.Fprint(&b, fset, n); err != nil {
		log.Fatal(err)
	}
	return b.String()
}

func writeDocs() {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(z).Encode(documentation); err != nil {
		log.Fatal(err)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
	save("documentation.json.gz", b.Bytes())
}
