// Package universe is what cells can name: the packages they can import, with
// their types as go/types has them, and what earlier cells declared; and the
// type checker that goes by it.
package universe

import (
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"path"
	"reflect"
	"sort"
	"strings"
	"sync"

	"github.com/traefik/yaegi/interp"
)

// Universe gives the type checker every package that a cell can import, read
// by reflection from the interpreter's own symbol tables. So a cell is checked
// against exactly what it will run against, and no Go installation is needed.
type Universe struct {
	Fset    *token.FileSet
	Decls   map[types.Object]*Decl    // the present declaration of an object
	mu      sync.Mutex                // guards all of it against cells that run
	Tables  map[string]table          // by import path
	Pkgs    map[string]*types.Package // by import path; complete once imported
	named   map[reflect.Type]types.Type
	sealed  map[string][]reflect.Type     // by import path: see sealedFaces
	reflect map[*types.Named]reflect.Type // the other way
	names   map[string][]string           // see byName
	sources *sourcePackages
}

// table is what one package exports to cells.
type table struct {
	name    string
	Symbols map[string]reflect.Value
}

func New(fset *token.FileSet, all ...interp.Exports) *Universe {
	u := &Universe{
		Fset:    fset,
		Decls:   map[types.Object]*Decl{},
		Tables:  map[string]table{},
		Pkgs:    map[string]*types.Package{},
		named:   map[reflect.Type]types.Type{},
		reflect: map[*types.Named]reflect.Type{},
		sealed:  map[string][]reflect.Type{},
	}
	for _, exports := range all {
		for key, symbols := range exports {
			dir := path.Dir(key)
			if dir == "." {
				continue // yaegi's own
			}
			t := table{path.Base(key), maps.Clone(u.Tables[dir].Symbols)}
			if t.Symbols == nil {
				t.Symbols = symbols
			} else {
				maps.Copy(t.Symbols, symbols)
			}
			u.Tables[dir] = t
		}
	}
	u.sources = &sourcePackages{u: u}
	return u
}

