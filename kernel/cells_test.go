package kernel

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What cells of Go do to the kernel, with the interpreter that users have.

func TestFailure69_Cells(t *testing.T) {
	c := startReal(t)
	c.execute("x := 7")
	for _, cell := range []struct {
		code, name string
		lost       bool // the interpreter's process ends with it
	}{
		{"panic(\"no\")", "Panic", false},
		{"import \"os\"\nos.Exit(3)", "", false},
		{"var m map[string]int\nm[\"a\"] = 1", "Panic", false},
		{"go func() { panic(\"in a goroutine\") }()\nx", "", false},
		{"func down(n int) int { return down(n+1) + 1 }\ndown(0)", "StackOverflow", true},
		{"big := make([]float64, 1<<42)\nbig[0]", "", false},
	} {
		r := c.execute(cell.code)
		if name, _ := r.reply["ename"].(string); cell.name != "" && name != cell.name {
			t.Errorf("%s\n%v", cell.code, r.reply)
		}
		if r.reply["status"] == "error" && len(r.reply["traceback"].([]any)) == 0 {
			t.Errorf("%s: no traceback", cell.code)
		}
		after := c.execute("x")
		if kept := after.reply["status"] == "ok"; kept == cell.lost && cell.lost {
			t.Errorf("%s: x outlived its process", cell.code)
		} else if !kept && !cell.lost && !strings.Contains(fmt.Sprint(r.reply["traceback"]), "are gone") {
			t.Errorf("%s: x is gone, and nothing said so: %v", cell.code, r.reply)
		}
		if r := c.execute("x := 7\nx"); r.reply["status"] != "ok" {
			t.Fatalf("after %s: %v", cell.code, r.reply)
		}
	}
}

func TestFailure70_InterruptDuringAnAttack(t *testing.T) {
	c := startReal(t)
	c.execute("m := LoadModel(\"cwnet\")\nx := LoadImage(\"cat\")\ny := 5")
	id := c.send(c.shell, "execute_request", content{"code": "r := Attack(m, x, Target(\"dog\"), Options{K: 200})"})
	c.wait(c.published, "display_data", id) // its progress
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	c.send(c.control, "interrupt_request", content{})
	reply := fields(c.wait(c.replies, "execute_reply", id))
	t.Logf("an attack stopped %v after the interrupt", time.Since(start))
	if reply["status"] != "error" {
		t.Errorf("reply %v", reply)
	}
	if r := c.execute("y"); r.reply["status"] != "ok" || !strings.Contains(string(r.outputs[len(r.outputs)-1].Content), `"5"`) {
		t.Errorf("variables after an interrupt: %v", r.reply)
	}
	if r := c.execute("len(Stopped()[0].Adversarial().Pix)"); r.reply["status"] != "ok" || !strings.Contains(string(r.outputs[len(r.outputs)-1].Content), `"3072"`) {
		t.Errorf("the best so far: %v", r.reply)
	}
}

func TestFailure70_TightLoopsStop(t *testing.T) {
	c := startReal(t)
	c.execute("import \"time\"\nx := 1")
	for _, code := range []string{"for { }", "for { x++ }", "select {}", "<-make(chan int)", "time.Sleep(time.Hour)", "func f() { f2() }\nfunc f2() { for { } }\nf()"} {
		id := c.send(c.shell, "execute_request", content{"code": code})
		c.wait(c.published, "execute_input", id)
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		c.send(c.control, "interrupt_request", content{})
		reply := fields(c.wait(c.replies, "execute_reply", id))
		t.Logf("%q stopped after %v", code, time.Since(start))
		if reply["ename"] != "Interrupted" {
			t.Errorf("%q: %v", code, reply)
		}
	}
}

func TestFailure71_AMillionLines(t *testing.T) {
	c := startReal(t)
	start := time.Now()
	r := c.execute("import \"fmt\"\nfor i := 0; i < 1000000; i++ { fmt.Println(\"line\", i) }\nfmt.Println(\"the end\")")
	text := r.text("")
	t.Logf("a million lines: %d bytes in %d messages, %v", len(text), len(r.outputs), time.Since(start))
	if len(text) > 8<<20 || r.reply["status"] != "ok" {
		t.Errorf("%d bytes reached the client, reply %v", len(text), r.reply)
	}
	if !strings.Contains(text, "line 0\nline 1\n") || !strings.HasSuffix(text, "are left out]\n") {
		t.Errorf("no note at the end: %q", text[max(0, len(text)-500):])
	}
}

func TestFailure72_DeclarationsAndStatementsMixed(t *testing.T) {
	c := startReal(t)
	r := c.execute("import \"strings\"\nfunc twice(s string) string { return strings.Repeat(s, 2) }\ns := twice(\"ab\")\ntype T struct{ A int }\nT{3}.A + len(s)")
	if r.reply["status"] != "ok" || !strings.Contains(string(r.outputs[len(r.outputs)-1].Content), `"text/plain":"7"`) {
		t.Errorf("reply %v, outputs %s", r.reply, r.kinds())
	}
}

func TestFailure73_RedefinitionAndErrors(t *testing.T) {
	c := startReal(t)
	for _, code := range []string{"v := 1", "v := \"text\"", "type T struct{ A int }", "type T struct{ B string }", "T{B: v}.B"} {
		if r := c.execute(code); r.reply["status"] != "ok" {
			t.Errorf("%s: %v", code, r.reply)
		}
	}
	r := c.execute("a := 1\nb := a +\n\tmissing")
	trace := fmt.Sprint(r.reply["traceback"])
	if r.reply["ename"] != "CompileError" || !strings.Contains(trace, "missing") || !strings.Contains(trace, "line 3") || !strings.Contains(trace, "^") {
		t.Errorf("got %v", r.reply)
	}
}

func TestStreamsOfACellKeepTheirOrder(t *testing.T) {
	c := startReal(t)
	r := c.execute("import (\"fmt\"; \"os\")\nfor i := range 20 { if i%2 == 0 { fmt.Println(i) } else { fmt.Fprintln(os.Stderr, i) } }")
	want := ""
	for i := range 20 {
		want += fmt.Sprintln(i)
	}
	if got := r.text(""); got != want {
		t.Errorf("got %q", got)
	}
}
