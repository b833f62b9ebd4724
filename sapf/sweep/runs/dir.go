// Package runs is sweeps on disk and at work: the folder that holds a sweep's
// plan and results, which are the truth, and the workers that fill it from a
// queue.
//
// A folder has
//
//	spec.json           the frozen plan, canonical
//	plan.idx            its attacks, a line each: key, and indices into the plan
//	results/ab/KEY.json what came of each, as sweep.Encode writes it
//	results.pack        results put into one file (Pack)
//	dead/ID.json        jobs that are not tried any more, and why
//	corrupt/KEY.json    results that were damaged, and were made again
//	checkpoints/        states of attacks that were interrupted
//	lock                the operating system's lock of who runs the sweep
package runs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sapf/models/atomicfile"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/queue"
	"sapf/sapf/sweep/spec"
)

// Dir is the folder of a sweep.
type Dir struct {
	Path string
	Plan *spec.Plan
	// Former is the plan that Create has replaced, nil if it was the same or there
	// was none.
	Former *spec.Plan

	groups []spec.Group
	store  *sweep.Folder
	lock   *lock

	mu      sync.Mutex
	creates map[string]*sync.Mutex // one Create at a time of a key
	pack    *pack
	old     []*pack // those before it
}

var _ queue.Sink = (*Dir)(nil)

// planIndexHead begins plan.idx; the SHA-256 of spec.json follows, and planIndexEnd
// ends it, so that one that was cut is not taken for a short one.
const (
	planIndexHead = "sapf plan 2 "
	planIndexEnd  = "end"
)

var errNoFolder = errors.New("folder of the sweep: no name, expected a folder's")

// ofSweep reports that a file is a plan, of this version or another, and not
// something of the user's that has its name.
func ofSweep(raw []byte) bool {
	var p struct {
		Schema *int `json:"schema"`
	}
	return json.Unmarshal(raw, &p) == nil && p.Schema != nil
}

// Create makes the folder of a plan, or gives that plan to a folder that has
// another one: its results stay, and count where the new plan has their keys.
// The caller runs the sweep: nobody else may meanwhile, but for other shards.
func Create(path string, p *spec.Plan, s Shard) (*Dir, error) {
	if path == "" {
		return nil, errNoFolder
	}
	d := &Dir{Path: path, Plan: p}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("folder of the sweep: %w", err)
	}
	if err := d.writable(); err != nil {
		return nil, err
	}
	var err error
	if d.lock, err = take(path, s); err != nil {
		return nil, err
	}
	if err := d.freeze(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, d.begin(s)
}

// Resume opens the folder of a sweep that is to go on as it was planned.
func Resume(path string, s Shard) (*Dir, error) {
	d, err := Open(path)
	if err != nil {
		return nil, err
	}
	if err := d.writable(); err != nil {
		return nil, err
	}
	if d.lock, err = take(path, s); err != nil {
		return nil, err
	}
	return d, d.begin(s)
}

// writable refuses, before anything runs, a folder that results cannot be
// written to.
func (d *Dir) writable() error {
	err := atomicfile.Try(filepath.Join(d.Path, "spec.json"))
	if results := filepath.Join(d.Path, "results"); err == nil {
		if _, e := os.Stat(results); e == nil {
			err = atomicfile.Try(filepath.Join(results, "any"))
		}
	}
	return err
}

// begin removes what killed writers have left, and opens the store.
func (d *Dir) begin(s Shard) error {
	err := d.open()
	if err == nil && s.Count == 0 {
		err = d.sweepTemporary()
	}
	if err != nil {
		return errors.Join(err, d.Close())
	}
	return nil
}

// Open opens the folder of a sweep for reading. Somebody may be running it.
func Open(path string) (*Dir, error) {
	if path == "" {
		return nil, errNoFolder
	}
	raw, err := os.ReadFile(filepath.Join(path, "spec.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no folder of a sweep: it has no spec.json", path)
	}
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	d := &Dir{Path: path}
	if d.Plan, err = spec.Decode(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, "spec.json"), err)
	}
	if err := d.readIndex(digest(raw)); err != nil {
		return nil, err
	}
	return d, d.open()
}

