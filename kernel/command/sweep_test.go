package command

import (
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"sapf/kernel/exit"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

const smallSweep = `
model: cwmnist
images: {set: fashion, first: 2, correct: true}
targets: {random: 3}
methods:
  - {name: fgsm}
  - {name: fmn-l0, options: {steps: 10}, grid: {step_size: [0.5, 1]}}
`

// write puts a spec into a file.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "spec.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// want runs a command line and holds its exit code.
func want(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	got, stdout, stderr := call(t, t.Context(), args...)
	if got != code {
		t.Fatalf("%q: exit code %d, want %d; %s", args, got, code, stderr)
	}
	return stdout, stderr
}

// TestSweep: a sweep from its plan to its tables, twice, with the same bytes but
// for seconds.
func TestSweep(t *testing.T) {
	file, dir, second := write(t, smallSweep), filepath.Join(t.TempDir(), "é x"), filepath.Join(t.TempDir(), "b")
	if out, _ := want(t, exit.Done, "sweep", "plan", file, "--no-measure"); !strings.Contains(out, "18 attacks on 2 images, 0 done") {
		t.Error(out)
	}
	want(t, exit.Done, "sweep", "run", file, "-o", dir)
	want(t, exit.Done, "sweep", "run", file, "-o", second, "--shard", "0/2")
	want(t, exit.Done, "sweep", "run", file, "-o", second, "--shard", "1/2", "--slots", "1", "--threads", "2")
	if out, _ := want(t, exit.Done, "sweep", "status", dir); !strings.Contains(out, "18 of 18 attacks done") {
		t.Error(out)
	}
	if out, _ := want(t, exit.Done, "sweep", "plan", file, "-o", dir, "--json"); !strings.Contains(out, `"done":18`) {
		t.Error(out)
	}
	seconds := regexp.MustCompile(`"seconds":[0-9.e-]+`)
	rows := func(dir string) string {
		out, _ := want(t, exit.Done, "sweep", "table", dir, "--rows", "-f", "jsonl")
		return seconds.ReplaceAllString(out, `"seconds":0`)
	}
	if a, b := rows(dir), rows(second); a != b || strings.Count(a, "\n") != 18 {
		t.Errorf("two runs gave two tables:\n%s\n%s", a, b)
	}
	if out, _ := want(t, exit.Done, "sweep", "diff", dir, second); !strings.HasPrefix(out, "18 the same, 0 different") {
		t.Error(out)
	}
	if out, _ := want(t, exit.Done, "sweep", "audit", dir); !strings.Contains(out, "18 of 18 results checked") || !strings.Contains(out, "0 wrong") {
		t.Error(out)
	}
	if out, _ := want(t, exit.Done, "sweep", "table", dir); !strings.Contains(out, "| fmn-l0 step_size=0.5 |") || !strings.Contains(out, "18 of 18 attacks") {
		t.Error(out)
	}
	if out, _ := want(t, exit.Done, "sweep", "table", dir, "--by", "method,step_size", "-f", "csv"); !strings.HasPrefix(out, "method,step_size,attacks,success,") || strings.Count(out, "\n") != 4 {
		t.Error(out)
	}
	if out, _ := want(t, exit.Done, "sweep", "table", dir, "--by", "method, target", "-f", "csv"); !strings.HasPrefix(out, "method,target,attacks,") {
		t.Error(out)
	}
	for name, begins := range map[string]string{"t.csv": "method,preset,", "T.JSONL": `{"method":`, "t.parquet": "PAR1", "t.htm": "<table>", "t": "| method |"} {
		file := filepath.Join(t.TempDir(), name)
		want(t, exit.Done, "sweep", "table", dir, "--rows", "-o", file)
		if raw, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(raw), begins) {
			t.Errorf("%s begins with %.20q, want %q; %v", name, raw, begins, err)
		}
	}
	replay(t, dir)
	before := rows(dir)
	want(t, exit.Done, "sweep", "pack", dir)
	if rows(dir) != before {
		t.Error("the packed sweep has another table")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"table", dir, "--by", "stepsize"}, `did you mean "step_size"`},
		{[]string{"table", dir, "-f", "cvs"}, `did you mean "csv"`},
		{[]string{"table", dir, "--by", "method,"}, "is empty or there twice"},
		{[]string{"table", dir, "--by", "method,method"}, "is empty or there twice"},
		{[]string{"table", filepath.Join(dir, "results")}, "no folder of a sweep"},
		{[]string{"replay", dir, "xyz"}, "0 attacks"},
		{[]string{"status", ""}, "no name"},
		{[]string{"run", file, "-o", ""}, "no name"},
		{[]string{"run", file, "-o", dir, "--shard", "2/2"}, `shard "2/2"`},
	} {
		if _, stderr := want(t, exit.Request, append([]string{"sweep"}, c.args...)...); !strings.Contains(stderr, c.want) {
			t.Errorf("%q: %s, want %s", c.args, stderr, c.want)
		}
	}
}

