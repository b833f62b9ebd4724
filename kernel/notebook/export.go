package notebook

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"sapf/dsl/session/syntax"
	"slices"
	"strconv"
	"strings"
)

// Program is a notebook as the source of a Go program.
type Program struct {
	imports map[string]string // path to name, "" for its own
	top     []string          // declarations of types, constants and functions
	body    []string          // statements of main
	shows   map[int]string    // places in body: what stands there if its value is to be shown
	// Names are the notebook's own at the top, which no import may hide.
	depth int
}

// Export turns a notebook into a program: text cells become comments, types,
// constants and functions go to the top, and the rest into main. Functions that
// use a notebook's variables become closures there.
//
// Differs from the running notebook: a variable that is defined again is
// another variable, so functions made before go on using the first; and what a
// cell defers runs at the end of the program.
func (n *Notebook) Export(origin string) (*Program, error) {
	e := &exporter{p: &Program{imports: map[string]string{syntax.DSLPath: "."}, shows: map[int]string{}}, declared: map[string]int{}}
	if err := e.collect(n); err != nil {
		return nil, err
	}
	e.findClosures()
	if e.usesDisplay() {
		e.p.imports[syntax.DisplayPath] = ""
	}
	for i := range e.cells {
		if err := e.cell(&e.cells[i]); err != nil {
			return nil, fmt.Errorf("cell %d: %w", e.cells[i].number, err)
		}
	}
	e.p.body = append([]string{"// The notebook " + origin + " as a program."}, e.p.body...)
	shifted := map[int]string{}
	for at, s := range e.p.shows {
		shifted[at+1] = s
	}
	e.p.shows = shifted
	e.p.depth = e.blocks
	return e.p, nil
}

// usesDisplay reports whether cells mean the package by display.
func (e *exporter) usesDisplay() bool {
	if _, own := e.types["display"]; own || e.vars["display"] {
		return false
	}
	for _, c := range e.cells {
		for _, p := range c.parts {
			if p.uses["display"] {
				return true
			}
		}
	}
	return false
}

// exportCell is a cell parted into what it holds.
type exportCell struct {
	number  int
	comment string // a text cell
	parts   []exportPart
}

type exportPart struct {
	item
	decl ast.Decl // a function's, type's or constant's
	stmt ast.Stmt
	uses map[string]bool
	name string // a declared function's
}

type exporter struct {
	p        *Program
	cells    []exportCell
	vars     map[string]bool // the notebook's variables and closures
	declared map[string]int  // variable to the block it was last declared in
	blocks   int
	types    map[string]int // types, constants and functions at the top: the cell
}

var (
	magic = regexp.MustCompile(`^%[a-z]+\b[^\n]*`)
	// foreign cells are no Go at all.
	foreign = regexp.MustCompile(`^\s*%%(bash|sh|writefile)\b`)
)

// withoutMagics turns what only a notebook understands into comments, and
// commands of the shell into calls.
func withoutMagics(source string) string {
	lines := strings.Split(source, "\n")
	if foreign.MatchString(source) || syntax.Questioned(source) != "" {
		for i, line := range lines {
			lines[i] = strings.TrimRight("// "+line, " ")
		}
		return strings.Join(lines, "\n")
	}
	for i, line := range lines {
		trimmed := strings.TrimPrefix(strings.TrimSpace(line), "%")
		if rest, ok := strings.CutPrefix(trimmed, "time "); ok && trimmed != line {
			lines[i] = rest
		} else if rest, ok := strings.CutPrefix(trimmed, "%time "); ok {
			lines[i] = rest
		} else if trimmed != strings.TrimSpace(line) && magic.MatchString("%"+strings.TrimLeft(trimmed, "%")) {
			lines[i] = "// " + strings.TrimSpace(line)
		}
	}
	return syntax.ShellLines(strings.Join(lines, "\n"), func(string) bool { return false })
}