// open opens the store of results.
func (d *Dir) open() error {
	d.creates = map[string]*sync.Mutex{}
	var err error
	if d.store, err = sweep.OpenFolderAside(filepath.Join(d.Path, "results"), filepath.Join(d.Path, "corrupt")); err != nil {
		return err
	}
	d.pack, err = openPack(filepath.Join(d.Path, packName))
	return err
}

// Close gives the lock back.
func (d *Dir) Close() error {
	var err error
	for _, p := range append(d.old, d.pack) {
		if p != nil {
			err = errors.Join(err, p.close())
		}
	}
	d.old = nil
	if d.lock != nil {
		err = errors.Join(err, d.lock.release())
		d.lock = nil
	}
	return err
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// freeze writes spec.json and plan.idx, unless they are what they should be.
func (d *Dir) freeze() error {
	raw, err := d.Plan.Encode()
	if err != nil {
		return err
	}
	file := filepath.Join(d.Path, "spec.json")
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, raw) {
		if err == nil && !ofSweep(old) {
			return fmt.Errorf("%s is no plan of a sweep: name another folder, or move it away", file)
		}
		d.Former, _ = spec.Decode(old) // nil where there is none
		if err := atomicfile.WriteFile(file, raw); err != nil {
			return err
		}
	}
	if d.index(digest(raw)) == nil {
		return nil
	}
	if d.groups, err = d.Plan.Groups(); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(d.Path, "plan.idx"), 0o644, func(w io.Writer) error {
		fmt.Fprintln(w, planIndexHead+digest(raw)) // w is buffered, and tells its error at the end
		for g, group := range d.groups {
			for _, u := range group.Units {
				if _, err := fmt.Fprintln(w, u.Key, u.Model, u.Image, u.Method, u.Target, g); err != nil {
					return err
				}
			}
		}
		_, err := fmt.Fprintln(w, planIndexEnd)
		return err
	})
}

// readIndex reads plan.idx, or makes it anew from the plan where it is missing,
// torn or that of another plan.
func (d *Dir) readIndex(of string) error {
	err := d.index(of)
	if err != nil {
		d.groups, err = d.Plan.Groups()
	}
	return err
}

// index reads plan.idx.
func (d *Dir) index(of string) error {
	f, err := os.Open(filepath.Join(d.Path, "plan.idx"))
	if err != nil {
		return err
	}
	defer f.Close()
	d.groups, err = parseIndex(f, of)
	return err
}

func parseIndex(r io.Reader, of string) ([]spec.Group, error) {
	lines := bufio.NewScanner(r)
	if !lines.Scan() || lines.Text() != planIndexHead+of {
		return nil, errors.New("the index is that of another plan")
	}
	var groups []spec.Group
	last := -1
	for lines.Scan() && lines.Text() != planIndexEnd {
		var u spec.Unit
		var g int
		words := strings.Fields(lines.Text())
		if len(words) != 6 || !sweep.ValidKey(words[0]) {
			return nil, fmt.Errorf("line %q is torn", lines.Text())
		}
		u.Key = words[0]
		for i, into := range []*int{&u.Model, &u.Image, &u.Method, &u.Target, &g} {
			var err error
			if *into, err = strconv.Atoi(words[i+1]); err != nil {
				return nil, fmt.Errorf("line %q is torn", lines.Text())
			}
		}
		if g != last {
			groups, last = append(groups, spec.Group{}), g
		}
		at := &groups[len(groups)-1]
		at.Units = append(at.Units, u)
	}
	if lines.Text() != planIndexEnd {
		return nil, errors.Join(errors.New("the index was cut"), lines.Err())
	}
	for i := range groups {
		groups[i] = spec.NewGroup(groups[i].Units)
	}
	return groups, nil
}

