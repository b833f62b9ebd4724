package table

import (
	"fmt"
	"slices"
	"strings"

	"sapf/models/nearest"
	"sapf/sapf/metric"
	"sapf/sapf/sweep/spec"
)

// Table1 is the paper's Table 1 of the attacks: a row for each method, and for
// each model where there are several. by is the norm that chooses the best and
// the worst target.
func Table1(dataset string, by metric.Norm, attacks []Attack, caption string) *Table {
	severalModels := slices.ContainsFunc(attacks, func(a Attack) bool { return a.Unit.Model != attacks[0].Unit.Model })
	measured := make([]metric.Row, len(attacks))
	for i, a := range attacks {
		measured[i] = a.Row()
		if severalModels {
			measured[i].Method += " on " + a.Record.Model
		}
	}
	one := metric.NewTable1(dataset, by, measured)
	t := &Table{Caption: caption, Layout: func(format string) string {
		if format == "html" {
			return one.HTML()
		}
		return one.Markdown()
	}}
	t.Columns = []Column{{"method", Text}, {"attacks", Number}, {"succeeded", Number}}
	for _, c := range []string{"best", "average", "worst"} {
		for _, v := range []string{"success", "l0", "l1", "l2", "linf"} {
			t.Columns = append(t.Columns, Column{c + "_" + v, Real})
		}
	}
	t.Columns = append(t.Columns, Column{"l0_pixels", Real}, Column{"passes", Real}, Column{"seconds", Real})
	for _, r := range one.Rows {
		row := []any{r.Method, int64(r.Counted), int64(r.Succeeded)}
		known := func(v float64) any { // without a success there is no norm
			if r.Succeeded == 0 {
				return nil
			}
			return v
		}
		for _, c := range []metric.CaseNorms{r.Best, r.Average, r.Worst} {
			row = append(row, c.Success, known(c.L0), known(c.L1), known(c.L2), known(c.Linf))
		}
		t.Rows = append(t.Rows, append(row, known(r.Pixels), r.Passes, r.Seconds))
	}
	return t
}

// Planned are the options of a sweep's methods, which a table of no results yet
// may be grouped by.
func Planned(p *spec.Plan) []map[string]any {
	var out []map[string]any
	for _, m := range p.Methods {
		out = append(out, m.Options)
	}
	return out
}

// grouped are the sums of the attacks of one group.
type grouped struct {
	keys                          []any
	n, success, eight, l0, pixels int
	l1, l2, linf, seconds         float64
	forwards, gradients           int
}

// By is a table with a row for each combination of values of some columns: those
// of the result format and options of the methods. The norms are means over
// successes. Rows are in the order in which they first appear. Options that only
// attacks without a result have so far are those of planned (Planned).
func By(columns []string, attacks []Attack, caption string, planned ...map[string]any) (*Table, error) {
	t := &Table{Caption: caption}
	var read []func(*Attack) (any, error)
	for i, name := range columns {
		if name = strings.TrimSpace(name); name == "" || slices.Contains(columns[:i], name) {
			return nil, fmt.Errorf("columns to group by %q: %q is empty or there twice", strings.Join(columns, ","), name)
		}
		kind, f, err := columnOf(name, attacks, planned)
		if err != nil {
			return nil, err
		}
		t.Columns, read = append(t.Columns, Column{name, kind}), append(read, f)
	}
	var order []*grouped
	groups := map[string]*grouped{}
	for i := range attacks {
		a := &attacks[i]
		var id strings.Builder
		keys := make([]any, len(read))
		for k, f := range read {
			v, err := f(a)
			if err != nil {
				return nil, err
			}
			keys[k] = v
			fmt.Fprintf(&id, "%q ", text(v))
		}
		g, ok := groups[id.String()]
		if !ok {
			g = &grouped{keys: keys}
			groups[id.String()], order = g, append(order, g)
		}
		g.add(a)
	}
	for _, c := range []Column{{"attacks", Number}, {"success", Real}, {"success_8bit", Real}, {"l0", Real}, {"l0_pixels", Real},
		{"l1", Real}, {"l2", Real}, {"linf", Real}, {"forwards", Real}, {"gradients", Real}, {"seconds", Real}} {
		if slices.Contains(columns, c.Name) {
			c.Name = "mean_" + c.Name
		}
		t.Columns = append(t.Columns, c)
	}
	for _, g := range order {
		t.Rows = append(t.Rows, g.row())
	}
	return t, nil
}

func (g *grouped) add(a *Attack) {
	r := &a.Record
	g.n++
	g.forwards += r.Forwards
	g.gradients += r.Gradients
	g.seconds += r.Seconds
	if r.Success8Bit {
		g.eight++
	}
	if r.Success {
		g.success++
		g.l0 += r.L0
		g.pixels += r.L0Pixels
		g.l1 += r.L1
		g.l2 += r.L2
		g.linf += r.Linf
	}
}

func (g *grouped) row() []any {
	n := float64(g.n)
	mean := func(sum float64) any {
		if g.success == 0 {
			return nil
		}
		return sum / float64(g.success)
	}
	return append(slices.Clone(g.keys), int64(g.n), float64(g.success)/n, float64(g.eight)/n,
		mean(float64(g.l0)), mean(float64(g.pixels)), mean(g.l1), mean(g.l2), mean(g.linf),
		float64(g.forwards)/n, float64(g.gradients)/n, g.seconds/n)
}

// columnOf finds a column to group by: "method" is the method's label, which
// tells the rows of a grid apart.
func columnOf(name string, attacks []Attack, planned []map[string]any) (Kind, func(*Attack) (any, error), error) {
	if name == "method" {
		return Text, func(a *Attack) (any, error) { return a.Label, nil }, nil
	}
	names := []string{"method"}
	for _, f := range fields {
		if f.Kind == Object {
			continue
		}
		if f.Name == name {
			return f.Kind, func(a *Attack) (any, error) { return f.value(&a.Record) }, nil
		}
		names = append(names, f.Name)
	}
	found := false
	look := func(options map[string]any) {
		for option := range options {
			found = found || option == name
			if !slices.Contains(names, option) {
				names = append(names, option)
			}
		}
	}
	for _, options := range planned {
		look(options)
	}
	for i := 0; i < len(attacks) && !found; i++ {
		look(attacks[i].Record.Options)
	}
	if !found {
		slices.Sort(names)
		return 0, nil, fmt.Errorf("no column %q to group by, did you mean %q?", name, nearest.Of(name, names))
	}
	return Text, func(a *Attack) (any, error) {
		v, ok := a.Record.Options[name]
		if !ok {
			return nil, nil
		}
		if f, ok := v.(float64); ok {
			return text(f), nil
		}
		return fmt.Sprint(v), nil
	}, nil
}