// replay runs one attack of the sweep again, then holds a forged result.
func replay(t *testing.T, dir string) {
	t.Helper()
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	key := d.Units()[7].Key
	out, _ := want(t, exit.Done, "sweep", "replay", dir, key[:16], "--json")
	var r runs.Replayed
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Same || r.Key != key {
		t.Errorf("%s, %v", out, err)
	}
}

// TestSweepParquet: the columns have the names and types of the result format.
func TestSweepParquet(t *testing.T) {
	dir, file := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "rows.parquet")
	want(t, exit.Done, "sweep", "run", write(t, strings.Replace(smallSweep, "{random: 3}", "none", 1)), "-o", dir)
	want(t, exit.Done, "sweep", "table", dir, "--rows", "-f", "parquet", "-o", file)
	type row struct {
		Method  string  `parquet:"method,optional"`
		Success bool    `parquet:"success,optional"`
		Target  *int64  `parquet:"target,optional"`
		Label   *int64  `parquet:"label,optional"`
		L0      int64   `parquet:"l0,optional"`
		L2      float64 `parquet:"l2,optional"`
		Options string  `parquet:"options,optional"`
	}
	rows, err := parquet.ReadFile[row](file)
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	out, _ := want(t, exit.Done, "sweep", "table", dir, "--rows", "-f", "jsonl")
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var j struct {
			Method  string
			Success bool
			Target  *int64
			L0      int64
			L2      float64
			Options map[string]any
		}
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			t.Fatal(err)
		}
		p := rows[i]
		if p.Method != j.Method || p.Success != j.Success || p.Target != nil || p.Label == nil || p.L0 != j.L0 || p.L2 != j.L2 || len(j.Options) == 0 || !strings.HasPrefix(p.Options, "{") {
			t.Errorf("row %d: %+v, as JSON %s", i, p, line)
		}
	}
}

// TestAttackFolder: a folder, or a pattern, of pictures is a small sweep.
func TestAttackFolder(t *testing.T) {
	pictures := func(size int) string {
		dir := t.TempDir()
		for i, name := range []string{"a.png", "b.png", "c.png"} {
			f, err := os.Create(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			m := image.NewGray(image.Rect(0, 0, size, size))
			m.Pix[41*(i+3)] = 200
			if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	dir := pictures(40)
	for pattern, n := range map[string]int{dir: 3, filepath.Join(dir, "[ab].png"): 2} {
		code, stdout, stderr := call(t, t.Context(), "attack", "--model", "cwnet", "--image", pattern, "--resize", "--method", "fgsm", "--json")
		if (code != exit.Done && code != exit.Failed) || strings.Count(stdout, "\n") != n || strings.Count(stdout, `"method":"fgsm"`) != n {
			t.Errorf("%s: exit code %d, %s%s", pattern, code, stdout, stderr)
		}
	}
	// Grey ones fit a model of one channel as they are, those of another size do not.
	for size, n := range map[int]int{28: 3, 27: 0} {
		_, stdout, stderr := call(t, t.Context(), "attack", "--model", "cwmnist", "--image", pictures(size), "--method", "fgsm", "--target", "bag", "--json")
		if strings.Count(stdout, `"method":"fgsm"`) != n || n == 0 && !strings.Contains(stderr, "scale it with --resize") {
			t.Errorf("grey pictures of %d: %s%s", size, stdout, stderr)
		}
	}
	if code, _, stderr := call(t, t.Context(), "attack", "--model", "cwnet", "--image", dir, "--trace", "x.csv"); code != exit.Request || !strings.Contains(stderr, "--trace") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestSweepOtherSpec: a folder that gets another specification, here from standard
// input, says so, and keeps what both have.
func TestSweepOtherSpec(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	want(t, exit.Done, "sweep", "run", write(t, smallSweep), "-o", dir)
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	f, err := os.Open(write(t, strings.Replace(smallSweep, "[0.5, 1]", "[1, 0.25]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	os.Stdin = f
	out, stderr := want(t, exit.Done, "sweep", "run", "-", "-o", dir)
	if !strings.Contains(stderr, "had another plan") || !strings.Contains(out, "18 of 18 attacks") || !strings.Contains(out, "12 kept from before") {
		t.Errorf("%s%s", stderr, out)
	}
	if _, stderr := want(t, exit.Done, "sweep", "run", "-o", dir); strings.Contains(stderr, "another plan") {
		t.Error(stderr)
	}
}

// TestSweepPlanOfLongAttacks: one that would take hours is measured for a while,
// and reckoned from the steps that it has made.
func TestSweepPlanOfLongAttacks(t *testing.T) {
	s, err := spec.Parse([]byte("model: cwmnist\nimages: {set: fashion, first: 1}\ntargets: {random: 2}\nmethods: [{name: fmn-l0, options: {steps: 100000000}}]"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := spec.Resolve(t.Context(), s, spec.Registry)
	if err != nil {
		t.Fatal(err)
	}
	e, err := runs.Estimate(t.Context(), p, runs.EstimateOptions{Slots: 1, Measure: true, Longest: 500 * time.Millisecond})
	if err != nil || e.Methods[0].Seconds < 100 || e.Seconds != 2*e.Methods[0].Seconds {
		t.Errorf("%+v, %v", e, err)
	}
}
