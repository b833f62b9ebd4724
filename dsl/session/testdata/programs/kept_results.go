package main

import "fmt"

var hist []func() string

func note(n int) (err error) {
	hist = append(hist, func() string { return fmt.Sprintf("%d (%v)", n, err) })
	if n > 1 {
		return fmt.Errorf("e%d", n)
	}
	return nil
}

func late(n int) (r int) {
	defer func(old int) {
		hist = append(hist, func() string { r++; return fmt.Sprint(old, r) })
	}(n)
	return n * 10
}

func setter() (r int, set func(int)) {
	set = func(n int) { r = n }
	r = 1
	return
}

func pointed() (r int, p *int) {
	p = &r
	return 5, p
}

type point struct{ x, y int }

func (p *point) move() { p.x++ }

func moved() (p point, f func()) {
	return point{1, 2}, p.move
}

func array() (a [3]int, s []int) {
	s = a[:]
	a[0] = 7
	return
}

func named() (a, b int, _ string) {
	f := func() { a, b = b, a }
	a, b = 1, 2
	f()
	if a > 5 {
		return 0, 0, "no"
	}
	return b, a, "yes"
}

func loop() (n int) {
	get := func() int { return n }
	for i := range func(yield func(int) bool) { _ = yield(1) && yield(2) && yield(3) } {
		n += i
		if i == 2 {
			return get() * 100
		}
	}
	return
}

func shadow() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("late: %w", err)
		}
	}()
	if _, err := fmt.Sscan("x", new(int)); err != nil {
		return fmt.Errorf("in: %w", err)
	}
	return
}

func main() {
	for i := range 4 {
		if err := note(i); err != nil {
			fmt.Print(err, " ")
		}
	}
	var r int
	for i := range 3 {
		r = late(i)
	}
	for _, h := range hist {
		fmt.Print(h(), "; ")
	}
	fmt.Println(r)
	x, set := setter()
	set(100)
	fmt.Println(x)
	v, p := pointed()
	*p++
	fmt.Println(v, *p)
	q, f := moved()
	f()
	fmt.Println(q)
	a, s := array()
	s[1] = 9
	fmt.Println(a, s)
	fmt.Println(named())
	fmt.Println(loop(), shadow())
	var fs []func(int)
	for range 3 {
		var set func(int)
		x, set = setter()
		fs = append(fs, set)
	}
	fs[0](50)
	fs[2](60)
	fmt.Println(x)
}
