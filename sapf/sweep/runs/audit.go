package runs

import (
	"context"
	"fmt"
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
	"sapf/sapf/sweep"
	"sapf/sapf/sweep/spec"
)

// Audit is what a second look at a sweep's results found.
type Audit struct {
	// Total attacks of the plan, of which Checked have a result, and how many of
	// those succeeded.
	Total     int `json:"total"`
	Checked   int `json:"checked"`
	Succeeded int `json:"succeeded"`
	// Borderline results have two classes so near each other that other
	// arithmetic may choose the other.
	Borderline int `json:"borderline"`
	// Wrong results say what their images do not bear out.
	Wrong []Finding `json:"wrong"`
}

// Finding is a result that is wrong, and in what.
type Finding struct {
	Key  string `json:"key"`
	What string `json:"what"`
	Why  string `json:"why"`
}

// String is the audit in a few lines.
func (a Audit) String() string {
	s := fmt.Sprintf("%d of %d results checked, %d succeeded, %d borderline, %d wrong", a.Checked, a.Total, a.Succeeded, a.Borderline, len(a.Wrong))
	for _, f := range a.Wrong {
		s += fmt.Sprintf("\n%s %s: %s", f.Key, f.What, f.Why)
	}
	return s
}

// near is a difference of logits that the numerics profiles need not agree on;
// within, how far norms may be apart, relatively: by the rounding of their text.
const (
	near   = 1e-2
	within = 1e-9
)

// Audit recomputes success and every norm of each result: the norms from the
// changed entries alone, the classes with a forward pass of the float64
// reference, which shares no kernel with what made the results. progress, if not
// nil, is told how many are checked.
func (d *Dir) Audit(ctx context.Context, catalogue spec.Catalogue, progress func(done, total int)) (Audit, error) {
	units := d.Units()
	a := Audit{Total: len(units), Wrong: []Finding{}}
	e := &Executor{Plan: d.Plan, Catalogue: catalogue}
	var reference *models.Model
	of, clean := -1, map[int][]float64{}
	for i, u := range units {
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		raw, err := d.Raw(u.Key)
		if err != nil {
			return a, err
		}
		if raw == nil {
			continue
		}
		if u.Model != of {
			m, err := e.model(u.Model)
			if err != nil {
				return a, err
			}
			reference, of, clean = m.WithProfile(engine.Profile{Family: engine.Float64}), u.Model, map[int][]float64{}
		}
		x, err := e.image(u.Image, reference, func() {})
		if err != nil {
			return a, err
		}
		if _, ok := clean[u.Image]; !ok {
			if clean[u.Image], err = metric.Logits(reference, x); err != nil {
				return a, err
			}
		}
		kept, err := sweep.Decode(raw)
		if err != nil {
			return a, err
		}
		why, borderline, err := check(reference, x, clean[u.Image], kept, d.Plan.Goal(u))
		if err != nil {
			return a, err
		}
		a.Checked++
		if kept.Record.Success {
			a.Succeeded++
		}
		switch {
		case why != "":
			a.Wrong = append(a.Wrong, Finding{u.Key, d.Plan.Describe(u), why})
		case borderline:
			a.Borderline++
		}
		if progress != nil {
			progress(i+1, len(units))
		}
	}
	return a, nil
}

// check holds one result against its image. clean are the image's logits.
func check(m *models.Model, x data.Image, clean []float64, k *sweep.Kept, goal attack.Goal) (why string, borderline bool, err error) {
	adv := x.Clone()
	var l0, pixels int
	var l1, squares, linf float64
	changed := map[int]bool{}
	for i, at := range k.Indices {
		if at < 0 || at >= len(adv.Pix) || i > 0 && at <= k.Indices[i-1] {
			return fmt.Sprintf("entry %d is out of range or order", at), false, nil
		}
		v := k.Values[i]
		if !(v >= 0 && v <= 1) {
			return fmt.Sprintf("entry %d is %v, expected a number in [0,1]", at, v), false, nil
		}
		diff := math.Abs(float64(v) - float64(x.Pix[at]))
		if diff == 0 {
			continue
		}
		adv.Pix[at] = v
		l0++
		if pixel := at % (x.H * x.W); !changed[pixel] {
			changed[pixel] = true
			pixels++
		}
		l1 += diff
		squares += float64(diff * diff)
		linf = math.Max(linf, diff)
	}
	r := k.Record
	if r.L0 != l0 || r.L0Pixels != pixels {
		return fmt.Sprintf("l0 %d entries and %d pixels, the image has %d and %d", r.L0, r.L0Pixels, l0, pixels), false, nil
	}
	for _, n := range []struct {
		name           string
		recorded, here float64
	}{{"l1", r.L1, l1}, {"l2", r.L2, math.Sqrt(squares)}, {"linf", r.Linf, linf}} {
		if math.Abs(n.recorded-n.here) > within*math.Max(1, n.here) {
			return fmt.Sprintf("%s %v, the image has %v", n.name, n.recorded, n.here), false, nil
		}
	}
	logits, err := metric.Logits(m, adv, attack.EightBit(adv))
	if err != nil {
		return "", false, err
	}
	n := len(logits) / 2
	for _, c := range []struct {
		what     string
		logits   []float64
		recorded int // the class, -1 where only success is recorded
		success  *bool
	}{
		{"prediction", clean, r.Prediction, nil},
		{"adversarial prediction", logits[:n], r.Adversarial, &r.Success},
		{"prediction after rounding to 8 bits", logits[n:], -1, &r.Success8Bit},
	} {
		class := models.Argmax(c.logits)
		agrees := c.recorded < 0 || class == c.recorded
		if c.success != nil {
			agrees = agrees && *c.success == goal.Reached(class)
		}
		switch {
		case agrees:
		case margin(c.logits) < near:
			borderline = true
		default:
			return fmt.Sprintf("%s is class %d by a margin of %.3g logits, recorded: class %d, success %v, after rounding %v",
				c.what, class, margin(c.logits), c.recorded, r.Success, r.Success8Bit), false, nil
		}
	}
	return "", borderline, nil
}

// margin is how far the largest logit is above the second.
func margin(logits []float64) float64 {
	first, second := math.Inf(-1), math.Inf(-1)
	for _, v := range logits {
		if v > first {
			first, second = v, first
		} else if v > second {
			second = v
		}
	}
	return first - second
}
