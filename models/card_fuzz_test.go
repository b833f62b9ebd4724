package models

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"sapf/models/format"
)

// FuzzCard: no card makes its reader panic, what it says is shown without control
// characters, and one that is sealed into a file is read back as it was.
func FuzzCard(f *testing.F) {
	cards, err := filepath.Glob("weights/*.json")
	if err != nil || len(cards) == 0 {
		f.Fatal(cards, err)
	}
	for _, file := range cards {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"name":"\u001b[2J","architecture":"cwnet","classes":["a\u0000b","\ud800"],"self_test":[[1e308,-0]],"warnings":["x\ny"],"accuracy":1e400}`))
	f.Add([]byte(`{"name":"x","sha256":"00","tensors":"00"} {}`))
	d := &format.StateDict{Tensors: []format.Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		card, err := parseCard(raw)
		if err != nil {
			return
		}
		for _, r := range strings.ReplaceAll(card.plain().String(), "\n", "") {
			if unicode.IsControl(r) {
				t.Fatalf("%q is shown with %q", raw, r)
			}
		}
		text, err := sealCard(*card, d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := cardWithin("fuzz", string(text), d)
		if err != nil {
			t.Fatalf("sealed and refused: %v", err)
		}
		card.Tensors = ""
		second, err := sealCard(*again, d)
		if err != nil || !reflect.DeepEqual(second, text) {
			t.Fatalf("%s, sealed again %s (%v)", text, second, err)
		}
	})
}
