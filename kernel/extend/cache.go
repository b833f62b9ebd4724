package extend

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"sapf/models/atomicfile"
)

// Set is what an extension has, as set.json keeps it.
type Set struct {
	// Parts are what was asked for, Packages what can be imported because of it,
	// Had what could be before.
	Parts    []Part   `json:"parts"`
	Packages []string `json:"packages"`
	Had      []string `json:"had,omitempty"`
	// Modules are the modules of the parts, with their versions or folders.
	Modules []string `json:"modules"`
	// Raised are modules of this program whose version is another there.
	Raised []string `json:"raised,omitempty"`
	// Folders are the digests of what folders held.
	Folders map[string]string `json:"folders,omitempty"`
	// Seconds is what the build took.
	Seconds float64 `json:"seconds"`
}

// Extension is a set with its program.
type Extension struct {
	Set
	Key     string
	Program string
	// Built says that it was built now and not found.
	Built bool
}

// Builder builds extensions and finds those that were built.
type Builder struct {
	Source Source
	// Cache is the folder for them, "" the user's.
	Cache string
}

const (
	programFile   = "sapf-extended"
	setName       = "set.json"
	currentName   = "current.json"
	stagingPrefix = "making-"
	sourcePrefix  = "source-"
)

var programName = programFile + map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]

// cache is the folder, made.
func (b *Builder) cache() (string, error) {
	dir := b.Cache
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("folder for extensions: %w", err)
		}
		dir = filepath.Join(user, "sapf", "extend")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("folder for extensions: %w", err)
	}
	return dir, nil
}

// key names an extension: by the sources, the parts and what folders hold.
func key(source string, parts []Part, folders []*folder, digests map[string]string) (string, error) {
	h := sha256.New()
	put(h, "source", []byte(source))
	put(h, "system", []byte(runtime.GOOS+"/"+runtime.GOARCH))
	for _, p := range parts {
		put(h, "part", []byte(p.String()))
	}
	for _, f := range folders {
		d, err := f.digest()
		if err != nil {
			return "", err
		}
		digests[f.dir] = d
		put(h, f.path, []byte(d))
	}
	return sum(h), nil
}

