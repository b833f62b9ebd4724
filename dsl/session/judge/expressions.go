package judge

import (
	"fmt"
	"strings"
)

// form is a form of expression.
type form struct {
	name  string
	takes func(t *Type) bool
	write func(g operands, t *Type) string
	depth int // 1 keeps it from being an operand
}

func always(*Type) bool { return true }

func kinds(ks ...kind) func(*Type) bool {
	return func(t *Type) bool {
		for _, k := range ks {
			if t.kind == k {
				return true
			}
		}
		return false
	}
}

func named(name string) func(*Type) bool { return func(t *Type) bool { return t.name == name } }

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// concrete types can be asserted from any.
func concrete(t *Type) bool { return t.kind != face }

// forms is the whole table of expressions.
var forms []*form

// plainForms are those that all types have.
var plainForms = []*form{
	// Of any type.
	{name: "variable", takes: always, write: func(g operands, t *Type) string { return g.variable(t) }},
	{name: "package variable", takes: always, write: func(g operands, t *Type) string { return "global" + t.id }},
	{name: "literal", takes: always, write: func(g operands, t *Type) string { return g.typed(t, g.leaf(t)) }},
	{name: "constant", takes: func(t *Type) bool { return t.constants }, write: func(g operands, t *Type) string {
		c := g.name("c")
		g.before("const %s = %s", c, g.leaf(t))
		return c
	}},
	{name: "untyped constant", takes: func(t *Type) bool { return t.numeric() }, write: func(g operands, t *Type) string {
		c := g.name("c")
		g.before("const %s = 12", c)
		return t.name + "(" + c + ")"
	}},
	{name: "parentheses", takes: always, write: func(g operands, t *Type) string { return "(" + g.operand(t) + ")" }},
	{name: "call", takes: always, write: func(g operands, t *Type) string { return "make" + t.id + "()" }},
	{name: "call with arguments", takes: always, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.declare("func %s(n int, v %s, s string) %s { return v }", f, t.name, t.name)
		return sprint(`%s(len("abc"), %s, "s"+"t")`, f, g.operand(t))
	}},
	{name: "generic call", takes: always, write: func(g operands, t *Type) string { return "same(" + g.operand(t) + ")" }},
	{name: "generic call of instance", takes: always, write: func(g operands, t *Type) string { return "same[" + t.name + "](" + g.operand(t) + ")" }},
	{name: "generic variadic", takes: always, write: func(g operands, t *Type) string {
		return "last(" + g.operand(t) + ", " + g.operand(t) + ")"
	}},
	{name: "generic spread", takes: always, write: func(g operands, t *Type) string {
		return "first(" + g.operand(t) + ", []" + t.name + "{" + g.operand(t) + "}...)"
	}},
	{name: "literal called", takes: always, write: func(g operands, t *Type) string {
		return "func() " + t.name + " { return " + g.operand(t) + " }()"
	}},
	{name: "literal called with argument", takes: always, write: func(g operands, t *Type) string {
		return "func(v " + t.name + ") " + t.name + " { return v }(" + g.operand(t) + ")"
	}},
	{name: "closure called", takes: always, write: func(g operands, t *Type) string {
		f, v := g.name("f"), g.variable(t)
		g.before("%s := func() %s { return %s }", f, t.name, v)
		return f + "()"
	}},
	{name: "curried", takes: always, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.before("%s := func(v %s) func() %s { return func() %s { return v } }", f, t.name, t.name, t.name)
		return f + "(" + g.operand(t) + ")()"
	}},
	{name: "named result set late", takes: always, write: func(g operands, t *Type) string {
		return "func() (r " + t.name + ") {\ndefer func() { r = " + g.operand(t) + " }()\nreturn\n}()"
	}},
	{name: "recovered result", takes: always, write: func(g operands, t *Type) string {
		return "func() (r " + t.name + ") {\ndefer func() {\nif recover() != nil {\nr = " + g.operand(t) + "\n}\n}()\npanic(1)\n}()"
	}},
	{name: "method", takes: always, write: func(g operands, t *Type) string {
		b := g.name("b")
		g.before("%s := Box[%s]{%s}", b, t.name, g.operand(t))
		return b + ".Get()"
	}},
	{name: "method of literal", takes: always, write: func(g operands, t *Type) string {
		return "(&Box[" + t.name + "]{V: " + g.operand(t) + "}).Get()"
	}},
	{name: "method of own type", takes: always, write: func(g operands, t *Type) string {
		h := g.name("h")
		g.declare("type %s struct {\n\tn int\n\tv %s\n}\n\nfunc (h *%s) value() %s { return h.v }", h, t.name, h, t.name)
		return "(&" + h + "{1, " + g.operand(t) + "}).value()"
	}},
	{name: "method value", takes: always, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.before("%s := Box[%s]{%s}.Get", f, t.name, g.operand(t))
		return f + "()"
	}},
	{name: "method expression", takes: always, write: func(g operands, t *Type) string {
		return "Box[" + t.name + "].Get(Box[" + t.name + "]{" + g.operand(t) + "})"
	}},
	{name: "method of interface", takes: always, write: func(g operands, t *Type) string {
		i := g.name("i")
		g.before("var %s Getter[%s] = Box[%s]{%s}", i, t.name, t.name, g.operand(t))
		return i + ".Get()"
	}},
	{name: "method promoted", takes: always, write: func(g operands, t *Type) string {
		h := g.name("h")
		g.declare("type %s struct {\n\t*Box[%s]\n\tn int\n}", h, t.name)
		return h + "{&Box[" + t.name + "]{" + g.operand(t) + "}, 1}.Get()"
	}},
	{name: "field", takes: always, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := struct {\nn int\nv %s\n}{1, %s}", s, t.name, g.operand(t))
		return s + ".v"
	}},
	{name: "field of literal", takes: always, write: func(g operands, t *Type) string {
		return "Box[" + t.name + "]{" + g.operand(t) + "}.V"
	}},
	{name: "field of pointer", takes: always, write: func(g operands, t *Type) string {
		return "(&Box[" + t.name + "]{" + g.operand(t) + "}).V"
	}},
	{name: "field of fields", takes: always, write: func(g operands, t *Type) string {
		h := g.name("h")
		g.declare("type %s struct {\n\tin struct {\n\t\tp *Box[%s]\n\t}\n}", h, t.name)
		s := g.name("s")
		g.before("var %s %s\n%s.in.p = &Box[%s]{%s}", s, h, s, t.name, g.operand(t))
		return s + ".in.p.V"
	}},
	{name: "field promoted", takes: always, write: func(g operands, t *Type) string {
		h := g.name("h")
		g.declare("type %s struct {\n\tBox[%s]\n\tn int\n}", h, t.name)
		return h + "{Box[" + t.name + "]{" + g.operand(t) + "}, 1}.V"
	}},
	{name: "field of element", takes: always, write: func(g operands, t *Type) string {
		return "[]Box[" + t.name + "]{{" + g.operand(t) + "}}[0].V"
	}},
	{name: "field of result", takes: always, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.declare("func %s(v %s) *Box[%s] { return &Box[%s]{v} }", f, t.name, t.name, t.name)
		return f + "(" + g.operand(t) + ").V"
	}},
	{name: "element of slice", takes: always, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := []%s{%s, %s}", s, t.name, g.operand(t), g.operand(t))
		return s + "[" + g.pick("0", "len("+s+")-1", `len("x")`) + "]"
	}},
	{name: "element of array", takes: always, write: func(g operands, t *Type) string {
		return "[3]" + t.name + "{1: " + g.operand(t) + "}[" + g.operandIndex() + "]"
	}},
	{name: "element of pointer to array", takes: always, write: func(g operands, t *Type) string {
		p := g.name("p")
		g.before("%s := &[...]%s{%s, %s}", p, t.name, g.operand(t), g.operand(t))
		return p + "[1]"
	}},
	{name: "element of map", takes: always, write: func(g operands, t *Type) string {
		m := g.name("m")
		g.before("%s := map[string]%s{\"a\": %s}", m, t.name, g.operand(t))
		return m + "[" + g.pick(`"a"`, `"missing"`, `strings.ToLower("A")`) + "]"
	}},
	{name: "element of map literal", takes: always, write: func(g operands, t *Type) string {
		return "map[int]" + t.name + "{3: " + g.operand(t) + "}[" + g.pick("3", "1+2", "2") + "]"
	}},
	{name: "element of element", takes: always, write: func(g operands, t *Type) string {
		return "[][]" + t.name + "{nil, {" + g.operand(t) + ", " + g.operand(t) + "}}[1][" + g.operandIndex() + "]"
	}},
	{name: "element of part", takes: always, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := []%s{%s, %s}", s, t.name, g.operand(t), g.operand(t))
		return s + "[1:][0]"
	}},
	{name: "what a pointer points to", takes: always, write: func(g operands, t *Type) string {
		p := g.name("p")
		g.before("%s := &%s", p, g.variable(t))
		return "*" + p
	}},
	{name: "what a result points to", takes: always, write: func(g operands, t *Type) string { return "*ptr(" + g.typed(t, g.operand(t)) + ")" }},
	{name: "new with value", takes: always, write: func(g operands, t *Type) string { return "*new(" + g.operand(t) + ")" }},
	{name: "new", takes: always, write: func(g operands, t *Type) string { return "*new(" + t.name + ")" }},
	{name: "through an address", takes: always, write: func(g operands, t *Type) string { return "*(&" + g.variable(t) + ")" }},
	{name: "received", takes: always, write: func(g operands, t *Type) string {
		c := g.name("c")
		g.before("%s := make(chan %s, 9)\nfor range 9 {\n%s <- %s\n}", c, paren(t), c, g.operand(t))
		return "<-" + c
	}},
	{name: "received from result", takes: always, write: func(g operands, t *Type) string { return "<-filled(" + g.typed(t, g.operand(t)) + ")" }},
	{name: "received from closed", takes: always, write: func(g operands, t *Type) string {
		c := g.name("c")
		g.before("%s := make(chan %s)\nclose(%s)", c, paren(t), c)
		return "<-" + c
	}},
	{name: "asserted", takes: concrete, write: func(g operands, t *Type) string {
		i := g.name("i")
		g.before("var %s any = %s", i, g.operand(t))
		return i + ".(" + t.name + ")"
	}},
	{name: "asserted at once", takes: concrete, write: func(g operands, t *Type) string { return "any(" + g.operand(t) + ").(" + t.name + ")" }},
	{name: "asserted from result", takes: concrete, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.declare("func %s(v any) any { return v }", f)
		return f + "(" + g.operand(t) + ").(" + t.name + ")"
	}},
	{name: "asserted from own interface", takes: func(t *Type) bool { return t.kind != face && len(t.faces) > 0 }, write: func(g operands, t *Type) string {
		i := g.name("i")
		g.before("var %s %s = %s", i, t.faces[0], g.operand(t))
		return i + ".(" + t.name + ")"
	}},
	{name: "converted", takes: always, write: func(g operands, t *Type) string { return "(" + t.name + ")(" + g.operand(t) + ")" }},
	{name: "sent along", takes: always, write: func(g operands, t *Type) string {
		return "func(vs ...any) " + t.name + " {\nv, _ := vs[0].(" + t.name + ")\nreturn v\n}(" + g.operand(t) + ", 1)"
	}},
	{name: "first of results", takes: always, write: func(g operands, t *Type) string {
		return "func() " + t.name + " {\nv, _ := two(" + g.typed(t, g.operand(t)) + ", 1)\nreturn v\n}()"
	}},
	{name: "of a switch", takes: always, write: func(g operands, t *Type) string {
		return "func() " + t.name + " {\nswitch {\ncase no:\nreturn " + g.operand(t) + "\ncase yes:\nreturn " + g.operand(t) + "\n}\nreturn " + g.operand(t) + "\n}()"
	}},
	{name: "of a loop", takes: always, write: func(g operands, t *Type) string {
		return "func() (r " + t.name + ") {\nfor i, v := range []" + t.name + "{" + g.operand(t) + ", " + g.operand(t) + "} {\nif i == 1 {\nreturn v\n}\n}\nreturn\n}()"
	}},
	{name: "library's generic", takes: always, write: func(g operands, t *Type) string {
		return "slices.Repeat([]" + t.name + "{" + g.operand(t) + "}, 2)[1]"
	}},
}

// operandIndex is 1, in a way that the compiler does not see.
func (g *generator) operandIndex() string {
	switch g.rand.IntN(5) {
	case 0:
		return "seven() - 6"
	case 1:
		return "uint8(seven()-6)"
	case 2:
		return "len(\"z\")"
	case 3:
		return "1"
	}
	v := g.name("n")
	g.before("%s := 1", v)
	return v
}

// paren is t as the element of a channel.
func paren(t *Type) string {
	if strings.HasPrefix(t.name, "<-") || t.kind == function {
		return "(" + t.name + ")"
	}
	return t.name
}
