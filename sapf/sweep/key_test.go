package sweep

import (
	"reflect"
	"testing"
)

// TestKeyOfEveryDeterminant: what decides an outcome is in its key, each by itself;
// a field that is added and forgotten is found here.
func TestKeyOfEveryDeterminant(t *testing.T) {
	plain := Determinants{
		Method: "m", Version: "1", Options: map[string]any{"k": 200, "loss": "cw"}, Model: "aa", Image: "bb",
		Loaded: "as it is", Label: 3, Target: 5, Profile: "avx2-direct",
	}
	of := func(d Determinants) string {
		t.Helper()
		key, err := d.Key()
		if err != nil || !ValidKey(key) {
			t.Fatal(key, err)
		}
		return key
	}
	seen := map[string]string{of(plain): "nothing"}
	for i := range reflect.TypeFor[Determinants]().NumField() {
		changed := plain
		changed.Options = map[string]any{"k": 200, "loss": "cw"}
		switch f := reflect.ValueOf(&changed).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Int:
			f.SetInt(f.Int() + 1)
		case reflect.Map:
			f.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf(any(201)))
		default:
			t.Fatalf("a determinant of kind %v", f.Kind())
		}
		name := reflect.TypeFor[Determinants]().Field(i).Name
		key := of(changed)
		if other, ok := seen[key]; ok {
			t.Errorf("%s changed has the key of %s changed", name, other)
		}
		seen[key] = name
	}
	swapped := plain
	swapped.Label, swapped.Target = plain.Target, plain.Label
	if of(swapped) == of(plain) {
		t.Error("label and target are one to the key")
	}
	if again := plain; of(again) != of(plain) {
		t.Error("one task has two keys")
	}
}

// TestValidKey: a key is the SHA-256 in small hex, nothing else.
func TestValidKey(t *testing.T) {
	key, err := Determinants{}.Key()
	if err != nil || !ValidKey(key) {
		t.Fatal(key, err)
	}
	for _, bad := range []string{"", key[:62], key + "00", "../../" + key[6:], key[:63] + "g", "A" + key[1:], key[:32] + "/" + key[33:], "\x00" + key[1:]} {
		if ValidKey(bad) {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}
