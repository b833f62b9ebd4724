package judge

func init() { contexts = append(contexts, moreContexts...) }

var moreContexts = []*setting{
	// Composite literals.
	{"element of literal", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("[]", "[...]") + t.name + "{" + g.operand(t) + ", " + e + "}\n" + t.show(v+"[1]") + "\nshowint(len(" + v + "))"
	}},
	{"element of literal of any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("[]", "[...]") + "any{" + e + ", 2, " + e + "}\nshowAll(" + v + "[0], " + v + "[2])"
	}},
	{"element with key of literal", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := []" + t.name + "{2: " + e + "}\n" + t.show(v+"[2]") + "\nshowint(len(" + v + "))"
	}},
	{"row of literal", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := [][]any{{1}, {" + e + ", " + e + "}}\nshowAll(" + v + "[1]...)"
	}},
	{"value of map literal", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := map[string]" + t.name + "{\"a\": " + e + "}\n" + t.show(v+"[\"a\"]")
	}},
	{"value of map literal of any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := map[int]any{1: " + e + ", 2: nil}\nshowAll(" + v + "[1], " + v + "[2])"
	}},
	{"field of literal", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.pick("", "&") + "struct {\na any\nb " + t.name + "\n}{" + e + ", " + e + "}\nshowAnything(" + v + ".a)\n" + t.show(v+".b")
	}},
	{"named field of literal", always, func(g *generator, t *Type, e string) string {
		h, v := g.name("h"), g.name("x")
		g.declare("type %s struct {\n\tn int\n\tv %s\n\ta any\n}", h, t.name)
		return v + " := []*" + h + "{{v: " + e + ", a: " + e + "}}\n" + t.show(v+"[0].v") + "\nshowAnything(" + v + "[0].a)"
	}},
	{"field of table", always, func(g *generator, t *Type, e string) string {
		return "for i, c := range []struct {\nname string\nv " + t.name + "\n}{{\"a\", " + g.operand(t) + "}, {\"b\", " + e + "}} {\nfmt.Print(i, c.name, \" \")\n" + t.show("c.v") + "\n}"
	}},
	// Channels.
	{"sent", always, func(g *generator, t *Type, e string) string {
		c := g.name("c")
		return c + " := make(chan " + paren(t) + ", 1)\n" + c + " <- " + e + "\n" + t.show("<-"+c)
	}},
	{"sent as any", always, func(g *generator, t *Type, e string) string {
		c := g.name("c")
		return c + " := make(chan any, 1)\n" + c + " <- " + e + "\nshowAnything(<-" + c + ")"
	}},
	{"sent in select", always, func(g *generator, t *Type, e string) string {
		c := g.name("c")
		return c + " := make(chan " + paren(t) + ", 1)\nselect {\ncase " + c + " <- " + e + ":\nfmt.Print(\"sent \")\n" + g.pick("", "default:\nfmt.Print(\"full \")\n") + "}\n" + t.show("<-"+c)
	}},
	{"sent as any in select", always, func(g *generator, t *Type, e string) string {
		c := g.name("c")
		return c + " := make(chan any, 1)\nselect {\ncase " + c + " <- " + e + ":\ncase v := <-make(chan int):\nfmt.Print(v)\n}\nshowAnything(<-" + c + ")"
	}},
	{"received in select", always, func(g *generator, t *Type, e string) string {
		return "select {\ncase v, ok := <-filled(" + g.typed(t, e) + "):\n" + t.show("v") + "\nfmt.Print(ok)\ncase <-make(chan bool):\n}"
	}},
	{"received into", always, func(g *generator, t *Type, e string) string {
		c, v, a := g.name("c"), g.name("x"), g.name("a")
		return c + " := filled(" + g.typed(t, e) + ")\nvar " + v + " [2]any\nvar " + a + " bool\nselect {\ncase " + v + "[" + g.operandIndex() + "], " + a + " = <-" + c + ":\n}\nshowAll(" + v + "[1], " + a + ")"
	}},
	{"channel in select", kinds(channel), func(g *generator, t *Type, e string) string {
		return "select {\ncase v, ok := <-" + e + ":\n" + t.elem.show("v") + "\nfmt.Print(ok)\ndefault:\nfmt.Print(\"empty\")\n}"
	}},
	{"channel received from", func(t *Type) bool { return t.kind == channel }, func(g *generator, t *Type, e string) string {
		c, v, ok := g.name("c"), g.name("x"), g.name("ok")
		return c + " := " + g.typed(t, e) + "\nif len(" + c + ") > 0 {\n" + v + ", " + ok + " := <-" + c + "\n" + t.elem.show(v) + "\nfmt.Print(" + ok + ")\n}"
	}},
	// Switches.
	{"tag of switch", func(t *Type) bool { return t.comparable() && t.kind != face }, func(g *generator, t *Type, e string) string {
		return "switch " + clause(e) + " {\ncase " + g.variable(t) + ":\nfmt.Print(\"one \")\ncase " + g.variable(t) + ", " + g.variable(t) + ":\nfmt.Print(\"two \")\ndefault:\nfmt.Print(\"none \")\n}"
	}},
	{"case of switch", func(t *Type) bool { return t.comparable() && t.kind != face }, func(g *generator, t *Type, e string) string {
		return "switch " + g.variable(t) + " {\ncase " + g.variable(t) + ", " + e + ":\nfmt.Print(\"one \")\ndefault:\nfmt.Print(\"none \")\n}"
	}},
	{"case of switch over any", func(t *Type) bool { return t.comparable() }, func(g *generator, t *Type, e string) string {
		a := g.name("a")
		return "var " + a + " any = " + g.operand(t) + "\nswitch " + a + " {\ncase \"no\":\nfmt.Print(\"zero \")\ncase " + e + ":\nfmt.Print(\"one \")\ndefault:\nfmt.Print(\"none \")\n}"
	}},
	{"tag of switch with init", func(t *Type) bool { return t.comparable() && t.kind != face }, func(g *generator, t *Type, e string) string {
		return "switch v := " + clause(g.typed(t, e)) + "; v {\ncase " + g.variable(t) + ":\nfmt.Print(\"one \")\nfallthrough\ncase v:\n" + t.show("v") + "\n}"
	}},
	{"condition of case", kinds(boolean), func(g *generator, t *Type, e string) string {
		return "switch {\ncase no:\nfmt.Print(\"no \")\ncase bool(" + e + "):\nfmt.Print(\"yes \")\ndefault:\nfmt.Print(\"none \")\n}"
	}},
	{"type switch", always, func(g *generator, t *Type, e string) string {
		if t.kind == face {
			return "switch v := " + e3(t, e) + ".(type) {\ncase nil:\nfmt.Print(\"nil \")\ncase int, string:\nshowAnything(v)\ncase error:\nfmt.Print(v.Error())\ncase fmt.Stringer:\nfmt.Print(v.String())\ndefault:\nshowAnything(v)\n}"
		}
		return "switch v := any(" + e + ").(type) {\ncase nil:\nfmt.Print(\"nil \")\ncase " + t.name + ":\n" + t.show("v") + "\ndefault:\nshowAnything(v)\n}"
	}},
	{"type switch on interfaces", always, func(g *generator, t *Type, e string) string {
		return "switch v := any(" + e + ").(type) {\ncase error:\nfmt.Print(\"error \", v.Error())\ncase fmt.Stringer:\nfmt.Print(\"stringer \", v.String())\ncase Summer:\nfmt.Print(\"summer \", v.Sum())\ndefault:\nshowAnything(v)\n}"
	}},
	// Conditions and loops.
	{"condition", kinds(boolean), func(g *generator, t *Type, e string) string {
		return "if " + clause(e) + " {\nfmt.Print(\"yes \")\n} else {\nfmt.Print(\"no \")\n}"
	}},
	{"condition after init", always, func(g *generator, t *Type, e string) string {
		return "if v, ok := " + clause(g.typed(t, e)) + ", yes; ok {\n" + t.show("v") + "\n}"
	}},
	{"condition of loop", kinds(boolean), func(g *generator, t *Type, e string) string {
		return "for i := 0; i < 2 && bool(" + e + "); i++ {\nfmt.Print(i, \" \")\n}"
	}},
	{"part of and", kinds(boolean), func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.operand(t) + " " + g.pick("&&", "||") + " " + e + "\n" + t.show(v) + "\nif " + clause(e+" && "+g.operand(t)) + " {\nfmt.Print(\"both \")\n}"
	}},
	{"init of loop", always, func(g *generator, t *Type, e string) string {
		return "for i, v := 0, " + clause(g.typed(t, e)) + "; i < 2; i++ {\n" + t.show("v") + "\n}"
	}},
	{"range with values", kinds(slice, array), func(g *generator, t *Type, e string) string {
		return "for i, v := range " + clause(e) + " {\nfmt.Print(i, \" \")\n" + t.elem.show("v") + "\n}"
	}},
	{"range with indices", kinds(slice, array), func(g *generator, t *Type, e string) string {
		return "for i := range " + clause(e) + " {\nfmt.Print(i, \" \")\n}"
	}},
	{"range into variables", kinds(slice, array), func(g *generator, t *Type, e string) string {
		i, v := g.name("i"), g.name("x")
		return "var " + i + " int\nvar " + v + " any\nfor " + i + ", " + v + " = range " + clause(e) + " {\nshowAnything(" + v + ")\n}\nfmt.Print(" + i + ")"
	}},
	{"range of text", kinds(text), func(g *generator, t *Type, e string) string {
		return "for i, r := range " + clause(e) + " {\nfmt.Print(i, string(r), r, \" \")\n}"
	}},
	{"range of number", (*Type).whole, func(g *generator, t *Type, e string) string {
		return "for i := range " + clause(e) + " {\nif i > 3 {\nbreak\n}\n" + t.show("i") + "\n}"
	}},
	{"range of map", kinds(mapping), func(g *generator, t *Type, e string) string {
		return "n := 0\nfor k, v := range " + clause(e) + " {\n_, _ = k, v\nn++\n}\nshowint(n)"
	}},
	{"range of pointer to array", named("*[2]int"), func(g *generator, t *Type, e string) string {
		return "for i, v := range " + clause(e) + " {\nfmt.Print(i, v, \" \")\n}"
	}},
	{"range of channel", named("<-chan int"), func(g *generator, t *Type, e string) string {
		return "for v := range ended(" + e + ") {\nif v == 4 {\ncontinue\n}\nfmt.Print(v, \" \")\n}"
	}},
	{"range of values", always, func(g *generator, t *Type, e string) string {
		return "for i, v := range slices.All([]" + t.name + "{" + g.operand(t) + ", " + e + "}) {\nfmt.Print(i, \" \")\n" + t.show("v") + "\n}"
	}},
	{"yielded", always, func(g *generator, t *Type, e string) string {
		s := g.name("seq")
		return s + " := func(yield func(int, " + t.name + ") bool) {\n_ = yield(1, " + e + ") && yield(2, " + g.operand(t) + ")\n}\nfor i, v := range " + s + " {\nfmt.Print(i, \" \")\n" + t.show("v") + "\n}"
	}},
	// Maps.
	{"key of map", hashable, func(g *generator, t *Type, e string) string {
		m := g.name("m")
		return m + " := map[" + t.name + "]int{" + e + ": 1}\n" + m + "[" + e + "]++\n" + m + "[" + g.variable(t) + "] += 5\nshowint(" + m + "[" + e + "])\nshowint(len(" + m + "))"
	}},
	{"key of map of any", hashable, func(g *generator, t *Type, e string) string {
		m := g.name("m")
		return m + " := map[any]string{" + e + ": \"x\"}\n" + m + "[1] = \"one\"\nfmt.Print(" + m + "[" + e + "], len(" + m + "), " + m + "[2] == \"\")"
	}},
	{"looked up", hashable, func(g *generator, t *Type, e string) string {
		m, v, ok := g.name("m"), g.name("x"), g.name("ok")
		return m + " := map[" + t.name + "]string{" + g.variable(t) + ": \"a\"}\n" + v + ", " + ok + " := " + m + "[" + e + "]\nfmt.Print(" + v + ", " + ok + ")\nif _, " + ok + " := " + m + "[" + clause(e) + "]; !" + ok + " {\nfmt.Print(\" none\")\n}"
	}},
	{"deleted", hashable, func(g *generator, t *Type, e string) string {
		m := g.name("m")
		return m + " := map[" + t.name + "]int{" + g.variable(t) + ": 1}\ndelete(" + m + ", " + e + ")\nshowint(len(" + m + "))"
	}},
	{"element looked up", kinds(mapping), func(g *generator, t *Type, e string) string {
		v, ok := g.name("x"), g.name("ok")
		return v + ", " + ok + " := " + parens(e) + "[" + g.operand(t.key) + "]\n" + t.elem.show(v) + "\nfmt.Print(" + ok + ")"
	}},
	// Comparisons.
	{"compared", func(t *Type) bool { return t.comparable() }, func(g *generator, t *Type, e string) string {
		return "fmt.Print((" + e + ") == " + g.operand(t) + ", " + g.operand(t) + " != (" + e + "))"
	}},
	{"compared with interface", func(t *Type) bool { return t.comparable() }, func(g *generator, t *Type, e string) string {
		a := g.name("a")
		return "var " + a + " any = " + g.operand(t) + "\nfmt.Print(" + a + " == " + parens(e) + ", " + parens(e) + " != " + a + ")\nif " + a + " == " + parens(e) + " {\nfmt.Print(\" equal\")\n}"
	}},
	{"compared with nil", kinds(slice, mapping, pointer, function, channel, face), func(g *generator, t *Type, e string) string {
		return "if " + clause(parens(e)+" == nil") + " {\nfmt.Print(\"nil \")\n} else {\nfmt.Print(\"something \")\n}\nfmt.Print(" + parens(e) + " != nil)"
	}},
	{"compared in order", (*Type).ordered, func(g *generator, t *Type, e string) string {
		return "fmt.Print(" + parens(e) + " < " + g.operand(t) + ", " + g.operand(t) + " >= " + parens(e) + ")"
	}},
	// What is done with values.
	{"method called", func(t *Type) bool { return t.method != "" && t.kind != face }, func(g *generator, t *Type, e string) string {
		return "fmt.Print(" + parens(e) + "." + t.method + "())"
	}},
	{"method taken", func(t *Type) bool { return t.method != "" && t.kind != face }, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		return f + " := " + parens(e) + "." + t.method + "\nfmt.Print(" + f + "())"
	}},
	{"method deferred", func(t *Type) bool { return t.method != "" && t.kind != face }, func(g *generator, t *Type, e string) string {
		return "func() {\ndefer " + parens(e) + "." + t.method + "()\nfmt.Print(\"ran\")\n}()"
	}},
	{"indexed", kinds(slice, array), func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := " + g.typed(t, e) + "\nif len(" + v + ") > 0 {\n" + t.elem.show(parens(e)+"[0]") + "\n}"
	}},
	{"field taken", kinds(structure), func(g *generator, t *Type, e string) string {
		f := t.fields[len(t.fields)-1]
		return f.typ.show(parens(e) + "." + f.name)
	}},
	{"field set", kinds(structure), func(g *generator, t *Type, e string) string {
		f := t.fields[len(t.fields)-1]
		v, w := g.name("x"), g.name("y")
		return v + " := " + e + "\n" + w + " := " + v + "\n" + v + "." + f.name + " = " + g.operand(f.typ) + "\n" + t.show(v) + "\n" + t.show(w)
	}},
	{"element set", kinds(slice, array), func(g *generator, t *Type, e string) string {
		v, w := g.name("x"), g.name("y")
		return v + " := " + g.typed(t, e) + "\n" + w + " := " + v + "\nfor i := range " + v + " {\n" + v + "[i] = " + g.operand(t.elem) + "\n}\n" + t.show(v) + "\n" + t.show(w)
	}},
	{"called", kinds(function), func(g *generator, t *Type, e string) string {
		args := map[string]string{"": "()", "int": "(3)", "string": `("in")`, "int|int": "(3, 4)", "Point": "(Point{5, 6})"}
		var key string
		for i, p := range t.params {
			if i > 0 {
				key += "|"
			}
			key += p
		}
		return t.elem.show(parens(e) + args[key])
	}},
	{"pointed to", kinds(pointer), func(g *generator, t *Type, e string) string {
		v := g.name("p")
		return v + " := " + e + "\n" + t.elem.show("*"+v) + "\n*" + v + " = " + g.operand(t.elem) + "\n" + t.show(v)
	}},
	{"asserted", named("any"), func(g *generator, t *Type, e string) string {
		v, ok := g.name("x"), g.name("ok")
		return v + ", " + ok + " := " + parens(e) + ".(int)\nfmt.Print(" + v + ", " + ok + ")\nif s, ok := " + clause(e3(t, e)) + ".(string); ok {\nfmt.Print(s)\n}"
	}},
	{"asserted to error", kinds(face), func(g *generator, t *Type, e string) string {
		v, ok := g.name("x"), g.name("ok")
		return v + ", " + ok + " := " + e3(t, e) + ".(error)\nshowerror(" + v + ")\nfmt.Print(" + ok + ")"
	}},
	{"ranged by generic", kinds(slice), func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s[S ~[]E, E any](s S) (n int, last any) {\n\tfor _, e := range s {\n\t\tn++\n\t\tlast = e\n\t}\n\treturn n, last\n}", f)
		return "showAll(" + f + "(" + g.typed(t, e) + "))"
	}},
	{"added by generic", (*Type).numeric, func(g *generator, t *Type, e string) string {
		f := g.name("f")
		g.declare("func %s[T ~int|~int8|~int16|~int32|~int64|~uint|~uint8|~uint16|~uint32|~uint64|~uintptr|~float32|~float64|~complex64|~complex128](v ...T) (sum T) {\n\tfor _, x := range v {\n\t\tsum += x\n\t}\n\treturn sum * 2\n}", f)
		return t.show(f + "(" + e + ", " + g.operand(t) + ")")
	}},
	{"appended", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return "var " + v + " []" + t.name + "\n" + v + " = append(" + v + ", " + g.operand(t) + ", " + e + ")\n" + t.show(v+"[1]") + "\nshowint(len(" + v + "))"
	}},
	{"appended to any", always, func(g *generator, t *Type, e string) string {
		v := g.name("x")
		return v + " := []any{0}\n" + v + " = append(" + v + ", " + e + ")\nshowAll(" + v + "...)"
	}},
}

// parens is an expression as an operand.
func parens(e string) string { return "(" + e + ")" }

// e3 is an expression of an interface type as what a type is asked of.
func e3(t *Type, e string) string { return t.name + "(" + e + ")" }
