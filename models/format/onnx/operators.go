package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// operator is what an ONNX operator means here: a row of the tables beside the
// functions that they name (convolutions, activations, moves, shapes).
type operator struct {
	// attrs are the attributes that are understood; a node with another one is
	// refused, for it may mean anything.
	attrs string
	// in is the largest number of inputs, 0 for any.
	in int
	// lower makes layers of a node that reads the image; nil where there are
	// none. It returns the node's outputs, in order.
	lower func(g *importer, n *nodeProto, in []*operand) ([]*operand, error)
	// fold computes a node that reads constants only; nil where that is not
	// supported.
	fold func(g *importer, n *nodeProto, in []*operand) (*constant, error)
	// general is the form on arrays of any rank, tried where lower does not fit;
	// it computes constants too. Nil where there is none.
	general func(g *importer, n *nodeProto, in []*operand) ([]*operand, error)
	// anyType is set where lower only moves entries, whatever their type.
	anyType bool
	// rowsFirst is set where lower takes images of N x H x W x C too.
	rowsFirst bool
}

// operators are all rows, by name.
var operators map[string]operator

func init() {
	operators = map[string]operator{}
	for _, table := range []map[string]operator{convolutions(), activations(), moves(), shapes(), quantisation()} {
		maps.Copy(operators, table)
	}
	for _, table := range []map[string]operator{functions(), reductions(), movers(), windows(), products(), samplers(), shapeFunctions()} {
		for name, row := range table {
			if old, ok := operators[name]; ok { // the engine's own layers come first
				old.general = row.general
				old.attrs += " " + row.attrs
				if old.in > 0 {
					old.in = max(old.in, row.in)
				}
				row = old
			}
			operators[name] = row
		}
	}
}

// known refuses an operator, an attribute or an input that the table lacks.
func known(n *nodeProto) (operator, error) {
	op, ok := operators[n.op]
	if why, integer := integerOperators[n.op]; !ok && integer {
		return op, fmt.Errorf("operator %s computes in integers (%s), where no gradient passes; quantise in the QDQ format instead: quantize_static(\"net.onnx\", \"net-int8.onnx\", reader, quant_format=QuantFormat.QDQ), or load the network as it was before", n.op, why)
	}
	if !ok {
		return op, fmt.Errorf("operator %s is not supported", n.op)
	}
	for _, a := range slices.Sorted(maps.Keys(n.attrs)) {
		if !slices.Contains(strings.Fields(op.attrs), a) {
			return op, fmt.Errorf("attribute %s is not supported, expected %s", a, orNone(op.attrs))
		}
	}
	if op.in > 0 && len(n.in) > op.in {
		return op, fmt.Errorf("%d inputs, expected up to %d", len(n.in), op.in)
	}
	return op, nil
}

// integerOperators are those of networks that ONNX Runtime quantised otherwise
// than by QDQ, and how.
var integerOperators = map[string]string{
	"QLinearConv": "QuantFormat.QOperator, or optimised by ONNX Runtime", "QLinearMatMul": "QuantFormat.QOperator, or optimised by ONNX Runtime",
	"ConvInteger": "quantize_dynamic", "MatMulInteger": "quantize_dynamic", "DynamicQuantizeLinear": "quantize_dynamic",
}

func orNone(list string) string {
	if strings.TrimSpace(list) == "" {
		return "none"
	}
	return "some of " + strings.Join(strings.Fields(list), ", ")
}
