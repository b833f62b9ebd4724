// Package symbols holds what cells can import: the tables by which yaegi
// reaches compiled packages, and the documentation of what is in them.
package symbols

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the documentation
	"encoding/json"
	"fmt"
	"sync"

	"github.com/traefik/yaegi/interp"
)

//go:generate go run ./generate

// Symbols are the tables, by import path and package name: "sapf/dsl/dsl".
// They hold this project's packages, those of gonum, gorgonia and npyio that a
// study needs, and what the standard library has gained since yaegi's own tables
// were made (Go 1.22). Types that a package does not export are there where one
// meets them, so that a variable can have them.
var Symbols = interp.Exports{}

// packed is the documentation: JSON, import path to symbol to its declaration
// and doc comment. That of the standard library is by the Go authors, under
// Go's BSD licence.
//
//go:embed documentation.json.gz
var packed []byte

type entry struct{ Decl, Doc string }

var documentation = sync.OnceValue(func() map[string]map[string]entry {
	out := map[string]map[string]entry{}
	for _, text := range append([][]byte{packed}, more...) {
		z, err := gzip.NewReader(bytes.NewReader(text))
		if err == nil {
			err = json.NewDecoder(z).Decode(&out)
		}
		if err != nil {
			panic(fmt.Sprintf("symbols: documentation: %v", err))
		}
	}
	return out
})

// more is the documentation of packages that others have compiled in.
var more [][]byte

// Document adds documentation, as extract.Docs packs it. It is for the
// initialisation of packages that add to Symbols.
func Document(packed []byte) { more = append(more, packed) }

// Doc returns the declaration and the doc comment of a symbol of a package:
// "" for the package itself, "Name", or "Type.Member".
func Doc(path, symbol string) (decl, doc string, ok bool) {
	e, ok := documentation()[path][symbol]
	return e.Decl, e.Doc, ok
}
