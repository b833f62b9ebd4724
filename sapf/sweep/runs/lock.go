package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"sapf/models/atomicfile"
)

// Shard is one part of a sweep that is run in parts without a broker: the groups
// whose number is Index modulo Count. The zero value is the whole sweep.
type Shard struct{ Index, Count int }

// String is "3/64", or "" for the whole sweep.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// holder is who holds a lock.
type holder struct {
	PID   int    `json:"pid"`
	Host  string `json:"host"`
	Since string `json:"since"`
}

// HeldError says that somebody else runs the sweep.
type HeldError struct {
	Dir    string
	holder holder
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("sweep %s is held by pid %d on %s since %s: wait for it, or stop it", e.Dir, e.holder.PID, e.holder.Host, e.holder.Since)
}

// lock is the right to run a sweep, or a shard of it. It is the operating
// system's, and ends with the process however that ends.
type lock struct {
	whole, part *flock.Flock
	shared      bool // whole is, among shards
}

// take takes the lock of the folder: alone for the whole sweep; together with
// other shards, but alone of its number, for a shard.
func take(dir string, s Shard) (*lock, error) {
	l := &lock{whole: flock.New(filepath.Join(dir, "lock"))}
	if s.Count == 0 {
		return l, l.seize(dir, l.whole, l.whole.TryLock)
	}
	l.shared = true
	if err := l.seize(dir, l.whole, l.whole.TryRLock); err != nil {
		return nil, err
	}
	l.part = flock.New(filepath.Join(dir, fmt.Sprintf("lock.%d-of-%d", s.Index, s.Count)))
	if err := l.seize(dir, l.part, l.part.TryLock); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// glances and glance are how often, and how long apart, a lock is tried: somebody
// who looks whether it is held (Holder) has it for a moment.
const (
	glances = 10
	glance  = 20 * time.Millisecond
)

// seize tries one lock and signs it.
func (l *lock) seize(dir string, f *flock.Flock, try func() (bool, error)) error {
	got, err := try()
	for i := 1; err == nil && !got && i < glances; i++ {
		time.Sleep(glance)
		got, err = try()
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Path(), err)
	}
	// The signature is a file of its own: locking opens, and may make anew, the
	// file that is locked.
	signed := f.Path() + ".json"
	if !got {
		return &HeldError{dir, whoHolds(dir, signed)}
	}
	if l.whole == f && l.shared {
		return nil // each shard signs its own
	}
	h := holder{PID: os.Getpid(), Since: time.Now().UTC().Format(time.RFC3339)}
	h.Host, _ = os.Hostname() // one without a name has none
	raw, err := json.Marshal(h)
	if err == nil {
		err = atomicfile.WriteFile(signed, append(raw, '\n'))
	}
	if err != nil {
		return errors.Join(err, f.Unlock())
	}
	return nil
}

// readHolder reads who signed a lock; the zero holder if nobody can tell.
func readHolder(file string) holder {
	var h holder
	if raw, err := os.ReadFile(file); err == nil {
		json.Unmarshal(raw, &h) // a torn signature names nobody
	}
	return h
}

// whoHolds reads who signed a lock, or, where nobody did, a shard's.
func whoHolds(dir, signed string) holder {
	h := readHolder(signed)
	if h != (holder{}) {
		return h
	}
	shards, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "lock.*.json")) // the pattern is a good one
	for _, s := range shards {
		if h := readHolder(s); h != (holder{}) {
			return h
		}
	}
	return h
}

func (l *lock) release() error {
	var err error
	for _, f := range []*flock.Flock{l.part, l.whole} {
		if f == nil {
			continue
		}
		if f == l.whole && l.shared {
			err = errors.Join(err, f.Unlock())
			continue
		}
		if e := os.Remove(f.Path() + ".json"); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		err = errors.Join(err, f.Unlock())
	}
	return err
}

// Holder says who runs the sweep in a folder, "" if nobody does, or if it is not
// for the caller to know.
func Holder(dir string) (string, error) {
	f := flock.New(filepath.Join(dir, "lock"))
	if _, err := os.Stat(f.Path()); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	free, err := f.TryLock()
	if errors.Is(err, fs.ErrPermission) { // the lock is its owner's: nobody else can tell
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", f.Path(), err)
	}
	if free {
		return "", f.Unlock()
	}
	h := whoHolds(dir, f.Path()+".json")
	return fmt.Sprintf("pid %d on %s since %s", h.PID, h.Host, h.Since), nil
}
