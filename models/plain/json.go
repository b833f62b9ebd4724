package plain

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// BadJSON says what encoding/json found wrong with a file in the file's words, not in
// those of the program that reads it: which field is what, and what was expected.
func BadJSON(err error) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		field := "it"
		if kind.Field != "" {
			field = fmt.Sprintf("field %q", kind.Field)
		}
		return fmt.Errorf("%s is %s, expected %s", field, article(kind.Value), expected(kind.Type))
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON: %s at byte %d", syntax.Error(), syntax.Offset)
	}
	if text, ok := strings.CutPrefix(err.Error(), "json: "); ok {
		return errors.New(text)
	}
	return err
}

// article is a JSON value's kind in a sentence: "an object", "a number 1.5".
func article(kind string) string {
	if strings.ContainsAny(kind[:min(len(kind), 1)], "aeiou") {
		return "an " + kind
	}
	return "a " + kind
}

// expected is the JSON that becomes a value of a type.
func expected(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Array:
		return fmt.Sprintf("an array of %d", t.Len())
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0 on"
	}
	return "a whole number"
}
