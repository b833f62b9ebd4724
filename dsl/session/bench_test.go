package session

import (
	"context"
	"testing"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		s, err := New(&recorder{}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Variables() // waits until it is ready
	}
}

func benchmarkCell(b *testing.B, setup, code string) {
	s, err := New(&recorder{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if o := s.Execute(context.Background(), Cell{Count: 1, Code: setup}); o.Err != nil {
		b.Fatal(o.Err)
	}
	for b.Loop() {
		if o := s.Execute(context.Background(), Cell{Count: 2, Code: code}); o.Err != nil {
			b.Fatal(o.Err)
		}
	}
}

func BenchmarkTrivialCell(b *testing.B) { benchmarkCell(b, "x := 1", "x + 1") }

func BenchmarkPrint(b *testing.B) { benchmarkCell(b, `import "fmt"`, `fmt.Println("hello")`) }

func BenchmarkFib(b *testing.B) {
	benchmarkCell(b, "func fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }", "fib(20)")
}

func BenchmarkLoop(b *testing.B) {
	benchmarkCell(b, "", "s := 0; for i := range 100000 { s += i }")
}

func BenchmarkComplete(b *testing.B) {
	s, err := New(&recorder{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	code := "import \"strings\"\nvar b strings.Builder\nb."
	for b.Loop() {
		if c := s.Complete(code, len(code)); len(c.Matches) == 0 {
			b.Fatal("no matches")
		}
	}
}
