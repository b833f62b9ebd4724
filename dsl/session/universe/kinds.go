package universe

import "go/types"

// IsNumber reports basic types with one of the properties asked for.
func IsNumber(t types.Type, info types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// PlainBasic reports the basic types of simple expressions.
func PlainBasic(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsInteger|types.IsFloat|types.IsString|types.IsBoolean) != 0 && b.Kind() != types.UntypedNil
}

// IsBoolean reports booleans.
func IsBoolean(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// IsInt reports int and what is defined as one.
func IsInt(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Int
}

// FieldIndex is the index of the field of that name, or -1.
func FieldIndex(st *types.Struct, name string) int {
	for i := range st.NumFields() {
		if st.Field(i).Name() == name {
			return i
		}
	}
	return -1
}

// HoldsInterface reports types whose values are, or have in them, interfaces.
func HoldsInterface(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Array:
		return HoldsInterface(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if HoldsInterface(f.Type()) {
				return true
			}
		}
	}
	return false
}

// IsPointerKind reports pointers, named ones too.
func IsPointerKind(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// HoldsFloat reports floating-point types, and those that have one in every value.
func HoldsFloat(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&(types.IsFloat|types.IsComplex) != 0
	case *types.Array:
		return u.Len() > 0 && HoldsFloat(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if HoldsFloat(f.Type()) {
				return true
			}
		}
	}
	return false
}

// TakesFloats reports whether calls of a function may need the machine.
func TakesFloats(sig *types.Signature) bool {
	for v := range sig.Params().Variables() {
		if HoldsFloat(v.Type()) {
			return true
		}
	}
	return false
}
