package session

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sapf/dsl/session/syntax"
)

// at splits code at the | that marks the cursor.
func at(code string) (string, int) {
	before, after, _ := strings.Cut(code, "|")
	return before + after, len(before)
}

func TestComplete(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 1, `import ("fmt"; "strings")
type Point struct { X, Y float64; name string }
// Dist is how far it is.
func (p Point) Dist() float64 { return p.X }
func (p *Point) Move(d float64) { p.X += d }
pt := Point{1, 2, "n"}
größe := 3
message := "text"`)
	for _, c := range []struct {
		code string
		want []string // all of these
		not  []string // none of these
		text string   // what is replaced
	}{
		{"fmt.Printl|", []string{"Println"}, []string{"Printf"}, "Printl"},
		{"fmt.|", []string{"Println", "Errorf", "Stringer"}, []string{"_Stringer", "catchPanic"}, ""},
		{"pt.|", []string{"X", "Y", "name", "Dist", "Move"}, nil, ""},
		{"time.Sl|", []string{"Sleep"}, []string{"Second"}, "Sl"}, // not imported
		{"mat.NewDen|", []string{"NewDense"}, nil, "NewDen"},
		{"file|", []string{"filepath"}, nil, "file"},
		{"pt.D|", []string{"Dist"}, []string{"X"}, "D"},
		{"x := pt\nx.M|", []string{"Move"}, nil, "M"},
		{"mess|", []string{"message"}, []string{"pt"}, "mess"},
		{"grö|", []string{"größe"}, nil, "grö"},
		{"größe + mes|", []string{"message"}, nil, "mes"},
		{"/* 世界 */ strings.Rep|", []string{"Repeat", "Replace", "ReplaceAll"}, nil, "Rep"},
		{"Point{|", []string{"X", "Y"}, nil, ""},
		{"Point{X: 1, |", []string{"Y"}, []string{"X"}, ""},
		{"func f(arg int) { loc := 1; fmt.Println(lo|) }", []string{"loc"}, nil, "lo"},
		{"func f(argument int) { arg| }", []string{"argument"}, nil, "arg"},
		{"var b strings.Builder\nb.Wr|", []string{"Write", "WriteString", "WriteByte"}, nil, "Wr"},
		{"for i := range 3 { fmt.Prin| }", []string{"Print", "Printf", "Println"}, nil, "Prin"},
		{"import \"stri|", []string{"strings"}, []string{"fmt"}, "stri"},
		{"import \"sapf/|", []string{"sapf/dsl", "sapf/models"}, nil, "sapf/"},
		{"%wh|", []string{"%whos"}, nil, "%wh"},
		{"\n  %cd testdata/pro|", []string{"testdata/programs/"}, nil, "testdata/pro"},
		{"%%writefile session_t|", []string{"session_test.go"}, nil, "session_t"},
		{"!cat <session_t|", []string{"session_test.go"}, nil, "session_t"},
		{"message\n!wc -l session_t|", []string{"session_test.go"}, nil, "session_t"},
		{"%extend ./testd|", []string{"./testdata/"}, nil, "./testd"},
		{"%timeit strings.Repe|", []string{"Repeat"}, nil, "Repe"},
		{"%time\n%timeit mess|", []string{"message"}, nil, "mess"},
		{"b := !tru|", []string{"true"}, nil, "tru"},
		{"import \"./testd|", []string{"./testdata/"}, nil, "./testd"},
		{"7 %mess|", []string{"message"}, nil, "mess"},
		{"retur|", []string{"return"}, nil, "retur"},
		{"strings.NewReader(\"a\").|", []string{"Len", "ReadByte"}, nil, ""},
		{"[]Point{pt}[0].|", []string{"Dist"}, nil, ""},
		{"load|", []string{"LoadImage", "LoadModel"}, nil, "load"},
		{"LoadModel(\"cw|", []string{"cwnet"}, nil, "cw"},
		{"LoadImage(\"ca|", []string{"cat"}, nil, "ca"},
		{"LoadImage(\"testdata/|", []string{"testdata/programs/"}, nil, "testdata/"},
		{"pt.nosuchthing|", nil, []string{"Dist"}, "nosuchthing"},
		{"o := Options{K: 200, Round: \"|", []string{"threshold", "topk"}, []string{"cw"}, ""},
		{"Attack(m, x, Target(\"dog\"), Options{Judge: \"8|\"})", []string{"8bit"}, []string{"float"}, "8"},
		{"o := Options{}\no.Loss = \"c|\"", []string{"cw", "ce"}, nil, "c"},
		{"Options{Preset: \"|\"}", []string{"paper", "reference"}, nil, ""},
		{"1 + |", []string{"message"}, nil, ""},
	} {
		code, cursor := at(c.code)
		got := s.Complete(code, cursor)
		for _, w := range c.want {
			if !slices.Contains(got.Matches, w) {
				t.Errorf("%q: no %q among %q", c.code, w, clip(got.Matches))
			}
		}
		for _, w := range c.not {
			if slices.Contains(got.Matches, w) {
				t.Errorf("%q: %q is among the matches", c.code, w)
			}
		}
		if text := code[got.Start:got.End]; text != c.text {
			t.Errorf("%q: replaces %q, expected %q", c.code, text, c.text)
		}
		if len(got.Kinds) != len(got.Matches) {
			t.Errorf("%q: %d kinds for %d matches", c.code, len(got.Kinds), len(got.Matches))
		}
	}
}