// Extend builds the program with these parts, or finds it. Report gets a line
// now and then on how far it is.
func (b *Builder) Extend(ctx context.Context, parts []Part, report func(string)) (*Extension, error) {
	if parts = Merge(nil, parts); len(parts) == 0 {
		return nil, errors.New("nothing to compile in was named")
	}
	source, err := b.Source.digest()
	if err != nil {
		return nil, err
	}
	var folders []*folder
	for _, p := range parts {
		if p.Dir == "" {
			continue
		}
		f, err := inspect(p.Dir)
		if err != nil {
			return nil, err
		}
		for _, g := range folders {
			if g.module == f.module && g.root != f.root {
				return nil, fmt.Errorf("%s and %s are both module %s", g.root, f.root, f.module)
			}
		}
		folders = append(folders, f)
	}
	digests := map[string]string{}
	k, err := key(source, parts, folders, digests)
	if err != nil {
		return nil, err
	}
	cache, err := b.cache()
	if err != nil {
		return nil, err
	}
	moves := slices.ContainsFunc(parts, Part.moves)
	if e, err := read(cache, k); err == nil && !moves {
		return e, nil
	}
	program, err := findGo()
	if err != nil {
		return nil, err
	}
	steps := newSteps(report)
	ended := false
	end := func() time.Duration { ended = true; return steps.end() }
	defer func() {
		if !ended {
			end()
		}
	}()
	unlock, err := lock(ctx, cache, steps)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if e, err := read(cache, k); err == nil && !moves { // somebody else has built it meanwhile
		return e, nil
	}
	clean(cache, source)
	laid, err := b.Source.layOut(cache, source)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(cache, stagingPrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w := &making{goCommand: goCommand{program, dir}, steps: steps, parts: parts, folders: folders, set: Set{Parts: parts, Folders: digests}}
	if err := w.run(ctx, laid); err != nil {
		return nil, err
	}
	w.set.Seconds = end().Seconds()
	if err := w.publish(filepath.Join(cache, k)); err != nil {
		return nil, err
	}
	e, err := read(cache, k)
	if err == nil {
		e.Built = true
	}
	return e, err
}

// lock waits for the right to build.
func lock(ctx context.Context, cache string, steps *steps) (unlock func(), err error) {
	l := flock.New(filepath.Join(cache, "lock"))
	got, err := l.TryLock()
	if err == nil && !got {
		steps.step("waiting for another extension that is being built")
		got, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", l.Path(), err)
	}
	if !got {
		return nil, ctx.Err()
	}
	return func() { l.Unlock() }, nil
}

// clean removes what killed builds have left, and the sources of other versions
// of this program; the lock is held.
func clean(cache, source string) {
	entries, _ := os.ReadDir(cache)
	for _, e := range entries {
		old := strings.HasPrefix(e.Name(), sourcePrefix) && e.Name() != sourcePrefix+source
		if old || strings.HasPrefix(e.Name(), stagingPrefix) {
			os.RemoveAll(filepath.Join(cache, e.Name()))
		}
	}
}

// read reads an extension that was built.
func read(cache, key string) (*Extension, error) {
	dir := filepath.Join(cache, key)
	text, err := os.ReadFile(filepath.Join(dir, setName))
	if err != nil {
		return nil, err
	}
	e := &Extension{Key: key, Program: filepath.Join(dir, programName)}
	if err := json.Unmarshal(text, &e.Set); err != nil {
		return nil, fmt.Errorf("%s of extension %s: %w", setName, key, err)
	}
	_, err = os.Stat(e.Program)
	return e, err
}

// changed are the folders that no longer hold what was compiled in.
func (e *Extension) changed() []string {
	var out []string
	for _, p := range e.Parts {
		if p.Dir == "" {
			continue
		}
		f, err := inspect(p.Dir)
		if err == nil {
			var d string
			if d, err = f.digest(); d == e.Folders[p.Dir] {
				continue
			}
		}
		out = append(out, p.Dir)
	}
	return out
}

// All are the extensions in the cache, those of other versions of this program
// too.
func (b *Builder) All() ([]*Extension, error) {
	cache, err := b.cache()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		return nil, err
	}
	var out []*Extension
	for _, entry := range entries {
		if e, err := read(cache, entry.Name()); err == nil {
			out = append(out, e)
		}
	}
	return out, nil
}

// Clear removes all extensions, and sources that were laid out for them.
func (b *Builder) Clear(ctx context.Context) error {
	cache, err := b.cache()
	if err != nil {
		return err
	}
	steps := newSteps(func(string) {})
	defer steps.end()
	unlock, err := lock(ctx, cache, steps)
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	// What tells kernels to use an extension goes first.
	slices.SortFunc(entries, func(a, b fs.DirEntry) int {
		return -cmp.Compare(map[bool]int{true: 1}[a.Name() == currentName], map[bool]int{true: 1}[b.Name() == currentName])
	})
	for _, e := range entries {
		if e.Name() != "lock" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(cache, e.Name())))
		}
	}
	return err
}

// current is what new kernels start with.
type current struct {
	Parts []Part `json:"parts"`
	Key   string `json:"key"`
	// By is the program that has this source.
	By identity `json:"by"`
}

// identity tells a program from a later build of it without reading it.
type identity struct {
	Path string    `json:"path"`
	Size int64     `json:"size"`
	Time time.Time `json:"time"`
}

func self() identity {
	path, err := os.Executable()
	if err != nil {
		return identity{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return identity{}
	}
	return identity{path, info.Size(), info.ModTime().UTC()}
}

// Current is the set that new kernels start with: the parts, and the extension
// unless none was built of them for this version of this program.
func (b *Builder) Current() ([]Part, *Extension, error) {
	cache, err := b.cache()
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(filepath.Join(cache, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var c current
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(cache, currentName), err)
	}
	e, err := read(cache, c.Key)
	if err != nil || c.By != self() {
		return c.Parts, nil, nil
	}
	return c.Parts, e, nil
}

// SetCurrent has new kernels start with an extension.
func (b *Builder) SetCurrent(e *Extension) error {
	cache, err := b.cache()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(current{e.Parts, e.Key, self()}, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(cache, currentName), append(text, '\n'))
}
