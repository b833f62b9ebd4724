package judge

// What programs of every day are made of beyond single expressions: values that
// are copied, captured, yielded, sent about, printed, encoded, and set by what is
// deferred.

func init() { forms = append(forms, widerForms...) }

// inFunc is a literal that is called: its body returns a t.
func inFunc(t *Type, body string) string {
	return "func() (r " + t.name + ") {\n" + body + "\n}()"
}

// addressless reports types that print the same in every run: no pointers,
// functions or channels, and no keys that fmt sorts by the addresses of their types.
func addressless(t *Type) bool {
	switch t.kind {
	case pointer, function, channel:
		return false
	case face:
		return t.name == "any" || t.name == "error"
	}
	for _, f := range t.fields {
		if !addressless(f.typ) {
			return false
		}
	}
	return (t.elem == nil || addressless(t.elem)) && (t.key == nil || t.key.kind != face && addressless(t.key))
}

// encodes reports types that encoding/json gives back as they were.
func encodes(t *Type) bool {
	switch t.kind {
	case boolean, integer, unsigned, float, text:
		return true
	case slice, array:
		return encodes(t.elem)
	case mapping:
		return encodes(t.elem) && (t.key.kind == text || t.key.whole())
	case structure:
		for _, f := range t.fields {
			if !encodes(f.typ) {
				return false
			}
		}
		return true
	case pointer:
		return t.elem.kind != pointer && encodes(t.elem)
	}
	return false
}

// nilable reports types that have a nil.
func nilable(t *Type) bool {
	switch t.kind {
	case slice, mapping, pointer, function, channel, face:
		return true
	}
	return false
}

