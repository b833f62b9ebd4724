package session

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestRunCell(t *testing.T) {
	code, _ := os.ReadFile(os.Getenv("CELL"))
	s, r := newSession(t)
	for i, c := range strings.Split(string(code), "\n+++\n") {
		fmt.Print(runCell(s, r, i+1, c))
	}
}
