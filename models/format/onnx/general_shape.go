package onnx

import "fmt"

// shapeFunctions are operators of shapes that only constants need, and those that
// keep a value as it is.
func shapeFunctions() map[string]operator {
	return map[string]operator{
		"Range":    {in: 3, fold: foldRange},
		"Size":     {in: 1, lower: lowerSize, fold: sizeOf},
		"Mod":      {in: 2, attrs: "fmod", fold: foldMod},
		"CastLike": {in: 2, attrs: "saturate", general: generic(2, castLike)},
		"Resize":   {in: 4, attrs: "mode coordinate_transformation_mode nearest_mode cubic_coeff_a exclude_outside extrapolation_value antialias axes keep_aspect_ratio_policy", general: generic(1, resize)},
		"Upsample": {in: 2, attrs: "mode scales", general: generic(1, resize)},
	}
}

func foldRange(_ *importer, _ *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 3); err != nil {
		return nil, err
	}
	var v [3]float64
	integers := true
	for k := range v {
		if in[k].c.len() != 1 {
			return nil, fmt.Errorf("input %d has %d numbers, expected one", k, in[k].c.len())
		}
		v[k], integers = in[k].c.float(0), integers && in[k].c.i != nil
	}
	out := []float64{}
	for k := 0; ; k++ {
		x := v[0] + float64(float64(k)*v[2])
		if v[2] > 0 && x >= v[1] || v[2] < 0 && x <= v[1] || v[2] == 0 {
			break
		}
		if k == maxFolded {
			return nil, fmt.Errorf("a range of more than %d numbers", maxFolded)
		}
		out = append(out, x)
	}
	return arrayConstant([]int{len(out)}, out, integers), nil
}

func sizeOf(_ *importer, _ *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	return &constant{dims: []int{}, i: []int64{int64(product(in[0].dims))}}, nil
}

func lowerSize(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	c, err := sizeOf(g, n, in)
	if err != nil {
		return nil, err
	}
	return constants(c), nil
}

// foldMod is the remainder of integers, with the sign of the divisor.
func foldMod(_ *importer, n *nodeProto, in []*operand) (*constant, error) {
	if err := need(in, 2); err != nil {
		return nil, err
	}
	a, b := in[0].c, in[1].c
	if a.i == nil || b.len() != 1 || b.i == nil || b.i[0] == 0 || n.int("fmod", 0) != 0 {
		return nil, fmt.Errorf("expected integers and one divisor")
	}
	out := &constant{dims: a.dims, i: []int64{}}
	for _, v := range a.i {
		r := v % b.i[0]
		if r != 0 && (r < 0) != (b.i[0] < 0) {
			r += b.i[0]
		}
		out.i = append(out.i, r)
	}
	return out, nil
}

// castLike is a cast to a floating-point type.
func castLike(_ *importer, _ *nodeProto, in []*operand) (*operand, error) {
	v, like := in[0], in[1]
	if v.c != nil && v.c.i != nil && (like.c == nil || like.c.f != nil) {
		return constants(arrayConstant(v.dims, v.c.float64s(), false))[0], nil
	}
	if like.c != nil && like.c.i != nil && (v.c == nil || v.c.i == nil) {
		return nil, fmt.Errorf("a cast of the image to integers: it rounds, so that no gradient passes")
	}
	return v, nil
}
