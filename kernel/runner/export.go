package runner

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"sapf/dsl/session"
	"sapf/kernel/exit"
	"sapf/kernel/notebook"
	"sapf/models/atomicfile"
)

// Export writes a notebook, or a script with cells, as a Go program to out, with
// parameters set as a run would set them.
// Where the go command can be had and knows the imported packages, the program
// is checked by Go's own type checker: calls that end a cell are shown if they
// have a value, imports that nothing uses go, and what does not compile is the
// error, with the program written all the same. Without the go command such
// calls are made and not shown.
func Export(input, out string, parameters map[string]string) error {
	n, err := readAny(input)
	if err != nil {
		return exit.Wrong(err)
	}
	if err := n.Inject(parameters); err != nil {
		return exit.Wrong(err)
	}
	if err := (outputs{out}).try(input); err != nil {
		return exit.Wrong(err)
	}
	p, err := n.Export(filepath.Base(input))
	if err != nil {
		return exit.Fail(fmt.Errorf("export %s: %w", input, err))
	}
	if err := importUsed(p); err != nil {
		return exit.Fail(fmt.Errorf("export %s: %w", input, err))
	}
	module, err := importFolders(p, filepath.Dir(input), filepath.Dir(out))
	if err != nil {
		return exit.Fail(fmt.Errorf("export %s: %w", input, err))
	}
	problem := settleTypes(p, module)
	source, err := p.Source()
	if err != nil {
		return exit.Fail(fmt.Errorf("export %s: %w", input, err))
	}
	if err := atomicfile.WriteFile(out, source); err != nil {
		return exit.Fail(err)
	}
	if problem != nil {
		return exit.Fail(fmt.Errorf("export %s: the program in %s does not compile: %w", input, out, problem))
	}
	return nil
}

// importUsed writes out the imports of packages that import themselves in cells.
func importUsed(p *notebook.Program) error {
	missing, err := p.Missing()
	if err != nil {
		return err
	}
	for name, members := range missing {
		if path := session.PackageFor(name, members); path != "" {
			p.Import(path)
		}
	}
	return nil
}

func readAny(path string) (*notebook.Notebook, error) {
	n, _, err := load(context.Background(), Options{Path: path})
	return n, err
}

// settleTypes decides what needs types: which calls have a value to show, and
// which imports are used.
func settleTypes(p *notebook.Program, module string) error {
	exports, err := packageExports(p.Imports(), module)
	if err != nil { // no go command, or it does not know the packages
		return settleNames(p)
	}
	info, file, errs := check(p, exports, true)
	if file == nil {
		return errs[0]
	}
	for i, candidate := range p.Candidates() {
		if x := marked(file, i); x != nil && hasValue(info.TypeOf(x)) {
			p.Show(candidate)
		}
	}
	info, file, _ = check(p, exports, false)
	for _, unused := range unusedImports(info, file) {
		p.DropImport(unused)
	}
	_, _, errs = check(p, exports, false)
	return errors.Join(errs[:min(len(errs), 5)]...)
}

// packageExports asks the go command, in a module, for the compiled forms of
// packages and all that these import.
func packageExports(paths []string, module string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "--"}, paths...)...)
	cmd.Stderr = io.Discard
	cmd.Dir = module
	text, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if path, file, ok := strings.Cut(line, "="); ok && file != "" {
			exports[path] = file
		}
	}
	return exports, nil
}

// check parses a program and finds its types. The file is nil if it is no Go.
func check(p *notebook.Program, exports map[string]string, marks bool) (*types.Info, *ast.File, []error) {
	source, err := p.Source()
	if marks {
		source, _, err = p.Marked()
	}
	if err != nil {
		return nil, nil, []error{err}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, []error{err}
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
		Defs: map[*ast.Ident]types.Object{},
	}
	var errs []error
	config := types.Config{
		Error: func(err error) { errs = append(errs, err) },
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
			name, ok := exports[path]
			if !ok {
				return nil, fmt.Errorf("package %s is not known", path)
			}
			return os.Open(name)
		}),
	}
	config.Check("main", fset, []*ast.File{file}, info) // its error is the first of errs
	return info, file, errs
}

// marked is the expression behind the i-th mark.
func marked(file *ast.File, i int) ast.Expr {
	var at token.Pos
	for _, group := range file.Comments {
		for _, c := range group.List {
			if c.Text == notebook.CandidateMark {
				if i == 0 {
					at = c.End()
				}
				i--
			}
		}
	}
	var found *ast.ExprStmt
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ExprStmt); ok && at.IsValid() && s.Pos() >= at && (found == nil || s.Pos() < found.Pos()) {
			found = s
		}
		return true
	})
	if found == nil {
		return nil
	}
	return found.X
}

// hasValue says whether there is one value of the type.
func hasValue(t types.Type) bool {
	if t == nil || t == types.Typ[types.Invalid] {
		return false
	}
	tuple, several := t.(*types.Tuple)
	return !several || tuple.Len() == 1
}

func unusedImports(info *types.Info, file *ast.File) []string {
	used := map[string]bool{}
	for id, obj := range info.Uses {
		if name, ok := obj.(*types.PkgName); ok {
			used[name.Imported().Path()] = true
		} else if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && !qualified(file, id) {
			used[obj.Pkg().Path()] = true // through a dot import
		}
	}
	var unused []string
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		if !used[path] && (spec.Name == nil || spec.Name.Name != "_") {
			unused = append(unused, path)
		}
	}
	return unused
}

// qualified says whether an identifier is the right side of a selector.
func qualified(file *ast.File, id *ast.Ident) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel == id {
			found = true
		}
		return !found
	})
	return found
}

// settleNames drops imports whose name appears nowhere, without knowing types.
func settleNames(p *notebook.Program) error {
	source, err := p.Source()
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return err
	}
	free := map[string]bool{}
	for _, id := range file.Unresolved {
		free[id.Name] = true
	}
	dotted := ""
	for _, spec := range file.Imports {
		at := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(at)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		switch {
		case name == ".":
			dotted = at
		case name == "_":
		case !free[name]:
			p.DropImport(at)
		default:
			delete(free, name)
		}
	}
	for name := range free {
		if types.Universe.Lookup(name) != nil {
			delete(free, name)
		}
	}
	if dotted != "" && len(free) == 0 {
		p.DropImport(dotted)
	}
	return nil
}
