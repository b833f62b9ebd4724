package main

import "fmt"

type state int

func (s *state) next() state { *s++; return *s }

type grid [3][3]rune

func (g grid) with(r, c int, v rune) grid { g[r][c] = v; return g }
func (g *grid) set(r, c int, v rune)      { g[r][c] = v }
func (g grid) String() (s string) {
	for _, row := range g {
		for _, c := range row {
			if c == 0 {
				c = '.'
			}
			s += string(c)
		}
		s += "\n"
	}
	return
}

type emp struct {
	name string
	pay  int
	boss *emp
	subs []*emp
}

func (e *emp) total() int {
	t := e.pay
	for _, s := range e.subs {
		t += s.total()
	}
	return t
}

func fib() func() int {
	a, b := 0, 1
	return func() int {
		defer func() { a, b = b, a+b }()
		return a
	}
}

func variadic(pre string, xs ...any) int { fmt.Print(pre, len(xs), xs == nil, " "); return len(xs) }

func multi() (int, string, error)          { return 1, "two", nil }
func take(i int, s string, e error) string { return fmt.Sprint(i, s, e) }

func main() {
	var g grid
	g.set(1, 1, 'X')
	h := g.with(0, 0, 'O')
	fmt.Print(g, h)
	fmt.Println(g == h, g == h.with(0, 0, 0))
	boss := &emp{name: "b", pay: 100}
	for i, n := range []string{"x", "y"} {
		boss.subs = append(boss.subs, &emp{n, 10 * (i + 1), boss, nil})
	}
	boss.subs[0].subs = append(boss.subs[0].subs, &emp{pay: 1})
	fmt.Println(boss.total(), boss.subs[1].boss.name, boss.subs[0].boss == boss)
	f := fib()
	for range 10 {
		fmt.Print(f(), " ")
	}
	fmt.Println()
	variadic("a")
	variadic("b", nil)
	variadic("c", nil...)
	variadic("d", []any{1, 2}...)
	variadic("e", []int{1, 2})
	variadic("f", []any{1, 2})
	fmt.Println(take(multi()))
	var fs []func() int
	for i := 0; i < 3; i++ {
		i := i * 10
		fs = append(fs, func() int { i++; return i })
	}
	for i := 0; i < 3; i++ {
		fs = append(fs, func() int { i += 100; return i })
	}
	for _, f := range fs {
		fmt.Print(f(), f(), " ")
	}
	fmt.Println()
	x := 1
	{
		x := x + 1
		x++
		if x := x * 2; x > 5 {
			fmt.Print("in ", x, " ")
		} else if y := x; y > 0 {
			fmt.Print(y)
		}
		fmt.Print(x, " ")
	}
	fmt.Println(x)
outer:
	for i := 0; i < 4; i++ {
		for j := 0; ; j++ {
			switch {
			case j == 2:
				continue outer
			case i == 3:
				break outer
			case i == 1:
				break
			default:
				fmt.Print(i, j, " ")
			}
			if i == 1 && j == 1 {
				goto done
			}
		}
	}
done:
	fmt.Println("done")
	switch s := state(3); s.next() {
	case 4:
		fmt.Println("four")
		fallthrough
	case 5:
		fmt.Println("five")
	case 6:
		fmt.Println("six")
	default:
		fmt.Println("default")
	}
	m := map[string]*emp{}
	m["a"] = &emp{pay: 5}
	m["a"].pay++
	ms := map[string]emp{"z": {pay: 1}}
	e := ms["z"]
	e.pay = 50
	fmt.Println(m["a"].pay, ms["z"].pay, ms["none"].name == "")
	mm := map[string]map[string]int{}
	if mm["q"] == nil {
		mm["q"] = map[string]int{}
	}
	mm["q"]["w"]++
	mm["q"]["w"] += 5
	fmt.Println(mm, len(mm["nope"]), mm["nope"]["x"])
	mf := map[string]func(...int) int{"sum": func(xs ...int) (t int) {
		for _, x := range xs {
			t += x
		}
		return
	}}
	fmt.Println(mf["sum"](1, 2, 3), mf["sum"]())
	a := [...]string{2: "c", 0: "a"}
	b := []int{5: 1, 2, 1: 7}
	fmt.Println(len(a), a, len(b), b)
	p := &b[5]
	b = append(b, 3)
	*p = 99
	fmt.Println(b[5], *p)
	s := make([][]int, 3)
	for i := range s {
		s[i] = make([]int, i+1)
		for j := range s[i] {
			s[i][j] = i * j
		}
	}
	fmt.Println(s)
	i, j := 0, 1
	i, s[i][0], j = 1, 42, i
	fmt.Println(i, j, s)
	type local struct{ a, b int }
	l := []local{{1, 2}, {3, 4}}
	for i := range l {
		l[i].a *= 10
	}
	for _, v := range l {
		v.b = 0
	}
	lp := &l[0]
	lp.b, lp.a = lp.a, lp.b
	fmt.Println(l, *lp)
	var iface interface{ next() state } = new(state)
	fmt.Println(iface.next(), iface.next())
	c := make(chan int, 3)
	c <- 1
	c <- 2
	close(c)
	for v := range c {
		fmt.Print(v, " ")
	}
	v, ok := <-c
	fmt.Println(v, ok, len(c), cap(c))
	if v, ok := any(l).([]local); ok && len(v) == 2 {
		fmt.Println("yes", v[1].a)
	}
	func() {
		defer fmt.Println("deferred", x)
		x = 10
		defer func() { fmt.Println("closure", x) }()
		x = 20
	}()
	const big = 1 << 40
	var i64 int64 = big
	fmt.Println(i64/3, uint8(i64>>36), int32(i64+5), float32(i64))
}
