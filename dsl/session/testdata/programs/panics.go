package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

func divide(a, b int) (q int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered: %v", r)
		}
	}()
	q = a / b
	return
}

func nested() (s string) {
	defer func() { s += " outer" }()
	defer func() {
		defer func() { s += fmt.Sprint(" inner:", recover()) }()
		panic(fmt.Sprint("second after ", recover()))
	}()
	panic("first")
}

func order() {
	for i := range 3 {
		defer fmt.Println("defer", i)
	}
	fmt.Println("body")
}

type closer struct{ name string }

func (c *closer) Close() error { fmt.Println("close", c.name); return nil }

func multi() (err error) {
	a := &closer{"a"}
	defer a.Close()
	b := closer{"b"}
	defer b.Close()
	b.name = "changed"
	defer func(n string) { fmt.Println("arg", n, b.name) }(b.name)
	b.name = "again"
	return errors.New("fail")
}

type MyErr struct{ Code int }

func (e MyErr) Error() string        { return fmt.Sprint("code ", e.Code) }
func (e MyErr) Is(target error) bool { t, ok := target.(MyErr); return ok && t.Code/100 == e.Code/100 }

func find(code int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("find: %w", MyErr{code})
}

func noErr() error {
	var p *MyErrP
	return p
}

type MyErrP struct{}

func (*MyErrP) Error() string { return "p" }

func goexit() (n int) {
	defer func() {
		n *= 2
		recover()
	}()
	n = 21
	var m map[string]int
	m["x"] = 1
	return 5
}

func main() {
	fmt.Println(divide(7, 2))
	fmt.Println(divide(7, 0))
	fmt.Println(nested())
	order()
	fmt.Println(multi())
	err := find(404)
	var me MyErr
	fmt.Println(errors.As(err, &me), me.Code, errors.Is(err, MyErr{400}), errors.Is(err, MyErr{500}), errors.Unwrap(err) == MyErr{404})
	fmt.Println(find(0) == nil, noErr() == nil, noErr())
	fmt.Println(goexit())
	j := errors.Join(err, errors.New("other"), nil)
	fmt.Println(strings.ReplaceAll(j.Error(), "\n", "|"), errors.Is(j, MyErr{444}))
	if e, ok := errors.AsType[MyErr](j); ok {
		fmt.Println("astype", e.Code)
	}
	_, err = os.Open("/does/not/exist")
	var pe *os.PathError
	fmt.Println(errors.As(err, &pe), pe.Op, errors.Is(err, os.ErrNotExist))
	for _, f := range []func(){
		func() { var a []int; _ = a[5] },
		func() { a := make([]int, 3); i := 10; _ = a[1:i] },
		func() { var p *closer; _ = p.name },
		func() { var x any = "s"; _ = x.(int) },
		func() { var x any; _ = x.(fmt.Stringer) },
		func() { var x any = 3; _ = x.(fmt.Stringer) },
		func() { panic(MyErr{3}) },
		func() { panic(fmt.Sprintf("%d", 5)) },
		func() { ch := make(chan int); close(ch); close(ch) },
		func() { n := -1; _ = make([]int, n) },
		func() { a := [3]int{}; s := a[:]; _ = [4]int(s) },
		func() { var f func(); f() },
		func() { s := "abc"; i := 3; _ = s[i] },
		func() { panic(nil) },
		func() { var e error; panic(e) },
		func() { x := map[any]int{}; x[[]int{1}] = 2 },
		func() { var a, b any = []int{1}, []int{1}; fmt.Println(a == b) },
		func() { type T struct{ f func() }; var a, b any = T{}, T{}; fmt.Println(a == b) },
		func() { var x fmt.Stringer; x.String() },
		func() { s := []int{1, 2, 3}; i, j := 2, 1; _ = s[i:j] },
		func() { var c chan int; close(c) },
		func() { i := 0; fmt.Println(1.0/float64(i), 5%i) },
	} {
		func() {
			defer func() {
				r := recover()
				_, isErr := r.(error)
				fmt.Println(r, isErr)
			}()
			f()
		}()
	}
}
