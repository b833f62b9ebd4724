package main

import (
	"fmt"
	"io"
	"strings"
)

type doc struct{ text string }

func (d doc) Read([]byte) (int, error) { return 0, io.EOF }
func (d doc) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, d.text)
	return int64(n), err
}

func main() {
	var b strings.Builder
	n, err := io.Copy(&b, doc{"hello"})
	fmt.Println(n, err, b.String())
}
