package plan

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

// local is a package whose source lies in a folder beside the notebook: it is
// interpreted as cells are, and read again when a file of it changes.
type local struct {
	path    string // as it is imported
	dir     string
	state   string // of its files: names, sizes, times
	pkg     *types.Package
	decls   []*universe.Decl
	vars    []*types.Var
	start   []ast.Stmt // sets the variables and runs the init functions
	info    *types.Info
	sources []*syntax.Source
	uses    []*local
}

// localFolder is the folder of an import path: one beside the notebook ("./p"),
// or one of the module, or of the modules of the workspace, that the notebook
// lies in.
func localFolder(path, from string) (string, bool) {
	if path == "." || strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") || filepath.IsAbs(path) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(from, path)
		}
		dir, err := filepath.Abs(path)
		return dir, err == nil
	}
	for _, m := range modules(from) {
		if path == m.path || strings.HasPrefix(path, m.path+"/") {
			return filepath.Join(m.dir, filepath.FromSlash(strings.TrimPrefix(path, m.path))), true
		}
	}
	return "", false
}

type module struct{ path, dir string }

// modules are those that a folder is in: its own, and those of its workspace.
func modules(from string) []module {
	dir, err := filepath.Abs(from)
	if err != nil {
		return nil
	}
	var out []module
	add := func(dir string) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			if path := modfile.ModulePath(text); path != "" {
				out = append(out, module{path, dir})
			}
		}
	}
	for own := false; ; dir = filepath.Dir(dir) {
		if !own {
			add(dir)
			own = len(out) > 0
		}
		if text, err := os.ReadFile(filepath.Join(dir, "go.work")); err == nil {
			if work, err := modfile.ParseWork("go.work", text, nil); err == nil {
				for _, u := range work.Use {
					use := filepath.FromSlash(u.Path)
					if !filepath.IsAbs(use) {
						use = filepath.Join(dir, use)
					}
					add(use)
				}
			}
			return out
		}
		if dir == filepath.Dir(dir) {
			return out
		}
	}
}

// importer finds packages for a cell or for a package of a folder.
type importer struct {
	declared *Declared
	plan     *Plan
	from     string
	user     *local // nil for a cell
}

func (im importer) Import(path string) (*types.Package, error) {
	compiled, err := im.declared.Universe.Import(path)
	if err == nil {
		return compiled, nil
	}
	dir, ok := localFolder(path, im.from)
	if !ok {
		return nil, err
	}
	l, err := im.declared.local(im.plan, path, dir)
	if err != nil {
		return nil, err
	}
	if im.user != nil {
		im.user.uses = append(im.user.uses, l)
	}
	return l.pkg, nil
}

// local is the package of a folder: as it was read, unless a file has changed.
func (s *Declared) local(pl *Plan, path, dir string) (*local, error) {
	for _, l := range pl.locals {
		if l.dir == dir {
			return l, nil
		}
	}
	if pl.reading[dir] {
		return nil, fmt.Errorf("package %s imports itself", path)
	}
	if l := s.locals[dir]; l != nil && !l.stale() {
		return l, nil
	}
	if pl.reading == nil {
		pl.reading = map[string]bool{}
	}
	pl.reading[dir] = true
	l := &local{path: path, dir: dir}
	if err := s.read(pl, l); err != nil {
		return nil, err
	}
	pl.locals = append(pl.locals, l) // behind those that it uses
	return l, nil
}

// stale tells whether the files of a package, or of one that it uses, are not
// those that were read.
func (l *local) stale() bool {
	for _, u := range l.uses {
		if u.stale() {
			return true
		}
	}
	files, err := goFiles(l.dir)
	return err != nil || stateOf(l.dir, files) != l.state
}

func goFiles(dir string) ([]string, error) {
	context := build.Default
	context.CgoEnabled = false
	p, err := context.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	return p.GoFiles, nil
}

