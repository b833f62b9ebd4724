// Package assist says what can follow the cursor in a cell that is being typed,
// and what stands there.
package assist

import (
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"sapf/dsl/session/plan"
	"sapf/dsl/session/syntax"
	"sapf/dsl/session/universe"
)

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// stand is put where the cursor is: something must be there for the parser to
// keep what is before it.
const stand = "ˍ"

// candidate is a possible completion.
type candidate struct{ text, kind string }

// Known is what completion and inspection go by.
type Known struct {
	Declared *plan.Declared
	// words lists what the string that a verb takes can be.
	Words  func(verb string) []string
	Magics []string
}

// Complete lists what can stand at the cursor, a byte offset: members after a
// dot, fields in a literal of a structure, names in scope, import paths, and
// the words and files that a verb's string can be.
func (k Known) Complete(code string, cursor int) Completion {
	cursor = clampCursor(code, cursor)
	if c, ok := k.completeForeign(code, cursor); ok {
		return c
	}
	code = withoutMagics(code)
	if start, ok := stringAt(code, cursor); ok {
		return k.completeString(code, start, cursor)
	}
	start, _ := wordAt(code[:cursor], cursor)
	_, end := wordAt(code, cursor)
	prefix := code[start:cursor]
	a := analyse(k.Declared, code[:cursor]+stand+code[end:])
	id, path := a.identAt(start)
	var all []candidate
	switch {
	case id == nil && precededByDot(code[:start]):
	case id == nil:
		all = names(a.pkg.Scope(), token.NoPos)
	default:
		all = a.candidates(id, path)
	}
	if !precededByDot(code[:start]) && prefix != "" {
		all = k.packages(all)
	}
	return match(all, prefix, start, end)
}

// packages adds the packages that import themselves when they are used.
func (k Known) packages(all []candidate) []candidate {
	have := map[string]bool{}
	for _, c := range all {
		have[c.text] = true
	}
	for _, name := range k.Declared.Universe.Names() {
		if !have[name] {
			all = append(all, candidate{name, "package"})
		}
	}
	return all
}

func precededByDot(code string) bool {
	return strings.HasSuffix(strings.TrimRight(code, " \t\n"), ".")
}

// candidates lists what the identifier at the cursor could become.
func (a *analysis) candidates(id *ast.Ident, path []ast.Node) []candidate {
	if len(path) == 0 {
		return names(a.pkg.Scope(), token.NoPos)
	}
	switch parent := path[len(path)-1].(type) {
	case *ast.SelectorExpr:
		if parent.Sel == id {
			return a.members(parent.X)
		}
	case *ast.CompositeLit:
		if parent.Type != id {
			if fields := a.fields(parent); len(fields) > 0 {
				return fields
			}
		}
	case *ast.KeyValueExpr:
		if lit, ok := path[max(0, len(path)-2)].(*ast.CompositeLit); ok && parent.Key == id {
			if fields := a.fields(lit); len(fields) > 0 {
				return fields
			}
		}
	}
	return names(a.scopeAt(id.Pos()), id.Pos())
}

// names lists what a scope and those around it declare.
func names(sc *types.Scope, pos token.Pos) []candidate {
	var out []candidate
	seen := map[string]bool{universe.ShowName: true}
	for ; sc != nil; sc = sc.Parent() {
		local := sc != types.Universe && sc.Parent() != types.Universe
		for _, name := range sc.Names() {
			obj := sc.Lookup(name)
			if _, isVar := obj.(*types.Var); seen[name] || name == "_" || local && isVar && obj.Pos() >= pos {
				continue // not yet declared there
			}
			seen[name] = true
			out = append(out, candidate{name, kindOf(obj)})
		}
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		out = append(out, candidate{t.String(), "keyword"})
	}
	return out
}

func kindOf(obj types.Object) string {
	switch obj := obj.(type) {
	case *types.Func:
		if obj.Signature().Recv() != nil {
			return "method"
		}
		return "function"
	case *types.Builtin:
		return "function"
	case *types.TypeName:
		return "type"
	case *types.Const, *types.Nil:
		return "constant"
	case *types.PkgName:
		return "package"
	case *types.Var:
		if obj.IsField() {
			return "field"
		}
	}
	return "variable"
}

// members lists what can follow x and a dot.
func (a *analysis) members(x ast.Expr) []candidate {
	if id, ok := x.(*ast.Ident); ok {
		if p, ok := a.object(id).(*types.PkgName); ok {
			var out []candidate
			sc := p.Imported().Scope()
			for _, name := range sc.Names() {
				if obj := sc.Lookup(name); obj.Exported() {
					out = append(out, candidate{name, kindOf(obj)})
				}
			}
			return out
		}
	}
	tv := a.info.Types[x]
	t := tv.Type
	if t == nil {
		return nil
	}
	return membersOf(t, a.pkg)
}