var widerForms = []*form{
	// Copies.
	{name: "field of a copied array", takes: always, write: func(g operands, t *Type) string {
		a, c := g.name("a"), g.name("c")
		g.before("%s := [2]Box[%s]{{%s}, {%s}}", a, t.name, g.operand(t), g.operand(t))
		g.before("%s := %s\n%s[0].V = %s", c, a, a, g.operand(t))
		g.before("_ = %s", c)
		return g.pick(c, a) + "[0].V"
	}},
	{name: "array given away", takes: always, write: func(g operands, t *Type) string {
		f, a := g.name("f"), g.name("a")
		g.declare("func %s(a [2]%s, v %s) %s {\n\ta[0] = v\n\treturn a[1]\n}", f, t.name, t.name, t.name)
		g.before("%s := [2]%s{%s, %s}\n_ = %s(%s, %s)", a, t.name, g.operand(t), g.operand(t), f, a, g.operand(t))
		return a + "[0]"
	}},
	{name: "element while the array changes", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "a := [2]"+t.name+"{"+g.operand(t)+", "+g.operand(t)+"}\nw := "+g.typed(t, g.operand(t))+"\nfor i, v := range "+g.pick("a", "&a", "a[:]")+" {\na[1] = w\nif i == 1 {\nr = v\n}\n}\nreturn")
	}},
	{name: "array in a map", takes: always, write: func(g operands, t *Type) string {
		m := g.name("m")
		g.before("%s := map[string][2]%s{\"k\": {%s, %s}}", m, t.name, g.operand(t), g.operand(t))
		return m + "[\"k\"][" + g.operandIndex() + "]"
	}},
	{name: "copied by copy", takes: always, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := []%s{%s, %s}\ncopy(%s[1:], %s)", s, t.name, g.operand(t), g.operand(t), s, s)
		return s + "[1]"
	}},
	{name: "cleared", takes: always, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := []%s{%s, %s}\nclear(%s[:1])", s, t.name, g.operand(t), g.operand(t), s)
		return s + g.pick("[0]", "[1]")
	}},
	{name: "shadowed", takes: always, write: func(g operands, t *Type) string {
		v := g.variable(t)
		g.before("{\n%s := %s\n_ = %s\n}", v, g.typed(t, g.leaf(t)), v)
		return v
	}},
	// Closures and results.
	{name: "closure over a loop's variable", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "var fs []func() "+t.name+"\nfor _, v := range []"+t.name+"{"+g.operand(t)+", "+g.operand(t)+"} {\nfs = append(fs, func() "+t.name+" { return v })\n}\nreturn fs["+g.pick("0", "1")+"]()")
	}},
	{name: "result kept by a closure", takes: always, write: func(g operands, t *Type) string {
		f, get := g.name("f"), g.name("get")
		g.declare("func %s(v, w %s) (r %s, get func() %s) {\n\tget = func() %s { return r }\n\tr = v\n\treturn w, get\n}", f, t.name, t.name, t.name, t.name)
		g.before("_, %s := %s(%s, %s)\n_, _ = %s(%s, %s)", get, f, g.operand(t), g.operand(t), f, g.operand(t), g.operand(t))
		return get + "()"
	}},
	{name: "result that a closure sets later", takes: always, write: func(g operands, t *Type) string {
		f, v, set := g.name("f"), g.name("x"), g.name("set")
		g.declare("func %s(v %s) (r %s, set func(%s)) {\n\tset = func(w %s) { r = w }\n\tr = v\n\treturn\n}", f, t.name, t.name, t.name, t.name)
		g.before("%s, %s := %s(%s)\n%s(%s)", v, set, f, g.operand(t), set, g.operand(t))
		return v
	}},
	{name: "set by two deferred calls", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "defer func() { r = "+g.operand(t)+" }()\ndefer func(v "+t.name+") { r = v }("+g.operand(t)+")\nreturn "+g.operand(t))
	}},
	{name: "panicked with twice", takes: concrete, write: func(g operands, t *Type) string {
		return inFunc(t, "defer func() { r = recover().("+t.name+") }()\ndefer func() { panic(recover()) }()\npanic("+g.typed(t, g.operand(t))+")")
	}},
	{name: "method bound before a change", takes: always, write: func(g operands, t *Type) string {
		b, f := g.name("b"), g.name("f")
		g.before("%s := %sBox[%s]{%s}\n%s := %s.Get\n%s.V = %s", b, g.pick("", "&"), t.name, g.operand(t), f, b, b, g.operand(t))
		return f + "()"
	}},
	{name: "method set by its value", takes: always, write: func(g operands, t *Type) string {
		b, f := g.name("b"), g.name("f")
		g.before("var %s Box[%s]\n%s := %s.Set\n%s(%s)", b, t.name, f, b, f, g.operand(t))
		return b + ".V"
	}},
	{name: "method expression of pointer", takes: always, write: func(g operands, t *Type) string {
		return "(*Box[" + t.name + "]).Get(&Box[" + t.name + "]{" + g.operand(t) + "})"
	}},
	{name: "method of embedded interface", takes: always, write: func(g operands, t *Type) string {
		return "struct {\nGetter[" + t.name + "]\nn int\n}{Box[" + t.name + "]{" + g.operand(t) + "}, 1}.Get()"
	}},
	{name: "method promoted twice", takes: always, write: func(g operands, t *Type) string {
		h := g.name("h")
		g.declare("type %sIn struct{ Box[%s] }\n\ntype %s struct {\n\tn int\n\t*%sIn\n}", h, t.name, h, h)
		v := g.name("v")
		g.before("%s := %s{1, &%sIn{}}\n%s.Set(%s)", v, h, h, v, g.operand(t))
		return g.pick(v+".Get()", "Getter["+t.name+"]("+v+").Get()", v+".V")
	}},
	{name: "entry of a list", takes: always, write: func(g operands, t *Type) string {
		l := g.name("l")
		g.before("var %s List[%s]\n%s.Push(%s)\n%s.Push(%s)", l, t.name, l, g.operand(t), l, g.operand(t))
		return l + ".At(" + g.pick("0", "1") + ")"
	}},
	{name: "half of a pair", takes: always, write: func(g operands, t *Type) string {
		o := g.any(always)
		return "pairOf(" + g.typed(o, g.operand(o)) + ", " + g.typed(t, g.operand(t)) + ").Swap().A"
	}},
	// Flow.
	{name: "of a labelled loop", takes: always, write: func(g operands, t *Type) string {
		l := g.name("loop")
		return inFunc(t, l+":\nfor i := 0; ; i++ {\nfor range 3 {\nswitch {\ncase i == 0:\ncontinue "+l+"\ncase i == 2:\nr = "+g.operand(t)+"\nbreak "+l+"\n}\nbreak\n}\n}\nreturn")
	}},
	{name: "of a labelled select", takes: always, write: func(g operands, t *Type) string {
		l := g.name("loop")
		return inFunc(t, "c := filled("+g.typed(t, g.operand(t))+")\n"+l+":\nfor {\nselect {\ncase r = <-c:\ncontinue "+l+"\ndefault:\nbreak "+l+"\n}\n}\nreturn")
	}},
	{name: "fallen through to", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "switch seven() {\ncase 7:\nr = "+g.operand(t)+"\nfallthrough\ncase 8:\n"+g.one(func() string { return "" }, func() string { return "r = " + g.operand(t) + "\n" })+"default:\nr = "+g.operand(t)+"\n}\nreturn")
	}},
	{name: "after goto", takes: always, write: func(g operands, t *Type) string {
		l := g.name("again")
		return inFunc(t, "n := 0\n"+l+":\nr = "+g.operand(t)+"\nif n++; n < 2 {\ngoto "+l+"\n}\nreturn")
	}},
	{name: "of a type switch with several types", takes: concrete, write: func(g operands, t *Type) string {
		o := g.any(func(o *Type) bool { return concrete(o) && o != t })
		return inFunc(t, "switch v := any("+g.typed(t, g.operand(t))+").(type) {\ncase nil:\ncase "+o.name+", "+t.name+":\nr = v.("+t.name+")\n}\nreturn")
	}},
	// Iterators.
	{name: "yielded", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "for i, v := range slices.All([]"+t.name+"{"+g.operand(t)+", "+g.operand(t)+"}) {\nif i == 1 {\nreturn v\n}\n}\nreturn")
	}},
	{name: "yielded by own iterator", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "for v := range each("+g.typed(t, g.operand(t))+", "+g.typed(t, g.operand(t))+") {\nr = v\n"+g.pick("", "break\n", "continue\n")+"}\nreturn")
	}},
	{name: "pulled", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "next, stop := iter.Pull(each("+g.typed(t, g.operand(t))+"))\ndefer stop()\nr, _ = next()\nreturn")
	}},
	{name: "collected", takes: always, write: func(g operands, t *Type) string {
		return "slices.Collect(each(" + g.typed(t, g.operand(t)) + ", " + g.typed(t, g.operand(t)) + "))[1]"
	}},
	{name: "collected from a map", takes: always, write: func(g operands, t *Type) string {
		return "slices.Collect(maps.Values(map[int]" + t.name + "{1: " + g.operand(t) + "}))[0]"
	}},
	{name: "least by the library", takes: (*Type).ordered, write: func(g operands, t *Type) string {
		return "slices." + g.pick("Min", "Max") + "([]" + t.name + "{" + g.operand(t) + ", " + g.operand(t) + "})"
	}},
	{name: "sorted", takes: (*Type).ordered, write: func(g operands, t *Type) string {
		s := g.name("s")
		g.before("%s := []%s{%s, %s, %s}", s, t.name, g.operand(t), g.operand(t), g.operand(t))
		g.before("%s", g.pick("slices.Sort("+s+")", "sort.Slice("+s+", func(i, j int) bool { return "+s+"[i] > "+s+"[j] })"))
		return s + "[1]"
	}},
	{name: "added by constraint", takes: func(t *Type) bool { return t.whole() || t.kind == float || t.kind == text }, write: func(g operands, t *Type) string {
		return "added(" + g.typed(t, g.operand(t)) + ", " + g.typed(t, g.operand(t)) + ")"
	}},
	// Goroutines.
	{name: "set by a goroutine", takes: always, write: func(g operands, t *Type) string {
		v := g.name("x")
		w := g.name("wg")
		g.before("var %s %s\nvar %s sync.WaitGroup\n%s.Go(func() { %s = %s })\n%s.Wait()", v, t.name, w, w, v, g.leaf(t), w)
		return v
	}},
	{name: "through a channel of channels", takes: always, write: func(g operands, t *Type) string {
		return "<-<-filled(filled(" + g.typed(t, g.operand(t)) + "))"
	}},
	{name: "through a goroutine's channel", takes: always, write: func(g operands, t *Type) string {
		return inFunc(t, "c := make(chan "+paren(t)+")\ngo func() {\ndefer close(c)\nfor _, v := range []"+t.name+"{"+g.leaf(t)+", "+g.leaf(t)+"} {\nc <- v\n}\n}()\nfor v := range c {\nr = v\n}\nreturn")
	}},
	{name: "once", takes: always, write: func(g operands, t *Type) string {
		f := g.name("f")
		g.before("%s := sync.OnceValue(func() %s { return %s })\n_ = %s()", f, t.name, g.leaf(t), f)
		return f + "()"
	}},
	{name: "of a context", takes: concrete, write: func(g operands, t *Type) string {
		return "context.WithValue(context.Background(), Tiny(1), " + g.typed(t, g.operand(t)) + ").Value(Tiny(1)).(" + t.name + ")"
	}},
	{name: "of an atomic pointer", takes: always, write: func(g operands, t *Type) string {
		p := g.name("p")
		g.before("var %s atomic.Pointer[%s]\n%s.Store(ptr(%s))", p, t.name, p, g.typed(t, g.operand(t)))
		return "*" + p + ".Load()"
	}},
	// Sizes of numbers.
	{name: "overflowing", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return inFunc(t, "r = "+g.operand(t)+"\nfor range 12 {\nr = r"+g.pick("*7+3", "<<3|1", "*r-5", "^r>>2*11")+"\n}\nreturn")
	}},
	{name: "shifted far", takes: (*Type).whole, write: func(g operands, t *Type) string {
		return g.operand(t) + " " + g.pick("<<", ">>") + " (" + g.operand(typ("uint8")) + " + " + g.pick("3", "40", "60") + ")"
	}},
	{name: "narrowed", takes: (*Type).whole, write: func(g operands, t *Type) string {
		o := g.any((*Type).whole)
		return t.name + "(" + o.name + "(" + g.operand(o) + ")*" + g.pick("9", "17", "30") + " - 90)"
	}},
	{name: "rune of bad text", takes: named("int32"), write: func(g operands, t *Type) string {
		return inFunc(t, "for i, c := range \"a\\xff\\xc0é\\xe4\\xb8\" {\nr = r*31 + c + int32(i)\n}\nreturn")
	}},
	{name: "constant of a group", takes: func(t *Type) bool { return t.whole() }, write: func(g operands, t *Type) string {
		c := g.name("c")
		g.declare("const (\n\t%sA %s = 1 << iota\n\t_\n\t%sB\n\t%sC\n)", c, t.name, c, c)
		return g.pick(c+"B", c+"C|"+c+"A", c+"C-"+c+"B")
	}},
	// Text.
	{name: "printed with a verb", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(addressless)
		verb := g.pick("%v", "%+v", "%T", "%d", "%s", "%q", "%x", "%6v|%-8v")
		e := g.typed(o, g.operand(o))
		if verb == "%6v|%-8v" {
			return "fmt.Sprintf(\"" + verb + "\", " + e + ", " + g.operand(typ("int")) + ")"
		}
		return "fmt.Sprintf(\"" + verb + "\", " + e + ")"
	}},
	{name: "printed within others", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(addressless)
		e := g.typed(o, g.operand(o))
		e = g.pick("Box["+o.name+"]{"+e+"}", "[]any{"+e+", nil, "+e+"}", "map[string]"+o.name+"{\"k\": "+e+"}", "struct {\nA "+o.name+"\nb any\n}{"+e+", 1}", "&Box["+o.name+"]{"+e+"}", "[2]"+o.name+"{"+e+"}", "pairOf(1, "+e+")")
		return "fmt.Sprintf(\"" + g.pick("%v", "%+v", "%T", "%v") + "\", " + e + ")"
	}},
	{name: "written for Go", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(func(o *Type) bool {
			return addressless(o) && o.kind != face && (o.elem == nil || o.elem.kind != face) && o.name != "image.Point"
		})
		return "fmt.Sprintf(\"%#v\", " + g.typed(o, g.operand(o)) + ")"
	}},
	{name: "printed without a verb", takes: named("string"), write: func(g operands, t *Type) string {
		o, u := g.any(addressless), g.any(addressless)
		return "fmt." + g.pick("Sprint", "Sprintln") + "(" + g.operand(o) + ", " + g.typed(u, g.operand(u)) + ")"
	}},
	{name: "text of a panic", takes: named("string"), write: func(g operands, t *Type) string {
		o, u := g.any(concrete), g.any(concrete)
		body := g.one(
			func() string { return "var m map[string]" + o.name + "\nm[\"a\"] = " + g.operand(o) },
			func() string { return "_ = []" + o.name + "{" + g.operand(o) + "}[" + g.operand(typ("int")) + "+1]" },
			func() string { return "_ = make([]" + o.name + ", 2)[" + g.operand(typ("int")) + ":1]" },
			func() string { return "var p *Box[" + o.name + "]\np.V = " + g.operand(o) },
			func() string { return "_ = any(" + g.typed(o, g.operand(o)) + ").(" + u.name + ")" },
			func() string { return "_ = any(" + g.typed(o, g.operand(o)) + ").(Getter[" + u.name + "])" },
			func() string { return "_ = seven() / (seven() - 7)" },
			func() string { return "c := make(chan " + paren(o) + ")\nclose(c)\nclose(c)" },
			func() string { return "_ = make([]" + o.name + ", -seven())" },
			func() string { return "panic(" + g.operand(typ("error")) + ")" },
			func() string { return "var f func() " + o.name + "\nf()" },
			func() string { return "_ = map[any]int{}[any(" + g.typed(o, g.operand(o)) + ")]" },
			func() string {
				return "_ = any(" + g.typed(o, g.operand(o)) + ") == any(" + g.typed(o, g.operand(o)) + ")"
			},
			func() string { return "_ = [4]int(make([]int, seven()-4))" },
		)
		return "func() (s string) {\ndefer func() { s = fmt.Sprint(recover()) }()\n" + body + "\nreturn \"none\"\n}()"
	}},
	{name: "encoded", takes: named("string"), write: func(g operands, t *Type) string {
		o := g.any(encodes)
		e := g.typed(o, g.operand(o))
		return "encoded(" + g.pick(e, "[]any{1, "+e+"}", "Box["+o.name+"]{"+e+"}", "map[string]any{\"k\": "+e+"}") + ")"
	}},
	{name: "encoded and decoded", takes: encodes, write: func(g operands, t *Type) string {
		return inFunc(t, "b, err := json.Marshal("+g.typed(t, g.operand(t))+")\nif err == nil {\nerr = json.Unmarshal(b, &r)\n}\nif err != nil {\npanic(err)\n}\nreturn")
	}},
	// Errors.
	{name: "wrapped error", takes: named("error"), write: func(g operands, t *Type) string {
		return g.one(
			func() string { return "fmt.Errorf(\"w: %w\", " + g.operand(t) + ")" },
			func() string { return "errors.Join(" + g.operand(t) + ", " + g.operand(t) + ")" },
			func() string { return "errors.Unwrap(fmt.Errorf(\"w: %w\", " + g.operand(t) + "))" },
		)
	}},
	{name: "error found", takes: named("Fault"), write: func(g operands, t *Type) string {
		return inFunc(t, "if !errors.As(fmt.Errorf(\"w: %w\", error("+g.operand(t)+")), &r) {\nr.Code = -1\n}\nreturn")
	}},
	{name: "error found by pointer", takes: named("*Failure"), write: func(g operands, t *Type) string {
		return inFunc(t, "errors.As(errors.Join(nil, "+g.operand(t)+"), &r)\nreturn")
	}},
	{name: "error is", takes: kinds(boolean), write: truth(func(g operands) string {
		return "errors.Is(fmt.Errorf(\"%w\", error(" + g.operand(typ("Fault")) + ")), " + g.operand(typ("Fault")) + ")"
	})},
	{name: "typed nil in an interface", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(func(o *Type) bool { return nilable(o) && concrete(o) })
		return "any((" + o.name + ")(nil)) == nil"
	})},
	{name: "deeply equal", takes: kinds(boolean), write: truth(func(g operands) string {
		o := g.any(func(o *Type) bool { return addressless(o) })
		return "reflect.DeepEqual(" + g.typed(o, g.operand(o)) + ", " + g.typed(o, g.operand(o)) + ")"
	})},
}
