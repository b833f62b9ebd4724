package onnx

import (
	"fmt"

	"sapf/models/engine"
	"sapf/models/engine/nd"
)

// functions are the operators that are a function of each entry.
func functions() map[string]operator {
	one := func(a engine.Activation) operator {
		return operator{in: 1, general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) { return g.each(n, in[0], a) })}
	}
	with := func(f engine.ActKind, names string, alpha, beta float64) operator {
		return operator{in: 1, attrs: names, general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			second := "beta"
			if f == engine.Selu {
				second = "gamma"
			}
			return g.each(n, in[0], engine.Activation{Func: f, Alpha: n.float("alpha", alpha), Beta: n.float(second, beta)})
		})}
	}
	rows := map[string]operator{
		"Relu": one(engine.Activation{Func: engine.ReLU}), "Sigmoid": one(engine.Activation{Func: engine.Sigmoid}),
		"Tanh": one(engine.Activation{Func: engine.Tanh}), "HardSwish": one(engine.Activation{Func: engine.HardSwish}),
		"LeakyRelu": with(engine.LeakyReLU, "alpha", 0.01, 0), "HardSigmoid": with(engine.HardSigmoid, "alpha beta", 0.2, 0.5),
		"Elu": with(engine.Elu, "alpha", 1, 0), "Celu": with(engine.Celu, "alpha", 1, 0),
		"Selu":            with(engine.Selu, "alpha gamma", 1.67326319217681884765625, 1.05070102214813232421875),
		"ThresholdedRelu": with(engine.ThresholdedReLU, "alpha", 1, 0), "Swish": with(engine.Swish, "alpha", 1, 0),
		"Softplus": one(engine.Activation{Func: engine.Softplus}), "Softsign": one(engine.Activation{Func: engine.Softsign}),
		"Mish": one(engine.Activation{Func: engine.Mish}), "Erf": one(engine.Activation{Func: engine.Erf}),
		"Exp": one(engine.Activation{Func: engine.Exp}), "Log": one(engine.Activation{Func: engine.Log}),
		"Sqrt": one(engine.Activation{Func: engine.Sqrt}), "Reciprocal": one(engine.Activation{Func: engine.Reciprocal}),
		"Abs": one(engine.Activation{Func: engine.Abs}), "Sinh": one(engine.Activation{Func: engine.Sinh}),
		"Cosh": one(engine.Activation{Func: engine.Cosh}), "Asinh": one(engine.Activation{Func: engine.Asinh}),
		"Acosh": one(engine.Activation{Func: engine.Acosh}), "Atanh": one(engine.Activation{Func: engine.Atanh}),
		"Sin": one(engine.Activation{Func: engine.Sin}), "Cos": one(engine.Activation{Func: engine.Cos}),
		"Tan": one(engine.Activation{Func: engine.Tan}), "Asin": one(engine.Activation{Func: engine.Asin}),
		"Acos": one(engine.Activation{Func: engine.Acos}), "Atan": one(engine.Activation{Func: engine.Atan}),
		"Neg": {in: 1, general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) { return g.scaled(n, in[0], -1, 0) })},
		"Gelu": {in: 1, attrs: "approximate", general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			switch a := n.attrs["approximate"].s; a {
			case "", "none":
				return g.each(n, in[0], engine.Activation{Func: engine.Gelu})
			case "tanh":
				return g.each(n, in[0], engine.Activation{Func: engine.GeluTanh})
			default:
				return nil, fmt.Errorf("approximate %q, expected none or tanh", a)
			}
		})},
		"Shrink": {in: 1, attrs: "lambd bias", general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			return g.each(n, in[0], engine.Activation{Func: engine.Shrink, Alpha: n.float("lambd", 0.5), Beta: n.float("bias", 0)})
		})},
		"Clip": {general: generic(1, clipGeneral)},
	}
	for name, f := range map[string]engine.ActKind{"Sign": engine.Sign, "Floor": engine.Floor, "Ceil": engine.Ceil, "Round": engine.Round, "Not": engine.Not} {
		rows[name] = operator{in: 1, general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			g.steps(n, in)
			out, err := g.each(n, in[0], engine.Activation{Func: f})
			if f == engine.Not {
				return g.truth(out, err)
			}
			return out, err
		})}
	}
	for _, name := range []string{"Add", "Sub", "Mul", "Div", "Pow", "PRelu"} {
		rows[name] = operator{in: 2, attrs: "fmod", general: generic(2, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			return g.pair(n, n.op, in[0], in[1])
		})}
	}
	for _, name := range []string{"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"} {
		rows[name] = operator{in: 2, general: generic(2, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			g.steps(n, in)
			return g.truth(g.pair(n, n.op, in[0], in[1]))
		})}
	}
	for name, f := range map[string]string{"Sum": "Add", "Mean": "Add", "Max": "Max", "Min": "Min"} {
		rows[name] = operator{general: generic(1, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
			if err := need(in, len(in)); err != nil {
				return nil, err
			}
			out, err := in[0], error(nil)
			for _, v := range in[1:] {
				if out, err = g.pair(n, f, out, v); err != nil {
					return nil, err
				}
			}
			if name == "Mean" {
				return g.scaled(n, out, 1/float64(len(in)), 0)
			}
			return out, nil
		})}
	}
	rows["Where"] = operator{in: 3, general: generic(3, func(g *importer, n *nodeProto, in []*operand) (*operand, error) {
		out, err := g.array(n, nd.Where{}, in[0], in[1], in[2])
		if err == nil && out.c != nil && in[1].c.f == nil && in[2].c.f == nil { // whatever type the condition has
			out.c = arrayConstant(out.dims, out.c.float64s(), true)
		}
		return out, err
	})}
	return rows
}

