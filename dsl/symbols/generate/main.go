// Command generate writes the symbol tables of the packages that cells can
// import, what the standard library has gained since yaegi's tables of it were
// made, and the documentation that Shift-Tab shows. Run it with go generate in
// dsl/symbols.
package main

import (
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/traefik/yaegi/stdlib"
	"golang.org/x/tools/go/packages"

	"sapf/dsl/symbols/extract"
)

// ours are the packages that get a table of their own.
var ours = []string{
	"sapf/dsl",
	"sapf/dsl/display",
	"sapf/models",
	"sapf/models/data",
	"sapf/models/engine",
	"sapf/models/format",
	"sapf/models/format/onnx",
	"sapf/models/format/pytorch",
	"sapf/models/graph",
	"sapf/models/train",
	"sapf/models/zoo",
	"sapf/sapf",
	"sapf/sapf/attack",
	"sapf/sapf/baseline",
	"sapf/sapf/figure",
	"sapf/sapf/lpbox",
	"sapf/sapf/metric",
	"sapf/sapf/study",
	"sapf/sapf/study/claims",
	"sapf/sapf/sweep",
	"github.com/sbinet/npyio",
	"gonum.org/v1/gonum/dsp/fourier",
	"gonum.org/v1/gonum/floats",
	"gonum.org/v1/gonum/interp",
	"gonum.org/v1/gonum/mat",
	"gonum.org/v1/gonum/optimize",
	"gonum.org/v1/gonum/stat",
	"gonum.org/v1/gonum/stat/distuv",
	"gonum.org/v1/plot",
	"gonum.org/v1/plot/font",
	"gonum.org/v1/plot/palette",
	"gonum.org/v1/plot/palette/moreland",
	"gonum.org/v1/plot/plotter",
	"gonum.org/v1/plot/plotutil",
	"gonum.org/v1/plot/text",
	"gonum.org/v1/plot/vg",
	"gonum.org/v1/plot/vg/draw",
	"gonum.org/v1/plot/vg/vgimg",
	"gonum.org/v1/plot/vg/vgsvg",
	"gorgonia.org/gorgonia",
	"gorgonia.org/tensor",
	"os/exec", // yaegi leaves it out
}

// documented are the packages of the standard library whose documentation is
// kept: those that notebooks use.
var documented = []string{
	"bufio", "bytes", "cmp", "context", "encoding/binary", "encoding/csv", "encoding/hex", "encoding/json", "errors",
	"fmt", "hash/crc32", "image", "image/color", "image/draw", "image/gif", "image/jpeg", "image/png", "io", "iter",
	"log", "maps", "math", "math/big", "math/bits", "math/cmplx", "math/rand", "math/rand/v2", "os", "path",
	"path/filepath", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "sync/atomic",
	"text/tabwriter", "text/template", "time", "unicode", "unicode/utf8",
}

// system are packages whose exports differ between systems.
var system = map[string]bool{"log/syslog": true, "syscall": true, "unsafe": true}

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	var std []string
	for key := range stdlib.Symbols {
		if dir := filepath.Dir(key); dir != "." && !strings.Contains(dir, ".") && !system[dir] {
			std = append(std, dir)
		}
	}
	sort.Strings(std)
	patterns := append(append(append([]string(nil), ours...), std...), documented...)
	conf := &packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedSyntax | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile}
	list, err := packages.Load(conf, patterns...)
	if err != nil {
		log.Fatal(err)
	}
	byPath := map[string]*packages.Package{}
	for _, p := range list {
		for _, e := range p.Errors {
			log.Fatalf("%s: %v", p.PkgPath, e)
		}
		byPath[p.PkgPath] = p
	}
	for _, path := range ours {
		save(fileName(path), must(extract.Source(extract.Of(byPath[path].Types, nil))))
	}
	docs := extract.Docs{}
	for _, path := range append(append([]string(nil), ours...), documented...) {
		p := byPath[path]
		if err := docs.Add(path, p.Name, p.Fset, p.Syntax); err != nil {
			log.Fatal(err)
		}
	}
	// What the standard library has gained since yaegi's tables were made.
	var additions []*extract.Table
	for _, path := range std {
		p := byPath[path]
		known := stdlib.Symbols[path+"/"+p.Name]
		t := extract.Of(p.Types, func(name string) bool { return known[name].IsValid() })
		if !t.Empty() {
			additions = append(additions, t)
		}
	}
	save("additions.go", must(extract.Source(additions...)))
	save("documentation.json.gz", must(docs.Pack()))
}

// fileName is the file that holds a package's table.
func fileName(path string) string { return "table_" + extract.Identifier(path) + ".go" }

func must(text []byte, err error) []byte {
	if err != nil {
		log.Fatal(err)
	}
	return text
}

func save(name string, text []byte) {
	if err := os.WriteFile(name, text, 0o644); err != nil {
		log.Fatal(err)
	}
}
