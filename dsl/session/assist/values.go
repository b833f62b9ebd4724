package assist

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"unicode/utf8"

	"sapf/dsl/session/universe"
)

func SortedNames(sc universe.Scope) []string {
	out := make([]string, 0, len(sc))
	for name := range sc {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// briefLength is how many characters of a value a list of variables shows.
const briefLength = 60

// Brief is one short line about a value: its length where it has one that
// matters, and how it begins.
func Brief(v reflect.Value) string {
	head := ""
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Chan:
		if v.IsNil() {
			return "nil"
		}
		head = fmt.Sprintf("len %d: ", v.Len())
		if v.Kind() == reflect.Slice && v.Len() > briefLength {
			v = v.Slice(0, briefLength)
		}
		if v.Kind() == reflect.Map && v.Len() > briefLength {
			return strings.TrimSuffix(head, ": ")
		}
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
		return "func"
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		if v.Elem().Kind() == reflect.Struct {
			return "&" + v.Elem().Type().String() + "{...}"
		}
	case reflect.Array:
		if v.Len() > briefLength {
			return fmt.Sprintf("len %d", v.Len())
		}
	}
	text := strings.Join(strings.Fields(fmt.Sprintf("%v", v.Interface())), " ")
	if utf8.RuneCountInString(text) > briefLength {
		text = string([]rune(text)[:briefLength-1]) + "…"
	}
	return head + text
}
