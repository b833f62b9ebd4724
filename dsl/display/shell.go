package display

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Shell runs a command line as a terminal would, with its output as that of the
// cell. A command that fails says how on standard error and stops nothing.
// In a cell it is written !command.
//
//	display.Shell("ls -l *.png")
func Shell(command string) {
	if err := Script(shellProgram, nil, command); err != nil {
		To().Stream("stderr", err.Error()+"\n")
	}
}

// Script runs a program that reads what it is to do from its standard input, as
// bash does, with its output as that of the cell. The error says how it ended.
func Script(program string, args []string, script string) error {
	ctx := Context()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(script)
	cmd.Stdout, cmd.Stderr = streamTo("stdout"), streamTo("stderr")
	ownGroup(cmd)
	// What the command has left running may hold on to its output.
	cmd.WaitDelay = 500 * time.Millisecond
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: interrupted", program)
	case errors.Is(err, exec.ErrWaitDelay):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}

// streamTo writes to a stream of the host.
type streamTo string

func (s streamTo) Write(p []byte) (int, error) {
	To().Stream(string(s), string(p))
	return len(p), nil
}
