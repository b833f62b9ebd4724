package judge

import "strings"

func init() { forms = append(plainForms, typedForms...) }

func integerOrNot(t *Type) bool { return t.numeric() }

func either(fs ...func(*Type) bool) func(*Type) bool {
	return func(t *Type) bool {
		for _, f := range fs {
			if f(t) {
				return true
			}
		}
		return false
	}
}

// typedForms are the forms that not all types have.
var typedForms = []*form{
	// Numbers and text.
	{name: "arithmetic", takes: integerOrNot, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("+", "-", "*") + " " + g.operand(t)
	}},
	{name: "arithmetic with constant", takes: integerOrNot, write: func(g operands, t *Type) string {
		if g.pick("a", "b") == "a" {
			return g.pick("2", "3") + " " + g.pick("+", "-", "*") + " " + g.operand(t)
		}
		return g.operand(t) + " " + g.pick("+", "-", "*", "/") + " " + g.pick("2", "3")
	}},
	{name: "arithmetic of three", takes: integerOrNot, write: func(g operands, t *Type) string {
		return g.operand(t) + g.pick(" + ", " - ", " * ") + "(" + g.operand(t) + g.pick(" + ", " - ", " * ") + g.operand(t) + ")"
	}},
	{name: "quotient", takes: integerOrNot, write: func(g operands, t *Type) string { return g.operand(t) + " / " + g.variable(t) }},
	{name: "quotient and rest", takes: (*Type).whole, write: func(g operands, t *Type) string { return g.operand(t) + " % " + g.variable(t) }},
	{name: "bits", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("&", "|", "^", "&^") + " " + g.operand(t)
	}},
	{name: "bits with constant", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("&", "|", "^", "&^") + " 5"
	}},
	{name: "shift", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("<<", ">>") + " " + g.variable(typ("uint8")) + "%4"
	}},
	{name: "shift by signed", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("<<", ">>") + " (" + g.variable(typ("int")) + "&3)"
	}},
	{name: "shift by constant", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.variable(t) + " " + g.pick("<<", ">>") + " " + g.pick("1", "3", "40", "(1 << 1)")
	}},
	{name: "shift of one", takes: (*Type).whole, write: func(g operands, t *Type) string {
		v := g.name("v")
		g.before("var %s %s = 1 << %s", v, t.name, "seven()")
		return v
	}},
	{name: "negated", takes: integerOrNot, write: func(g operands, t *Type) string { return "-" + g.operand(t) }},
	{name: "plus sign", takes: integerOrNot, write: func(g operands, t *Type) string { return "+" + g.operand(t) }},
	{name: "complement", takes: (*Type).whole, write: func(g operands, t *Type) string { return "^" + g.operand(t) }},
	{name: "least or greatest", takes: (*Type).ordered, write: func(g operands, t *Type) string {
		return g.pick("min", "max") + "(" + g.operand(t) + ", " + g.operand(t) + ")"
	}},
	{name: "of another number", takes: either(kinds(integer, unsigned, float)), write: func(g operands, t *Type) string {
		from := g.any(func(o *Type) bool { return o.whole() })
		return t.name + "(" + g.variable(from) + ")"
	}},
	{name: "of a float", takes: kinds(integer, float), write: func(g operands, t *Type) string {
		return t.name + "(" + g.variable(g.any(kinds(float))) + ")"
	}},
	{name: "length", takes: named("int"), write: func(g operands, t *Type) string {
		return g.pick("len", "len", "cap") + "(" + g.operand(g.any(kinds(slice, array, channel))) + ")"
	}},
	{name: "length of map or text", takes: named("int"), write: func(g operands, t *Type) string {
		return "len(" + g.operand(g.any(kinds(mapping, text))) + ")"
	}},
	{name: "copy", takes: named("int"), write: func(g operands, t *Type) string {
		s := g.any(kinds(slice))
		return "copy(" + g.variable(s) + ", " + g.operand(s) + ")"
	}},
	{name: "sum by method", takes: named("int"), write: func(g operands, t *Type) string {
		o := g.any(func(t *Type) bool { return t.result == "int" && t.kind != face })
		return g.variable(o) + "." + o.method + "()"
	}},
	{name: "text by method", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(func(t *Type) bool { return t.result == "string" && t.kind != face })
		return g.operand(o) + "." + o.method + "()"
	}},
	{name: "part of complex", takes: named("float64"), write: func(g operands, t *Type) string {
		return g.pick("real", "imag") + "(" + g.operand(typ("complex128")) + ")"
	}},
	{name: "part of complex64", takes: named("float32"), write: func(g operands, t *Type) string {
		return g.pick("real", "imag") + "(" + g.operand(typ("complex64")) + ")"
	}},
	{name: "complex of parts", takes: named("complex128"), write: func(g operands, t *Type) string {
		return "complex(" + g.operand(typ("float64")) + ", " + g.operand(typ("float64")) + ")"
	}},
	{name: "mathematics", takes: named("float64"), write: func(g operands, t *Type) string {
		return "math." + g.pick("Sqrt", "Abs", "Floor") + "(" + g.operand(t) + " * " + g.variable(t) + ")"
	}},
	{name: "byte of text", takes: named("uint8"), write: func(g operands, t *Type) string {
		return g.operand(g.any(kinds(text))) + "[1]"
	}},
	{name: "joined", takes: kinds(text), write: func(g operands, t *Type) string { return g.operand(t) + " + " + g.operand(t) }},
	{name: "joined with constant", takes: kinds(text), write: func(g operands, t *Type) string {
		return `"<" + ` + g.operand(t) + ` + ">"`
	}},
	{name: "part of text", takes: kinds(text), write: func(g operands, t *Type) string {
		return g.operand(t) + g.pick("[1:]", "[:1]", "[0:2]", "[:]")
	}},
	{name: "text of bytes", takes: kinds(text), write: func(g operands, t *Type) string { return t.name + "(" + g.operand(typ("[]uint8")) + "[:1])" }},
	{name: "text of rune", takes: kinds(text), write: func(g operands, t *Type) string {
		r := g.name("r")
		g.before("%s := rune(%s)", r, g.pick("'x'", "0x20AC", "'é'"))
		return t.name + "(" + r + ")"
	}},
	{name: "text of text", takes: kinds(text), write: func(g operands, t *Type) string { return t.name + "(" + g.operand(g.any(kinds(text))) + ")" }},
	{name: "formatted", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(func(t *Type) bool { return t.kind <= text })
		return `fmt.Sprintf("%v|%d", ` + g.operand(o) + ", " + g.operand(typ("int")) + ")"
	}},
	// Truth.
	{name: "equality", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any((*Type).comparable)
		return g.operand(o) + " " + g.pick("==", "!=") + " " + g.operand(o)
	})},
	{name: "equality with literal", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(func(t *Type) bool { return t.comparable() })
		return g.operand(o) + " " + g.pick("==", "!=") + " (" + g.leaf(o) + ")"
	})},
	{name: "order", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any((*Type).ordered)
		return g.operand(o) + " " + g.pick("<", "<=", ">", ">=") + " " + g.operand(o)
	})},
	{name: "with nil", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(kinds(slice, mapping, pointer, function, channel, face))
		return g.operand(o) + " " + g.pick("==", "!=") + " nil"
	})},
	{name: "interface with value", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(func(t *Type) bool { return t.comparable() && t.kind != face })
		i := g.name("i")
		g.before("var %s any = %s", i, g.operand(o))
		if g.pick("a", "b") == "a" {
			return i + g.pick(" == ", " != ") + g.operand(o)
		}
		return g.operand(o) + g.pick(" == ", " != ") + i
	})},
	{name: "own interface with value", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(func(t *Type) bool { return t.comparable() && t.kind != face && len(t.faces) > 0 })
		i := g.name("i")
		g.before("var %s %s = %s", i, o.faces[0], g.operand(o))
		return i + g.pick(" == ", " != ") + g.operand(o)
	})},
	{name: "not", takes: kinds(boolean), write: func(g operands, t *Type) string { return "!" + g.operand(t) }},
	{name: "and, or", takes: kinds(boolean), write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("&&", "||") + " " + g.operand(t)
	}},
	{name: "and, or of calls", takes: named("bool"), write: func(g operands, t *Type) string {
		o := g.any((*Type).comparable)
		f := g.name("f")
		g.declare("func %s(v %s) bool { return v == %s }", f, o.name, "("+g.leaf(o)+")")
		return sprint("%s(%s) %s %s(%s)", f, g.operand(o), g.pick("&&", "||"), f, g.operand(o))
	}},
	{name: "and, or of three", takes: named("bool"), write: func(g operands, t *Type) string {
		i := typ("int")
		return g.operand(t) + " && (" + g.operand(i) + " < " + g.operand(i) + " || !" + g.operand(t) + ")"
	}},
	{name: "errors.Is", takes: named("bool"), write: func(g operands, t *Type) string {
		return `errors.Is(fmt.Errorf("wrap: %w", ` + g.variable(typ("Fault")) + "), " + g.operand(typ("Fault")) + ")"
	}},
	// Slices.
	{name: "composite", takes: kinds(slice, array), write: func(g operands, t *Type) string {
		return t.name + "{" + g.operand(t.elem) + ", " + g.operand(t.elem) + "}"
	}},
	{name: "composite with keys", takes: kinds(slice, array), write: func(g operands, t *Type) string {
		return t.name + "{1: " + g.operand(t.elem) + "}"
	}},
	{name: "composite without elements", takes: kinds(slice, array, mapping, structure), write: func(g operands, t *Type) string { return t.name + "{}" }},
	{name: "append", takes: kinds(slice), write: func(g operands, t *Type) string { return "append(" + g.operand(t) + ", " + g.operand(t.elem) + ")" }},
	{name: "append of two", takes: kinds(slice), write: func(g operands, t *Type) string {
		return "append(" + g.operand(t) + ", " + g.operand(t.elem) + ", " + g.operand(t.elem) + ")"
	}},
	{name: "append of none", takes: kinds(slice), write: func(g operands, t *Type) string { return "append(" + g.operand(t) + ")" }},
	{name: "append of slice", takes: kinds(slice), write: func(g operands, t *Type) string {
		return "append(" + g.operand(t) + ", " + g.operand(t) + "...)"
	}},
	{name: "append to nothing", takes: kinds(slice), write: func(g operands, t *Type) string {
		return "append(" + t.name + "(nil), " + g.operand(t) + "...)"
	}},
	{name: "append of text", takes: named("[]uint8"), write: func(g operands, t *Type) string {
		return "append(" + g.operand(t) + ", " + g.operand(g.any(kinds(text))) + "...)"
	}},
	{name: "append of row", takes: named("[]any"), write: func(g operands, t *Type) string {
		return "append(" + g.operand(t) + ", " + g.operand(g.any(kinds(slice))) + ")"
	}},
	{name: "append of anything", takes: named("[]any"), write: func(g operands, t *Type) string {
		return "append(" + g.operand(t) + ", " + g.operand(g.any(always)) + ", " + g.operand(g.any(always)) + ")"
	}},
	{name: "made slice", takes: kinds(slice), write: func(g operands, t *Type) string {
		return "make(" + t.name + ", " + g.pick("2", "len(\"ab\")", "seven()-5", "0") + ", " + g.pick("2", "seven()") + ")"
	}},
	{name: "part of slice", takes: kinds(slice), write: func(g operands, t *Type) string {
		return g.literalOf(t) + g.pick("[:1]", "[0:1:1]", "[1:]", "[:]", "[:len(\"a\")]")
	}},
	{name: "part of array", takes: func(t *Type) bool { return t.kind == slice && !t.named }, write: func(g operands, t *Type) string {
		a := g.name("a")
		g.before("%s := [...]%s{%s, %s}", a, t.elem.name, g.operand(t.elem), g.operand(t.elem))
		return a + g.pick("[:1]", "[:]", "[1:2:2]")
	}},
	{name: "bytes of text", takes: named("[]uint8"), write: func(g operands, t *Type) string { return "[]byte(" + g.operand(g.any(kinds(text))) + ")" }},
	{name: "array of slice", takes: kinds(array), write: func(g operands, t *Type) string {
		return t.name + "([]" + t.elem.name + "{" + g.operand(t.elem) + ", " + g.operand(t.elem) + "})"
	}},
	{name: "slice of other", takes: named("Ints"), write: func(g operands, t *Type) string { return "Ints(" + g.operand(typ("[]int")) + ")" }},
	{name: "cloned", takes: kinds(slice), write: func(g operands, t *Type) string { return "slices.Clone(" + g.operand(t) + ")" }},
	{name: "composite of anything", takes: named("[]any"), write: func(g operands, t *Type) string {
		return "[]any{" + g.operand(g.any(always)) + ", " + g.operand(g.any(always)) + "}"
	}},
	// Maps.
	{name: "map composite", takes: kinds(mapping), write: func(g operands, t *Type) string {
		return t.name + "{" + g.operand(t.key) + ": " + g.operand(t.elem) + "}"
	}},
	{name: "made map", takes: kinds(mapping), write: func(g operands, t *Type) string { return "make(" + t.name + g.pick(")", ", 4)", ", seven())") }},
	{name: "map filled", takes: kinds(mapping), write: func(g operands, t *Type) string {
		m := g.name("m")
		g.before("%s := %s{}", m, t.name)
		g.before("%s[%s] = %s", m, g.operand(t.key), g.operand(t.elem))
		return m
	}},
	// Pointers.
	{name: "address of variable", takes: kinds(pointer), write: func(g operands, t *Type) string { return "&" + g.variable(t.elem) }},
	{name: "address of composite", takes: func(t *Type) bool {
		return t.kind == pointer && (t.elem.kind == structure || t.elem.kind == array || t.elem.kind == slice)
	}, write: func(g operands, t *Type) string {
		return "&" + t.elem.name + "{" + composed(g, t.elem) + "}"
	}},
	{name: "address of element", takes: kinds(pointer), write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := %s%s{%s, %s}", s, g.pick("[]", "[2]", "[...]", "&[2]"), t.elem.name, g.operand(t.elem), g.operand(t.elem))
		return "&" + s + "[1]"
	}},
	{name: "address of field", takes: kinds(pointer), write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := %sBox[%s]{%s}", s, g.pick("", "&"), t.elem.name, g.operand(t.elem))
		return "&" + s + ".V"
	}},
	{name: "address of new", takes: kinds(pointer), write: func(g operands, t *Type) string { return "new(" + t.elem.name + ")" }},
	// Functions.
	{name: "function literal", takes: kinds(function), write: func(g operands, t *Type) string {
		v := g.variable(t.elem)
		var ps []string
		for i, p := range t.params {
			if t.variadic && i == len(t.params)-1 {
				p = "..." + p
			}
			ps = append(ps, string(rune('a'+i))+" "+p)
		}
		f := "func(" + strings.Join(ps, ", ") + ") " + t.elem.name + " { return " + v + " }"
		if t.named {
			return t.name + "(" + f + ")"
		}
		return f
	}},
	{name: "method as function", takes: named("func() int"), write: func(g operands, t *Type) string {
		o := g.any(func(t *Type) bool { return t.result == "int" && t.kind != face })
		return g.operand(o) + "." + o.method
	}},
	{name: "method expression as function", takes: named("func(Point) int"), write: func(g operands, t *Type) string { return "Point.Sum" }},
	{name: "declared function", takes: kinds(function), write: func(g operands, t *Type) string {
		f := g.name("f")
		var ps []string
		for i, p := range t.params {
			if t.variadic && i == len(t.params)-1 {
				p = "..." + p
			}
			ps = append(ps, string(rune('a'+i))+" "+p)
		}
		g.declare("func %s(%s) %s { return %s }", f, strings.Join(ps, ", "), t.elem.name, g.leaf(t.elem))
		if t.named {
			return t.name + "(" + f + ")"
		}
		return f
	}},
	// Channels.
	{name: "made channel", takes: func(t *Type) bool { return t.kind == channel && t.dir == "" }, write: func(g operands, t *Type) string {
		return "make(" + t.name + g.pick(")", ", 3)", ", seven())")
	}},
	{name: "direction", takes: named("<-chan int"), write: func(g operands, t *Type) string { return "(<-chan int)(" + g.variable(typ("chan int")) + ")" }},
	// Structures.
	{name: "structure", takes: kinds(structure), write: func(g operands, t *Type) string { return t.name + "{" + composed(g, t) + "}" }},
	{name: "structure with a name", takes: kinds(structure), write: func(g operands, t *Type) string {
		f := t.fields[len(t.fields)-1]
		return t.name + "{" + f.name + ": " + g.operand(f.typ) + "}"
	}},
	{name: "structure from another", takes: named("Point"), write: func(g operands, t *Type) string { return "Point(" + g.operand(typ("image.Point")) + ")" }},
	{name: "sum of structures", takes: named("Point"), write: func(g operands, t *Type) string { return g.operand(t) + ".Add(" + g.operand(t) + ")" }},
	{name: "method of compiled", takes: named("image.Point"), write: func(g operands, t *Type) string { return g.operand(t) + ".Add(" + g.operand(t) + ")" }},
	// Interfaces.
	{name: "converted to interface", takes: kinds(face), write: func(g operands, t *Type) string {
		o := g.any(func(o *Type) bool { return o.implements(t) && o.kind != face })
		return t.name + "(" + g.operand(o) + ")"
	}},
	{name: "form converted to interface", takes: kinds(face), depth: 1, write: func(g operands, t *Type) string {
		o := g.any(func(o *Type) bool { return o.implements(t) && o.kind != face })
		return t.name + "(" + g.some(o) + ")"
	}},
	{name: "typed nil", takes: named("error"), write: func(g operands, t *Type) string { return "error((*Failure)(nil))" }},
	{name: "error of the library", takes: named("error"), write: func(g operands, t *Type) string {
		switch g.rand.IntN(3) {
		case 0:
			return "errors.New(" + g.operand(typ("string")) + ")"
		case 1:
			return `fmt.Errorf("%w and %d", ` + g.variable(typ("Fault")) + ", 3)"
		}
		return `errors.Join(errors.New("a"), ` + g.variable(typ("Word")) + ")"
	}},
	{name: "interface from interface", takes: named("any"), write: func(g operands, t *Type) string { return "any(" + g.operand(g.any(kinds(face))) + ")" }},
	{name: "asserted to interface", takes: named("Summer"), write: func(g operands, t *Type) string {
		o := g.any(func(o *Type) bool { return o.implements(t) && o.kind != face })
		i := g.name("i")
		g.before("var %s any = %s", i, g.operand(o))
		return i + ".(Summer)"
	}},
}

// truth makes a form of untyped truth one of a type.
func truth(f func(g operands) string) func(g operands, t *Type) string {
	return func(g operands, t *Type) string {
		if t.name == "bool" {
			return f(g)
		}
		return t.name + "(" + f(g) + ")"
	}
}

// composed are the elements of a composite literal.
func composed(g operands, t *Type) string {
	if t.kind != structure {
		return g.operand(t.elem)
	}
	var es []string
	for _, f := range t.fields {
		es = append(es, g.operand(f.typ))
	}
	return strings.Join(es, ", ")
}
