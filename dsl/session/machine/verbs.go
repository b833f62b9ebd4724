package machine

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// verbs is a format and its arguments for fmt, which does not leave two verbs to the
// argument's own Format: what %T names is the type of the argument for a cell, and %p
// is for the plain pointer. Those get arguments of their own behind the others, so all
// verbs number theirs then.
func (m *Machine) verbs(format string, list []any) (string, []any) {
	args := each(list, m.formatted)
	all := args
	var out strings.Builder
	next, numbered, changed := 0, false, false
	rest := format
	// index reads [n], the number of the next argument.
	index := func() bool {
		if !strings.HasPrefix(rest, "[") {
			return true
		}
		digits, behind, ok := strings.Cut(rest[1:], "]")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil || n < 1 || n > len(list) {
			return false
		}
		next, numbered, rest = n-1, true, behind
		return true
	}
	// size reads a width or precision.
	size := func() bool {
		if !index() {
			return false
		}
		if strings.HasPrefix(rest, "*") {
			if next >= len(list) {
				return false
			}
			next++
			fmt.Fprintf(&out, "[%d]*", next)
			rest = rest[1:]
			return true
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		out.WriteString(rest[:digits])
		rest = rest[digits:]
		return true
	}
	for {
		text, behind, found := strings.Cut(rest, "%")
		out.WriteString(text)
		if !found {
			break
		}
		out.WriteByte('%')
		flags := len(behind) - len(strings.TrimLeft(behind, "+-# 0"))
		out.WriteString(behind[:flags])
		rest = behind[flags:]
		if !size() {
			return format, args
		}
		if strings.HasPrefix(rest, ".") {
			out.WriteByte('.')
			if rest = rest[1:]; !size() {
				return format, args
			}
		}
		if !index() || rest == "" {
			return format, args
		}
		verb, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
		if verb == '%' {
			out.WriteByte('%')
			continue
		}
		if next >= len(list) {
			return format, args // fmt says what is missing
		}
		place := next + 1
		switch verb {
		case 'T':
			all, verb, changed = append(all, m.typeNameOf(list[next])), 's', true
			place = len(all)
		case 'p':
			all, changed = append(all, raw(list[next])), true
			place = len(all)
		}
		fmt.Fprintf(&out, "[%d]%c", place, verb)
		next++
	}
	if numbered || next >= len(list) {
		if !changed {
			return format, args
		}
		return out.String(), all
	}
	var extra []string
	for i := next; i < len(list); i++ {
		if list[i] == nil {
			extra = append(extra, "<nil>")
			continue
		}
		all = append(all, m.typeNameOf(list[i]))
		extra = append(extra, fmt.Sprintf("%%[%d]s=%%[%d]v", len(all), i+1))
	}
	return out.String() + "%%!(EXTRA " + strings.Join(extra, ", ") + ")", all
}