// TestDSL speaks the vocabulary: a model, an image, a prediction, a class
// completed, and an attack's options.
func TestDSL(t *testing.T) {
	s, r := newSession(t)
	out := runCell(s, r, 1, `m := LoadModel("cwnet")
x := LoadImage("cat")
Show(m.Predict(x))`)
	if !strings.Contains(out, "<display") || strings.Contains(out, "Error") {
		t.Fatalf("shows %q", out)
	}
	code, cursor := at(`r := Attack(m, x, Target("d|"), Options{})`)
	if c := s.Complete(code, cursor); !slices.Contains(c.Matches, "dog") || !slices.Contains(c.Matches, "deer") || slices.Contains(c.Matches, "cat") {
		t.Errorf("Target(\"d: %q", c.Matches)
	}
	code, cursor = at(`r := Attack(m, x, Target("dog"), Options{K: 200, Lam|})`)
	if c := s.Complete(code, cursor); !slices.Contains(c.Matches, "Lambda1") {
		t.Errorf("Options{Lam: %q", c.Matches)
	}
	if out := runCell(s, r, 2, "x.C, _ := x.H, 0"); !strings.Contains(out, "SyntaxError") && !strings.Contains(out, "CompileError") {
		t.Errorf("assigning a field with := gives %q", out)
	}
	if out := runCell(s, r, 3, `LoadModel("nosuch")`); !strings.HasPrefix(out, "Error: LoadModel") || !strings.Contains(out, "In [3], line 1") {
		t.Errorf("a model that is not there gives %q", out)
	}
}

func clip(list []string) []string { return list[:min(len(list), 20)] }

