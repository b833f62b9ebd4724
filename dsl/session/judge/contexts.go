package judge

import (
	"strings"
)

// setting is a context in which an expression stands. It writes statements
// that use the expression e of type t and print what came of it. A context
// that puts e into a function of its own takes the generator's statements
// along with it.
type setting struct {
	name  string
	takes func(t *Type) bool
	write func(g *generator, t *Type, e string) string
}

// clause is an expression as it can stand before a block.
func clause(e string) string {
	if strings.Contains(e, "{") {
		return "(" + e + ")"
	}
	return e
}

// within is a declared function with results, whose body ends in a return.
func within(g *generator, params, results, ret string) string {
	f := g.name("fn")
	g.declare("func %s(%s) %s {\n%s%s\n}", f, params, results, g.take(), ret)
	return f
}

func hashable(t *Type) bool { return t.comparable() }

var contexts = []*setting{
	// Variables.
	{"short declaration", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.typed(t, e) + "\n" + t.show(v)
	}},
	{"declaration", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " " + t.name + " = " + e + "\n" + t.show(v)
	}},
	{"declaration as any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " any = " + e + "\nshowAnything(" + v + ")"
	}},
	{"declaration as interface", func(t *Type) bool { return len(t.faces) > 0 }, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " " + t.faces[0] + " = " + e + "\n" + typ(t.faces[0]).show(v)
	}},
	{"declaration of two", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + g.operand(typ("int")) + ", " + e + "\nshowint(" + v + ")\n" + t.show(w)
	}},
	{"declaration of two as any", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return "var " + v + ", " + w + " any = " + e + ", " + g.operand(typ("int")) + "\nshowAll(" + v + ", " + w + ")"
	}},
	{"assignment", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " " + t.name + "\n" + v + " = " + e + "\n" + t.show(v)
	}},
	{"assignment to any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " any = 1\n" + v + " = " + e + "\nshowAnything(" + v + ")"
	}},
	{"assignment to interface", func(t *Type) bool { return len(t.faces) > 0 }, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " " + t.faces[0] + "\n" + v + " = " + e + "\n" + typ(t.faces[0]).show(v)
	}},
	{"assignment to field", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("", "&") + "Box[" + t.name + "]{}\n" + v + ".V = " + e + "\n" + t.show(v+".V")
	}},
	{"assignment to field of any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("", "&") + "Box[any]{}\n" + v + ".V = " + e + "\nshowAnything(" + v + ".V)"
	}},
	{"assignment to element", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("make([]"+t.name+", 3)", "[3]"+t.name+"{}", "&[3]"+t.name+"{}") + "\n" + v + "[" + g.operandIndex() + "] = " + e + "\n" + t.show(v+"[1]")
	}},
	{"assignment to element of any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("make([]any, 3)", "[3]any{}") + "\n" + v + "[1] = " + e + "\nshowAnything(" + v + "[1])"
	}},
	{"assignment to map", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := map[string]" + t.name + "{}\n" + v + "[\"k\"] = " + e + "\n" + t.show(v+"[\"k\"]") + "\nshowint(len(" + v + "))"
	}},
	{"assignment to map of any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := make(map[string]any)\n" + v + "[\"k\"] = " + e + "\nshowAnything(" + v + "[\"k\"])"
	}},
	{"assignment through pointer", always, func(g *generator, t *Type, e string) string {
		v, p := g.name("x"), g.name("p")
		return "var " + v + " " + t.name + "\n" + p + " := &" + v + "\n*" + p + " = " + e + "\n" + t.show(v)
	}},
	{"assignment through pointer to any", always, func(g *generator, t *Type, e string) string {
		p := g.name("p")
		return p + " := new(any)\n*" + p + " = " + e + "\nshowAnything(*" + p + ")"
	}},
	{"exchange", always, func(g *generator, t *Type, e string) string {
		v, w := g.variable(t), g.name("w")
		return "var " + w + " " + t.name + "\n" + v + ", " + w + " = " + e + ", " + v + "\n" + t.show(v) + "\n" + t.show(w)
	}},
	{"assignment to nothing", always, func(g *generator, t *Type, e string) string { return "_ = " + e + "\nfmt.Print(\"done\")" }},
	{"operation and assignment", func(t *Type) bool { return t.numeric() || t.kind == text }, func(g *generator, t *Type, e string) string {
		op := "+="
		if t.numeric() {
			op = g.pick("+=", "-=", "*=")
		}
		if t.whole() {
			op = g.pick("+=", "-=", "*=", "|=", "^=", "&^=", "&=")
		}
		v := g.name("x")
		switch g.rand.IntN(4) {
		case 0:
			return v + " := map[string]" + t.name + "{}\n" + v + "[\"k\"] " + op + " " + e + "\n" + t.show(v+"[\"k\"]")
		case 1:
			return v + " := []" + t.name + "{" + g.leaf(t) + ", " + g.leaf(t) + "}\n" + v + "[1] " + op + " " + e + "\n" + t.show(v+"[1]")
		case 2:
			return v + " := &Box[" + t.name + "]{" + g.leaf(t) + "}\n" + v + ".V " + op + " " + e + "\n" + t.show(v+".V")
		}
		w := g.variable(t)
		return w + " " + op + " " + e + "\n" + t.show(w)
	}},
	{"shift and assignment", (*Type).whole, func(g *generator, t *Type, e string) string {
		v := g.variable(typ("int64"))
		return v + " " + g.pick("<<=", ">>=") + " (" + e + ") & 7\nshowint64(" + v + ")"
	}},
	// Calls.
	{"argument", always, func(g *generator, t *Type, e string) string { return t.show(e) }},
	{"argument as any", always, func(g *generator, t *Type, e string) string { return "showAnything(" + e + ")" }},
	{"argument as interface", func(t *Type) bool { return len(t.faces) > 0 }, func(g *generator, t *Type, e string) string {
		return typ(t.faces[0]).show(e)
	}},
	{"second argument", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s(n int, v %s, w any) {\n\tfmt.Print(n, \" \")\n\t%s\n\tshowAnything(w)\n}", f, t.name, t.show("v"))
		return f + "(" + g.operand(typ("int")) + ", " + e + ", " + e + ")"
	}},
	{"variadic argument", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s(vs ...%s) {\n\tfor _, v := range vs {\n\t\t%s\n\t}\n}", f, t.name, t.show("v"))
		return f + "(" + g.operand(t) + ", " + e + ")"
	}},
	{"variadic argument as any", always, func(g *generator, t *Type, e string) string {
		return "showAll(" + g.operand(typ("int")) + ", " + e + ", nil)"
	}},
	{"only variadic argument as any", always, func(g *generator, t *Type, e string) string { return "showAll(" + e + ")" }},
	{"spread argument", always, func(g *generator, t *Type, e string) string { return "showAll([]any{1, " + e + "}...)" }},
	{"spread", kinds(slice), func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s(n int, vs ...%s) { %s }", f, t.elem.name, typ("[]"+t.elem.name).show("vs"))
		return f + "(1, " + e + "...)"
	}},
	{"argument of literal", always, func(g *generator, t *Type, e string) string {
		return "func(v " + t.name + ", w any) {\n" + t.show("v") + "\nshowAnything(w)\n}(" + e + ", " + e + ")"
	}},
	{"argument of closure", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		return f + " := func(v any, w " + t.name + ") {\nshowAnything(v)\n" + t.show("w") + "\n}\n" + f + "(" + e + ", " + e + ")"
	}},
	{"argument of generic", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s[T any](v T) {\n\tvar i any = v\n\tshowAnything(i)\n\tfor _, w := range []T{v} {\n\t\tshowAnything(w)\n\t}\n}", f)
		return f + "(" + g.typed(t, e) + ")"
	}},
	{"argument of method", always, func(g *generator, t *Type, e string) string {
		b := g.name("b")
		return b + " := Box[" + t.name + "]{}\n" + b + ".Set(" + e + ")\n" + t.show(b+".Get()")
	}},
	{"argument of method as any", always, func(g *generator, t *Type, e string) string {
		b := g.name("b")
		return "var " + b + " Box[any]\n" + b + ".Set(" + e + ")\nshowAnything(" + b + ".V)"
	}},
	{"argument of method of interface", always, func(g *generator, t *Type, e string) string {
		b := g.name("b")
		return "var " + b + " interface{ Set(" + t.name + "); Get() " + t.name + " } = &Box[" + t.name + "]{}\n" + b + ".Set(" + e + ")\n" + t.show(b+".Get()")
	}},
	{"argument of print", func(t *Type) bool { return t.kind <= text }, func(g *generator, t *Type, e string) string {
		return "fmt.Println(" + e + ", 1)\nfmt.Printf(\"%v %T|\", " + e + ", " + g.operand(typ("string")) + ")"
	}},
	{"results as arguments", always, func(g *generator, t *Type, e string) string {
		f := within(g, "", "(int, "+t.name+")", "return 4, "+e)
		h := g.name("h")
		g.declare("func %s(n int, v %s) {\n\tshowint(n)\n\t%s\n}", h, t.name, t.show("v"))
		return h + "(" + f + "())"
	}},
	{"results as any", always, func(g *generator, t *Type, e string) string {
		return "showAll(" + within(g, "", "("+t.name+", error, "+t.name+")", "return "+e+", nil, "+e) + "())"
	}},
	{"deferred argument", always, func(g *generator, t *Type, e string) string {
		return "func() {\ndefer " + t.show(e) + "\nfmt.Print(\"first \")\n}()"
	}},
	{"deferred argument as any", always, func(g *generator, t *Type, e string) string {
		return "func() {\ndefer showAll(" + e + ", 2)\ndefer func(v any) { showAnything(v) }(" + e + ")\nfmt.Print(\"first \")\n}()"
	}},
	{"argument of goroutine", always, func(g *generator, t *Type, e string) string {
		c := g.name("c")
		return c + " := make(chan bool)\ngo func(v " + t.name + ", w any) {\ndefer close(" + c + ")\ndefer caught()\n" + t.show("v") + "\nshowAnything(w)\n}(" + e + ", " + e + ")\n<-" + c
	}},
	{"panic", always, func(g *generator, t *Type, e string) string {
		return "func() {\ndefer func() { showAnything(recover()) }()\npanic(" + e + ")\n}()"
	}},
	// Results.
	{"result", always, func(g *generator, t *Type, e string) string { return t.show(within(g, "", t.name, "return "+e) + "()") }},
	{"result as any", always, func(g *generator, t *Type, e string) string {
		return "showAnything(" + within(g, "", "any", "return "+e) + "())"
	}},
	{"result as interface", func(t *Type) bool { return len(t.faces) > 0 }, func(g *generator, t *Type, e string) string {
		return typ(t.faces[0]).show(within(g, "", t.faces[0], "return "+e) + "()")
	}},
	{"first result", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "", "("+t.name+", int)", "return "+e+", "+g.operandHere()) + "()\n" + t.show(v) + "\nshowint(" + w + ")"
	}},
	{"second result", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "s []int", "(int, "+t.name+")", "return s[0], "+e) + "([]int{7})\nshowint(" + v + ")\n" + t.show(w)
	}},
	{"third result", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", _, " + w + " := " + within(g, "s string", "("+t.name+", string, "+t.name+")", "return "+e+", s + \"!\", "+e) + "(\"a\")\n" + t.show(v) + "\n" + t.show(w)
	}},
	{"first result as any", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "", "(any, error)", "return "+e+", nil") + "()\nshowAll(" + v + ", " + w + ")"
	}},
	{"second result as any", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "", "(any, any)", "return "+g.operandHere()+", "+e) + "()\nshowAll(" + v + ", " + w + ")"
	}},
	{"pair of results", always, func(g *generator, t *Type, e string) string {
		o := g.any(always)
		f := o.pair(g)
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "", "("+t.name+", "+o.name+")", "return "+e+", "+f) + "()\n" + t.show(v) + "\n" + o.show(w)
	}},
	{"pair of results of literal", always, func(g *generator, t *Type, e string) string {
		o := g.any(always)
		f := o.pair(g)
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := func() (" + o.name + ", " + t.name + ") { return " + f + ", " + e + " }()\n" + o.show(v) + "\n" + t.show(w)
	}},
	{"named result", always, func(g *generator, t *Type, e string) string {
		return t.show(within(g, "", "(r "+t.name+")", "r = "+e+"\nreturn") + "()")
	}},
	{"named results", always, func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + within(g, "", "(r "+t.name+", err error)", "defer func() {\nif err == nil {\nerr = errors.New(\"set late\")\n}\n}()\nreturn "+e+", nil") + "()\n" + t.show(v) + "\nshowerror(" + w + ")"
	}},
	{"result of closure", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		return f + " := func() " + t.name + " { return " + e + " }\n" + t.show(f+"()") + "\n" + t.show(f+"()")
	}},
	{"result of closure as any", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		return f + " := func() (any, bool) { return " + e + ", true }\n" + "showAll(" + f + "())"
	}},
	{"result of method", always, func(g *generator, t *Type, e string) string {
		h := g.name("h")
		g.declare("type %s struct{ n int }\n\nfunc (h %s) give() (%s, any) {\n%sreturn %s, h.n\n}", h, h, t.name, g.take(), e)
		v, w := g.name("x"), g.name("y")
		return v + ", " + w + " := " + h + "{3}.give()\n" + t.show(v) + "\nshowAnything(" + w + ")"
	}},
	{"result of generic", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s[T any](v T) (T, any, []T) { return v, v, []T{v, v} }", f)
		v, w, u := g.name("x"), g.name("y"), g.name("z")
		return v + ", " + w + ", " + u + " := " + f + "(" + g.typed(t, e) + ")\n" + t.show(v) + "\nshowAnything(" + w + ")\n" + t.show(u+"[1]")
	}},
	{"captured", always, func(g *generator, t *Type, e string) string {
		v, f := g.name("x"), g.name("f")
		return v + " := " + g.typed(t, g.leaf(t)) + "\n" + f + " := func() { " + v + " = " + e + " }\n" + f + "()\n" + t.show(v)
	}},
	{"captured in loop", always, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		return "var " + f + " []func() " + t.name + "\nfor range 2 {\nv := " + g.typed(t, e) + "\n" + f + " = append(" + f + ", func() " + t.name + " { return v })\n}\n" + t.show(f+"[0]()") + "\n" + t.show(f+"[1]()")
	}},
}

// operandHere is an operand that needs nothing before it.
func (g *generator) operandHere() string { return g.leaf(typ("int")) }

// pair is an expression of type t in any form, for a second result.
func (t *Type) pair(g *generator) string { return g.some(t) }
