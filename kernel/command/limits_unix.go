//go:build unix

package command

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// leastAddresses is the address space, in bytes, below which Go's own runtime
// ends with a dump of its state, at no predictable place.
const leastAddresses = 2_000_000_000

// limited says that the limit on address space (ulimit -v) leaves too little.
func limited() error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &l); err != nil || uint64(l.Cur) >= leastAddresses {
		return nil
	}
	return fmt.Errorf("the limit on address space (ulimit -v) is %.2f GB, expected at least %.0f GB, most of which is never used", float64(l.Cur)/1e9, float64(leastAddresses)/1e9)
}
