package session

import (
	"fmt"
	"runtime"
	"testing"
)

// heapAfter is what is in use once all garbage is gone.
func heapAfter() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLongSession holds that a session does not grow by what its cells replace.
func TestLongSession(t *testing.T) {
	s, r := newSession(t)
	cell := func(i int) {
		code := fmt.Sprintf("func f(x float64) float64 { y := x * %d; g := func() float64 { return y + 1 }; return g() }\nfunc h(x float64) float64 { return f(x) + 1 }\nz := h(%d)\nz", i, i)
		if got, want := runCell(s, r, i, code), fmt.Sprintf("Out: %v\n", float64(i*i+2)); got != want {
			t.Fatalf("cell %d: %q, not %q", i, got, want)
		}
	}
	for i := range 50 {
		cell(i + 1)
	}
	before := heapAfter()
	const cells = 150
	for i := range cells {
		cell(i + 51)
	}
	if each := (heapAfter() - before) / cells; each > 6<<10 {
		t.Errorf("a cell that replaces its functions leaves %d bytes behind", each)
	}
	runtime.KeepAlive(s)
}
