// Command make writes NOTICE: the licences of every module that the program is
// linked from, taken from the modules themselves.
package main

import (
	"fmt"
	"os"

	"sapf/kernel/command/licences/notice"
)

func main() {
	text, err := notice.Collect("../../..")
	if err == nil {
		err = os.WriteFile("NOTICE", []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}
