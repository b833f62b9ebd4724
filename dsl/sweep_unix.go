//go:build unix

package dsl

import "syscall"

// apart gives a process a session of its own: the end of ours, and interrupts at
// its terminal, are none of its business.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
