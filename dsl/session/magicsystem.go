package session

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sapf/dsl/display"
)

// The magics that reach for what is around the notebook: folders, the
// environment, files and the shell.

func failed(err error) Outcome { return Outcome{Err: simpleError("Error", err.Error())} }

func changeFolder(s *Session, m magicCall) Outcome {
	dir := m.args
	if dir == "" || dir == "~" || strings.HasPrefix(dir, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return failed(err)
		}
		dir = filepath.Join(home, strings.TrimPrefix(dir, "~"))
	}
	if err := os.Chdir(dir); err != nil {
		return failed(err)
	}
	return workingFolder()
}

func workingFolder() Outcome {
	dir, err := os.Getwd()
	if err != nil {
		return failed(err)
	}
	return textOutcome(dir)
}

// extended asks for packages to be compiled in.
func extended(s *Session, m magicCall) Outcome {
	parts := strings.Fields(m.args)
	if len(parts) == 0 {
		return failed(fmt.Errorf("%%extend needs import paths, or folders like ./p"))
	}
	dir, err := os.Getwd()
	if err != nil {
		return failed(err)
	}
	return Outcome{Extend: &Extend{Parts: parts, Dir: dir}}
}

func environment(s *Session, m magicCall) Outcome {
	if m.args == "" {
		all := os.Environ()
		slices.Sort(all)
		return textOutcome(strings.Join(all, "\n"))
	}
	name, value, set := strings.Cut(m.args, "=")
	if !set {
		name, value, set = strings.Cut(m.args, " ")
	}
	name = strings.TrimSpace(name)
	if !set {
		value, ok := os.LookupEnv(name)
		if !ok {
			return failed(fmt.Errorf("the environment has no variable %s", name))
		}
		return textOutcome(value)
	}
	if err := os.Setenv(name, strings.TrimSpace(value)); err != nil {
		return failed(err)
	}
	return Outcome{}
}

// script hands the lines below to a program.
func script(program string) func(*Session, magicCall) Outcome {
	return func(s *Session, m magicCall) Outcome {
		err := display.Script(program, strings.Fields(m.args), m.below+"\n")
		switch {
		case m.ctx.Err() != nil:
			return Outcome{Err: simpleError("Interrupted", program+" was stopped")}
		case err != nil:
			return failed(err)
		}
		return Outcome{}
	}
}

func writeFile(s *Session, m magicCall) Outcome {
	name, appending := strings.CutPrefix(m.args, "-a ")
	name = strings.Trim(strings.TrimSpace(name), `"'`)
	if name == "" {
		return failed(fmt.Errorf("%%%%writefile needs the name of a file"))
	}
	text := m.below
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	doing, flags := "writing", os.O_CREATE|os.O_WRONLY|os.O_TRUNC
	if _, err := os.Stat(name); err == nil {
		doing = "overwriting"
	}
	if appending {
		doing, flags = "appending to", os.O_CREATE|os.O_WRONLY|os.O_APPEND
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return failed(err)
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return failed(err)
	}
	s.output.Write("stdout", doing+" "+name+"\n")
	return Outcome{}
}
