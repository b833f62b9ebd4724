package universe

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"maps"
	"slices"

	"sapf/dsl/session/syntax"
)

// sourcePackages are packages, or parts of them, in source form: generic
// functions and types exist only so. Their instances are lowered like those of
// a cell.
type sourcePackages struct {
	u *Universe
}

//go:embed generic/*.go.txt
var genericFiles embed.FS

// genericTexts are the files of the packages that have generic parts.
var genericTexts = map[string]string{
	"cmp": "cmp", "iter": "iter", "maps": "maps", "slices": "slices",
	"sync": "sync", "sync/atomic": "atomic", "math/rand/v2": "rand", "errors": "errors", "reflect": "reflect",
}

func (sp *sourcePackages) has(path string) bool { return genericTexts[path] != "" }

func (sp *sourcePackages) paths() []string { return slices.Sorted(maps.Keys(genericTexts)) }

// load checks the source part of a package and adds its objects to pkg, which
// has the compiled part already.
func (sp *sourcePackages) load(path string, pkg *types.Package) error {
	name := "generic/" + genericTexts[path] + ".go.txt"
	text, err := genericFiles.ReadFile(name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(sp.u.Fset, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	pkg.SetName(file.Name.Name)
	info := NewInfo()
	conf := types.Config{Importer: locked{sp.u}, DisableUnusedImportCheck: true}
	if err := types.NewChecker(&conf, sp.u.Fset, pkg, info).Files([]*ast.File{file}); err != nil {
		return fmt.Errorf("package %s: %w", path, err)
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			sp.add(path, d, info.Defs[d.Name], file, info, pkg)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					one := &ast.GenDecl{TokPos: d.TokPos, Tok: d.Tok, Specs: []ast.Spec{spec}}
					sp.add(path, one, info.Defs[spec.Name], file, info, pkg)
				}
			}
		}
	}
	return nil
}

// locked is the universe as an importer for whoever holds its lock.
type locked struct{ u *Universe }

func (l locked) Import(path string) (*types.Package, error) { return l.u.load(path) }

func (sp *sourcePackages) add(path string, node ast.Decl, obj types.Object, file *ast.File, info *types.Info, pkg *types.Package) {
	d := &Decl{Obj: obj, Pkg: path, Src: &syntax.Source{Name: "package " + path}, Node: node, Info: info}
	d.Names = PackageNames(node, info, pkg)
	for _, spec := range file.Imports {
		if p, ok := info.Implicits[spec].(*types.PkgName); ok {
			d.Names[p.Name()] = p
		}
	}
	if fn, ok := node.(*ast.FuncDecl); ok && fn.Recv != nil {
		d.Recv, _ = pkg.Scope().Lookup(syntax.ReceiverBase(fn)).(*types.TypeName)
	}
	sp.u.Decls[d.Obj] = d
}
