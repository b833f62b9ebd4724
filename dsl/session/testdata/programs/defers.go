package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(by int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += by
	return c.n
}

func (c counter) show(when string) { fmt.Println(when, c.n) }

func note(s string, n int) { fmt.Println(s, n) }

// Arguments, receivers and function values are evaluated at the statement.
func evaluated() {
	x, s := 1, "s"
	defer fmt.Println("println", x, s+"!")
	defer note("note", x)
	defer func(v int) { fmt.Println("literal", v, x) }(x)
	c := counter{n: 1}
	p := &c
	defer c.show("value")
	defer p.show("pointer")
	f := func() { fmt.Println("first f") }
	defer f()
	f = func() { fmt.Println("second f") }
	a := [2]int{1, 2}
	defer fmt.Println(a, a[0])
	m := map[string]int{"a": 1, "b": 2}
	k := "a"
	defer func() { fmt.Println(m) }()
	defer delete(m, k)
	x, s, k, c.n, a[0] = 2, "t", "b", 5, 9
	p = &counter{n: 7}
	for i := range 3 {
		defer fmt.Print("round ", i, "\n")
	}
	for i := 0; i < 2; i++ {
		defer func() { fmt.Println("loop", i) }()
	}
}

// A closure of the function that ends.
func closures() (err error) {
	var log []string
	say := func(s string) { log = append(log, s) }
	cleanup := func() { say("cleanup"); err = errors.Join(err, errors.New(strings.Join(log, ","))) }
	defer func() {
		cleanup()
	}()
	defer say("direct")
	say("body")
	return errors.New("result")
}

func results() (n int, s string) {
	defer func() { n *= 2; s += "+" }()
	n = 5
	return n + 1, "s"
}

func unnamed() int {
	n := 1
	defer func() { n = 10 }()
	return n
}

func early(n int) string {
	defer fmt.Println("early", n)
	if n < 0 {
		return "negative"
	}
	for i := range 10 {
		if i == n {
			return fmt.Sprint("found ", i)
		}
	}
	return "none"
}

// Every deferred call runs, whatever the others do; the last panic stands.
func panics() {
	defer func() { fmt.Println("outer:", recover()) }()
	defer fmt.Println("third")
	defer func() { panic("second panic") }()
	defer func() {
		defer func() { fmt.Println("inner:", recover()) }()
		panic("within")
	}()
	panic("first panic")
}

func handle(what *error) {
	if r := recover(); r != nil {
		*what = fmt.Errorf("handled: %v", r)
	}
}

func helper() any { return recover() }

type guard struct{ name string }

func (g *guard) handle() { fmt.Println(g.name, "handles", recover()) }

// Functions and methods that recover, and some that can't.
func named() (err error) {
	defer handle(&err)
	defer func() { fmt.Println("helper:", helper()) }()
	defer func() { func() { fmt.Println("nested:", recover()) }() }()
	var p *counter
	p.n = 1
	return nil
}

func method() {
	g := &guard{"g"}
	defer g.handle()
	g = &guard{"other"}
	panic(errors.New("error value"))
}

func value() {
	stop := func() { fmt.Println("value:", recover()) }
	defer stop()
	panic(fmt.Sprint("through a value"))
}

func again() (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprint("recovered ", r)
		}
	}()
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprint("again ", r))
		}
	}()
	var list []int
	_ = 1 / len(list)
	return "not reached"
}

func recursive(n int) {
	defer fmt.Print(n, " ")
	if n > 0 {
		recursive(n - 1)
	}
}

func find(list []string, want string) (at int) {
	for i, s := range slices.All(list) {
		defer func() { at += 100 }()
		if s == want {
			return i
		}
	}
	return -1
}

func exits() {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer fmt.Println("goexit runs what is deferred")
		runtime.Goexit()
		fmt.Println("not reached")
	}()
	wg.Wait()
}

func generic[T any](list []T, f func(T)) (n int) {
	defer func() {
		if recover() != nil {
			n = -n
		}
	}()
	for _, x := range list {
		n++
		f(x)
	}
	return n
}

func main() {
	evaluated()
	fmt.Println(closures())
	fmt.Println(results())
	fmt.Println(unnamed(), early(-1), early(3), early(30))
	panics()
	fmt.Println(named())
	method()
	value()
	fmt.Println(again())
	recursive(3)
	fmt.Println()
	fmt.Println(find([]string{"a", "b", "c"}, "b"), find(nil, "x"))
	exits()
	fmt.Println(generic([]int{1, 2}, func(int) {}), generic([]string{"a", "b"}, func(s string) { panic(s) }))
	c := &counter{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() { recover() }()
			if c.add(1)%2 == 0 {
				panic("even")
			}
		}()
	}
	wg.Wait()
	fmt.Println(c.n, recover())
}
