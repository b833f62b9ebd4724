package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestGoals(t *testing.T) {
	for goals, want := range map[string][]int{
		"all": {4, 5, 6, 7, 8, 9, 0, 1, 2}, "3": {4, 7, 0}, "untargeted": {-1},
	} {
		got := run{Goals: goals}.goals(3, 10)
		if len(got) != len(want) {
			t.Errorf("%s: %d goals, expected %d", goals, len(got), len(want))
			continue
		}
		for i, g := range got {
			if g.Target != want[i] || g.Label != 3 {
				t.Errorf("%s: goal %d is %+v, expected target %d of label 3", goals, i, g, want[i])
			}
		}
	}
}

// TestSpec: the committed specification names attacks, options and runs that
// there are.
func TestSpec(t *testing.T) {
	var runs []run
	if err := json.Unmarshal(spec, &runs); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range runs {
		if _, err := r.attack(7); err != nil && r.Method != "sigma-zero" && r.Method != "fmn-l0" {
			t.Errorf("%s: %v", r.Name, err)
		}
		if names[r.Name] {
			t.Errorf("two runs are called %s", r.Name)
		}
		names[r.Name] = true
	}
	for _, r := range runs {
		if r.MatchedTo != "" && !names[r.MatchedTo] {
			t.Errorf("%s: matched to %s, which is no run", r.Name, r.MatchedTo)
		}
	}
}

// TestReport compares two small runs: successes of each, and ratios where both
// succeed.
func TestReport(t *testing.T) {
	out := t.TempDir()
	for name, text := range map[string]string{
		"ours": `{"image":"a","target":1,"success":true,"l0":10,"l1":1,"l2":0.5,"linf":0.1,"gradients":900}
{"image":"b","target":1,"success":true,"l0":20,"l1":1,"l2":1,"linf":0.1,"gradients":700}
`,
		"theirs": `{"image":"a","target":1,"success":true,"l0":10,"l1":2,"l2":1,"linf":0.1,"gradients":30000}
{"image":"b","target":1,"success":false,"l0":0,"l1":0,"l2":0,"linf":0,"gradients":30000}
`,
	} {
		if err := os.WriteFile(path(out, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := printReport(&b, out, []run{{Name: "ours", Beside: []string{"theirs"}}, {Name: "theirs"}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range map[int]string{1: "ours 2 2 15.00 15 1.000 0.7500 0.1000 800 0.0", 5: "ours / theirs 2 2 1 1.000 0.500 0.500 1.000 0.500"} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, expected %q", i, got, want)
		}
	}
}
