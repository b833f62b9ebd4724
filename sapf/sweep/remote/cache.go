package remote

import (
	"os"
	"path/filepath"
	"time"

	"sapf/models/atomicfile"
)

// cache keeps the models that come from the hub, each under its digest, so that
// the next worker need not fetch them.
type cache struct {
	// folder is the user's, or in its place one that was asked for. Where the user's
	// cannot be written to, temporary is made.
	folder, temporary string
	asked             bool
}

func newCache(asked string) *cache {
	c := &cache{folder: asked, asked: asked != ""}
	if user, err := os.UserCacheDir(); !c.asked && err == nil {
		c.folder = filepath.Join(user, "sapf", "sweeps")
	}
	return c
}

// find returns the file of a model, "" if it is not there or is torn.
func (c *cache) find(sum, extension string) string {
	for _, folder := range []string{c.folder, c.temporary} {
		file := filepath.Join(folder, sum, "model"+extension)
		if raw, err := os.ReadFile(file); folder != "" && err == nil && digest(raw) == sum {
			return file
		}
	}
	return ""
}

// add keeps the file of a model and returns its name.
func (c *cache) add(sum, extension string, raw []byte) (file string, err error) {
	if c.folder != "" {
		if file, err = put(c.folder, sum, extension, raw); err == nil || c.asked {
			return file, err
		}
	}
	if c.temporary == "" {
		if c.temporary, err = os.MkdirTemp("", "sapf-models-"); err != nil {
			return "", err
		}
	}
	return put(c.temporary, sum, extension, raw)
}

func put(folder, sum, extension string, raw []byte) (string, error) {
	folder = filepath.Join(folder, sum)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	atomicfile.SweepFolder(folder, time.Hour) // of workers that were killed; what cannot be removed stays
	file := filepath.Join(folder, "model"+extension)
	return file, atomicfile.WriteFile(file, raw)
}

// close removes what was temporary.
func (c *cache) close() {
	if c.temporary != "" {
		os.RemoveAll(c.temporary)
	}
}
