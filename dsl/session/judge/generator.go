package judge

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// generator makes one program. Its names end in a number that no other program
// of the run has.
type generator struct {
	rand   *rand.Rand
	serial int
	names  int
	traces int
	flat   bool     // operands are variables, so that expressions end
	setup  []string // statements that the expression needs before it
	decls  []string // declarations of the program
}

// name is a name of this program alone.
func (g *generator) name(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d_%d", prefix, g.serial, g.names)
}

func (g *generator) before(format string, args ...any) {
	g.setup = append(g.setup, fmt.Sprintf(format, args...))
}

func (g *generator) declare(format string, args ...any) {
	g.decls = append(g.decls, fmt.Sprintf(format, args...))
}

// take returns the statements that are to come first, and forgets them.
func (g *generator) take() string {
	s := strings.Join(g.setup, "\n")
	g.setup = nil
	if s != "" {
		s += "\n"
	}
	return s
}

func (g *generator) leaf(t *Type) string { return t.leaves[g.rand.IntN(len(t.leaves))] }

// variable is the name of a new variable of type t.
func (g *generator) variable(t *Type) string {
	v := g.name("v")
	if g.rand.IntN(3) == 0 {
		g.before("var %s %s = %s", v, t.name, g.leaf(t))
	} else {
		g.before("%s := %s", v, g.typed(t, g.leaf(t)))
	}
	return v
}

// typed makes sure that an expression has the very type t.
func (g *generator) typed(t *Type, e string) string {
	switch {
	case t.kind == face, t.kind == function, t.kind == channel && t.dir != "":
		return "(" + t.name + ")(" + e + ")"
	}
	return e
}

// operand is a small expression of type t.
func (g *generator) operand(t *Type) string {
	if g.flat {
		return g.variable(t)
	}
	switch g.rand.IntN(12) {
	case 0:
		return "make" + t.id + "()"
	case 1:
		return "global" + t.id
	case 2:
		g.traces++
		return fmt.Sprintf("at(%d, %s)", g.traces, g.typed(t, g.leaf(t)))
	case 3:
		return g.typed(t, g.leaf(t))
	case 4, 5:
		return g.some(t)
	}
	return g.variable(t)
}

// some is an expression of type t in any form, its operands variables.
func (g *generator) some(t *Type) string {
	for range 20 {
		f := forms[g.rand.IntN(len(forms))]
		if f.depth == 0 && f.takes(t) {
			flat := g.flat
			g.flat = true
			e := f.write(g, t)
			g.flat = flat
			return "(" + e + ")"
		}
	}
	return g.variable(t)
}

// operands is what a form takes its operands from.
type operands = *generator

// literalOf is a composite of two elements.
func (g *generator) literalOf(t *Type) string {
	return t.name + "{" + g.operand(t.elem) + ", " + g.operand(t.elem) + "}"
}

// pick is one of the choices.
func (g *generator) pick(choices ...string) string { return choices[g.rand.IntN(len(choices))] }

// one is what one of the choices writes.
func (g *generator) one(choices ...func() string) string { return choices[g.rand.IntN(len(choices))]() }

// any is one of the types that f takes.
func (g *generator) any(f func(*Type) bool) *Type {
	for range 500 {
		if t := types[g.rand.IntN(len(types))]; f(t) {
			return t
		}
	}
	return typ("int")
}

// pair is a form in a context, with the types that both take.
type pair struct {
	form    *form
	context *setting
	types   []*Type
}

// pairs are all there are.
var pairs = sync.OnceValue(func() []pair {
	var out []pair
	for _, f := range forms {
		for _, c := range contexts {
			p := pair{form: f, context: c}
			for _, t := range types {
				if f.takes(t) && c.takes(t) {
					p.types = append(p.types, t)
				}
			}
			if len(p.types) > 0 {
				out = append(out, p)
			}
		}
	}
	return out
})

// triple is a kind of program.
type triple struct {
	form    *form
	context *setting
	typ     *Type
}