// steps notes a function of the image whose slope is zero.
func (g *importer) steps(n *nodeProto, in []*operand) {
	for _, v := range in {
		if v != nil && v.c == nil {
			g.note("%s of the image is a step: no gradient passes through it", n.op)
			return
		}
	}
}

// pair is a function of two values, broadcast.
func (g *importer) pair(n *nodeProto, name string, a, b *operand) (*operand, error) {
	same := a.c == nil && b.c == nil && a.rowsFirst == b.rowsFirst && len(a.dims) == len(b.dims)
	if name == "Add" && same && g.Shape(a.node) == g.Shape(b.node) && product(a.dims) == product(b.dims) {
		for k := range a.dims {
			same = same && a.dims[k] == b.dims[k]
		}
		if same {
			out := g.layer(n, &engine.Add{}, false, a.node, b.node)[0]
			out.dims, out.rowsFirst = a.dims, a.rowsFirst
			return out, nil
		}
	}
	if name == "Pow" && a.c == nil && b.c != nil && b.c.len() == 1 && len(b.dims) <= len(a.dims) {
		for f, e := range map[engine.ActKind]float64{engine.Square: 2, engine.Sqrt: 0.5, engine.Reciprocal: -1} {
			if b.c.float(0) == e {
				return g.each(n, a, engine.Activation{Func: f})
			}
		}
	}
	return g.array(n, &nd.Binary{Name: name}, a, b)
}

// clipGeneral is a clip with bounds that may depend on the image, or on neither.
func clipGeneral(g *importer, n *nodeProto, in []*operand) (*operand, error) {
	out, err := in[0], error(nil)
	for k, f := range []string{"Max", "Min"} {
		var bound any
		if a, ok := n.attrs[[]string{"min", "max"}[k]]; ok {
			bound = scalar(float64(a.f))
		}
		if k+1 < len(in) && in[k+1] != nil {
			bound = in[k+1]
		}
		if bound == nil {
			continue
		}
		if out, err = g.array(n, &nd.Binary{Name: f}, out, bound); err != nil {
			return nil, err
		}
	}
	return out, nil
}
