package plain

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
)

// TestBadJSON: what is wrong with a file is said without a name of Go's.
func TestBadJSON(t *testing.T) {
	type inner struct {
		List []struct{ A string } `json:"list"`
	}
	for text, want := range map[string]string{
		`{"classes": 5}`:                 `field "classes" is a number, expected an array`,
		`{"inner": {"list": {"a": 1}}}`:  `field "inner.list" is an object, expected an array`,
		`{"inner": {"list": [{"A":1}]}}`: `field "inner.list.A" is a number, expected a string`,
		`[1]`:                            `it is an array, expected an object`,
		`{"n": -1}`:                      `field "n" is a number -1, expected a whole number from 0 on`,
		`{"m": 1.5}`:                     `field "m" is a number 1.5, expected a whole number`,
		`{"on": "yes"}`:                  `field "on" is a string, expected true or false`,
		`{"x": "1"}`:                     `field "x" is a string, expected a number`,
		`{"n" 1}`:                        `no JSON: invalid character '1' after object key at byte 6`,
		``:                               `no JSON: unexpected end of JSON input at byte 0`,
	} {
		var v struct {
			Classes []string `json:"classes"`
			Inner   *inner   `json:"inner"`
			N       uint     `json:"n"`
			M       int      `json:"m"`
			On      bool     `json:"on"`
			X       *float64 `json:"x"`
		}
		if err := BadJSON(json.Unmarshal([]byte(text), &v)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if BadJSON(nil) != nil || !errors.Is(BadJSON(io.EOF), io.EOF) || BadJSON(errors.New(`json: unknown field "x"`)).Error() != `unknown field "x"` {
		t.Error("other errors are not left as they are")
	}
}
