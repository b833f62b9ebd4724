package dsl

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"sapf/sapf/baseline"
)

// TestSave: outcomes and their tables come back from each kind of file.
func TestSave(t *testing.T) {
	m, x := embedded(t)
	var cases []Case
	for _, target := range []string{"dog", "frog"} {
		for _, k := range []int{100, 150} {
			cases = append(cases, Case{x, Target(target), few(k)})
		}
	}
	cases = append(cases, Case{x, Target("dog"), &baseline.FMNL0{Steps: 30}})
	rs := AttackAll(m, cases...)
	at := func(name string) string { return filepath.Join(t.TempDir(), name) }

	by := rs.By("method", "k")
	if len(by.Rows) != 3 || !strings.Contains(by.String(), "| sapf | 100 | 2 |") || !strings.Contains(by.String(), "5 attacks") {
		t.Errorf("%s", by)
	}
	if f := failureOf(t, func() { rs.By("methd") }); f == nil || !strings.Contains(f.Error(), `did you mean "method"`) {
		t.Errorf("an unknown column: %v", f)
	}

	file := at("rows.csv")
	SaveCSV(file, rs)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(rows) != 6 || rows[0][0] != "method" || rows[5][0] != "fmn-l0" {
		t.Errorf("%d rows, %v: %s", len(rows), err, raw)
	}
	file = at("by.parquet")
	SaveParquet(file, by)
	table, err := parquet.ReadFile[struct {
		Method  string `parquet:"method"`
		Attacks int64  `parquet:"attacks"`
	}](file)
	if err != nil || len(table) != 3 || table[0].Method != "sapf" || table[0].Attacks != 2 {
		t.Errorf("%+v, %v", table, err)
	}
	for name, v := range map[string]any{"one.jsonl": rs[0], "own.csv": NewTable("a", "").Row("1", "x"), "rows.md": []any{rs[0]}, "rows.html": rs.Rows()} {
		f := Try(func() { Save(at(name), v) })
		if wrong := name == "rows.md"; wrong != (f != nil) {
			t.Errorf("%s: %v", name, f)
		}
	}

	file = at("adversarial.npy")
	SaveNPY(file, rs)
	for i, y := range LoadImages(file, 0) {
		for k, v := range rs[i].Adversarial().Pix {
			if y.Pix[k] != v {
				t.Fatalf("image %d: entry %d is %v, want %v", i, k, y.Pix[k], v)
			}
		}
	}
	if f := failureOf(t, func() { LoadImages(file, 6) }); f == nil || !strings.Contains(f.Error(), "expected 0 (all) to 5") {
		t.Errorf("more images than there are: %v", f)
	}

	dir := at("result")
	Save(dir, rs[0])
	var result struct {
		Layout string `json:"npy_layout"`
		Shape  []int  `json:"npy_shape"`
	}
	raw, err = os.ReadFile(filepath.Join(dir, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, &result)
	}
	if err != nil || result.Layout != "CHW" || fmt.Sprint(result.Shape) != "[3 32 32]" {
		t.Errorf("%+v, %v", result, err)
	}
	y := LoadImage(filepath.Join(dir, "adversarial_chw.npy"))
	if fmt.Sprint(y.Pix) != fmt.Sprint(rs[0].Adversarial().Pix) {
		t.Error("adversarial_chw.npy is another image")
	}
	for _, name := range []string{"x.svg", "x.png"} {
		Save(at(name), rs[0].PlotTrace())
	}
	if f := failureOf(t, func() { Save(at("x.docx"), rs.By("method")) }); f == nil || !strings.Contains(f.Error(), `ending ".docx"`) {
		t.Errorf("an unknown ending: %v", f)
	}
}