// program is one small program.
type program struct {
	// earlier is a program with the same names, or nil. Its cells run before, so
	// that this one's declare them anew.
	earlier *program
	triple  triple
	place   *place
	layout  layout
	serial  int
	decls   []string
	stmts   []string
}

// key names the program's kind.
func (p *program) key() string {
	key := fmt.Sprintf("%d: %s of %s in %s at %s as %s", p.serial, p.triple.form.name, p.triple.typ.name, p.triple.context.name, p.place.name, p.layout)
	if p.earlier != nil {
		key += " after another"
	}
	return key
}

// programs are n programs of a seed, beginning with number from: pairs of form
// and context in an order that the seed shuffles, each with a type, a place and
// a layout by chance.
func programs(seed uint64, from, n int) []*program {
	all := slices.Clone(pairs())
	shuffle := rand.New(rand.NewPCG(seed, 0))
	shuffle.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	out := make([]*program, 0, n)
	for i := from; i < from+n; i++ {
		out = append(out, write(seed, i, all[i%len(all)]))
	}
	return out
}

// write makes program number serial of a seed.
func write(seed uint64, serial int, of pair) *program {
	g := &generator{rand: rand.New(rand.NewPCG(seed, uint64(serial)+1)), serial: serial}
	t := triple{of.form, of.context, of.types[g.rand.IntN(len(of.types))]}
	p := &program{triple: t, serial: serial}
	p.place = places[0]
	if g.rand.IntN(2) == 0 {
		p.place = places[g.rand.IntN(len(places))]
	}
	p.layout = layout(g.rand.IntN(int(layouts)))
	stmts := t.context.write(g, t.typ, t.form.write(g, t.typ))
	p.stmts = statements(p.place.write(g, g.take()+stmts))
	p.decls = g.decls
	if g.rand.IntN(5) == 0 {
		p.earlier = writeEarlier(g, of)
		p.earlier.rename(p)
	}
	return p
}

// writeEarlier makes a program whose names are those of a program of g: of the same
// kind with other types by chance, or of any kind.
func writeEarlier(g *generator, of pair) *program {
	before := &generator{rand: g.rand, serial: g.serial}
	if g.rand.IntN(2) == 0 {
		all := pairs()
		of = all[g.rand.IntN(len(all))]
	}
	t := triple{of.form, of.context, of.types[g.rand.IntN(len(of.types))]}
	p := &program{triple: t, serial: g.serial, place: places[g.rand.IntN(len(places))]}
	p.layout = []layout{oneCell, declarationsFirst, single, twos}[g.rand.IntN(4)]
	stmts := t.context.write(before, t.typ, t.form.write(before, t.typ))
	p.stmts = statements(p.place.write(before, before.take()+stmts))
	p.decls = before.decls
	return p
}

// rename gives the program the names of another one.
func (p *program) rename(as *program) {
	name := regexp.MustCompile(fmt.Sprintf(`[a-zA-Z]+%d_\d+`, p.serial))
	namesOf := func(p *program) []string {
		var out []string
		for _, n := range name.FindAllString(strings.Join(append(p.decls[:len(p.decls):len(p.decls)], p.stmts...), "\n"), -1) {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		return out
	}
	mine, theirs := namesOf(p), namesOf(as)
	to := map[string]string{}
	for i, n := range mine {
		if i < len(theirs) {
			to[n] = theirs[i]
		} else {
			to[n] = "another" + n
		}
	}
	for _, list := range [][]string{p.decls, p.stmts} {
		for i, text := range list {
			list[i] = name.ReplaceAllStringFunc(text, func(n string) string { return to[n] })
		}
	}
}

// statements parts statements that stand one after the other.
func statements(body string) []string {
	const before = "package p\nfunc f() {\n"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", before+body+"\n}", parser.SkipObjectResolution)
	if err != nil {
		panic(fmt.Sprintf("judge: the generator writes what is no Go: %v\n%s", err, body))
	}
	var out []string
	for _, st := range file.Decls[0].(*ast.FuncDecl).Body.List {
		from, to := fset.Position(st.Pos()).Offset, fset.Position(st.End()).Offset
		out = append(out, (before + body)[from:to])
	}
	return out
}
