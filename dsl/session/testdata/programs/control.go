package main

import "fmt"

func labels() {
outer:
	for i := 0; i < 3; i++ {
		for j := 0; j < 3; j++ {
			if j == 1 {
				continue outer
			}
			if i == 2 {
				break outer
			}
			fmt.Print(i, j, " ")
		}
	}
	fmt.Println()
}

func switches(n int) string {
	switch {
	case n < 0:
		return "negative"
	case n == 0:
		fallthrough
	case n == 1:
		return "small"
	}
	switch x := n * 2; x {
	case 4, 6:
		return "four or six"
	default:
		return "large"
	case 8:
		return "eight"
	}
}

func gotos() int {
	i := 0
loop:
	if i < 5 {
		i++
		goto loop
	}
	return i
}

func deferred() (s string) {
	for i := 0; i < 3; i++ {
		defer func() { s += fmt.Sprint(i) }()
	}
	for i := range 3 {
		defer func() { s += fmt.Sprint(i) }()
	}
	defer func(n int) { s += fmt.Sprint("n", n) }(len(s))
	return "r"
}

func rec() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered: %v", r)
		}
	}()
	var m map[string]int
	m["x"] = 1
	return nil
}

func nested() (out []string) {
	defer func() {
		out = append(out, fmt.Sprint("outer ", recover()))
	}()
	func() {
		defer func() {
			out = append(out, fmt.Sprint("inner ", recover()))
			panic("second")
		}()
		panic("first")
	}()
	return
}

func shadow() {
	x := 1
	{
		x := 2
		x++
		_ = x
	}
	if x := 5; x > 3 {
		fmt.Print(x, " ")
	} else if y := x; y > 1 {
		fmt.Print(y)
	}
	fmt.Println(x)
}

func divide(a, b int) (q int, err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	return a / b, nil
}

func main() {
	labels()
	for _, n := range []int{-1, 0, 1, 2, 3, 4, 5} {
		fmt.Print(switches(n), "; ")
	}
	fmt.Println()
	fmt.Println(gotos(), deferred())
	fmt.Println(rec())
	fmt.Println(nested())
	shadow()
	fmt.Println(divide(7, 2))
	fmt.Println(divide(7, 0))
	var fs []func() int
	for i := 0; i < 3; i++ {
		fs = append(fs, func() int { i *= 10; return i })
	}
	for _, f := range fs {
		fmt.Print(f(), f(), " ")
	}
	for i := range 3 {
		fs[i] = func() int { i++; return i }
	}
	for k, v := range map[string]int{"a": 1} {
		fs = append(fs, func() int { fmt.Print(k); return v })
	}
	for _, f := range fs {
		fmt.Print(f(), f(), " ")
	}
	fmt.Println()
	for i := 0; i < 6; i++ {
		f := func() int { return i }
		i++
		fmt.Print(f(), " ")
	}
	var prev *int
	for i := 0; i < 3; i++ {
		if prev != nil {
			fmt.Print(*prev, i, " ")
		}
		prev = &i
	}
	fmt.Println()
	s := "héllo, 世界"
	for i, r := range s {
		fmt.Print(i, string(r), " ")
	}
	var arr [3]int
	for i := range arr {
		arr[i] = i * i
	}
	for i, v := range &arr {
		fmt.Print(i, v, " ")
	}
	var n8 int8 = 3
	for i := range n8 {
		fmt.Printf("%T%d ", i, i)
	}
	const c = 2
	for i := range c {
		fmt.Print(i, " ")
	}
	i := 10
	for i = range 3 {
	}
	fmt.Println(i)
	x, y := 1, 2
	x, y = y, x+y
	a := []int{1, 2, 3}
	a[0], a[2] = a[2], a[0]
	k := 0
	k, a[k] = 1, 9
	fmt.Println(x, y, a, k)
	var e any = 3
	switch v := e.(type) {
	case nil:
		fmt.Println("nil")
	case string, error:
		fmt.Println("string or error", v)
	case int:
		fmt.Println("int", v+1)
	}
	switch e {
	case 3:
		fmt.Println("three")
	case "3":
		fmt.Println("string")
	}
	switch {
	default:
		for {
			break
		}
		fmt.Println("default")
	}
}
