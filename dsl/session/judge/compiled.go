package judge

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	gotypes "go/types"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// imports is what every program of a batch can use.
const imports = `import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

`

// unused keeps Go content where no program uses an import.
const unused = "var _ = []any{context.Background, json.Marshal, maps.Keys[map[int]int], reflect.TypeOf, new(sync.Mutex), new(atomic.Int32), iter.Seq[int](nil), errors.New, fmt.Sprint, image.Pt, math.Sqrt, slices.Max[[]int], sort.Ints, strings.ToUpper, time.Second}\n\n"

const mark = "\x01program "

// batchSource is the program that Go compiles: every one of ps is a function,
// and main calls them in turn.
func batchSource(ps []*program) (string, []int) {
	var b strings.Builder
	b.WriteString("package main\n\n" + imports + unused + prelude())
	lines := make([]int, len(ps)) // where each begins
	line := 1 + strings.Count(b.String(), "\n")
	for i, p := range ps {
		lines[i] = line
		text := strings.Join(append(p.decls[:len(p.decls):len(p.decls)], p.function()), "\n\n") + "\n\n"
		b.WriteString(text)
		line += strings.Count(text, "\n")
	}
	b.WriteString(`func guarded(f func()) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case error:
			fmt.Print("\npanic: " + v.Error())
		case fmt.Stringer:
			fmt.Print("\npanic: " + v.String())
		default:
			fmt.Print("\npanic: ", v)
		}
	}()
	f()
}

func main() {
`)
	for _, p := range ps {
		fmt.Fprintf(&b, "\tfmt.Print(\"\\n%s%d\\n\")\n\tresetGlobals()\n\tguarded(program%d)\n", strings.ReplaceAll(mark, "\x01", `\x01`), p.serial, p.serial)
	}
	b.WriteString("}\n")
	return b.String(), lines
}

// valid leaves out the programs that are no Go, such as a division by a
// constant that happens to be 0, and tells why the first of each form is none.
func valid(ps []*program) (ok []*program, errs map[string]string) {
	source, lines := batchSource(ps)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "batch.go", source, parser.SkipObjectResolution)
	if err != nil {
		panic("judge: the batch is no Go: " + err.Error())
	}
	bad := map[int]bool{}
	errs = map[string]string{}
	conf := gotypes.Config{
		Importer:  importer.ForCompiler(fset, "source", nil),
		GoVersion: "go1.26",
		Error: func(err error) {
			e := err.(gotypes.Error)
			i := sort.SearchInts(lines, fset.Position(e.Pos).Line+1) - 1
			if i < 0 {
				panic("judge: the prelude is no Go: " + err.Error())
			}
			if !bad[i] {
				bad[i] = true
				k := ps[i].triple.form.name + " in " + ps[i].triple.context.name
				errs[k] = ps[i].triple.typ.name + ": " + e.Msg
			}
		},
	}
	conf.Check("main", fset, []*ast.File{file}, nil)
	for i, p := range ps {
		if !bad[i] {
			ok = append(ok, p)
		}
	}
	return ok, errs
}

// compiled is what Go prints for each of the programs, by serial.
func compiled(dir string, ps []*program) (map[int]string, error) {
	source, _ := batchSource(ps)
	out, err := goRun(dir, source)
	if err != nil {
		return nil, err
	}
	want := parts(out)
	if len(want) != len(ps) {
		return nil, fmt.Errorf("the compiled programs print %d parts, not %d", len(want), len(ps))
	}
	return want, nil
}

// parts is what each program of a batch has printed, by serial.
func parts(out string) map[int]string {
	all := map[int]string{}
	for _, part := range strings.Split(out, "\n"+mark)[1:] {
		number, text, _ := strings.Cut(part, "\n")
		if serial, err := strconv.Atoi(number); err == nil {
			all[serial] = text
		}
	}
	return all
}

// goRun compiles and runs a program and returns what it prints.
func goRun(dir, source string) (string, error) {
	for name, text := range map[string]string{"main.go": source, "go.mod": "module batch\n\ngo 1.26\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	build := exec.Command("go", "build", "-o", "batch", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join(dir, "batch"))
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil {
		return "", fmt.Errorf("the compiled programs: %w\n%s", err, errs.String())
	}
	return out.String(), nil
}
