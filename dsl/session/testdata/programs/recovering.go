package main

import "fmt"

func rec(s string) {
	if r := recover(); r != nil {
		fmt.Println(s, "recovered", r)
	} else {
		fmt.Println(s, "nothing")
	}
}
func indirect(s string) { rec(s) }

type T struct{ n string }

func (t T) Rec()    { rec2(t.n); fmt.Println("T.Rec", recover()) }
func (t *T) PRec()  { fmt.Println("T.PRec", recover()) }
func rec2(s string) { fmt.Println(s, recover()) }

type R interface{ Rec() }
type E struct{ *T }

func try(name string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println("  ", name, "escaped", r)
		}
	}()
	f()
}

func main() {
	try("1", func() { defer rec("a"); panic(1) })
	try("2", func() { defer indirect("b"); panic(2) })
	try("3", func() { f := rec; defer f("c"); panic(3) })
	try("4", func() { f := func() { fmt.Println("lit", recover()) }; defer f(); panic(4) })
	try("5", func() { f := func() { rec("in lit") }; defer f(); panic(5) })
	try("6", func() { t := T{"t"}; defer t.Rec(); panic(6) })
	try("7", func() { t := &T{"t"}; defer t.PRec(); panic(7) })
	try("8", func() { var r R = T{"i"}; defer r.Rec(); panic(8) })
	try("9", func() { e := E{&T{"e"}}; defer e.Rec(); panic(9) })
	try("10", func() { var r R = E{&T{"ei"}}; defer r.Rec(); panic(10) })
	try("11", func() { f := E.PRec; defer f(E{&T{"x"}}); panic(11) })
	try("12", func() { t := T{"mv"}; f := t.Rec; defer f(); panic(12) })
	try("13", func() { defer recover(); panic(13) })
	try("14", func() { defer func() { defer recover() }(); panic(14) })
	try("15", func() { defer func() { defer rec("d"); panic("second") }(); panic(15) })
	try("16", func() { defer func() { defer rec("d") }(); panic(16) })
	try("17", func() { defer func() { func() { fmt.Println("nested", recover()) }() }(); panic(17) })
	try("18", func() {
		defer func() {
			for range func(y func() bool) { y() } {
				fmt.Println("range", recover())
			}
		}()
		panic(18)
	})
	try("19", func() { defer fmt.Println("printed", 1); defer rec("x"); panic(19) })
	try("20", func() {
		for i := range 3 {
			defer rec(fmt.Sprint("loop", i))
		}
		panic(20)
	})
	try("21", func() { defer rec("after"); defer func() { panic("replaced") }(); panic(21) })
	try("22", func() { defer func() { fmt.Println(recover()); fmt.Println(recover()) }(); panic(22) })
	try("23", func() { m := map[string]func(string){"r": rec}; defer m["r"]("m"); panic(23) })
	try("24", func() { defer func(f func(string)) { f("passed") }(rec); panic(24) })
	fmt.Println(recover())
	rec("top")
}
