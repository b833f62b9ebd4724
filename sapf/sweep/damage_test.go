package sweep

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedCheckpointsAreRefused: a checkpoint is taken whole or not at all,
// and a file that is none is not touched.
func TestDamagedCheckpointsAreRefused(t *testing.T) {
	state := []byte("the state of a solver, whatever it looks like")
	whole := encodeCheckpoint(state)
	file := filepath.Join(t.TempDir(), "attack.checkpoint")
	open := func(raw []byte) (*Checkpoint, error) {
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return OpenCheckpoint(file, 0)
	}
	if c, err := open(whole); err != nil || !bytes.Equal(c.state, state) {
		t.Fatalf("%q, %v", c.state, err)
	}
	for at := range whole {
		for _, bit := range []byte{1, 0x80} {
			damaged := bytes.Clone(whole)
			damaged[at] ^= bit
			if _, err := open(damaged); err == nil || !strings.Contains(err.Error(), file) {
				t.Fatalf("bit %#x of byte %d of %d: %v", bit, at, len(whole), err)
			}
		}
	}
	for n := range whole {
		if _, err := open(whole[:n]); err == nil {
			t.Fatalf("%d bytes of %d were taken", n, len(whole))
		}
	}
	notes := []byte("remember the milk\n")
	if _, err := open(notes); err == nil {
		t.Error("notes were taken")
	}
	if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, notes) {
		t.Errorf("the notes are %q, %v", kept, err)
	}
}

// TestDamagedOutcomesAreRefused: a kept outcome is taken whole or not at all,
// its record alone as well.
func TestDamagedOutcomesAreRefused(t *testing.T) {
	k := &Kept{Record: Record{Method: "fgsm", Model: "halves", Image: "picture", Success: true}, Indices: []int{3, 7}, Values: []float32{0.25, 0.5}, Seconds: 0.125}
	whole, err := Encode(k)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(whole)
	if err != nil || got.Record.Method != "fgsm" || got.Values[1] != 0.5 {
		t.Fatalf("%+v, %v", got, err)
	}
	refused := func(what string, raw []byte) {
		t.Helper()
		if k, err := Decode(raw); err == nil {
			t.Fatalf("%s: taken as %+v", what, k)
		}
		if r, err := DecodeRecord(raw); err == nil {
			t.Fatalf("%s: its record is taken as %+v", what, r)
		}
	}
	for at := range whole {
		for _, bit := range []byte{1, 0x20} {
			damaged := bytes.Clone(whole)
			damaged[at] ^= bit
			refused(fmt.Sprintf("bit %#x of byte %d", bit, at), damaged)
		}
		refused(fmt.Sprint("the first bytes, ", at), whole[:at])
	}
	for _, other := range []string{"{}", "{}\n", "", "null\n"} {
		refused(other, []byte(other))
	}
}