// collect parts the cells.
func (e *exporter) collect(n *Notebook) error {
	e.vars, e.types = map[string]bool{}, map[string]int{}
	for i := range n.Cells {
		c := &n.Cells[i]
		switch {
		case c.Type == Markdown:
			e.cells = append(e.cells, exportCell{number: i + 1, comment: c.Source})
		case c.Type == Code && !c.Tagged("skip-execution") && !c.Tagged("raises-exception"):
			cell := exportCell{number: i + 1}
			for _, it := range items(blankPackage(withoutMagics(c.Source))) {
				part, err := e.part(it)
				if err != nil {
					return fmt.Errorf("cell %d: %w", i+1, err)
				}
				cell.parts = append(cell.parts, part)
			}
			e.cells = append(e.cells, cell)
		}
	}
	return nil
}

func (e *exporter) part(it item) (exportPart, error) {
	p := exportPart{item: it}
	var err error
	switch {
	case it.first == token.IMPORT:
		p.decl, _, err = parseDecl(it.text)
	case it.first == token.FUNC && it.name, it.first == token.TYPE, it.first == token.CONST:
		p.decl, p.uses, err = parseDecl(it.text)
		if f, ok := p.decl.(*ast.FuncDecl); ok {
			p.name = f.Name.Name
		}
	default:
		p.stmt, p.uses, err = parseStmt(it.text)
		if p.stmt != nil {
			for _, name := range defined(p.stmt) {
				e.vars[name] = true
			}
		}
	}
	return p, err
}

// findClosures finds the functions that use the notebook's variables, or other
// such functions: they can't stand at the top.
func (e *exporter) findClosures() {
	for again := true; again; {
		again = false
		for i := range e.cells {
			for j := range e.cells[i].parts {
				p := &e.cells[i].parts[j]
				if f, ok := p.decl.(*ast.FuncDecl); ok && f.Recv == nil && !e.vars[p.name] && e.usesVariables(p) {
					e.vars[p.name], again = true, true
				}
			}
		}
	}
}

func (e *exporter) usesVariables(p *exportPart) bool {
	for name := range p.uses {
		if e.vars[name] {
			return true
		}
	}
	return false
}

func (e *exporter) cell(c *exportCell) error {
	if c.comment != "" {
		e.p.body = append(e.p.body, "\n"+commented(c.comment))
		return nil
	}
	e.p.body = append(e.p.body, "")
	last := -1
	for i := range c.parts {
		if c.parts[i].stmt != nil {
			last = i
		}
	}
	for i := range c.parts {
		p := &c.parts[i]
		switch d := p.decl.(type) {
		case *ast.GenDecl:
			if d.Tok == token.IMPORT {
				if err := e.addImports(d); err != nil {
					return err
				}
				continue
			}
			if err := e.addTop(p, c.number, d); err != nil {
				return err
			}
		case *ast.FuncDecl:
			if err := e.function(p, c.number, d); err != nil {
				return err
			}
		default:
			e.statement(p, i == last)
		}
	}
	return nil
}

func commented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight("// "+l, " ")
	}
	return strings.Join(lines, "\n")
}

func (e *exporter) addImports(d *ast.GenDecl) error {
	for _, spec := range d.Specs {
		s := spec.(*ast.ImportSpec)
		path, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			return err
		}
		name := ""
		if s.Name != nil {
			name = s.Name.Name
		}
		if old, ok := e.p.imports[path]; ok && old != name {
			return fmt.Errorf("%s is imported as %q and as %q: a program has one name for it", path, old, name)
		}
		e.p.imports[path] = name
	}
	return nil
}

// addTop puts a type or constants at the top.
func (e *exporter) addTop(p *exportPart, cell int, d *ast.GenDecl) error {
	if e.usesVariables(p) {
		return fmt.Errorf("%.60q uses a variable of the notebook: a program declares it at the top, where there is none", p.text)
	}
	for _, spec := range d.Specs {
		var names []*ast.Ident
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = []*ast.Ident{s.Name}
		case *ast.ValueSpec:
			names = s.Names
		}
		for _, id := range names {
			if err := e.declareTop(id.Name, cell); err != nil {
				return err
			}
		}
	}
	e.p.top = append(e.p.top, p.text)
	return nil
}

