package judge

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

var (
	howMany = flag.Int("programs", 0, "run so many generated programs instead of the fixed sample")
	seed    = flag.Uint64("seed", 1, "of the generated programs")
	from    = flag.Int("from", 0, "the number of the first generated program")
	update  = flag.Bool("update", false, "write the list of known faults anew")
	detail  = flag.Int("detail", 5, "how many faults are shown whole")
)

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		if err := serve(os.Stdin, os.NewFile(3, "answers")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// sampleSize programs of seed 1 are what every run of the tests judges.
const sampleSize = 1600

// batchSize programs share a session and its prelude, as they share a compiled
// program.
const batchSize = 150

// result is how a program fared.
type result struct {
	p       *program
	want    string
	got     answer
	verdict verdict
}

// try judges programs. Each of its cells may take so many seconds.
func try(t *testing.T, ps []*program, seconds func(p *program) float64) []result {
	ps, errs := valid(ps)
	for _, k := range sorted(errs) {
		t.Logf("no Go: %s: %s", k, errs[k])
	}
	want, err := compiled(t.TempDir(), ps)
	if err != nil {
		t.Fatal(err)
	}
	keepValidEarlier(ps)
	var w worker
	defer w.stop()
	var out []result
	since := batchSize
	for _, p := range ps {
		if since >= batchSize || w.fresh() {
			begin(t, &w)
			since = 0
		}
		since++
		if p.earlier != nil {
			if w.ask(question{Cells: p.earlier.cells(), Seconds: 20}); w.fresh() {
				begin(t, &w)
			}
		}
		q := question{Cells: append([]string{"resetGlobals();"}, p.cells()...), Seconds: seconds(p)}
		got := w.ask(q)
		if f := fate("", false, got); q.Seconds > 1 && (f == "slow" || f == "dies") { // the machine may have been
			q.Cells, q.Seconds = append([]string{imports, prelude()}, q.Cells...), 60
			got = w.ask(q)
		}
		out = append(out, result{p, want[p.serial], got, judge(want[p.serial], got)})
	}
	return out
}

// begin starts a session with the prelude.
func begin(t *testing.T, w *worker) {
	t.Helper()
	q := question{Fresh: true, Cells: []string{imports, prelude()}, Seconds: 60}
	a := w.ask(q)
	for range 3 {
		if a.Error == "Interrupted" || a.Error == "Hung" { // the machine was busy
			a = w.ask(q)
		}
	}
	if a.Error != "" {
		t.Fatalf("the prelude: %s: %s\n%s", a.Error, a.Message, strings.Join(a.Traceback, "\n"))
	}
}

// keepValidEarlier drops those of the programs that are to run before others that
// are no Go.
func keepValidEarlier(ps []*program) {
	var all []*program
	for _, p := range ps {
		if p.earlier != nil {
			all = append(all, p.earlier)
		}
	}
	ok, _ := valid(all)
	for _, p := range ps {
		if p.earlier != nil && !slices.Contains(ok, p.earlier) {
			p.earlier = nil
		}
	}
}

func sorted[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// TestGenerated judges the fixed sample, or as many programs as -programs asks
// for: go test ./dsl/session/judge -run Generated -programs 20000 -seed 7.
// The faults of the fixed sample that are known are listed, and none of the
// list may pass: it is written anew with -update, and only ever shorter.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	if *howMany > 0 {
		generated(t, *howMany)
		return
	}
	known := readKnown(t, knownFile)
	results := try(t, programs(1, 0, sampleSize), func(p *program) float64 {
		if known[p.key()] != "" {
			return 1 // some never end
		}
		if *update {
			return 3
		}
		return 20
	})
	found := map[string]string{}
	for _, r := range results {
		if r.verdict != same {
			found[r.p.key()] = r.verdict.String()
		}
	}
	checkKnown(t, knownFile, found, func(key string) string {
		for _, r := range results {
			if r.p.key() == key {
				return report(r.p, r.want, r.got)
			}
		}
		return ""
	})
	t.Logf("%d programs, %d known faults", len(results), len(found))
	var right []result
	for _, r := range results {
		if r.verdict == same && len(right) < wholeSize {
			right = append(right, r)
		}
	}
	t.Run("whole", func(t *testing.T) { whole(t, right, 0) })
	t.Run("cut", func(t *testing.T) { whole(t, right, 7) })
}

// wholeSize programs make one that is run as Go compiles it.
const wholeSize = 100

// whole runs the very file that Go compiles: as one cell, or cut into cells of
// so many declarations.
func whole(t *testing.T, results []result, n int) {
	var ps []*program
	for _, r := range results {
		ps = append(ps, r.p)
	}
	source, _ := batchSource(ps)
	cells := []string{source}
	if n > 0 {
		cells = cut(source, ps, n)
	}
	var w worker
	defer w.stop()
	a := w.ask(question{Fresh: true, Cells: cells, Seconds: 120})
	if a.Error != "" {
		t.Fatalf("%s: %s\n%s", a.Error, a.Message, strings.Join(a.Traceback, "\n"))
	}
	got := parts(a.Output)
	for _, r := range results {
		if tidy(got[r.p.serial]) != tidy(r.want) {
			t.Error(report(r.p, r.want, answer{Output: got[r.p.serial]}))
		}
	}
}

