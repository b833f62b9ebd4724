package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
)

type T struct{ A int }
type C float64

func logf(format string, args ...any)           { fmt.Printf(format+"\n", args...) }
func wrapf(err error, f string, a ...any) error { return fmt.Errorf(f+": %w", append(a, err)...) }
func main() {
	f := "%T|%v|%p"
	fmt.Printf(f+"\n", T{1}, C(2), nil)
	fmt.Printf("%T\n", []any{T{1}, C(2)}...)
	args := []any{T{1}, C(2)}
	fmt.Printf("%T %T\n", args...)
	fmt.Printf("%[1]T %[1]v %[2]T\n", T{1}, C(3))
	fmt.Println(fmt.Sprintf("%6T|%-10T|%[1]*T", C(1), T{}, 3))
	e := fmt.Errorf("%T %w", T{}, io.EOF)
	fmt.Println(e, errors.Is(e, io.EOF))
	logf("%T %d %v", T{1}, C(1), &T{2})
	log.New(os.Stdout, "", 0).Printf("%T %[1]v", T{4})

	fmt.Printf("x\n", T{1}, nil, C(2))
	s2 := fmt.Sprintf("%*d|%-8.3f|%[2]T %[1]v %%", 5, 42)
	fmt.Println(fmt.Sprintf("%v %d", T{1}))
	fm := "%s %q %v\n"
	fmt.Fprintf(os.Stdout, fm, C(1), errors.New("e"), []T{{1}})
	er := wrapf(io.EOF, "at %d %T", 3, T{})
	fmt.Println(er, errors.Is(er, io.EOF))

	fmt.Println(s2)
}
