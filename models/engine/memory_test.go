package engine

import (
	"testing"
	"unsafe"
)

// TestSlab: what a slab hands out begins on a cache line, is zero, and overlaps
// nothing else, whatever its size.
func TestSlab(t *testing.T) {
	var s slab
	var taken [][]float32
	for k := range 60 {
		n := 1 + k*k*k*37%(3*slabFloats/2)
		v := s.take(n)
		if len(v) != n || uintptr(unsafe.Pointer(&v[0]))%(4*lineFloats) != 0 {
			t.Fatalf("take(%d): %d numbers at %p", n, len(v), &v[0])
		}
		for i, x := range v {
			if x != 0 {
				t.Fatalf("take(%d): entry %d is %v", n, i, x)
			}
			v[i] = float32(k + 1)
		}
		taken = append(taken, v)
	}
	total := 0
	for k, v := range taken {
		total += len(v)
		for i, x := range v {
			if x != float32(k+1) {
				t.Fatalf("piece %d, entry %d: piece %v wrote there", k, i, x-1)
			}
		}
	}
	if s.total > total+total/4+slabFloats {
		t.Errorf("%d numbers of memory for %d", s.total, total)
	}
}
