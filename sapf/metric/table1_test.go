package metric

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sapf/sapf/attack"
)

func measured(method, image string, target int, success bool, l0 int, l2 float64) Row {
	return Row{
		Method: method, Image: image, Forwards: 10, Gradients: 5, Seconds: 2,
		PerTarget: PerTarget{Target: target, Success: success, Norms: attack.Norms{L0: l0, L0Pixels: l0 / 2, L1: 2 * l2, L2: l2, Linf: l2 / 2}},
	}
}

// TestNewTable1 checks every number of a table small enough to do by hand: two
// images, two targets, one failure, and an l0 that runs against l2.
func TestNewTable1(t *testing.T) {
	left := measured("sapf", "c", 1, true, 1, 1)
	left.LeftOut = "the clean image is misclassified"
	table := NewTable1("cifar10", L2, []Row{
		measured("sapf", "a", 1, true, 40, 1),
		measured("sapf", "a", 2, true, 20, 3),
		measured("sapf", "b", 1, true, 60, 2),
		measured("sapf", "b", 2, false, 99, 9),
		left,
	})
	if table.Images != 2 || table.Cases != 4 || table.LeftOut["the clean image is misclassified"] != 1 || len(table.Rows) != 1 {
		t.Fatalf("table %+v", table)
	}
	row := table.Rows[0]
	want := Table1Row{
		Method: "sapf",
		BestToWorst: BestToWorst{
			Best:    CaseNorms{1, 50, 3, 1.5, 0.75},   // targets a1 (l2 1) and b1
			Average: CaseNorms{0.75, 40, 4, 2, 1},     // a1, a2, b1
			Worst:   CaseNorms{0.5, 40, 5, 2.5, 1.25}, // a2 and b1; b fails once
		},
		Pixels: 20, Passes: 15, Seconds: 2, Counted: 4, Succeeded: 3,
	}
	if row != want {
		t.Errorf("row %+v\nexpected %+v", row, want)
	}
	perNorm := NewTable1("cifar10", PerNorm, []Row{
		measured("x", "a", 1, true, 40, 1), measured("x", "a", 2, true, 20, 3),
	}).Rows[0]
	if perNorm.Best.L0 != 20 || perNorm.Best.L2 != 1 || perNorm.Worst.L0 != 40 || perNorm.Worst.L2 != 3 {
		t.Errorf("per norm: best %+v, worst %+v", perNorm.Best, perNorm.Worst)
	}
}

// TestTable1_render: what failed is blank, not 0; names are escaped; nothing is
// NaN; the paper's l0 of SAPF stands beside ours.
func TestTable1_render(t *testing.T) {
	table := NewTable1("cifar10", L2, []Row{
		measured("sapf", "a", 1, true, 40, 1),
		measured("<b>|x", "a", 1, false, 40, 1),
	})
	text, md, h := table.String(), table.Markdown(), table.HTML()
	for _, s := range []string{text, md, h} {
		for _, want := range []string{"387", "539", "471", "paper"} {
			if !strings.Contains(s, want) {
				t.Errorf("no %s in\n%s", want, s)
			}
		}
		if strings.Contains(s, "NaN") {
			t.Errorf("NaN in\n%s", s)
		}
	}
	if strings.Contains(h, "<b>|x") || !strings.Contains(md, `\|x`) {
		t.Error("a method's name is not escaped")
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "<b>|x") && strings.Count(line, "-") < 13 {
			t.Errorf("norms of a method without a success: %q", line)
		}
	}
	lines := strings.Split(text, "\n")
	if len(lines[1]) != len(lines[2]) {
		t.Errorf("columns do not line up:\n%s", text)
	}
	if other := NewTable1("fashion", L2, []Row{measured("sapf", "a", 1, true, 40, 1)}); !strings.Contains(table.Caption(), "paper's lines") || strings.Contains(other.Caption(), "paper") {
		t.Errorf("captions %q and, where the paper has nothing, %q", table.Caption(), other.Caption())
	}
	if empty := NewTable1("imagenet", L2, nil); len(empty.Rows) != 0 || strings.Contains(empty.String(), "NaN") {
		t.Errorf("empty table:\n%s", empty)
	}
	if math.IsNaN(table.Rows[1].Best.L2) {
		t.Error("the mean of no successes is NaN")
	}
}

func ExampleNewTable1() {
	fmt.Print(NewTable1("cifar10", L2, []Row{
		measured("sapf", "cifar10:0", 1, true, 400, 1),
		measured("sapf", "cifar10:0", 2, true, 480, 3),
	}).Rows[0].Average)
	// Output: {1 440 4 2 1}
}
