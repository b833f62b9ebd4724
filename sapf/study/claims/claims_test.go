package claims

import (
	"fmt"
	"strings"
	"testing"

	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/study"
)

// rowsOf are a method's rows on ten images and two targets: norms around a scale,
// success on all but the given share of images.
func rowsOf(method string, scale float64, failing int) []metric.Row {
	var out []metric.Row
	for image := range 10 {
		for target := range 2 {
			r := metric.Row{Method: method, Image: fmt.Sprint(image)}
			r.Target, r.Success = target, image >= failing
			wobble := 1 + 0.02*float64((image*7+target*3)%5)
			r.Norms = attack.Norms{L0: int(1000 * scale * wobble), L1: 10 * scale * wobble, L2: scale * wobble, Linf: 0.1 * scale * wobble}
			out = append(out, r)
		}
	}
	return out
}

func find(t *testing.T, findings Findings, where, says string) Finding {
	t.Helper()
	for _, f := range findings {
		if strings.Contains(f.Where, where) && strings.Contains(f.Says, says) {
			return f
		}
	}
	t.Fatalf("no claim %q of %s", says, where)
	return Finding{}
}

// TestTableClaims: claims of Table 1 on rows of which the answer is known.
func TestTableClaims(t *testing.T) {
	var rows []metric.Row
	for _, m := range []struct {
		name    string
		scale   float64
		failing int
	}{{"sapf", 1, 0}, {"strattack", 1.2, 0}, {"cw-l0", 0.8, 0}, {"sparsefool", 1.5, 0}, {"pgd-l0", 2, 1}, {"cornersearch", 3, 5}, {"one-pixel", 9, 9}} {
		rows = append(rows, rowsOf(m.name, m.scale, m.failing)...)
	}
	rows = append(rows, metric.Row{Method: "one-pixel", Image: "0", LeftOut: "the image is misclassified"})
	findings := Judge(Evidence{Table: map[string][]metric.Row{"cifar10": rows}})
	for _, c := range []struct {
		says string
		want Verdict
	}{
		{"SAPF reaches every target", Holds},
		{"C&W-l0 and StrAttack reach", Holds},
		{"One-Pixel has the lowest success", Holds},
		{"CornerSearch does not reach", Holds},
		{"smaller l1 than all but One-Pixel", InPart},
		{"smaller l2 than C&W-l0 and StrAttack", InPart},
		{"SparseFool has a smaller linf than SAPF", DoesNot},
		{"far larger than SAPF's", Holds},
		{"One-Pixel has the largest linf", Unmeasured}, // one image with success
	} {
		if f := find(t, findings, "CIFAR-10", c.says); f.Verdict != c.want {
			t.Errorf("%s: %s, expected %s: %s", c.says, f.Verdict, c.want, f.Measured)
		}
	}
	if f := find(t, findings, "ImageNet", "SAPF reaches"); f.Verdict != Unmeasured {
		t.Errorf("without rows: %+v", f)
	}
	if f := find(t, findings, "CIFAR-10", "smaller l2 than C&W-l0"); !strings.Contains(f.Measured, "strattack 0.83 [0.83, 0.83]") {
		t.Errorf("%s, expected the ratio 1/1.2 of every image", f.Measured)
	}
}

// TestFigureClaims: claims of the figures on numbers of which the answer is known.
func TestFigureClaims(t *testing.T) {
	sets := func(same bool) metric.Overlap {
		a, b := make([]bool, 400), make([]bool, 400)
		for i := range 40 {
			a[i] = true
			b[i+map[bool]int{true: 0, false: 200}[same]] = true
		}
		o, err := metric.Common(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	effects := func(superpixels int, l2 float64) (out []study.Effect) {
		for range 5 {
			out = append(out, study.Effect{Success: true, Superpixels: superpixels, Norms: attack.Norms{L2: l2}})
		}
		return out
	}
	groups := &study.Table{Rows: []study.Row{{Name: "lambda2 = 0", Effects: effects(40, 1)}, {Name: "lambda2 = 10", Effects: effects(7, 2)}}}
	findings := Judge(Evidence{
		Sparsity: map[int][]metric.Row{50: rowsOf("sapf", 2, 0), 100: rowsOf("sapf", 1, 0), 200: rowsOf("sapf", 1.5, 0)},
		Common:   map[string]metric.Overlap{"a": sets(true), "b": sets(false)},
		Groups:   groups,
	})
	for _, c := range []struct {
		says string
		want Verdict
	}{
		{"the l1 norm rises", InPart},
		{"the l2 norm falls", InPart},
		{"share positions", InPart},
		{"gathers in fewer superpixels", Holds},
		{"norms get larger", Holds},
		{"flat neighbourhoods", Unmeasured},
	} {
		if f := find(t, findings, "Figure", c.says); f.Verdict != c.want {
			t.Errorf("%s: %s, expected %s: %s", c.says, f.Verdict, c.want, f.Measured)
		}
	}
	if n := findings.Count(InPart); n != 4 {
		t.Errorf("%d hold in part, expected 4", n)
	}
	for name, page := range map[string]string{"text": findings.String(), "markdown": findings.Markdown(), "html": findings.HTML()} {
		if strings.Count(page, "gathers in fewer superpixels") != 1 {
			t.Errorf("%s lacks a claim:\n%s", name, page)
		}
	}
}
