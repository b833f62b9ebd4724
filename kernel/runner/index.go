package runner

import (
	"fmt"
	"path/filepath"
	"strings"

	"sapf/kernel/exit"
	"sapf/kernel/notebook"
	"sapf/models/atomicfile"
)

// Index writes one self-contained page of all notebooks in a folder, as
// they are, in the order of their names, and returns how many there are. What
// runs have left (*.out.ipynb) is passed over. With hideCode the source of cells is
// left out.
func Index(dir, page string, hideCode bool) (int, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.ipynb"))
	if err != nil {
		return 0, exit.Wrong(err)
	}
	var entries []notebook.Entry
	for _, file := range files {
		if strings.HasSuffix(file, ".out.ipynb") {
			continue
		}
		n, err := notebook.ReadFile(file)
		if err != nil {
			return 0, exit.Wrong(err)
		}
		entries = append(entries, notebook.Entry{Name: strings.TrimSuffix(filepath.Base(file), ".ipynb"), Notebook: n})
	}
	if len(entries) == 0 {
		return 0, exit.Wrong(fmt.Errorf("no notebooks in %s", dir))
	}
	b, err := notebook.Index(notebook.Page{Title: "Notebooks", HideCode: hideCode}, entries)
	if err != nil {
		return 0, exit.Fail(fmt.Errorf("page %s: %w", page, err))
	}
	return len(entries), exit.Fail(atomicfile.WriteFile(page, b))
}
