package runs

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sapf/models/atomicfile"
)

// Beat is what a worker elsewhere says of itself now and then.
type Beat struct {
	Host    string `json:"host"`
	Program string `json:"program"`
	// Slots is how many jobs it runs at a time, Running how many attacks are at
	// work, Done how many it has handed in; Now is what began last.
	Slots   int    `json:"slots"`
	Running int    `json:"running"`
	Done    int    `json:"done"`
	Now     string `json:"now,omitempty"`
}

// crewName is the file in which a hub writes down who works for it.
const crewName = "workers.json"

// WriteCrew writes down the workers of a sweep; none removes the file.
func WriteCrew(dir string, crew map[string]Beat) error {
	file := filepath.Join(dir, crewName)
	if len(crew) == 0 {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	raw, err := json.MarshalIndent(crew, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(file, append(raw, '\n'))
}

// readCrew reads the workers of a sweep, none if nobody has written them down.
func readCrew(dir string) map[string]Beat {
	var crew map[string]Beat
	if raw, err := os.ReadFile(filepath.Join(dir, crewName)); err != nil || json.Unmarshal(raw, &crew) != nil {
		return nil
	}
	return crew
}

// SetCrew counts the workers elsewhere, and what they are at.
func (t *Tally) SetCrew(crew map[string]Beat) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p.Workers, t.p.Running = len(crew), 0
	for _, b := range crew {
		t.p.Running += b.Running
	}
	t.changed()
}
