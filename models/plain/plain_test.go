package plain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"cat, \"Katze\" é 猫 🐈‍⬛\n\tx":          "cat, \"Katze\" é 猫 🐈‍⬛\n\tx",
		"a\r\nb":                               "a\nb",
		"cat\rsuccess: true":                   `cat\x0dsuccess: true`,
		"\x1b[2K\x1b]0;title\x07\x9b2J\x7f":    `\x1b[2K\x1b]0;title\x07\x9b2J\x7f`,
		"\u009b2J":                             `\x9b2J`,
		"a\u202egnp.exe\u2066":                 `a\u202egnp.exe\u2066`,
		"one\u2028two":                         `one\u2028two`,
		"half \xff\xfe a \xe2\x82 character":   `half \xff\xfe a \xe2\x82 character`,
		"a real \ufffd replacement character":  "a real \ufffd replacement character",
		"\x1b[31mred\x1b[0m, and not \x1b[31J": `\x1b[31mred\x1b[0m, and not \x1b[31J`,
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got, want := Coloured("\x1b[31mred\x1b[0m, and not \x1b[31J\x1b"), "\x1b[31mred\x1b[0m, and not "+`\x1b[31J\x1b`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{"two words": "two words", "a\nsuccess: true\t1": `a\x0asuccess: true\x091`, "\x1b[1A": `\x1b[1A`} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	want := map[string]string{"a": "x\u202ey\x7f\u009b\x1b\u2028 é"}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	safe := JSON(text)
	var got map[string]string
	if err := json.Unmarshal(safe, &got); err != nil || got["a"] != want["a"] {
		t.Errorf("%s: %q, %v", safe, got, err)
	}
	if i := bytes.IndexFunc(safe, odd); i >= 0 {
		t.Errorf("%q is left in %q", safe[i:i+1], safe)
	}
}

func ExampleText() {
	fmt.Println(Text("cat\r\x1b[2Ksuccess: true"))
	// Output: cat\x0d\x1b[2Ksuccess: true
}