func TestInspect(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 1, `import "strings"
// Twice doubles n.
func Twice(n int) int { return 2 * n }
x := Twice(2)
type Pair struct {
	// Left is the first.
	Left int
	right string // hidden
}`)
	for _, c := range []struct{ code, want, also string }{
		{"strings.Rep|eat(\"a\", 2)", "func Repeat(s string, count int) string", "Repeat returns a new string"},
		{"strings.Repeat(\"a\", |)", "func Repeat(s string, count int) string", ""},
		{"Optio|ns{}", "Round ", "threshold, topk, topk_product"},
		{"Pair|{}", "Left ", "Left is the first."},
		{"math|.Pi", "import \"math\"", "mathematical"},
		{"sort.In|ts(nil)", "func Ints(", "sorts"},
		{"Twi|ce", "func Twice(n int) int", "Twice doubles n."},
		{"x|", "var x int", ""},
		{"Load|Model", "func LoadModel(", ""},
		{"strin|gs.Fields", "import \"strings\"", "UTF-8"},
		{"var b strings.Builder\nb.Write|String", "WriteString(s string)", "appends"},
		{"len|", "builtin len", ""},
		{"Options{K|: 3}", "K int", "K is the number of ones in G"},
		{"Options{Rou|nd: \"topk\"}", "threshold topk topk_product", "(paper: exactly K)"},
		{"Options{Lambda1Max|: 3}", "Lambda1Max float64 `range:\"(0,inf)\"`", "Lambda1Max, 100"},
		{"im := LoadImage(\"cat\")\nim|", "var im data.Image", "one picture, channels first"},
	} {
		code, cursor := at(c.code)
		b, ok := s.Inspect(code, cursor, 0)
		text, _ := b.Data["text/plain"].(string)
		if !ok || !strings.Contains(text, c.want) || !strings.Contains(text, c.also) {
			t.Errorf("%q: %v %q, expected %q and %q", c.code, ok, text, c.want, c.also)
		}
	}
	if _, ok := s.Inspect("nosuch", 3, 0); ok {
		t.Error("something is known of a name that is not declared")
	}
	b, _ := s.Inspect("Twice", 2, 1)
	if text := b.Data["text/plain"].(string); !strings.Contains(text, "return 2 * n") {
		t.Errorf("detail 1 shows no source: %q", text)
	}
}

func TestIsComplete(t *testing.T) {
	s, _ := newSession(t)
	for _, c := range []struct{ code, status, indent string }{
		{"x := 1", "complete", ""},
		{"", "complete", ""},
		{"func f() {", "incomplete", "\t"},
		{"func f() {\n\tif true {", "incomplete", "\t\t"},
		{"func f(((", "incomplete", "\t\t\t"},
		{"x := 1 +", "incomplete", ""},
		{"fmt.Println(", "incomplete", "\t"},
		{"for i := range 3", "incomplete", ""},
		{"func f()", "incomplete", ""},
		{"s := `raw", "incomplete", ""},
		{"/* comment", "incomplete", ""},
		{"import", "incomplete", ""},
		{"x := )", "invalid", ""},
		{"}", "invalid", ""},
		{"x y z", "invalid", ""},
		{"type T struct{ A int }\nT{1}", "complete", ""},
		{"%whos", "complete", ""},
		{"\"open", "invalid", ""},
	} {
		got := s.IsComplete(c.code)
		if got.Status != c.status || got.Indent != c.indent {
			t.Errorf("%q: %q %q, expected %q %q", c.code, got.Status, got.Indent, c.status, c.indent)
		}
	}
}

func TestInput(t *testing.T) {
	s, r := newSession(t)
	r.inputs = []string{"42", "seven eight"}
	got := runCell(s, r, 1, "import \"fmt\"\nvar n int\nvar a, b string\nfmt.Scan(&n)\nfmt.Scanln(&a, &b)\nfmt.Println(n, a, b)")
	if got != "42 seven eight\n" {
		t.Errorf("got %q", got)
	}
}

// TestQuiet: user expressions and silent cells.
func TestQuiet(t *testing.T) {
	s, _ := newSession(t)
	if o := s.Execute(t.Context(), Cell{Count: 1, Code: "1 + 1", Quiet: true}); o.Value != nil || o.Err != nil {
		t.Errorf("a quiet cell shows %+v", o)
	}
}

