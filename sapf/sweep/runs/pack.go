package runs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"sapf/models/atomicfile"
	"sapf/sapf/sweep"
)

// packName is the file that many results are put into. It holds the results'
// files one after another, then an index (a JSON object of key to offset and
// length), then the offset of the index in packTail digits and a newline.
const packName = "results.pack"

const packTail = 20

// pack is an open pack, or nil's stand-in with an empty index.
type pack struct {
	f     *os.File
	info  fs.FileInfo
	index map[string][2]int64
}

func openPack(file string) (*pack, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &pack{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	p := &pack{f: f}
	if p.info, err = f.Stat(); err == nil {
		err = p.readIndex()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pack %s: %w: move it away to have its results made again", file, err), f.Close())
	}
	return p, nil
}

func (p *pack) readIndex() error {
	info := p.info
	tail := make([]byte, packTail+1)
	if info.Size() < int64(len(tail)) {
		return fmt.Errorf("%d bytes: the file is torn", info.Size())
	}
	end := info.Size() - int64(len(tail))
	if _, err := p.f.ReadAt(tail, end); err != nil {
		return err
	}
	start, err := strconv.ParseInt(string(tail[:packTail]), 10, 64)
	if err != nil || start < 0 || start > end {
		return fmt.Errorf("it ends with %q, expected where its index begins: the file is torn", tail)
	}
	if err := json.NewDecoder(io.NewSectionReader(p.f, start, end-start)).Decode(&p.index); err != nil {
		return err
	}
	for key, at := range p.index {
		if at[0] < 0 || at[1] < 0 || at[1] > start-at[0] {
			return fmt.Errorf("result %s is said to be %d bytes at %d of %d", key, at[1], at[0], start)
		}
	}
	return nil
}

// raw reads a result, nil if it is not there or is damaged.
func (p *pack) raw(key string) ([]byte, error) {
	at, ok := p.index[key]
	if !ok {
		return nil, nil
	}
	raw := make([]byte, at[1])
	if _, err := p.f.ReadAt(raw, at[0]); err != nil {
		return nil, fmt.Errorf("pack: result %s: %w", key, err)
	}
	if sweep.Check(raw) != nil {
		return nil, nil // it is made again, and the new file comes first
	}
	return raw, nil
}

func (p *pack) close() error {
	if p.f == nil {
		return nil
	}
	return p.f.Close()
}

// Pack puts all results, those of a pack before as well, into one file, and
// removes their files. The folder must have been opened with Resume. Killed at
// any moment it loses nothing: a result is in the pack, a file, or both.
func (d *Dir) Pack() (n int, err error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(d.Path), "results", "??", "*.json"))
	if err != nil {
		return 0, err
	}
	keys := map[string]bool{}
	for key := range d.packed().index {
		keys[key] = true
	}
	for _, f := range files {
		if key := filepath.Base(f[:len(f)-len(".json")]); sweep.ValidKey(key) {
			keys[key] = true
		}
	}
	order := make([]string, 0, len(keys))
	for key := range keys {
		order = append(order, key)
	}
	slices.Sort(order)
	index := map[string][2]int64{}
	file := filepath.Join(d.Path, packName)
	err = atomicfile.Write(file, 0o644, func(w io.Writer) error {
		at := int64(0)
		b := bufio.NewWriter(w)
		for _, key := range order {
			raw, err := d.Raw(key)
			if err != nil {
				return err
			}
			if raw == nil {
				continue
			}
			index[key] = [2]int64{at, int64(len(raw))}
			at += int64(len(raw))
			if _, err := b.Write(raw); err != nil {
				return err
			}
		}
		if err := json.NewEncoder(b).Encode(index); err != nil {
			return err
		}
		fmt.Fprintf(b, "%0*d\n", packTail, at)
		return b.Flush()
	})
	if err != nil {
		return 0, err
	}
	fresh, err := openPack(file)
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	d.old, d.pack = append(d.old, d.pack), fresh
	d.mu.Unlock()
	for key := range index {
		if err := os.Remove(d.store.Path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		os.Remove(filepath.Dir(d.store.Path(key))) // where it is empty
	}
	return len(index), nil
}
