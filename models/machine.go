package models

import (
	"fmt"
	"runtime"
	"strings"
)

// machine names this machine as measurements do: system, processor and how many
// of them.
func machine() string {
	name := strings.Join(strings.Fields(processor()), " ")
	if name == "" {
		name = "unknown processor"
	}
	return fmt.Sprintf("%s/%s, %d x %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), name)
}
