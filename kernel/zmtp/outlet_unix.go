//go:build unix

package zmtp

import "syscall"

// writeNow writes what the system takes without waiting, and returns how much
// that was, or -1.
func writeNow(fd uintptr, b []byte) int {
	n, _ := syscall.Write(int(fd), b) // package net made it not wait
	return n
}
