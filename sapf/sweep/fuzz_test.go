package sweep

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
)

// FuzzKept: what is kept of an outcome, under its right digest, is refused or
// makes an outcome within the box.
func FuzzKept(f *testing.F) {
	m, x := halves(f)
	for _, k := range []*Kept{
		{Record: Record{Method: "fgsm", Model: "halves", Image: "picture", Success: true}, Indices: []int{3, 0}, Values: []float32{0.25, 0.5}, Seconds: 0.125},
		{Record: Record{Method: "sapf"}, Indices: []int{-1}, Values: []float32{2}},
		{Record: Record{Method: "sapf", Rounds: -1}},
	} {
		raw, err := Encode(k)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[:len(raw)-sumLen])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		raw := append(body[:len(body):len(body)], sumStart+hex.EncodeToString(sum[:])+sumEnd...)
		DecodeRecord(raw)
		k, err := Decode(raw)
		if err != nil {
			return
		}
		if _, err := Digest(raw); err != nil {
			t.Errorf("it is taken, and has no digest: %v", err)
		}
		o := &Outcome{Task: attack.Task{Image: x, Goal: attack.Goal{Label: 0, Target: 1}, Attack: &sapf.Options{}}, classifier: m, Clean: models.Prediction{}}
		if err := o.restore(k); err != nil {
			return
		}
		for i, v := range o.Result.Adversarial.Pix {
			if !(v >= 0 && v <= 1) {
				t.Errorf("entry %d of the image is %v", i, v)
			}
		}
		if math.IsNaN(o.Measured.L2) {
			t.Error("its norm is NaN")
		}
	})
}

// FuzzCheckpointFile: a file that is taken for a checkpoint is one.
func FuzzCheckpointFile(f *testing.F) {
	f.Add(encodeCheckpoint([]byte("state")))
	f.Add([]byte(checkpointMagic))
	f.Add([]byte("notes"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		state, err := decodeCheckpoint(raw)
		if err == nil && string(encodeCheckpoint(state)) != string(raw) {
			t.Errorf("%q was taken for %q", raw, state)
		}
	})
}

// FuzzGroups: a picture of groups is refused, or gives each pixel of the image a
// group, numbered from 0 without a gap.
func FuzzGroups(f *testing.F) {
	files, err := filepath.Glob("../../models/data/samples/*.png")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples: ", err)
	}
	for _, file := range files[:1] {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("P3\n4 1\n255\n1 2 3 1 2 3 4 5 6 0 0 0\n"))
	f.Add([]byte("P1\n4 1\n1 0 1 1\n"))
	x := data.Image{C: 1, H: 1, W: 4, Pix: make([]float32, 4)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := filepath.Join(t.TempDir(), "groups")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		groups, err := readGroups(file, x)
		if err != nil {
			return
		}
		seen := map[int]bool{}
		for _, g := range groups {
			seen[g] = true
		}
		for g := range len(seen) {
			if !seen[g] {
				t.Errorf("groups %v", groups)
			}
		}
		if len(groups) != x.H*x.W {
			t.Errorf("%d groups for %d pixels", len(groups), x.H*x.W)
		}
	})
}

// halves is a network that says which half of a line of four pixels is brighter.
func halves(t testing.TB) (*models.Model, data.Image) {
	net := &engine.Net{Name: "halves", Input: engine.Shape{C: 1, H: 1, W: 4}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 4, Out: 2, W: []float32{1, 1, 0, 0, 0, 0, 1, 1}}, In: []int{engine.Input}},
	}}
	m, err := models.New(net, models.Card{Name: "halves", Classes: []string{"left", "right"}})
	if err != nil {
		t.Fatal(err)
	}
	return m, data.Image{Name: "picture", C: 1, H: 1, W: 4, Pix: []float32{0.5, 0.25, 0, 0.75}, Label: 0}
}
