package main

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"sapf/models"
)

// anyNorm is the tolerance of what is not compared.
var anyNorm = math.Inf(1)

// tolerances say how far ours may be from a library's on the stored images:
// success by so many images, the medians of the norms on shared successes by
// such a share. README.md says why some are wide, and what is missing.
var tolerances = map[string]struct {
	images     int
	l0, l1, l2 float64
	long       bool
}{
	"fgsm":       {0, 0.001, 0.001, 0.001, false},
	"deepfool":   {1, 0.05, 0.05, 0.05, false},
	"pgd-linf":   {1, 0.05, anyNorm, 0.05, true},
	"jsma":       {1, 0.05, 0.05, 0.05, true},
	"fmn-l0":     {1, 0.05, anyNorm, 0.05, true},
	"cw-l2":      {1, 0.05, anyNorm, 0.05, true},
	"sigma-zero": {1, 0.13, anyNorm, 0.05, true}, // medians of 4.5 and 4 entries
	"ead-l1":     {1, anyNorm, 0.05, 0.05, true}, // it keeps the smallest l1, whatever its l0
	"strattack":  {1, 0.10, anyNorm, 0.05, true}, // searches part, see README.md
	"pgd-l0":     {1, 0.05, 0.05, 0.05, true},
}

// TestAgainstLibraries repeats the table of README.md. SAPF_LONG=1 runs the
// attacks that take minutes.
func TestAgainstLibraries(t *testing.T) {
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no CIFAR-10 to attack")
	}
	raw, err := os.ReadFile("reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []record
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		limit, ok := tolerances[r.Attack]
		if !ok {
			continue
		}
		t.Run(r.Attack+"/"+r.Goal, func(t *testing.T) {
			if limit.long && os.Getenv("SAPF_LONG") == "" {
				t.Skip("takes minutes; set SAPF_LONG=1")
			}
			found, _, err := ours(m, r)
			if err != nil {
				t.Fatal(err)
			}
			theirs, mine := summarize(r.Images), summarize(found)
			if d := mine.n - theirs.n; d > limit.images || d < -limit.images {
				t.Errorf("%d successes, %s has %d", mine.n, r.Library, theirs.n)
			}
			sharedTheirs, shared := onShared(r.Images, found)
			for _, c := range []struct {
				norm                  string
				ours, theirs, allowed float64
			}{{"l0", shared.l0, sharedTheirs.l0, limit.l0}, {"l1", shared.l1, sharedTheirs.l1, limit.l1}, {"l2", shared.l2, sharedTheirs.l2, limit.l2}} {
				if d := c.ours/c.theirs - 1; !(math.Abs(d) <= c.allowed) {
					t.Errorf("median %s %v, %s has %v", c.norm, c.ours, r.Library, c.theirs)
				}
			}
		})
	}
}
