package main

import (
	"errors"
	"fmt"
)

type MyErr struct{ Op string }

func (m *MyErr) Error() string { return m.Op }
func (m *MyErr) Timeout() bool { return true }

type Tm interface{ Timeout() bool }

func main() {
	var e error = fmt.Errorf("w: %w", &MyErr{"op"})
	var to interface{ Timeout() bool }
	fmt.Println(errors.As(e, &to))
	fmt.Println(to != nil)
	fmt.Println(to.Timeout())
	var tm Tm
	fmt.Println(errors.As(e, &tm), tm.Timeout())
	fmt.Println(errors.As(e, &tm), tm)
	var me *MyErr
	fmt.Println(errors.As(e, &me), me.Timeout(), me.Op)
	var e2 error
	fmt.Println(errors.As(e, &e2), e2.Error(), e2 == e)
	fmt.Println(errors.Is(e2, e), errors.Unwrap(e) == me)
}
