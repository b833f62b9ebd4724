package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/sapf/sweep"
)

// aKey is a key as results have them.
var aKey = strings.Repeat("0f", 32)

// FuzzPack: a file of many results is refused, or what it gives of them is whole.
func FuzzPack(f *testing.F) {
	raw, err := sweep.Encode(&sweep.Kept{Record: sweep.Record{Method: "fgsm"}})
	if err != nil {
		f.Fatal(err)
	}
	index := fmt.Sprintf(`{%q:[0,%d]}`, aKey, len(raw))
	f.Add(append(raw, index...), int64(len(raw)))
	f.Add([]byte(fmt.Sprintf(`{%q:[9223372036854775807,1]}`, aKey)), int64(0))
	f.Add([]byte(fmt.Sprintf(`{%q:[0,-1]}`, aKey)), int64(0))
	f.Fuzz(func(t *testing.T, body []byte, start int64) {
		file := filepath.Join(t.TempDir(), packName)
		if err := os.WriteFile(file, fmt.Appendf(body, "%0*d\n", packTail, start), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := openPack(file)
		if err != nil {
			return
		}
		defer p.close()
		for key := range p.index {
			if raw, err := p.raw(key); err == nil && raw != nil && sweep.Check(raw) != nil {
				t.Errorf("a damaged result: %q", raw)
			}
		}
	})
}

// FuzzIndex: the list of a plan's attacks is refused, or its attacks have keys.
func FuzzIndex(f *testing.F) {
	f.Add(planIndexHead + "x\n" + aKey + " 0 1 2 3 0\n" + planIndexEnd + "\n")
	f.Add(planIndexHead + "x\n" + aKey + " 0 1 2 -3 99999999999999999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		groups, err := parseIndex(strings.NewReader(text), "x")
		if err != nil {
			return
		}
		for _, g := range groups {
			for _, u := range g.Units {
				if !sweep.ValidKey(u.Key) {
					t.Errorf("key %q", u.Key)
				}
			}
		}
	})
}

// FuzzFolder: whatever stands in the files beside the results, a sweep's folder is
// read or refused.
func FuzzFolder(f *testing.F) {
	f.Add([]byte(`{"w":{"running":1}}`), []byte(`{"tries":3}`))
	f.Add([]byte(`[]`), []byte(`null`))
	f.Fuzz(func(t *testing.T, crew, dead []byte) {
		d := &Dir{Path: t.TempDir()}
		if err := os.MkdirAll(filepath.Join(d.Path, "dead"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, raw := range map[string][]byte{crewName: crew, "dead/x.json": dead} {
			if err := os.WriteFile(filepath.Join(d.Path, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		readCrew(d.Path)
		readHolder(filepath.Join(d.Path, crewName))
		if list, err := d.Dead(); err == nil && len(list) != 1 {
			t.Errorf("%d dead jobs", len(list))
		}
	})
}
