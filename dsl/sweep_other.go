//go:build !unix

package dsl

import "syscall"

// apart is nothing where there are no sessions.
func apart() *syscall.SysProcAttr { return nil }
