package metric

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPaperTable1 holds every figure of the paper's table against the file.
func TestPaperTable1(t *testing.T) {
	folder := os.Getenv("SAPF_DATA")
	if folder == "" {
		t.Skip("SAPF_DATA is not set: the paper's table is not at hand")
	}
	f, err := os.Open(filepath.Join(folder, "paper", "table1.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) != 43 {
		t.Fatalf("%d lines (%v), expected a header and 42", len(lines), err)
	}
	figures := 0
	for _, line := range lines[1:] {
		dataset := strings.ToLower(strings.ReplaceAll(line[0], "-", ""))
		cases, ok := PaperTable1(dataset, line[2])
		if !ok {
			t.Fatalf("%s has no row on %s", line[2], dataset)
		}
		c := map[string]CaseNorms{"best": cases.Best, "average": cases.Average, "worst": cases.Worst}[line[3]]
		for i, v := range c.list() {
			if i == 0 {
				v *= 100
			}
			var want float64
			fmt.Sscan(line[4+i], &want)
			if d := v - want; d > 1e-9 || d < -1e-9 {
				t.Errorf("%s: figure %d is %v, printed %s", line[:4], i, v, line[4+i])
			}
			figures++
		}
	}
	if figures != 210 {
		t.Errorf("%d figures, expected 210", figures)
	}
	if _, ok := PaperTable1("cifar10", "fgsm"); ok {
		t.Error("the paper has a row for fgsm")
	}
}

// TestTable1_ratios: ours beside the paper's, and both as a ratio.
func TestTable1_ratios(t *testing.T) {
	table := NewTable1("cifar10", L2, []Row{measured("sapf", "a", 1, true, 194, 0.87)})
	table.Ratios = true
	text := table.String()
	for _, want := range []string{"paper", "539", "8.513", "0.435", "0.064", "ours/paper", "0.36", "2.00"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if h := table.HTML(); !strings.Contains(h, `title="2.00 of the paper&#39;s 0.435"`) {
		t.Errorf("no ratio in the titles of\n%s", h)
	}
}

func ExamplePaperTable1() {
	ours, _ := PaperTable1("cifar10", "sapf")
	other, _ := PaperTable1("cifar10", "strattack")
	fmt.Printf("SAPF / StrAttack, average case: l1 %.3f, l2 %.3f, linf %.3f\n",
		ours.Average.L1/other.Average.L1, ours.Average.L2/other.Average.L2, ours.Average.Linf/other.Average.Linf)
	// Output: SAPF / StrAttack, average case: l1 0.897, l2 0.830, linf 0.736
}
