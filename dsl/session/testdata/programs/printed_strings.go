package main

import (
	"fmt"
	"log"
	"os"
)

type Word string

func (w Word) Error() string { return "word " + string(w) }

type Plain string

type Shown string

func (s Shown) String() string { return "<" + string(s) + ">" }

type Number int

func pair() (Plain, int) { return "p", 1 }

func main() {
	fmt.Println(fmt.Sprint(Word("a"), 1, 2, Plain("b"), Shown("c"), Number(3), Number(4), []int{5}, Shown("d")))
	fmt.Print(Plain("x"), []any(nil), Number(1), nil, Word("y"), "\n")
	var e error = Word("e")
	var a any = Plain("any")
	fmt.Print(e, 1, a, 2, "\n")
	fmt.Fprint(os.Stdout, []any{Plain("q"), 1, 2, Shown("r"), 3}...)
	fmt.Println()
	fmt.Print(pair())
	fmt.Println(string(fmt.Append(nil, Plain("z"), 1, 2)), Plain("z"), 1, 2)
	l := log.New(os.Stdout, "", 0)
	l.Print(Plain("log"), 1, 2, Shown("s"))
	flags := map[bool]float64{true: 1, false: 2}
	fmt.Println(flags, []any{flags}, map[any]any{"k": flags}, map[complex128]Plain{2i: "b", 1: "a", 1i: "c"})
	fmt.Printf("%v %d %q %s\n", Plain("f"), Number(1), Shown("g"), Word("h"))
}
