package onnx

import (
	"fmt"
	"math"
	"slices"

	"sapf/models/engine/nd"
)

// resize is Resize and its forerunner Upsample: axis by axis.
func resize(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	x := in[0]
	r := resizer{mode: n.attrs["mode"].s, coordinate: n.attrs["coordinate_transformation_mode"].s, nearest: n.attrs["nearest_mode"].s,
		a: n.float("cubic_coeff_a", -0.75), exclude: n.int("exclude_outside", 0) != 0, antialias: n.int("antialias", 0) != 0}
	if r.mode == "" {
		r.mode = "nearest"
	}
	if r.coordinate == "" {
		r.coordinate = "half_pixel"
	}
	if n.op == "Upsample" || g.opset < 11 {
		r.coordinate, r.nearest = "asymmetric", "floor"
	}
	var axes []int
	for d := range x.dims {
		axes = append(axes, d)
	}
	if a, ok := n.attrs["axes"]; ok {
		axes = nil
		for _, v := range a.ints {
			d, err := axis(v, len(x.dims))
			if err != nil {
				return nil, err
			}
			axes = append(axes, d)
		}
	}
	scales, sizes, err := n.scales(g, in, axes)
	if err != nil {
		return nil, err
	}
	out := x
	for k, d := range axes {
		if sizes[k] == x.dims[d] && (scales[k] == 1 || sizes == nil) {
			continue
		}
		rows, err := r.rows(x.dims[d], sizes[k], scales[k])
		if err != nil {
			return nil, err
		}
		if out, err = g.mixed(n, out, d, rows); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mixed replaces an axis by sums of its entries; where each is one entry, entries
// only move.
func (g *importer) mixed(n *nodeProto, v *operand, axis int, rows [][]nd.Share) (*operand, error) {
	var from []int
	for _, row := range rows {
		if len(row) == 1 && row[0].Weight == 1 {
			from = append(from, row[0].At)
		}
	}
	if len(from) < len(rows) || len(rows) == 0 {
		return g.array(n, &nd.Mix{Axis: axis, In: v.dims[axis], Rows: rows}, v)
	}
	out, err := mover{1, func(_ *importer, _ *nodeProto, in []*operand, fill *constant) ([]*constant, error) {
		c, err := in[0].c.along(axis, from, fill)
		return []*constant{c}, err
	}}.lower(g, &nodeProto{name: n.name, out: n.out}, []*operand{v})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// scales are the factors and lengths of the axes.
func (n *nodeProto) scales(g *importer, in []*operand, axes []int) (scales []float64, sizes []int, err error) {
	at := 2
	if n.op == "Upsample" || g.opset < 11 {
		at = 1
	}
	var given *constant
	if a, ok := n.attrs["scales"]; ok {
		given = &constant{dims: []int{len(a.floats)}, f: a.floats}
	} else if v := optional(in, at); v != nil {
		given = v.c
		if given == nil {
			return nil, nil, fmt.Errorf("its scales depend on the image")
		}
	}
	dims := in[0].dims
	if given != nil && given.len() > 0 {
		if given.len() != len(axes) {
			return nil, nil, fmt.Errorf("%d scales for %d axes, expected one for each", given.len(), len(axes))
		}
		for k, d := range axes {
			s := given.float(k)
			if !(s > 0 && s < maxFolded) {
				return nil, nil, fmt.Errorf("scale %v of axis %d, expected above 0 and below %d", s, d, maxFolded)
			}
			scales, sizes = append(scales, s), append(sizes, int(math.Floor(float64(dims[d])*s)))
		}
		return scales, sizes, nil
	}
	if sizes, err = n.target(in, 3); err != nil {
		return nil, nil, err
	}
	if len(sizes) != len(axes) {
		return nil, nil, fmt.Errorf("sizes %v for %d axes, expected one for each", sizes, len(axes))
	}
	for k, d := range axes {
		scales = append(scales, float64(sizes[k])/float64(max(1, dims[d])))
	}
	switch policy := n.attrs["keep_aspect_ratio_policy"].s; policy {
	case "", "stretch":
	case "not_larger", "not_smaller":
		s := slices.Min(scales)
		if policy == "not_smaller" {
			s = slices.Max(scales)
		}
		for k, d := range axes {
			scales[k], sizes[k] = s, int(math.Floor(float64(float64(dims[d])*s)+0.5))
		}
	default:
		return nil, nil, fmt.Errorf("keep_aspect_ratio_policy %q, expected stretch, not_larger or not_smaller", policy)
	}
	return scales, sizes, nil
}

// resizer has the attributes of Resize.
type resizer struct {
	mode, coordinate, nearest string
	a                         float64
	exclude, antialias        bool
}

// rows says which entries of an axis, of n, make up those of the new one.
func (r resizer) rows(n, out int, scale float64) ([][]nd.Share, error) {
	if n < 1 || out < 1 || out > maxFolded {
		return nil, fmt.Errorf("an axis of %d resized to %d, expected at least 1 of each, and up to %d", n, out, maxFolded)
	}
	var rows [][]nd.Share
	for i := range out {
		x, err := r.source(float64(i), n, out, scale)
		if err != nil {
			return nil, err
		}
		var row []nd.Share
		if r.mode == "nearest" {
			at, err := r.round(x)
			if err != nil {
				return nil, err
			}
			row = []nd.Share{{At: min(max(at, 0), n-1), Weight: 1}}
		} else if row, err = r.filter(x, n, scale); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// source is the coordinate in the old axis.
func (r resizer) source(i float64, n, out int, scale float64) (float64, error) {
	switch r.coordinate {
	case "half_pixel":
		return (i+0.5)/scale - 0.5, nil
	case "pytorch_half_pixel":
		if out == 1 {
			return 0, nil
		}
		return (i+0.5)/scale - 0.5, nil
	case "half_pixel_symmetric":
		whole := float64(float64(n) * scale) // of which out is the part that is kept
		return float64(float64(n)/2*(1-float64(out)/whole)) + float64((i+0.5)/scale) - 0.5, nil
	case "align_corners":
		whole := float64(float64(n) * scale) // not rounded down to out
		if out == 1 || whole == 1 {
			return 0, nil
		}
		return float64(i * float64(n-1) / (whole - 1)), nil
	case "asymmetric":
		return i / scale, nil
	}
	return 0, fmt.Errorf("coordinate_transformation_mode %q is not supported", r.coordinate)
}

func (r resizer) round(x float64) (int, error) {
	switch r.nearest {
	case "", "round_prefer_floor":
		return int(math.Ceil(x - 0.5)), nil
	case "round_prefer_ceil":
		return int(math.Floor(x + 0.5)), nil
	case "floor":
		return int(math.Floor(x)), nil
	case "ceil":
		return int(math.Ceil(x)), nil
	}
	return 0, fmt.Errorf("nearest_mode %q, expected round_prefer_floor, round_prefer_ceil, floor or ceil", r.nearest)
}

// filter are the weights of a linear or cubic filter around x. Entries beyond the
// ends stand for the last ones.
func (r resizer) filter(x float64, n int, scale float64) ([]nd.Share, error) {
	kernel, reach := linear, 1.0
	switch r.mode {
	case "linear":
	case "cubic":
		kernel, reach = r.cubic, 2
	default:
		return nil, fmt.Errorf("mode %q, expected nearest, linear or cubic", r.mode)
	}
	narrow := 1.0
	if r.antialias && scale < 1 {
		narrow = scale
	}
	first, last := int(math.Floor(x-reach/narrow)), int(math.Ceil(x+reach/narrow))
	if last-first > maxWindow {
		return nil, fmt.Errorf("a filter of %d entries", last-first)
	}
	var row []nd.Share
	total := 0.0
	for k := first; k <= last; k++ {
		w := kernel((float64(k) - x) * narrow)
		if w == 0 || r.exclude && (k < 0 || k >= n) {
			continue
		}
		total += w
		at := min(max(k, 0), n-1)
		if i := len(row) - 1; i >= 0 && row[i].At == at {
			row[i].Weight += w
		} else {
			row = append(row, nd.Share{At: at, Weight: w})
		}
	}
	for k := range row {
		row[k].Weight /= total
	}
	return row, nil
}

func linear(d float64) float64 { return math.Max(0, 1-math.Abs(d)) }

// cubic is Keys' kernel.
func (r resizer) cubic(d float64) float64 {
	y, _ := nd.Keys(math.Abs(d), r.a)
	return y
}
