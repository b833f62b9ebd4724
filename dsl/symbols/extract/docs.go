package extract

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/printer"
	"go/token"
	"regexp"
	"strings"
)

// Entry is the documentation of one symbol.
type Entry struct {
	Decl, Doc string
}

// Docs is the documentation of packages: import path to symbol ("" for the
// package, "Name", "Type.Member") to what is said of it.
type Docs map[string]map[string]Entry

// Add enters the documentation of a package, whose files it changes.
func (d Docs) Add(path, name string, fset *token.FileSet, files []*ast.File) error {
	if d[path] != nil {
		return nil
	}
	out, err := documentation(path, name, fset, files)
	if err != nil {
		return fmt.Errorf("documentation of %s: %w", path, err)
	}
	d[path] = out
	return nil
}

// Pack is the documentation as dsl/symbols takes it.
func (d Docs) Pack() ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(d); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func documentation(path, name string, fset *token.FileSet, files []*ast.File) (map[string]Entry, error) {
	out := map[string]Entry{}
	d, err := doc.NewFromFiles(fset, files, path)
	if err != nil {
		return nil, err
	}
	out[""] = Entry{"package " + name, d.Doc}
	funcs := func(list []*doc.Func, prefix string) {
		for _, f := range list {
			f.Decl.Body = nil
			f.Decl.Doc = nil
			out[prefix+f.Name] = Entry{show(fset, f.Decl), f.Doc}
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
					out[name.Name] = Entry{v.Decl.Tok.String() + " " + name.Name, text}
				}
			}
		}
	}
	funcs(d.Funcs, "")
	values(d.Consts)
	values(d.Vars)
	for _, t := range d.Types {
		t.Decl.Doc = nil
		out[t.Name] = Entry{show(fset, t.Decl), t.Doc}
		funcs(t.Funcs, "")
		funcs(t.Methods, t.Name+".")
		values(t.Consts)
		values(t.Vars)
		fields(fset, out, t)
	}
	return out, follow(out)
}

// fields adds the fields of a structure and the methods of an interface.
func fields(fset *token.FileSet, out map[string]Entry, t *doc.Type) {
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
				out[t.Name+"."+name.Name] = Entry{name.Name + " " + decl, text}
			}
		}
	}
}

// explainedAt is the comment of fields that another type has too.
var explainedAt = regexp.MustCompile(`^The fields are explained at (\w+)\.$`)

// follow replaces such comments by those of the other type's fields.
func follow(out map[string]Entry) error {
	for symbol, e := range out {
		if m := explainedAt.FindStringSubmatch(e.Doc); m != nil {
			_, field, _ := strings.Cut(symbol, ".")
			there, ok := out[m[1]+"."+field]
			if !ok {
				return fmt.Errorf("%s is explained at %s, which has no such field", symbol, m[1])
			}
			out[symbol] = there
		}
	}
	return nil
}

func show(fset *token.FileSet, n any) string {
	var b bytes.Buffer
	conf := printer.Config{Mode: printer.UseSpaces, Tabwidth: 4}
	if err := conf.Fprint(&b, fset, n); err != nil {
		return err.Error()
	}
	return b.String()
}
