//go:build unix

package display

import (
	"os/exec"
	"syscall"
)

const shellProgram = "sh"

// ownGroup has an interrupt end what the command has started too.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