// Paths are the import paths of all packages, sorted.
func (u *Universe) Paths() []string {
	var out []string
	for p := range u.Tables {
		out = append(out, p)
	}
	for _, p := range u.sources.paths() {
		if _, twice := u.Tables[p]; !twice {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

// Import makes the universe a types.Importer.
func (u *Universe) Import(p string) (*types.Package, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.load(p)
}

// TypeOf is typ for those outside.
func (u *Universe) TypeOf(t reflect.Type) types.Type {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.typ(t)
}

// ReflectType is the compiled type that n is, or nil.
func (u *Universe) ReflectType(n *types.Named) reflect.Type {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.reflect[n]
}

// Know enters the reflect type that stands for a type of a cell.
func (u *Universe) Know(t reflect.Type, is types.Type) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.named[t] = is
}

// StructWith is the name of the compiled type that has a field, "" for none.
func (u *Universe) StructWith(field *types.Var) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.named {
		n, ok := t.(*types.Named)
		if !ok || n.Obj().Pkg() != field.Pkg() {
			continue
		}
		if st, ok := n.Underlying().(*types.Struct); ok {
			for f := range st.Fields() {
				if f == field {
					return n.Obj().Name()
				}
			}
		}
	}
	return ""
}

// load is Import with the lock held.
func (u *Universe) load(p string) (*types.Package, error) {
	t, compiled := u.Tables[p]
	if !compiled && !u.sources.has(p) {
		return nil, u.missing(p)
	}
	pkg := u.pkg(p, t.name)
	if pkg.Complete() {
		return pkg, nil
	}
	pkg.MarkComplete()
	for name, v := range t.Symbols {
		if token.IsExported(name) {
			u.declare(pkg, name, v)
		}
	}
	if u.sources.has(p) {
		if err := u.sources.load(p, pkg); err != nil {
			return nil, err
		}
	}
	return pkg, nil
}

// pkg returns the package of a path, which need not be importable: types of
// internal packages are reached through others.
func (u *Universe) pkg(p, name string) *types.Package {
	if pkg := u.Pkgs[p]; pkg != nil {
		return pkg
	}
	if t, ok := u.Tables[p]; ok {
		name = t.name
	}
	if name == "" {
		name = path.Base(p)
	}
	pkg := types.NewPackage(p, name)
	u.Pkgs[p] = pkg
	return pkg
}

// declare enters one exported symbol. Variables are addressable values, types
// are nil pointers to them, untyped constants are constant.Values, and what
// is left are functions and typed constants.
func (u *Universe) declare(pkg *types.Package, name string, v reflect.Value) {
	var obj types.Object
	switch {
	case v.CanAddr():
		obj = types.NewVar(token.NoPos, pkg, name, u.typ(v.Type()))
	case v.Kind() == reflect.Func:
		obj = types.NewFunc(token.NoPos, pkg, name, u.signature(v.Type(), nil, 0))
	case isConstant(v):
		c := v.Interface().(constant.Value)
		obj = types.NewConst(token.NoPos, pkg, name, Untyped(c), c)
	case v.Kind() == reflect.Pointer && v.IsNil():
		t := u.typ(v.Type().Elem())
		if n, ok := t.(*types.Named); ok && n.Obj().Pkg() == pkg && n.Obj().Name() == name {
			obj = n.Obj()
		} else {
			obj = types.NewTypeName(token.NoPos, pkg, name, t)
		}
	default:
		if c := constantOf(v); c != nil {
			obj = types.NewConst(token.NoPos, pkg, name, u.typ(v.Type()), c)
		} else {
			obj = types.NewVar(token.NoPos, pkg, name, u.typ(v.Type()))
		}
	}
	pkg.Scope().Insert(obj)
}

var constantType = reflect.TypeFor[constant.Value]()

func isConstant(v reflect.Value) bool { return v.IsValid() && v.Type().Implements(constantType) }

// constantOf is the constant with the value of v, or nil if v has no basic kind.
func constantOf(v reflect.Value) constant.Value {
	switch k := v.Kind(); {
	case k == reflect.Bool:
		return constant.MakeBool(v.Bool())
	case v.CanInt():
		return constant.MakeInt64(v.Int())
	case v.CanUint():
		return constant.MakeUint64(v.Uint())
	case v.CanFloat():
		return constant.MakeFloat64(v.Float())
	case k == reflect.String:
		return constant.MakeString(v.String())
	}
	return nil
}

func Untyped(c constant.Value) types.Type {
	switch c.Kind() {
	case constant.Bool:
		return types.Typ[types.UntypedBool]
	case constant.String:
		return types.Typ[types.UntypedString]
	case constant.Int:
		return types.Typ[types.UntypedInt]
	case constant.Float:
		return types.Typ[types.UntypedFloat]
	}
	return types.Typ[types.UntypedComplex]
}

var basicKinds = map[reflect.Kind]types.BasicKind{
	reflect.Bool: types.Bool, reflect.String: types.String, reflect.UnsafePointer: types.UnsafePointer,
	reflect.Int: types.Int, reflect.Int8: types.Int8, reflect.Int16: types.Int16, reflect.Int32: types.Int32, reflect.Int64: types.Int64,
	reflect.Uint: types.Uint, reflect.Uint8: types.Uint8, reflect.Uint16: types.Uint16, reflect.Uint32: types.Uint32, reflect.Uint64: types.Uint64,
	reflect.Uintptr: types.Uintptr, reflect.Float32: types.Float32, reflect.Float64: types.Float64,
	reflect.Complex64: types.Complex64, reflect.Complex128: types.Complex128,
}

var ErrorType = reflect.TypeFor[error]()

// typ is the checker's view of a compiled type.
func (u *Universe) typ(t reflect.Type) types.Type {
	if t == ErrorType {
		return types.Universe.Lookup("error").Type()
	}
	if n, ok := u.named[t]; ok {
		return n
	}
	if t.Name() == "" || t.PkgPath() == "" {
		return u.literal(t)
	}
	if seq := u.sequence(t); seq != nil {
		u.named[t] = seq
		return seq
	}
	name, _, _ := strings.Cut(t.String(), ".")
	pkg := u.pkg(t.PkgPath(), name)
	obj := types.NewTypeName(token.NoPos, pkg, t.Name(), nil)
	n := types.NewNamed(obj, nil, nil)
	u.named[t], u.reflect[n] = n, t
	n.SetUnderlying(u.literal(t))
	if t.Kind() == reflect.Interface {
		return n
	}
	pt := reflect.PointerTo(t)
	for i := range pt.NumMethod() {
		m := pt.Method(i)
		recv := types.Type(types.NewPointer(n))
		if _, byValue := t.MethodByName(m.Name); byValue {
			recv = n
		}
		sig := u.signature(m.Type, types.NewParam(token.NoPos, pkg, "", recv), 1)
		n.AddMethod(types.NewFunc(token.NoPos, pkg, m.Name, sig))
	}
	u.addHiddenMethods(n, t, pkg)
	return n
}

// addHiddenMethods gives a compiled type the methods that its package does not
// export but asks for in an interface, as go/ast and tensor do: reflection does
// not list them, but tells who implements the interface.
func (u *Universe) addHiddenMethods(n *types.Named, t reflect.Type, pkg *types.Package) {
	have := map[string]bool{}
	for _, face := range u.sealedFaces(t.PkgPath()) {
		recv := types.Type(n)
		if !t.Implements(face) {
			recv = types.NewPointer(n)
			if !reflect.PointerTo(t).Implements(face) {
				continue
			}
		}
		for i := range face.NumMethod() {
			if m := face.Method(i); m.PkgPath != "" && !have[m.Name] {
				have[m.Name] = true
				sig := u.signature(m.Type, types.NewParam(token.NoPos, pkg, "", recv), 0)
				n.AddMethod(types.NewFunc(token.NoPos, pkg, m.Name, sig))
			}
		}
	}
}

// sealedFaces are a package's interfaces with methods that it does not export.
func (u *Universe) sealedFaces(path string) []reflect.Type {
	faces, known := u.sealed[path]
	if known {
		return faces
	}
	for _, v := range u.Tables[path].Symbols {
		if v.Kind() != reflect.Pointer || v.Type().Elem().Kind() != reflect.Interface || v.Type().Elem().PkgPath() != path {
			continue
		}
		face := v.Type().Elem()
		for i := range face.NumMethod() {
			if face.Method(i).PkgPath != "" {
				faces = append(faces, face)
				break
			}
		}
	}
	u.sealed[path] = faces
	return faces
}

// sequence is iter.Seq or iter.Seq2 with the type arguments of t, which is one
// of them in compiled form; nil for other types.
func (u *Universe) sequence(t reflect.Type) types.Type {
	name, _, _ := strings.Cut(t.Name(), "[")
	if t.PkgPath() != "iter" || name != "Seq" && name != "Seq2" {
		return nil
	}
	pkg, err := u.load("iter")
	if err != nil {
		return nil
	}
	yield := t.In(0)
	var args []types.Type
	for i := range yield.NumIn() {
		args = append(args, u.typ(yield.In(i)))
	}
	inst, err := types.Instantiate(nil, pkg.Scope().Lookup(name).Type(), args, false)
	if err != nil {
		return nil
	}
	return inst
}

// literal is the type literal with the structure of t.
func (u *Universe) literal(t reflect.Type) types.Type {
	switch t.Kind() {
	case reflect.Array:
		return types.NewArray(u.typ(t.Elem()), int64(t.Len()))
	case reflect.Slice:
		return types.NewSlice(u.typ(t.Elem()))
	case reflect.Pointer:
		return types.NewPointer(u.typ(t.Elem()))
	case reflect.Map:
		return types.NewMap(u.typ(t.Key()), u.typ(t.Elem()))
	case reflect.Chan:
		dir := map[reflect.ChanDir]types.ChanDir{reflect.BothDir: types.SendRecv, reflect.SendDir: types.SendOnly, reflect.RecvDir: types.RecvOnly}[t.ChanDir()]
		return types.NewChan(dir, u.typ(t.Elem()))
	case reflect.Func:
		return u.signature(t, nil, 0)
	case reflect.Struct:
		fields := make([]*types.Var, t.NumField())
		tags := make([]string, t.NumField())
		for i := range fields {
			f := t.Field(i)
			fields[i] = types.NewField(token.NoPos, u.owner(f.PkgPath, t), f.Name, u.typ(f.Type), f.Anonymous)
			tags[i] = string(f.Tag)
		}
		return types.NewStruct(fields, tags)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return types.Universe.Lookup("any").Type().Underlying()
		}
		methods := make([]*types.Func, t.NumMethod())
		for i := range methods {
			m := t.Method(i)
			methods[i] = types.NewFunc(token.NoPos, u.owner(m.PkgPath, t), m.Name, u.signature(m.Type, nil, 0))
		}
		return types.NewInterfaceType(methods, nil).Complete()
	}
	return types.Typ[basicKinds[t.Kind()]]
}

// owner is the package that an unexported field or method belongs to.
func (u *Universe) owner(pkgPath string, t reflect.Type) *types.Package {
	if pkgPath == "" {
		if pkgPath = t.PkgPath(); pkgPath == "" {
			return nil
		}
	}
	return u.pkg(pkgPath, "")
}

// signature converts a function type; skip leaves out the receiver of a method.
func (u *Universe) signature(t reflect.Type, recv *types.Var, skip int) *types.Signature {
	params := make([]*types.Var, 0, t.NumIn())
	for i := skip; i < t.NumIn(); i++ {
		params = append(params, types.NewParam(token.NoPos, nil, "", u.typ(t.In(i))))
	}
	results := make([]*types.Var, t.NumOut())
	for i := range results {
		results[i] = types.NewParam(token.NoPos, nil, "", u.typ(t.Out(i)))
	}
	return types.NewSignatureType(recv, nil, nil, types.NewTuple(params...), types.NewTuple(results...), t.IsVariadic())
}
