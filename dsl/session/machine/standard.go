package machine

import (
	"fmt"
	"go/constant"
	"io"
	"log"
	"maps"
	"math/bits"
	"path"
	"reflect"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

// Corrections are symbols that yaegi's tables have otherwise: a Logger there has
// no more than what it may do.
var Corrections = interp.Exports{"log/log": {
	"Logger": reflect.ValueOf((*log.Logger)(nil)),
	"New":    reflect.ValueOf(log.New),
}}

// standard is yaegi's standard library with its output and input those of the
// session. yaegi would do as much itself when it meets "fmt/fmt", but also
// compile generic packages from source, which takes longer than all the rest
// and is not needed: generic functions are instantiated before yaegi sees them.
func (m *Machine) standard() interp.Exports {
	all := maps.Clone(stdlib.Symbols)
	override := func(key string, symbols map[string]reflect.Value) {
		table := maps.Clone(all[key])
		maps.Copy(table, symbols)
		delete(all, key)
		// An equivalent key that yaegi does not take for the one it looks out for.
		dir, name := path.Split(key)
		all[dir+"/"+name] = table
	}
	out, errs, in := io.Writer(&stream{m.output, "stdout"}), io.Writer(&stream{m.output, "stderr"}), &stdin{out: m.output}
	printing := map[string]reflect.Value{
		"Print":   reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fprint(out, a...) }),
		"Printf":  reflect.ValueOf(func(f string, a ...any) (int, error) { return fmt.Fprintf(out, f, a...) }),
		"Println": reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fprintln(out, a...) }),
		"Scan":    reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fscan(in, a...) }),
		"Scanf":   reflect.ValueOf(func(f string, a ...any) (int, error) { return fmt.Fscanf(in, f, a...) }),
		"Scanln":  reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fscanln(in, a...) }),
	}
	l := log.New(errs, "", log.LstdFlags)
	logging := maps.Clone(Corrections["log/log"])
	maps.Copy(logging, map[string]reflect.Value{
		"Default": reflect.ValueOf(func() *log.Logger { return l }),
		"Flags":   reflect.ValueOf(l.Flags), "Prefix": reflect.ValueOf(l.Prefix), "Writer": reflect.ValueOf(l.Writer), "Output": reflect.ValueOf(l.Output),
		"SetFlags": reflect.ValueOf(l.SetFlags), "SetPrefix": reflect.ValueOf(l.SetPrefix), "SetOutput": reflect.ValueOf(l.SetOutput),
		"Print": reflect.ValueOf(l.Print), "Printf": reflect.ValueOf(l.Printf), "Println": reflect.ValueOf(l.Println),
		"Panic": reflect.ValueOf(l.Panic), "Panicf": reflect.ValueOf(l.Panicf), "Panicln": reflect.ValueOf(l.Panicln),
		// A cell can't end the kernel.
		"Fatal": reflect.ValueOf(l.Panic), "Fatalf": reflect.ValueOf(l.Panicf), "Fatalln": reflect.ValueOf(l.Panicln),
	})
	// The arguments that fmt and log take as fmt.Stringer, error and the like
	// are made so of interpreted values.
	wraps := maps.Clone(stdlib.MapTypes)
	for name, v := range printing {
		if t, ok := stdlib.MapTypes[stdlib.Symbols["fmt/fmt"][name]]; ok {
			wraps[v] = t
		}
	}
	shown := stdlib.MapTypes[reflect.ValueOf(fmt.Println)]
	for _, name := range []string{"Print", "Printf", "Println", "Panic", "Panicf", "Panicln", "Fatal", "Fatalf", "Fatalln"} {
		wraps[logging[name]] = shown
	}
	override("fmt/fmt", printing)
	override("log/log", logging)
	// The table may have been made for another machine.
	override("math/bits/bits", map[string]reflect.Value{"UintSize": reflect.ValueOf(constant.MakeInt64(bits.UintSize))})
	all["."] = map[string]reflect.Value{"MapTypes": reflect.ValueOf(wraps)}
	return all
}
