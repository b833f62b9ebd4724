package extend

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/packages"

	"sapf/dsl/symbols"
	"sapf/dsl/symbols/extract"
)

// own is the path of the module that is made.
const own = "sapf-extended"

// making is one extension in the making.
type making struct {
	goCommand
	steps   *steps
	parts   []Part
	folders []*folder
	base    *modfile.File // this program's own go.mod
	set     Set
}

// paths are the import paths of the parts.
func (b *making) paths() []string {
	var out []string
	for _, p := range b.parts {
		if p.Dir == "" {
			out = append(out, p.Path)
		}
	}
	for _, f := range b.folders {
		out = append(out, f.path)
	}
	return out
}

// run makes the module in dir, and the program in it.
func (b *making) run(ctx context.Context, source string) error {
	if err := b.writeModule(source); err != nil {
		return err
	}
	b.steps.step("finding the modules")
	if fetched := b.queries(); len(fetched) > 0 {
		if _, err := b.goCommand.run(ctx, b.steps.step, append([]string{"get"}, fetched...)...); err != nil {
			return err
		}
	}
	found, err := b.list(ctx)
	if err != nil {
		return err
	}
	b.steps.step("compiling")
	if _, err := b.goCommand.run(ctx, b.steps.step, append([]string{"build", "-v", "sapf/kernel/worker"}, found...)...); err != nil {
		return err
	}
	b.steps.step(fmt.Sprintf("making the tables of %d packages", len(found)))
	if err := b.tables(ctx, found); err != nil {
		return err
	}
	b.steps.step("linking")
	if _, err := b.goCommand.run(ctx, b.steps.step, "build", "-ldflags=-s -w", "-o", programName, "."); err != nil {
		return err
	}
	b.steps.step("trying the program")
	if err := b.try(ctx); err != nil {
		return err
	}
	return b.describe()
}

const mainText = `// Command sapf-extended interprets cells for sapf, with further packages.
package main

import (
	"fmt"
	"os"

	"sapf/kernel/worker"

	_ "` + own + `/symbols"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if err := worker.Main(os.Stdin, os.Stdout, args...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
`

// writeModule writes go.mod: the versions are this program's, until something
// that is added needs later ones.
func (b *making) writeModule(source string) error {
	text, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	if b.base, err = modfile.Parse("go.mod", text, nil); err != nil {
		return err
	}
	m, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	for _, t := range slices.Clone(m.Tool) {
		m.DropTool(t.Path)
	}
	err = errors.Join(m.AddModuleStmt(own), m.AddRequire("sapf", "v0.0.0"), m.AddReplace("sapf", "", source, ""))
	for _, f := range b.folders {
		root := f.root
		if f.bare {
			root = filepath.Join(b.dir, "folders", f.module)
			err = errors.Join(err, f.copyTo(root, b.base.Go.Version))
		} else {
			err = errors.Join(err, replacements(m, f))
		}
		err = errors.Join(err, m.AddRequire(f.module, "v0.0.0"), m.AddReplace(f.module, "", root, ""))
	}
	if err != nil {
		return err
	}
	m.Cleanup()
	if text, err = m.Format(); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(source, "go.sum"))
	if err != nil {
		return err
	}
	return errors.Join(write(filepath.Join(b.dir, "go.mod"), text), write(filepath.Join(b.dir, "go.sum"), sums))
}

// replacements takes over what a folder's own module replaces.
func replacements(m *modfile.File, f *folder) error {
	for _, r := range f.file.Replace {
		to := r.New.Path
		if local(to) && !filepath.IsAbs(to) {
			to = filepath.Join(f.root, to)
		}
		if err := m.AddReplace(r.Old.Path, r.Old.Version, to, r.New.Version); err != nil {
			return err
		}
	}
	return nil
}

// queries are what `go get` is to fetch. Modules that this program has keep their
// version unless another was asked for.
func (b *making) queries() []string {
	var out []string
	for _, p := range b.parts {
		if p.Dir != "" {
			continue
		}
		version := p.Version
		if version == "" {
			longest := ""
			for _, r := range b.base.Require {
				m := r.Mod.Path
				if (p.Path == m || strings.HasPrefix(p.Path, m+"/")) && len(m) > len(longest) {
					longest, version = m, r.Mod.Version
				}
			}
		}
		if version == "" {
			out = append(out, p.Path)
		} else {
			out = append(out, p.Path+"@"+version)
		}
	}
	return out
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath, Name string
	Error            *struct{ Err string }
	DepsErrors       []*struct{ Err string }
}