// sweepTemporary removes the files that killed writers have left.
func (d *Dir) sweepTemporary() error {
	folders := []string{d.Path}
	for _, name := range []string{"results", "dead", "corrupt", "checkpoints"} {
		folders = append(folders, filepath.Join(d.Path, name))
	}
	entries, err := os.ReadDir(filepath.Join(d.Path, "results"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		folders = append(folders, filepath.Join(d.Path, "results", e.Name()))
	}
	for _, f := range folders {
		if err := atomicfile.SweepFolder(f, 0); err != nil {
			return err
		}
	}
	return nil
}

// Units are all attacks of the plan, in its order.
func (d *Dir) Units() []spec.Unit {
	var out []spec.Unit
	for _, g := range d.groups {
		out = append(out, g.Units...)
	}
	return out
}

// Raw reads the file of a result, nil if there is none that is whole.
func (d *Dir) Raw(key string) ([]byte, error) {
	raw, err := d.store.Raw(key)
	if raw != nil || err != nil {
		return raw, err
	}
	p := d.packed()
	if raw, err = p.raw(key); raw != nil || err != nil {
		return raw, err
	}
	fresh, err := d.repacked(p)
	if fresh == p || err != nil {
		return nil, err
	}
	return fresh.raw(key)
}

// packed is the pack that is open.
func (d *Dir) packed() *pack {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pack
}

// repacked is the pack that is on the disk now: somebody may have packed the
// results since old was opened.
func (d *Dir) repacked(old *pack) (*pack, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pack != old {
		return d.pack, nil
	}
	file := filepath.Join(d.Path, packName)
	now, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return old, nil
	}
	if err != nil || os.SameFile(now, old.info) {
		return old, err
	}
	fresh, err := openPack(file)
	if err != nil {
		return old, err
	}
	d.old, d.pack = append(d.old, old), fresh // somebody may be reading it
	return fresh, nil
}

// kept reads the result of a key, nil if there is none that is whole.
func (d *Dir) kept(key string) (*sweep.Kept, error) {
	raw, err := d.Raw(key)
	if raw == nil || err != nil {
		return nil, err
	}
	return sweep.Decode(raw)
}

// Have reports whether there is a whole result of a key.
func (d *Dir) Have(key string) (bool, error) {
	raw, err := d.Raw(key)
	return raw != nil, err
}

// Create keeps a result; the first one stays.
func (d *Dir) Create(r queue.Result) error {
	d.mu.Lock()
	one, ok := d.creates[r.Key]
	if !ok {
		one = &sync.Mutex{}
		d.creates[r.Key] = one
	}
	d.mu.Unlock()
	one.Lock()
	defer func() {
		one.Unlock()
		d.mu.Lock()
		delete(d.creates, r.Key)
		d.mu.Unlock()
	}()
	old, err := d.Raw(r.Key)
	if err != nil {
		return err
	}
	if old == nil {
		return d.store.PutRaw(r.Key, r.File)
	}
	first, err := sweep.Digest(old)
	if err != nil {
		return err
	}
	second, err := sweep.Digest(r.File)
	if err != nil {
		return fmt.Errorf("result %s: %w", r.Key, err)
	}
	if first != second {
		aside := filepath.Join(d.Path, "corrupt")
		if err := os.MkdirAll(aside, 0o755); err != nil {
			return err
		}
		if err := atomicfile.WriteFile(filepath.Join(aside, r.Key+".second.json"), r.File); err != nil {
			return err
		}
		return &queue.DifferentError{Key: r.Key}
	}
	return nil
}

// Bury keeps a dead job, whose name is its group's.
func (d *Dir) Bury(dead queue.Dead) error {
	if !sweep.ValidKey(dead.Job) {
		return fmt.Errorf("dead job %q: the name is no digest", dead.Job)
	}
	folder := filepath.Join(d.Path, "dead")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(dead, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(folder, dead.Job+".json"), append(raw, '\n'))
}

// Dead lists the dead jobs, by name.
func (d *Dir) Dead() ([]queue.Dead, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(d.Path), "dead", "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []queue.Dead
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var dead queue.Dead
		if err := json.Unmarshal(raw, &dead); err != nil {
			return nil, fmt.Errorf("dead job %s is damaged (%w): remove the file to have it tried again", f, err)
		}
		out = append(out, dead)
	}
	return out, nil
}

// escapeGlob makes a path that means itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// Revive lets dead jobs be tried again.
func (d *Dir) Revive() error {
	return errors.Join(os.RemoveAll(filepath.Join(d.Path, "dead")), os.RemoveAll(d.triesFile(Shard{})))
}

func (d *Dir) triesFile(s Shard) string {
	name := "tries"
	if s.Count > 0 {
		name += fmt.Sprintf(".%d-of-%d", s.Index, s.Count)
	}
	return filepath.Join(d.Path, name)
}
