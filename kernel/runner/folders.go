package runner

import (
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"sapf/kernel/notebook"
	"sapf/models/atomicfile"
)

// module is the folder of the module that a folder is in, and its path; "" if
// there is none.
func module(dir string) (root, at string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, modfile.ModulePath(text), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
		if dir == filepath.Dir(dir) {
			return "", "", nil
		}
		dir = filepath.Dir(dir)
	}
}

// importFolders has a program import the folders that cells of a notebook in dir
// import, as Go does it: by the path of the module that both are in. A folder
// that is in no module is copied beside the program. The result is the folder to
// run the go command in.
func importFolders(p *notebook.Program, dir, out string) (string, error) {
	root, at, err := module(out)
	if err != nil {
		return "", err
	}
	beside := root != ""
	if !beside { // `go run PROGRAM` takes the module it is run in
		if root, at, err = module("."); err != nil {
			return "", err
		}
	}
	for _, old := range p.Imports() {
		if !build.IsLocalImport(old) && !filepath.IsAbs(old) {
			continue
		}
		folder := old
		if !filepath.IsAbs(old) {
			folder = filepath.Join(dir, filepath.FromSlash(old))
		}
		if folder, err = filepath.Abs(folder); err != nil {
			return "", err
		}
		found, err := build.Default.ImportDir(folder, 0)
		if err != nil {
			return "", fmt.Errorf("import %q: %w", old, err)
		}
		its, _, err := module(folder)
		if err != nil {
			return "", err
		}
		switch {
		case its != "" && its == root:
		case its == "" && beside:
			from := folder
			if folder, err = filepath.Abs(filepath.Join(out, filepath.Base(folder))); err != nil {
				return "", err
			}
			if err := copyPackage(found, from, folder); err != nil {
				return "", fmt.Errorf("import %q: %w", old, err)
			}
		default:
			return "", fmt.Errorf("import %q: a program can't import %s: write the program into a module that has it", old, folder)
		}
		rel, err := filepath.Rel(root, folder)
		if err != nil {
			return "", err
		}
		p.Replace(old, path.Join(at, filepath.ToSlash(rel)), found.Name)
	}
	return root, nil
}

// copyPackage copies the files of a package.
func copyPackage(p *build.Package, from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		for _, path := range p.Imports {
			if strings.HasPrefix(path, ".") {
				return fmt.Errorf("it imports %q itself: give it a module", path)
			}
		}
		if err := atomicfile.WriteFile(filepath.Join(to, name), text); err != nil {
			return err
		}
	}
	return nil
}