// list finds the packages of the parts: each with those below it. One that was
// asked for must be sound; what lies below it is left out if it isn't.
func (b *making) list(ctx context.Context) ([]string, error) {
	asked := b.paths()
	patterns := slices.Clone(asked)
	for _, path := range asked {
		patterns = append(patterns, path+"/...")
	}
	text, err := b.goCommand.run(ctx, b.steps.step, append([]string{"list", "-e", "-json=ImportPath,Name,Error,DepsErrors", "--"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	var out []string
	below := map[string]int{}
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("what go list says: %w", err)
		}
		wrong := ""
		if p.Error != nil {
			wrong = p.Error.Err
		} else if len(p.DepsErrors) > 0 {
			wrong = p.DepsErrors[0].Err
		}
		// A module need not have a package at its top.
		none := p.Name == "" && wrong != ""
		switch {
		case slices.Contains(out, p.ImportPath), strings.Contains("/"+p.ImportPath+"/", "/internal/"), strings.Contains("/"+p.ImportPath+"/", "/vendor/"):
		case wrong != "" && slices.Contains(asked, p.ImportPath) && !none:
			return nil, fmt.Errorf("package %s: %s", p.ImportPath, wrong)
		case p.Name == "main" && slices.Contains(asked, p.ImportPath):
			return nil, fmt.Errorf("%s is a program: only other packages can be imported", p.ImportPath)
		case p.Name == "main", p.Name == "", wrong != "":
		case symbols.Symbols[p.ImportPath+"/"+p.Name] != nil:
			b.set.Had = append(b.set.Had, p.ImportPath)
		default:
			out = append(out, p.ImportPath)
		}
		for _, path := range asked {
			if none || p.Name == "main" {
				continue
			}
			if p.ImportPath == path || strings.HasPrefix(p.ImportPath, path+"/") {
				below[path]++
			}
		}
	}
	for _, path := range asked {
		if below[path] == 0 {
			return nil, fmt.Errorf("%s has no packages that can be imported", path)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: cells can import this as it is", strings.Join(asked, ", "))
	}
	b.set.Packages = out
	return out, nil
}

// tables writes the package by which cells reach the others, and main.
func (b *making) tables(ctx context.Context, found []string) error {
	conf := &packages.Config{
		Context: ctx, Dir: b.dir, Env: b.environment(),
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedExportFile,
	}
	list, err := packages.Load(conf, found...)
	if err != nil {
		return fmt.Errorf("read the packages: %w", err)
	}
	slices.SortFunc(list, func(a, b *packages.Package) int { return cmp.Compare(a.PkgPath, b.PkgPath) })
	dir := filepath.Join(b.dir, "symbols")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	docs := extract.Docs{}
	for i, p := range list {
		if len(p.Errors) > 0 {
			return fmt.Errorf("package %s: %w", p.PkgPath, p.Errors[0])
		}
		text, err := extract.Source(extract.Of(p.Types, nil))
		if err == nil {
			err = write(filepath.Join(dir, fmt.Sprintf("table%d.go", i)), text)
		}
		if err == nil {
			err = docs.Add(p.PkgPath, p.Name, p.Fset, p.Syntax)
		}
		if err != nil {
			return fmt.Errorf("package %s: %w", p.PkgPath, err)
		}
	}
	packed, err := docs.Pack()
	if err != nil {
		return err
	}
	const glue = `package symbols

import (
	_ "embed"

	"sapf/dsl/symbols"
)

// Symbols are the interpreter's own, to which the tables add.
var Symbols = symbols.Symbols

//go:embed documentation.json.gz
var packed []byte

func init() { symbols.Document(packed) }
`
	return errors.Join(
		write(filepath.Join(dir, "documentation.json.gz"), packed),
		write(filepath.Join(dir, "symbols.go"), []byte(glue)),
		write(filepath.Join(b.dir, "main.go"), []byte(mainText)),
	)
}

// try starts the program: packages that do not go together fail there, before
// anything relies on it.
func (b *making) try(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, programName))
	together(cmd)
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		words := strings.TrimSpace(string(text))
		if at := strings.Index(words, "panic: "); at > 0 {
			words = words[at:]
		}
		first, _, _ := strings.Cut(words, "\n")
		return fmt.Errorf("the extended program does not start: %w: %s", err, first)
	}
	return nil
}

// describe notes the versions that came of it.
func (b *making) describe() error {
	text, err := os.ReadFile(filepath.Join(b.dir, "go.mod"))
	if err != nil {
		return err
	}
	m, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	before := map[string]string{}
	for _, r := range b.base.Require {
		before[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range m.Require {
		path, version := r.Mod.Path, r.Mod.Version
		had, ok := before[path]
		if ok && had != version {
			b.set.Raised = append(b.set.Raised, fmt.Sprintf("%s %s, here %s", path, had, version))
		}
		for _, p := range b.parts {
			if p.Dir == "" && (p.Path == path || strings.HasPrefix(p.Path, path+"/")) {
				b.set.Modules = append(b.set.Modules, path+" "+version)
			}
		}
	}
	b.set.Modules = slices.Compact(b.set.Modules)
	for _, f := range b.folders {
		b.set.Modules = append(b.set.Modules, fmt.Sprintf("%s (%s)", f.path, f.dir))
	}
	return nil
}

// publish moves what is wanted of a build to its place.
func (b *making) publish(place string) error {
	for _, name := range []string{"folders", "symbols"} {
		if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(b.set, "", "  ")
	if err != nil {
		return err
	}
	if err := write(filepath.Join(b.dir, setName), append(text, '\n')); err != nil {
		return err
	}
	program, err := os.Open(filepath.Join(b.dir, programName))
	if err != nil {
		return err
	}
	if err := errors.Join(program.Sync(), program.Close()); err != nil {
		return err
	}
	old := b.dir + ".old" // a staging name, so that it's swept if we die now
	if err := os.Rename(place, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	return os.Rename(b.dir, place)
}
