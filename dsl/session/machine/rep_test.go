package machine

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"runtime"
	"testing"

	"sapf/dsl/session/universe"
)

const repSource = `package p
type Celsius float64
type Node struct { Label Celsius; next *Node; kids []Node; on map[string]func(*Node) []Node; ch chan Node; up *[2]*Node }
type Tree map[string]Tree
type Nest []Nest
type State func(*Lexer, ...State) State
type Lexer struct { state State; back *Lexer; t Tree }
type A struct { b *B; bs []B }
type B struct { a *A; as map[int]A }
type P *P
type C chan C
type M map[string][]M
type List[T any] struct { v T; next *List[T]; other *List[List2] }
type List2 struct { l *List[List2] }
var i List[int]
type Arr [2]*Arr
type Team struct { byName map[string]Person }
type Person struct { team *Team; friends []Person; boss *Person }
`

func TestRep(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", repSource, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.Default()}
	pkg, err := conf.Check("main", fset, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &Machine{}
	m.Know(universe.New(fset))
	rep := func(name string) reflect.Type {
		obj := pkg.Scope().Lookup(name)
		r, err := m.Rep(obj.Type())
		if err != nil {
			t.Fatal(name, err)
		}
		if again, _ := m.Rep(obj.Type()); again != r {
			t.Errorf("%s has two representations", name)
		}
		return r
	}
	node := rep("Node")
	for _, c := range []struct {
		got, want reflect.Type
	}{
		{node.Field(0).Type, reflect.TypeFor[float64]()},
		{node.Field(1).Type, reflect.PointerTo(node)},
		{node.Field(2).Type.Elem(), node},
		{node.Field(3).Type.Elem().In(0).Elem(), node},
		{node.Field(3).Type.Elem().Out(0).Elem(), node},
		{node.Field(4).Type.Elem(), node},
		{node.Field(5).Type.Elem().Elem().Elem(), node},
		{rep("Tree").Elem(), rep("Tree")},
		{rep("Nest").Elem(), rep("Nest")},
		{rep("State").Out(0), rep("State")},
		{rep("State").In(0).Elem(), rep("Lexer")},
		{rep("State").In(1).Elem(), rep("State")},
		{rep("Lexer").Field(0).Type, rep("State")},
		{rep("Lexer").Field(1).Type.Elem(), rep("Lexer")},
		{rep("A").Field(0).Type.Elem(), rep("B")},
		{rep("A").Field(1).Type.Elem(), rep("B")},
		{rep("B").Field(1).Type.Elem(), rep("A")},
		{rep("P").Elem(), rep("P")},
		{rep("C").Elem(), rep("C")},
		{rep("M").Elem().Elem(), rep("M")},
		{rep("i").Field(1).Type.Elem(), rep("i")},
		{rep("List2").Field(0).Type.Elem().Field(0).Type, rep("List2")},
		{rep("Arr").Elem().Elem(), rep("Arr")},
		{rep("Person").Field(1).Type.Elem(), rep("Person")},
		{rep("Person").Field(0).Type.Elem().Field(0).Type.Elem(), rep("Person")},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	// They are types for values and the garbage collector.
	tree := reflect.MakeMap(rep("Tree"))
	for range 100 {
		inner := reflect.MakeMap(rep("Tree"))
		for j := range 50 {
			inner.SetMapIndex(reflect.ValueOf(string(rune('a'+j))), reflect.MakeMap(rep("Tree")))
		}
		tree.SetMapIndex(reflect.ValueOf("x"), inner)
		runtime.GC()
	}
	if n := tree.MapIndex(reflect.ValueOf("x")).Len(); n != 50 {
		t.Errorf("%d entries", n)
	}
	p := reflect.New(node)
	for range 1000 {
		q := reflect.New(node)
		q.Elem().Field(1).Set(p)
		q.Elem().Field(2).Set(reflect.Append(q.Elem().Field(2), p.Elem()))
		p = q
	}
	runtime.GC()
	n := 0
	for q := p; !q.IsNil(); q = q.Elem().Field(1) {
		n++
	}
	if n != 1001 {
		t.Errorf("a chain of %d", n)
	}
}