func (e *exporter) declareTop(name string, cell int) error {
	if before, ok := e.types[name]; ok && name != "_" {
		return fmt.Errorf("%s is declared in cell %d too: a program has it once, so rename one", name, before)
	}
	e.types[name] = cell
	return nil
}

// function puts a function at the top, or a closure into main.
func (e *exporter) function(p *exportPart, cell int, d *ast.FuncDecl) error {
	name := p.name
	body := p.text[strings.Index(p.text, "func"):]
	comment := p.text[:len(p.text)-len(body)]
	signature := strings.TrimSpace(body[strings.Index(body, name)+len(name):])
	switch {
	case d.Recv != nil && e.usesVariables(p):
		return fmt.Errorf("method %s uses a variable of the notebook: pass it as an argument", name)
	case d.Recv != nil:
		e.p.top = append(e.p.top, p.text)
	case name == "main" || name == "init":
		e.p.body = append(e.p.body, comment+"func"+signature+"()")
	case !e.vars[name]:
		if err := e.declareTop(name, cell); err != nil {
			return err
		}
		e.p.top = append(e.p.top, p.text)
	case d.Type.TypeParams != nil:
		return fmt.Errorf("generic function %s uses a variable of the notebook: pass it as an argument", name)
	default:
		head := signature
		if d.Body != nil {
			// Positions count from the "package p\n" that the parser was given.
			offset := int(d.Body.Pos()) - 1 - len("package p\n") - strings.Index(p.text, "func")
			head = strings.TrimSpace(body[:offset])
			head = strings.TrimSpace(head[strings.Index(head, name)+len(name):])
		}
		e.open([]string{name})
		e.p.body = append(e.p.body, comment+"var "+name+" func"+head, name+" = func"+signature, "_ = "+name)
	}
	return nil
}

// open begins a block when one of the names is taken in the current one.
func (e *exporter) open(names []string) {
	for _, name := range names {
		if at, ok := e.declared[name]; ok && at == e.blocks {
			e.p.body = append(e.p.body, "{ // "+name+" is defined again")
			e.blocks++
			break
		}
	}
	for _, name := range names {
		e.declared[name] = e.blocks
	}
}

// statement puts a statement into main. What a cell ends with is shown.
func (e *exporter) statement(p *exportPart, last bool) {
	if p.stmt == nil {
		if p.text != "" { // comments alone
			e.p.body = append(e.p.body, p.text)
		}
		return
	}
	names := defined(p.stmt)
	e.open(names)
	e.p.body = append(e.p.body, p.text)
	if x, ok := p.stmt.(*ast.ExprStmt); ok {
		comment := ""
		text := p.text
		if i := int(x.Pos()) - 1 - len("package p\nfunc _() {\n"); i > 0 {
			comment, text = text[:i], text[i:]
		}
		end := int(x.End()-x.Pos()) - 0
		shown := comment + "Show(" + text[:end] + ")" + text[end:]
		_, call := x.X.(*ast.CallExpr)
		switch {
		case !call && last:
			e.p.body[len(e.p.body)-1] = shown
		case !call: // Go has no statement of a value alone
			e.p.body[len(e.p.body)-1] = comment + "_ = " + text
		case last && !isPrint(x.X.(*ast.CallExpr)):
			e.p.shows[len(e.p.body)-1] = shown
		}
	}
	for _, name := range names {
		if !e.readLater(p, name) {
			e.p.body = append(e.p.body, "_ = "+name)
		}
	}
}

// readLater says whether a name is read in a part after p, before it is defined
// again.
func (e *exporter) readLater(p *exportPart, name string) bool {
	after := false
	for i := range e.cells {
		for j := range e.cells[i].parts {
			q := &e.cells[i].parts[j]
			if q == p {
				after = true
				continue
			}
			if !after {
				continue
			}
			if q.uses[name] {
				return true
			}
			if q.stmt != nil && slices.Contains(defined(q.stmt), name) {
				return false
			}
		}
	}
	return false
}

