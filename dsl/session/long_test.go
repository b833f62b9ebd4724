package session

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// heapAfter is what is in use once all garbage is gone.
func heapAfter() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// leaves is how many bytes a cell leaves behind: the mean of so many, which are
// numbered on from others that come first.
func leaves(cell func(i int), first, cells int) int64 {
	for i := range first {
		cell(i + 1)
	}
	before := heapAfter()
	for i := range cells {
		cell(first + i + 1)
	}
	return (heapAfter() - before) / int64(cells)
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
	if each := leaves(cell, 50, 150); each > 6<<10 {
		t.Errorf("a cell that replaces its functions leaves %d bytes behind", each)
	}
	runtime.KeepAlive(s)
}

// TestLongSessionOfTypes holds the same of cells that declare a type anew whose values
// are still there: only that and its methods stay.
func TestLongSessionOfTypes(t *testing.T) {
	s, r := newSession(t)
	runCell(s, r, 0, "kept := map[int]any{}")
	cell := func(i int) {
		field := []string{"B int", "C string"}[i%2]
		code := fmt.Sprintf("type T struct { A int; %s }\nfunc (t T) M() int { return t.A + %d }\nfunc f(x int) int { return T{A: x}.M() * 2 }\n"+
			"func g(xs []int) (n int) { for _, v := range xs { n += f(v) }; return }\nkept[%d] = T{A: 1}\nv := []T{{A: 2}}\nfmt.Sprint(v[0].M(), g([]int{1, 2, 3}), len(kept))", field, i, i)
		if got, want := runCell(s, r, i, code), fmt.Sprintf("Out: %d %d %d\n", i+2, 6*i+12, i); got != want {
			t.Fatalf("cell %d: %q, not %q", i, got, want)
		}
	}
	if each := leaves(cell, 30, 60); each > 100<<10 {
		t.Errorf("a cell that declares a type anew leaves %d bytes behind", each)
	} else {
		t.Logf("%d bytes a cell", each)
	}
	runtime.KeepAlive(s)
}

// TestFiveThousandCells is a long day: cells that declare functions, a type, a
// method and variables anew. It prints what a cell takes and leaves behind
// (SAPF_LONG=1, two minutes): some 44 KB a cell, nearly all of it the syntax of a
// method, which yaegi keeps with its whole cell.
func TestFiveThousandCells(t *testing.T) {
	if os.Getenv("SAPF_LONG") == "" {
		t.Skip("SAPF_LONG is not set")
	}
	s, r := newSession(t)
	cell := func(i int) {
		field := []string{"B int", "C string"}[i%2]
		code := fmt.Sprintf("type T struct { A int; %s }\nfunc (t T) M() int { return t.A + %d }\nfunc f(x int) int { return T{A: x}.M() * 2 }\n"+
			"xs := make([]int, 100)\nfor i := range xs { xs[i] = f(i) }\ntotal := 0\nfor _, x := range xs { total += x }\ntotal", field, i)
		if got, want := runCell(s, r, i, code), fmt.Sprintf("Out: %d\n", 9900+200*i); got != want {
			t.Fatalf("cell %d: %q, not %q", i, got, want)
		}
	}
	const thousand = 1000
	before, began := int64(0), time.Now()
	for i := range 5 * thousand {
		cell(i + 1)
		if (i+1)%thousand != 0 {
			continue
		}
		heap := heapAfter()
		t.Logf("cells up to %d: %.2f ms each, heap %.1f MB", i+1, float64(time.Since(began).Microseconds())/thousand/1000, float64(heap)/1e6)
		if i+1 == thousand {
			before = heap
		} else if each := (heap - before) / int64(i+1-thousand); each > 60<<10 {
			t.Errorf("a cell leaves %d bytes behind", each)
		}
		began = time.Now()
	}
	runtime.KeepAlive(s)
}