// cut is the file in cells: the prelude, whose functions call one another, in
// one, then so many declarations of the programs a cell, and main at the end.
func cut(source string, ps []*program, n int) []string {
	cells := []string{imports, unused + prelude()}
	var all []string
	for _, p := range ps {
		all = append(append(all, p.decls...), p.function())
	}
	for i := 0; i < len(all); i += n {
		cells = append(cells, strings.Join(all[i:min(i+n, len(all))], "\n\n"))
	}
	return append(cells, source[strings.Index(source, "func guarded("):])
}

const knownFile = "testdata/known.txt"

// readKnown reads a list of faults: the verdict and the key of each.
func readKnown(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if v, k, ok := strings.Cut(line, "\t"); ok {
			known[k] = v
		}
	}
	return known
}

// TestSample holds that a seed's programs are always the same, and that the
// fixed sample has every form, context, place and layout.
func TestSample(t *testing.T) {
	a, b := programs(1, 0, sampleSize), programs(1, 0, sampleSize)
	seen := map[string]bool{}
	for i := range a {
		if x, y := strings.Join(a[i].cells(), "\n"), strings.Join(b[i].cells(), "\n"); x != y {
			t.Fatalf("program %d is\n%s\nand then\n%s", i, x, y)
		}
		for _, name := range []string{"form " + a[i].triple.form.name, "context " + a[i].triple.context.name, "place " + a[i].place.name, "layout " + a[i].layout.String()} {
			seen[name] = true
		}
	}
	for _, f := range forms {
		if !seen["form "+f.name] {
			t.Errorf("no %s in the sample", f.name)
		}
	}
	for _, c := range contexts {
		if !seen["context "+c.name] {
			t.Errorf("no %s in the sample", c.name)
		}
	}
	for _, p := range places {
		if !seen["place "+p.name] {
			t.Errorf("no %s in the sample", p.name)
		}
	}
	for l := range layouts {
		if !seen["layout "+l.String()] {
			t.Errorf("no %s in the sample", l)
		}
	}
}

// checkKnown compares faults with the list of those that are known.
func checkKnown(t *testing.T, file string, found map[string]string, show func(key string) string) {
	t.Helper()
	if *update {
		var b strings.Builder
		for _, k := range sorted(found) {
			fmt.Fprintf(&b, "%s\t%s\n", found[k], k)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	known := readKnown(t, file)
	for _, k := range sorted(found) {
		if known[k] != found[k] && known[k] != wrong.String() {
			t.Errorf("%s: %s", found[k], show(k))
		}
	}
	var mended []string
	for _, k := range sorted(known) {
		if found[k] != known[k] {
			mended = append(mended, k)
		}
	}
	if len(mended) > 0 {
		t.Errorf("%d of the known faults of %s are none any more; write the list anew with -update:\n%s", len(mended), filepath.Base(file), strings.Join(mended[:min(10, len(mended))], "\n"))
	}
}

// generated judges n programs and says how they fared.
func generated(t *testing.T, n int) {
	t.Logf("seed %d, programs %d to %d of %d pairs", *seed, *from, *from+n-1, len(pairs()))
	total := map[verdict]int{}
	byContext, byForm, why := map[string]int{}, map[string]int{}, map[string]int{}
	shown := 0
	for first := *from; first < *from+n; first += 2000 {
		for _, r := range try(t, programs(*seed, first, min(2000, *from+n-first)), func(*program) float64 { return 2 }) {
			total[r.verdict]++
			switch r.verdict {
			case refused:
				if why[r.got.Message]++; why[r.got.Message] == 1 {
					t.Log(report(r.p, r.want, r.got))
				}
			case wrong:
				byContext[r.p.triple.context.name]++
				byForm[r.p.triple.form.name]++
				if shown++; shown <= *detail {
					t.Error(report(r.p, r.want, r.got))
				}
			}
		}
		t.Logf("after program %d: same %d, refused %d, wrong %d", min(first+2000, *from+n)-1, total[same], total[refused], total[wrong])
	}
	t.Logf("all: same %d, refused %d, wrong %d", total[same], total[refused], total[wrong])
	for title, counts := range map[string]map[string]int{"wrong by context": byContext, "wrong by form": byForm, "refused": why} {
		var b strings.Builder
		keys := sorted(counts)
		sort.SliceStable(keys, func(i, j int) bool { return counts[keys[i]] > counts[keys[j]] })
		for _, k := range keys[:min(40, len(keys))] {
			fmt.Fprintf(&b, "\n%6d %s", counts[k], k)
		}
		t.Logf("%s:%s", title, b.String())
	}
	if total[wrong] > 0 {
		t.Fail()
	}
}