// isPrint says whether a call is of fmt's printing functions, whose results
// nobody wants to see.
func isPrint(c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		pkg, ok := f.X.(*ast.Ident)
		return ok && (pkg.Name == "fmt" || pkg.Name == "log") && (strings.Contains(f.Sel.Name, "rint"))
	case *ast.Ident:
		return f.Name == "Show" || f.Name == "print" || f.Name == "println" || f.Name == "panic" || f.Name == "close" ||
			f.Name == "delete" || f.Name == "clear" || f.Name == "copy"
	}
	return false
}

// Imports are the paths that the program imports.
func (p *Program) Imports() []string { return sortedKeys(p.imports) }

// Missing are the names before a dot that nothing in the program declares or
// imports, with what stands behind them: packages that cells use without
// importing them.
func (p *Program) Missing() (map[string]map[string]bool, error) {
	source, err := p.source(false)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return nil, err
	}
	out := syntax.Qualifiers(file)
	for at, name := range p.imports {
		if name == "" {
			name = path.Base(at)
		}
		delete(out, name)
	}
	return out, nil
}

// Import adds an import.
func (p *Program) Import(path string) { p.imports[path] = "" }

// Replace imports another package in the place of one that has the name given.
func (p *Program) Replace(old, by, name string) {
	called := p.imports[old]
	if called == "" && name != path.Base(by) {
		called = name
	}
	delete(p.imports, old)
	p.imports[by] = called
}

// Candidates is how many calls end a cell, whose values a notebook shows if they
// have any.
func (p *Program) Candidates() []int {
	var at []int
	for i := range p.body {
		if _, ok := p.shows[i]; ok {
			at = append(at, i)
		}
	}
	return at
}

// Show makes the program show the value of a candidate.
func (p *Program) Show(candidate int) { p.body[candidate] = p.shows[candidate] }

// DropImport removes an import.
func (p *Program) DropImport(path string) { delete(p.imports, path) }

// CandidateMark comes before each candidate in marked source.
const CandidateMark = "/*value?*/"

// Source is the program's text, formatted.
func (p *Program) Source() ([]byte, error) { return p.source(false) }

// Marked is the program's text with a mark in front of each candidate that is
// not shown, and the candidates in the order of the marks.
func (p *Program) Marked() (source []byte, candidates []int, err error) {
	source, err = p.source(true)
	return source, p.Candidates(), err
}

func (p *Program) source(mark bool) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("package main\n\nimport (\n")
	for _, path := range sortedKeys(p.imports) {
		fmt.Fprintf(&b, "%s %q\n", p.imports[path], path)
	}
	b.WriteString(")\n\n")
	for _, d := range p.top {
		b.WriteString(d + "\n\n")
	}
	b.WriteString("func main() {\n")
	for i, s := range p.body {
		if _, ok := p.shows[i]; ok && mark {
			b.WriteString(CandidateMark)
		}
		b.WriteString(s + "\n")
	}
	b.WriteString(strings.Repeat("}\n", p.depth) + "}\n")
	text, err := format.Source(b.Bytes())
	if err != nil {
		return nil, errors.Join(errors.New("the program is no Go"), err)
	}
	return text, nil
}

var clause = regexp.MustCompile(`(?m)^package\s+\w+[ \t]*;?`)

// blankPackage takes out a package clause, and keeps the lines' numbers.
func blankPackage(source string) string {
	at := clause.FindStringIndex(source)
	if at == nil {
		return source
	}
	// Only comments may stand before the clause; elsewhere the word is text.
	for _, line := range strings.Split(source[:at[0]], "\n") {
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "//") {
			return source
		}
	}
	return source[:at[0]] + strings.Repeat(" ", at[1]-at[0]) + source[at[1]:]
}
