package core

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"sapf/dsl/session/machine"
	"sapf/dsl/session/universe"
)

// Program is what a session's cells have been written to so far: yaegi's names of
// functions, types and packages, and what the machine knows of them.
type Program struct {
	Universe *universe.Universe
	Machine  *machine.Machine
	Out      *Emitted // of the cell at hand

	Instances map[string]string       // yaegi's names of functions and types, by key
	TypeIDs   *typeutil.Map           // the machine's numbers of types
	Known     *typeutil.Map           // types whose methods the machine has
	Imported  map[string]string       // yaegi's names of packages, by path
	Literals  []Literal               // the function literals of cells
	Types     map[string]types.Type   // of the temporaries of this cell
	Marks     map[string][]string     // the marks of functions, by symbol
	FreeMarks []string                // those that functions have left
	Emitting  string                  // the symbol of the function at hand
	Params    map[string][]types.Type // of functions that take floating-point numbers, by symbol

	// Announce tells the machine the methods of a type, which are lowered for that.
	Announce func(pos token.Pos, t types.Type)

	serial int
}

// New makes a program in which nothing is written yet.
func New(u *universe.Universe, m *machine.Machine) *Program {
	return &Program{
		Universe:  u,
		Machine:   m,
		Instances: map[string]string{},
		TypeIDs:   new(typeutil.Map),
		Known:     new(typeutil.Map),
		Imported:  map[string]string{},
		Marks:     map[string][]string{},
		Params:    map[string][]types.Type{},
	}
}

// Writer writes the statements of one block after the other.
type Writer struct {
	*Program
	Block []ast.Stmt  // the block at hand
	Loop  *[]ast.Stmt // what the loop that we are in needs declared before it
}

// Emitted is yaegi source in the making: declarations that the cell at hand
// needs, and statements that link them up before it runs.
type Emitted struct {
	Imports []ast.Decl
	Decls   []ast.Decl
	Links   []ast.Stmt
	Queue   []func()
	Undo    []func()
}

// Fresh makes a name that no cell can write and no other name equals.
func (p *Program) Fresh(name string) string {
	p.serial++
	return fmt.Sprintf("%s#%d", name, p.serial)
}

// ImportName is yaegi's name of an imported package, imported on first use.
func (p *Program) ImportName(path string) string {
	if name, ok := p.Imported[path]; ok {
		return name
	}
	name := p.Fresh("pkg")
	p.Imported[path] = name
	p.Out.Undo = append(p.Out.Undo, func() { delete(p.Imported, path) })
	spec := &ast.ImportSpec{Name: Ident(token.NoPos, name), Path: &ast.BasicLit{Kind: token.STRING, Value: `"` + path + `"`}}
	p.Out.Imports = append(p.Out.Imports, &ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{spec}})
	return name
}

// Key names an instance: the symbol of what is instantiated would do, were it
// not for the type arguments.
func (w *Writer) Key(pos token.Pos, obj types.Object, targs []types.Type) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%p", obj)
	for _, t := range targs {
		b.WriteByte(',')
		fmt.Fprint(&b, w.typeNumber(t))
	}
	return b.String()
}

// Remember keeps the symbol of an instance, unless the cell fails.
func (p *Program) Remember(key, sym string) {
	p.Instances[key] = sym
	p.Out.Undo = append(p.Out.Undo, func() { delete(p.Instances, key) })
}

// InstanceName names an instance of a generic function or type.
func InstanceName(name string, targs []types.Type) string {
	if len(targs) == 0 {
		return name
	}
	parts := make([]string, len(targs))
	for i, t := range targs {
		parts[i] = types.TypeString(t, func(p *types.Package) string {
			if p.Path() == "main" {
				return ""
			}
			return p.Name()
		})
	}
	return name + "[" + strings.Join(parts, ",") + "]"
}
