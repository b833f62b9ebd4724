// Package plain makes text that comes from files (names of classes, models and
// layers, notes of cards) safe to show on a terminal, where a control character
// can move the cursor, hide what is true and forge what is not.
package plain

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is s with everything spelled out that is no text: control characters
// other than line breaks and tabs, characters that change the direction of
// writing or break lines unseen, and bytes that are not UTF-8. ESC becomes \x1b.
func Text(s string) string { return spell(s, false) }

// Line is Text on one line: line breaks and tabs are spelled out too, so that a
// name can't begin a line of its own.
func Line(s string) string {
	return strings.NewReplacer("\r\n", `\x0d\x0a`, "\n", `\x0a`, "\t", `\x09`).Replace(Text(s))
}

// Coloured is Text, but for the sequences that change colours, which tracebacks
// have.
func Coloured(s string) string { return spell(s, true) }

// colour is what ECMA-48 calls SGR.
var colour = regexp.MustCompile(`^\x1b\[[0-9;]*m`)

func spell(s string, colours bool) string {
	at := strings.IndexFunc(s, odd)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:at])
	for i := at; i < len(s); {
		if colours && s[i] == '\x1b' {
			if n := len(colour.FindString(s[i:])); n > 0 {
				b.WriteString(s[i : i+n])
				i += n
				continue
			}
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == utf8.RuneError: // the replacement character itself
			b.WriteRune(r)
		case r == '\r' && strings.HasPrefix(s[i:], "\r\n"): // a line break of Windows
		case odd(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case odd(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// odd says whether a character is to be spelled out. utf8.RuneError is looked
// at more closely.
func odd(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == utf8.RuneError:
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Writer passes text on to w as Text has it. A character must not be split
// between two writes, which tabwriter and fmt never do.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

func (w writer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.w, Text(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// JSON is JSON text that says the same and has none of these characters raw:
// they can only stand in strings, where they can be escaped. (Those below 0x20
// are escaped already.)
func JSON(text []byte) []byte {
	if strings.IndexFunc(string(text), odd) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range string(text) {
		if odd(r) && r != utf8.RuneError && r >= 0x7f {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return []byte(b.String())
}
