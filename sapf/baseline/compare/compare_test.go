package main

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"sapf/models"
)

// tolerances say how far ours may be from a library's on the stored images:
// success by so many images, the medians of l0 and l2 on shared successes by
// such a share. What is missing is no comparison: see README.md.
var tolerances = map[string]struct {
	images int
	l0, l2 float64
	long   bool
}{
	"fgsm":       {0, 0.001, 0.001, false},
	"deepfool":   {1, 0.05, 0.05, false},
	"pgd-linf":   {1, 0.05, math.Inf(1), true}, // ours stops at the first success
	"jsma":       {1, 0.05, 0.05, true},
	"fmn-l0":     {1, 0.05, 0.05, true},
	"cw-l2":      {1, 0.05, 0.05, true},
	"sigma-zero": {1, 0.11, math.Inf(1), true}, // medians of 4.5 and 5 entries
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
			ours, _, err := attack(m, r)
			if err != nil {
				t.Fatal(err)
			}
			var shared, sharedOurs []image
			for i := range ours {
				if ours[i].Success && r.Images[i].Success {
					shared, sharedOurs = append(shared, r.Images[i]), append(sharedOurs, ours[i])
				}
			}
			n, _, _ := medians(ours)
			theirN, _, _ := medians(r.Images)
			_, l0, l2 := medians(sharedOurs)
			_, theirL0, theirL2 := medians(shared)
			if d := n - theirN; d > limit.images || d < -limit.images {
				t.Errorf("%d successes, %s has %d", n, r.Library, theirN)
			}
			if d := l0/theirL0 - 1; math.Abs(d) > limit.l0 {
				t.Errorf("median l0 %v, %s has %v", l0, r.Library, theirL0)
			}
			if d := l2/theirL2 - 1; math.Abs(d) > limit.l2 {
				t.Errorf("median l2 %v, %s has %v", l2, r.Library, theirL2)
			}
		})
	}
}
