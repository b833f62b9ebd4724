package dsl

import (
	"os"
	"path/filepath"
	"testing"

	"sapf/models"
	"sapf/sapf/baseline"
)

// few is a budget that a test can afford.
func few(k int) Options {
	return Options{K: k, Round: "topk", Steps: 20, Lambda1: 10, SearchRounds: 1, Set: map[string]any{"lambda2": 0}}
}

func embedded(t *testing.T) (*Model, Image) {
	t.Helper()
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &Model{m}, LoadImage("cat")
}

// Each outcome of a mixed list is the same bytes as that of the attack alone.
func TestAttackAllEqualsAttack(t *testing.T) {
	m, x := embedded(t)
	cases := []Case{
		{x, Target("dog"), few(100)},
		{x, Target("deer"), &baseline.FGSM{}},
		{x, Target("deer"), few(300)},
		{x, Target("bird"), &baseline.FGSM{}},
	}
	rs := AttackAll(m, cases...)
	if len(rs) != len(cases) {
		t.Fatalf("%d outcomes of %d cases", len(rs), len(cases))
	}
	for i, c := range cases {
		alone := Attack(m, c.Image, c.Aim, c.Method)
		for j, v := range alone.Result.Adversarial.Pix {
			if rs[i].Result.Adversarial.Pix[j] != v {
				t.Fatalf("case %d: entry %d is %v, alone %v", i, j, rs[i].Result.Adversarial.Pix[j], v)
			}
		}
		if rs[i].Measured != alone.Measured {
			t.Errorf("case %d measures %+v, alone %+v", i, rs[i].Measured, alone.Measured)
		}
	}
}

func TestMeasureAllGoesOn(t *testing.T) {
	m, x := embedded(t)
	dir := filepath.Join(t.TempDir(), "kept")
	cases := []Case{{x, Target("dog"), few(100)}, {x, Target("deer"), few(100)}}
	first := MeasureAll(dir, m, cases[:1]...)
	both := MeasureAll(dir, m, cases...)
	if len(both) != 2 || both[0] != first[0] {
		t.Fatalf("the second call gave %+v, the first %+v", both, first)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files are kept (%v), expected 2", len(files), err)
	}
	// Another option is another result, so it must not be read from a file.
	if other := MeasureAll(dir, m, Case{x, Target("dog"), few(101)}); other[0].L0 == first[0].L0 {
		t.Errorf("k = 101 gave %d entries, k = 100 too", other[0].L0)
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again := MeasureAll(dir, m, cases...)
	if len(again) != 2 || again[0].Norms != both[0].Norms || again[1].Norms != both[1].Norms {
		t.Errorf("after damage %+v, before %+v: expected both run again", again, both)
	}
	aside, err := filepath.Glob(filepath.Join(dir, "corrupt", "*.json"))
	if err != nil || len(aside) != 2 {
		t.Errorf("%d damaged files were put aside (%v), expected 2", len(aside), err)
	}
}

func TestTryGivesTheFailure(t *testing.T) {
	if err := Try(func() {}); err != nil {
		t.Errorf("nothing failed, but Try says %v", err)
	}
	if err := Try(func() { LoadImages("cat", 0) }); err == nil || err.Error() != "LoadImages: 0 images, expected at least 1" {
		t.Errorf("got %v", err)
	}
}