func membersOf(t types.Type, from *types.Package) []candidate {
	var out []candidate
	seen := map[string]bool{}
	add := func(obj types.Object, kind string) {
		foreign := !obj.Exported() && (obj.Pkg() == nil || obj.Pkg().Path() != from.Path())
		if !seen[obj.Name()] && !foreign && obj.Name() != "_" {
			seen[obj.Name()] = true
			out = append(out, candidate{obj.Name(), kind})
		}
	}
	target := t
	if _, ok := universe.Named(t); ok && !types.IsInterface(t) {
		target = types.NewPointer(t)
	}
	set := types.NewMethodSet(target)
	for i := range set.Len() {
		add(set.At(i).Obj(), "method")
	}
	visited := map[types.Type]bool{}
	var fields func(types.Type)
	fields = func(t types.Type) {
		t = universe.Deref(t)
		st, ok := t.Underlying().(*types.Struct)
		if !ok || visited[t] {
			return
		}
		visited[t] = true
		for i := range st.NumFields() {
			add(st.Field(i), "field")
		}
		for i := range st.NumFields() {
			if st.Field(i).Embedded() {
				fields(st.Field(i).Type())
			}
		}
	}
	fields(t)
	return out
}

// fields lists the fields that a literal of a structure does not set yet.
func (a *analysis) fields(lit *ast.CompositeLit) []candidate {
	t := a.info.Types[lit].Type
	if t == nil && lit.Type != nil {
		t = a.info.Types[lit.Type].Type
	}
	if t == nil {
		return nil
	}
	st, ok := universe.Deref(t).Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	set := map[string]bool{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				set[key.Name] = true
			}
		}
	}
	var out []candidate
	for i := range st.NumFields() {
		if f := st.Field(i); !set[f.Name()] && (f.Exported() || f.Pkg().Path() == "main") {
			out = append(out, candidate{f.Name(), "field"})
		}
	}
	return out
}

// match keeps the candidates that begin with prefix: exactly, or else in any
// case of letters.
func match(all []candidate, prefix string, start, end int) Completion {
	for _, fold := range []bool{false, true} {
		var hits []candidate
		for _, c := range all {
			if strings.HasPrefix(c.text, prefix) || fold && len(c.text) >= len(prefix) && strings.EqualFold(c.text[:len(prefix)], prefix) {
				hits = append(hits, c)
			}
		}
		if len(hits) == 0 {
			continue
		}
		sort.Slice(hits, func(i, j int) bool {
			ki, kj := hits[i].kind == "keyword", hits[j].kind == "keyword"
			if ki != kj {
				return kj
			}
			return hits[i].text < hits[j].text
		})
		out := Completion{Start: start, End: end}
		for _, h := range hits {
			out.Matches = append(out.Matches, h.text)
			out.Kinds = append(out.Kinds, h.kind)
		}
		return out
	}
	return Completion{Matches: []string{}, Kinds: []string{}, Start: start, End: end}
}

// completeString completes what is written in a string: an import path, the
// words that a verb takes, or else a file's name.
func (k Known) completeString(code string, start, cursor int) Completion {
	prefix := code[start:cursor]
	end := cursor
	for end < len(code) && !strings.ContainsRune("\"`\n", rune(code[end])) {
		end++
	}
	before := strings.TrimRight(code[:start-1], " \t.")
	var all []candidate
	if isImport(code[:start-1]) {
		if strings.HasPrefix(prefix, ".") {
			all = files(prefix)
		}
		for _, p := range k.Declared.Universe.Paths() {
			all = append(all, candidate{p, "package"})
		}
		return match(all, prefix, start, end)
	}
	if open := strings.LastIndexByte(before, '('); open >= 0 {
		from, to := wordAt(before[:open], open)
		if words := k.Words(before[from:to]); len(words) > 0 {
			for _, w := range words {
				all = append(all, candidate{w, "value"})
			}
			if c := match(all, prefix, start, end); len(c.Matches) > 0 {
				return c
			}
		}
	}
	if words := k.optionWords(code, start, end); len(words) > 0 {
		for _, w := range words {
			all = append(all, candidate{w, "value"})
		}
		if c := match(all, prefix, start, end); len(c.Matches) > 0 {
			return c
		}
	}
	return match(files(prefix), prefix, start, end)
}

// isImport reports whether a string that begins here is an import path.
func isImport(before string) bool {
	items := syntax.Split(before + `""`)
	return len(items) > 0 && items[len(items)-1].First == token.IMPORT
}

// files lists the files whose path begins with prefix.
func files(prefix string) []candidate {
	dir, _ := filepath.Split(prefix)
	look := dir
	if look == "" {
		look = "."
	}
	entries, err := os.ReadDir(look)
	if err != nil {
		return nil
	}
	var out []candidate
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(filepath.Base(prefix), ".") {
			continue
		}
		name, kind := dir+e.Name(), "file"
		if e.IsDir() {
			name, kind = name+"/", "folder"
		}
		out = append(out, candidate{name, kind})
	}
	return out
}

// Completion is what can follow the cursor. Positions are byte offsets.
type Completion struct {
	Matches    []string
	Start, End int
	// Kinds has one word a match: "function", "type", "variable", ...
	Kinds []string
}