func stateOf(dir string, files []string) string {
	var b strings.Builder
	for _, name := range files {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			fmt.Fprintln(&b, name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// read parses and checks a package.
func (s *Declared) read(pl *Plan, l *local) error {
	names, err := goFiles(l.dir)
	if err != nil {
		return fmt.Errorf("package %s: %w", l.path, err)
	}
	l.state = stateOf(l.dir, names)
	var files []*ast.File
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(l.dir, name))
		if err != nil {
			return fmt.Errorf("package %s: %w", l.path, err)
		}
		shown := filepath.Join(filepath.Base(l.dir), name)
		file, err := parser.ParseFile(s.Universe.Fset, shown, text, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("package %s: %w", l.path, err)
		}
		files = append(files, file)
		l.sources = append(l.sources, &syntax.Source{File: shown, Name: shown, Code: string(text)})
	}
	pkg := types.NewPackage(l.path, files[0].Name.Name)
	if pkg.Name() == "main" {
		return fmt.Errorf("package %s is a program: only other packages can be imported", l.path)
	}
	l.info = universe.NewInfo()
	conf := types.Config{Importer: importer{s, pl, l.dir, l}}
	if err := types.NewChecker(&conf, s.Universe.Fset, pkg, l.info).Files(files); err != nil {
		var e types.Error
		if errors.As(err, &e) {
			err = fmt.Errorf("%s: %s", s.Universe.Fset.Position(e.Pos), e.Msg)
		}
		return fmt.Errorf("package %s: %w", l.path, err)
	}
	for i, file := range files {
		l.declare(pkg, file, l.sources[i])
	}
	for _, name := range pkg.Scope().Names() {
		if v, ok := pkg.Scope().Lookup(name).(*types.Var); ok {
			l.vars = append(l.vars, v)
		}
	}
	var inits []ast.Stmt
	inits, l.start = l.start, nil
	for _, i := range l.info.InitOrder {
		l.start = append(l.start, l.initialize(i))
	}
	l.start = append(l.start, inits...)
	l.pkg = pkg
	return nil
}

// declare makes the declarations of a file known, by which they are lowered.
func (l *local) declare(pkg *types.Package, file *ast.File, src *syntax.Source) {
	imported := map[string]types.Object{}
	for _, spec := range file.Imports {
		obj := l.info.Implicits[spec]
		if spec.Name != nil {
			obj = l.info.Defs[spec.Name]
		}
		if obj != nil {
			imported[obj.Name()] = obj
		}
	}
	add := func(node ast.Decl, obj types.Object) {
		d := &universe.Decl{Obj: obj, Pkg: l.path, Src: src, Node: node, Info: l.info, Names: universe.PackageNames(node, l.info, pkg)}
		for name, obj := range imported {
			d.Names[name] = obj
		}
		if fn, ok := node.(*ast.FuncDecl); ok && fn.Recv != nil {
			d.Recv, _ = pkg.Scope().Lookup(syntax.ReceiverBase(fn)).(*types.TypeName)
		}
		l.decls = append(l.decls, d)
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			obj := l.info.Defs[d.Name]
			add(d, obj)
			if d.Recv == nil && d.Name.Name == "init" {
				l.start = append(l.start, l.callOf(d.Name.Pos(), obj.(*types.Func)))
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					add(&ast.GenDecl{Doc: d.Doc, TokPos: d.TokPos, Tok: d.Tok, Specs: []ast.Spec{spec}}, l.info.Defs[spec.Name])
				}
			}
		}
	}
}

// initialize is the assignment that gives package variables their first values.
func (l *local) initialize(i *types.Initializer) ast.Stmt {
	st := &ast.AssignStmt{Tok: token.ASSIGN, TokPos: i.Rhs.Pos(), Rhs: []ast.Expr{i.Rhs}}
	for _, v := range i.Lhs {
		st.Lhs = append(st.Lhs, l.use(v.Pos(), v))
	}
	return st
}

func (l *local) callOf(pos token.Pos, fn *types.Func) ast.Stmt {
	c := &ast.CallExpr{Fun: l.use(pos, fn), Lparen: pos, Rparen: pos}
	l.info.Types[c] = types.TypeAndValue{Type: types.NewTuple()}
	return &ast.ExprStmt{X: c}
}

// use is a name of obj as the checker would have met it.
func (l *local) use(pos token.Pos, obj types.Object) *ast.Ident {
	id := &ast.Ident{NamePos: pos, Name: obj.Name()}
	if obj.Name() != "_" {
		l.info.Uses[id] = obj
		l.info.Types[id] = types.TypeAndValue{Type: obj.Type()}
	}
	return id
}

// startLocals has the plan begin with what the packages that it has read are to
// do first.
func (pl *Plan) startLocals() {
	for _, l := range pl.locals {
		pl.Vars = append(pl.Vars, l.vars...)
		if len(l.start) > 0 {
			pl.Chunks = append(pl.Chunks, &universe.Checked{Stmts: l.start, Info: l.info})
		}
	}
}

// Read are the files that the plan has read.
func (pl *Plan) Read() []*syntax.Source {
	var out []*syntax.Source
	for _, l := range pl.locals {
		out = append(out, l.sources...)
	}
	return out
}

// Idle tells whether there is nothing to run.
func (pl *Plan) Idle() bool { return len(pl.Chunks) == 0 && len(pl.Decls) == 0 && len(pl.locals) == 0 }

// renewLocals reads again what has changed, and has the declarations of earlier
// cells follow that mention it.
func (s *Declared) renewLocals(pl *Plan, p *syntax.Cell) error {
	renewed := map[*types.Package]*types.Package{}
	if len(s.locals) == 0 {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(pl.Scope)) {
		name, ok := pl.Scope[key].(*types.PkgName)
		if !ok {
			continue
		}
		for dir, l := range s.locals {
			if l.pkg != name.Imported() || renewed[l.pkg] != nil || !l.stale() {
				continue
			}
			fresh, err := s.local(pl, l.path, dir)
			if err != nil {
				return &Refusal{p.Start(), "a file has changed: " + err.Error()}
			}
			renewed[l.pkg] = fresh.pkg
			pl.Notes = append(pl.Notes, fmt.Sprintf("note: package %s has changed and is read again", l.path))
		}
	}
	if len(renewed) == 0 {
		return nil
	}
	for name, obj := range pl.Scope {
		if p, ok := obj.(*types.PkgName); ok && renewed[p.Imported()] != nil {
			pl.Scope[name] = types.NewPkgName(p.Pos(), nil, name, renewed[p.Imported()])
		}
	}
	gone := map[types.Object]bool{}
	for _, d := range s.current(pl) {
		for _, obj := range d.Names {
			if p, ok := obj.(*types.PkgName); ok && renewed[p.Imported()] != nil {
				gone[obj] = true
			}
		}
	}
	return s.planDecls(pl, p.Src, nil, gone)
}
