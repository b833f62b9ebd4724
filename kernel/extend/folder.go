package extend

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// folder is a part on this machine, as the compiler will find it.
type folder struct {
	dir    string // that was asked for
	root   string // of its module; dir itself where it has none
	module string // the module's path
	path   string // its import path
	bare   bool   // it has no module: it gets one, of the folder's name
	file   *modfile.File
}

// inspect finds the module of a folder.
func inspect(dir string) (*folder, error) {
	f := &folder{dir: dir, root: dir}
	for root := dir; ; root = filepath.Dir(root) {
		name := filepath.Join(root, "go.mod")
		text, err := os.ReadFile(name)
		if err == nil {
			file, err := modfile.ParseLax(name, text, nil)
			if err != nil {
				return nil, err
			}
			if file.Module == nil {
				return nil, fmt.Errorf("%s names no module", name)
			}
			rel, err := filepath.Rel(root, dir)
			if err != nil {
				return nil, err
			}
			f.root, f.file, f.module = root, file, file.Module.Mod.Path
			f.path = path.Join(f.module, filepath.ToSlash(rel))
			if f.module == "sapf" {
				return nil, fmt.Errorf("folder %s is part of sapf's own sources", dir)
			}
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if root == filepath.Dir(root) {
			break
		}
	}
	f.bare, f.module = true, filepath.Base(dir)
	f.path = f.module
	if err := module.CheckImportPath(f.module); err != nil || standard(f.module) || slices.Contains([]string{"sapf", own}, f.module) {
		return nil, fmt.Errorf("folder %s has no go.mod, and %q can't be imported by its name: give it one with `go mod init`", dir, f.module)
	}
	return f, nil
}

// compiled tells whether a file is one that the Go command reads by itself.
func compiled(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".s", ".S", ".c", ".h", ".cc", ".cpp", ".syso":
		return !strings.HasSuffix(name, "_test.go")
	}
	return name == "go.mod" || name == "go.sum"
}

// walk visits what may go into the build: source files, and below the folder that
// was asked for all others, which might be embedded.
func (f *folder) walk(visit func(rel string, info fs.FileInfo) error) error {
	return filepath.WalkDir(f.root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			hidden := strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != f.root && (hidden || nested == nil) {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") || strings.HasSuffix(name, "_test.go"):
			return nil
		case !compiled(d.Name()) && !strings.HasPrefix(name, f.dir+string(filepath.Separator)):
			return nil
		}
		rel, err := filepath.Rel(f.root, name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(rel), info)
	})
}

// digest changes with what the folder holds. Of files that are not compiled the
// size and the time count: there may be data.
func (f *folder) digest() (string, error) {
	h := sha256.New()
	err := f.walk(func(rel string, info fs.FileInfo) error {
		text := []byte(fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
		if compiled(rel) {
			var err error
			if text, err = os.ReadFile(filepath.Join(f.root, filepath.FromSlash(rel))); err != nil {
				return err
			}
		}
		put(h, rel, text)
		return nil
	})
	return sum(h), err
}

// copySize is how large a file of a folder without a module may be to be copied:
// larger ones are data.
const copySize = 16 << 20

// copyTo makes a module of a folder that has none.
func (f *folder) copyTo(dir, language string) error {
	err := f.walk(func(rel string, info fs.FileInfo) error {
		if info.Size() > copySize {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(f.root, filepath.FromSlash(rel)))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(rel))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return write(to, text)
	})
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, "go.mod"), []byte("module "+f.module+"\n\ngo "+language+"\n"))
}
