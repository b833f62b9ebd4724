package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"sapf/kernel/internal/leave"
	"sapf/kernel/notebook"
	"sapf/models/bounded"
)

// load reads what is to be run, and says whether it is a script.
func load(ctx context.Context, opts Options) (n *notebook.Notebook, script bool, err error) {
	var text []byte
	if opts.Path == "-" {
		if opts.Stdin == nil {
			return nil, false, errors.New("standard input is closed")
		}
		text, err = leave.When(ctx, func() ([]byte, error) { return bounded.ReadAll(opts.Stdin, notebook.MaxBytes) })
	} else {
		text, err = leave.When(ctx, func() ([]byte, error) { return bounded.ReadFile(opts.Path, notebook.MaxBytes) })
	}
	if err != nil {
		return nil, false, err
	}
	source := string(text)
	if strings.HasSuffix(opts.Path, ".ipynb") || opts.Path == "-" && strings.HasPrefix(strings.TrimSpace(source), "{\"") ||
		opts.Path == "-" && strings.HasPrefix(strings.TrimSpace(source), "{\n") {
		n, err := notebook.Read(strings.NewReader(source))
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", opts.Path, err)
		}
		return n, false, nil
	}
	if !utf8.ValidString(source) || strings.ContainsRune(source, 0) {
		return nil, false, fmt.Errorf("%s is no text: a notebook (.ipynb) or a script (.go) expected", opts.Path)
	}
	return notebook.FromScript(source), true, nil
}

func title(path string) string {
	if path == "-" {
		return "notebook"
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