// FuzzExecute: whatever a cell is, checking and lowering it must not panic,
// and the session must live on.
func FuzzExecute(f *testing.F) {
	for _, seed := range []string{
		"x := 1\nx", "func f[T any](x T) T { return x }; f(1)", "for i := range 3 { defer func() { _ = i }() }",
		"type T struct{ *T }; var t T; t.T", "import \"fmt\"; fmt.Println(1, ", "switch x := any(1).(type) { case int: _ = x }",
		"}", "package main; }", "func (", "L: for { break L }", "var a, b = 1", "const c = 1 << 1000; c", "go func() {}()",
		"select { default: }", "%time", "%", "type I interface{ ~int }; var i I", "func (x nosuch) f() {}", "type A = A", "x, y := 1",
		"import . \"strings\"; Repeat", "return 1", "goto x", "defer 1", "\x00", "`", "func init() {}", "func main(a int) {}",
	} {
		f.Add(seed)
	}
	r := &recorder{}
	s, err := New(r, Options{})
	if err != nil {
		f.Fatal(err)
	}
	s.Variables() // waits until it is ready
	f.Fuzz(func(t *testing.T, code string) {
		if len(code) > 2000 {
			return
		}
		s.lowerOnly(code)
		for _, cursor := range []int{0, len(code) / 2, len(code)} {
			c := s.Complete(code, cursor)
			if c.Start < 0 || c.End < c.Start || c.End > len(code) || utf8.ValidString(code) && !utf8.ValidString(code[c.Start:c.End]) {
				t.Fatalf("completion of %q at %d replaces %d to %d", code, cursor, c.Start, c.End)
			}
			s.Inspect(code, cursor, 1)
		}
		s.IsComplete(code)
	})
}

// lowerOnly checks and lowers a cell without running it, and takes it back.
func (s *Session) lowerOnly(code string) error {
	src := &syntax.Source{File: s.lowering.Fresh("cell"), Name: "In [1]", Code: code, Written: code}
	s.sources[src.File] = src
	p, err := syntax.Parse(s.fset, src)
	if err != nil {
		s.syntaxError(src, err)
		return err
	}
	if len(p.Parts) == 0 {
		return nil
	}
	pl, err := s.declared.Plan(p)
	if err != nil {
		return nil
	}
	takeBack := s.declared.Enact(pl)
	s.lowering.Cell(pl)
	takeBack()
	s.lowering.TakeBack()
	return nil
}

// TestNearMembers: a field, a method or a package's name that is nearly right is
// named in the error.
func TestNearMembers(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 1, "import \"sapf/sapf/baseline\"\ntype Point struct{ Across, Down float64 }\nfunc (p *Point) Move() {}\npt := Point{}")
	for code, want := range map[string]string{
		"Options{Stepz: 3}":   "did you mean Steps?",
		"Point{Acros: 1}":     "did you mean Across?",
		"pt.Mov()":            "did you mean Move?",
		"LoadImage(x).Gray()": "undefined: x",
		"baseline.FMNLO{}":    "did you mean FMNL0?",
		"pt.entirely()":       "has no field or method entirely)\n",
	} {
		if got := runCell(s, r, 2, code); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}

// TestOptionsTable: an options struct is shown with what its fields may be, what
// they are where nothing is set, and a meaning of their own each, be the comment
// one of several fields.
func TestOptionsTable(t *testing.T) {
	s, r := newSession(t)
	got := runCell(s, r, 1, "Options?")
	for _, want := range []string{
		`Loss +string: cw, ce +cw +Loss is`, `Confidence +float64 in \[0,inf\) +0 +Confidence is the hinge's kappa`,
		`Lambda1 +float64 in \(0,inf\) +0\.001 `, `SearchRounds +int in \[1,inf\) +6 `, `StopAtFirstSuccess +bool +false `,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	runCell(s, r, 2, `import "sapf/sapf/baseline"`)
	got = runCell(s, r, 3, "baseline.FMNL0?")
	if !regexp.MustCompile(`Steps +int in \[0,inf\) +10 `).MatchString(got) {
		t.Errorf("fmn-l0: %s", got)
	}
	runCell(s, r, 4, "type Point struct {\n\tAcross float64 // to the right\n}")
	if got = runCell(s, r, 5, "Point?"); strings.Contains(got, "Default") || !strings.Contains(got, "Across") {
		t.Errorf("a type of a cell's own: %s", got)
	}
}
