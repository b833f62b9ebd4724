package judge

// place is where in a program the statements of a context stand.
type place struct {
	name  string
	write func(g *generator, body string) string
}

var places = []*place{
	{"top", func(g *generator, body string) string { return body }},
	{"closure", func(g *generator, body string) string { return "func() {\n" + body + "\n}()" }},
	{"function", func(g *generator, body string) string {
		f := g.name("run")
		g.declare("func %s() {\n%s\n}", f, body)
		return f + "()"
	}},
	{"method", func(g *generator, body string) string {
		r := g.name("r")
		g.declare("type %s struct{ n int }\n\nfunc (r *%s) run(n int) {\n%s\n}", r, r, body)
		return "(&" + r + "{1}).run(2)"
	}},
	{"generic function", func(g *generator, body string) string {
		f := g.name("run")
		g.declare("func %s[T any](v T) {\n%s\n}", f, body)
		return f + "(\"s\")\n" + f + "(2.5)"
	}},
	{"loop", func(g *generator, body string) string { return "for i := range 2 {\n_ = i\n" + body + "\n}" }},
	{"loop over slice", func(g *generator, body string) string {
		return "for i, s := range []string{\"a\", \"b\"} {\nfmt.Print(i, s, \" \")\n" + body + "\n}"
	}},
	{"labelled loop", func(g *generator, body string) string {
		l := g.name("loop")
		return l + ":\nfor i := 0; ; i++ {\nfor {\n" + body + "\nif i == 1 {\nbreak " + l + "\n}\ncontinue " + l + "\n}\n}"
	}},
	{"loop over function", func(g *generator, body string) string { return "for range once {\n" + body + "\n}" }},
	{"if", func(g *generator, body string) string { return "if n := 1; n > 0 && yes {\n" + body + "\n}" }},
	{"else", func(g *generator, body string) string { return "if no {\nfmt.Print(\"no\")\n} else {\n" + body + "\n}" }},
	{"case", func(g *generator, body string) string {
		return "switch n := seven(); {\ncase n > 7:\nfmt.Print(n)\ncase n == 7:\n" + body + "\n}"
	}},
	{"case of type", func(g *generator, body string) string {
		return "switch any(yes).(type) {\ncase bool:\n" + body + "\n}"
	}},
	{"select", func(g *generator, body string) string { return "select {\ncase <-filled(1):\n" + body + "\n}" }},
	{"goroutine", func(g *generator, body string) string {
		c := g.name("done")
		return c + " := make(chan bool)\ngo func() {\ndefer close(" + c + ")\ndefer caught()\n" + body + "\n}()\n<-" + c
	}},
	{"deferred", func(g *generator, body string) string {
		return "func() {\ndefer func() {\n" + body + "\n}()\nfmt.Print(\"first \")\n}()"
	}},
	{"once", func(g *generator, body string) string { return "new(sync.Once).Do(func() {\n" + body + "\n})" }},
	{"loop over own iterator", func(g *generator, body string) string {
		return "for s := range each(\"a\", \"b\") {\nfmt.Print(s, \" \")\n" + body + "\nif s == \"a\" {\ncontinue\n}\nbreak\n}"
	}},
	{"recovered", func(g *generator, body string) string {
		return "func() {\ndefer func() { fmt.Print(\"recovered: \", recover()) }()\n" + body + "\n}()"
	}},
	{"function in a map", func(g *generator, body string) string {
		m := g.name("m")
		return m + " := map[string]func(int){}\n" + m + "[\"f\"] = func(n int) {\n" + body + "\n}\n" + m + "[\"f\"](1)"
	}},
	{"generic method", func(g *generator, body string) string {
		r := g.name("r")
		g.declare("type %s[T any] struct{ v T }\n\nfunc (r %s[T]) run(n int) {\n%s\n}", r, r, body)
		return r + "[string]{}.run(1)\n(&" + r + "[[]int]{}).run(2)"
	}},
	{"labelled select", func(g *generator, body string) string {
		l := g.name("loop")
		return "n := 0\n" + l + ":\nfor {\nselect {\ndefault:\nif n++; n > 2 {\nbreak " + l + "\n}\n" + body + "\ncontinue " + l + "\n}\n}"
	}},
	{"block", func(g *generator, body string) string { return "{\n" + body + "\n}" }},
}
