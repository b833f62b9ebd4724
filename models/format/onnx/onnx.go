// Package onnx turns the classifiers that PyTorch and others export as ONNX files
// into networks.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format"
	"sapf/models/graph"
)

// operand is what a name of an ONNX graph stands for: a constant, or a view
// of a layer's output. The entries of a view are the layer's own, in the same
// order; only the shape may differ (Reshape and its kin cost nothing).
type operand struct {
	c    *constant
	node int
	// dims are the ONNX shape, the batch first.
	dims []int
}

// importer turns an ONNX graph into a network, node by node.
type importer struct {
	*graph.Builder
	values map[string]*operand
	opset  int64
	batch  int
}

// operators are the operators that touch the image. Those that only do shape
// arithmetic are in foldConstants; views is both.
var operators map[string]func(g *importer, n *nodeProto, in []*operand) ([]*operand, error)

// Operators lists the operators that Read understands.
func Operators() []string {
	var names []string
	for name := range operators {
		names = append(names, name)
	}
	names = append(names, "Constant", "ConstantOfShape", "Shape", "Cast")
	sort.Strings(names)
	return names
}

// Read turns an ONNX classifier, as torch.onnx exports it (opsets 9 to
// 21), into a network. The graph must have one image input, N x C x H x W of
// fixed C, H and W, and one output of N x classes. An operator that we don't
// have is named with its node.
func Read(source string, raw []byte) (*engine.Net, error) {
	m, err := parseModel(raw)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if name := cutTensor(raw); name != "" {
			return nil, fmt.Errorf("ONNX %s: the file is cut off in tensor %s", source, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("ONNX %s: %w; it looks like %s", source, err, data.Looks(raw))
	}
	if len(m.graph.nodes) == 0 || m.opset == 0 {
		return nil, fmt.Errorf("ONNX %s: no graph of the standard operators; it looks like %s", source, data.Looks(raw))
	}
	net, err := convert(source, m)
	if err != nil {
		return nil, fmt.Errorf("ONNX %s: %w", source, err)
	}
	return net, nil
}

func convert(source string, m modelProto) (*engine.Net, error) {
	g := &importer{values: map[string]*operand{}, opset: m.opset}
	for i := range m.graph.initializers {
		t := &m.graph.initializers[i]
		c, err := t.value()
		if err != nil {
			return nil, err
		}
		g.values[t.name] = &operand{c: c, dims: c.dims}
	}
	if err := g.input(source, m.graph.inputs); err != nil {
		return nil, err
	}
	for i := range m.graph.nodes {
		n := &m.graph.nodes[i]
		if err := g.node(n); err != nil {
			return nil, fmt.Errorf("node %v: %w", n, err)
		}
		if g.Err() != nil {
			return nil, fmt.Errorf("node %v: %w", n, g.Err())
		}
	}
	if len(m.graph.outputs) != 1 {
		return nil, fmt.Errorf("%d outputs, expected one, the logits", len(m.graph.outputs))
	}
	out := g.values[m.graph.outputs[0].name]
	if out == nil || out.c != nil {
		return nil, fmt.Errorf("output %s does not depend on the image", m.graph.outputs[0].name)
	}
	classes := g.Shape(out.node).Len()
	if out.dims[0] != g.batch || product(out.dims) != g.batch*classes {
		return nil, fmt.Errorf("output %s has shape %v, expected batch x classes", m.graph.outputs[0].name, out.dims)
	}
	last := out.node
	if s := g.Shape(last); s.H != 1 || s.W != 1 {
		last = g.Add("logits", &engine.Flatten{}, last)
	}
	net, err := g.Net(last)
	if err != nil {
		return nil, err
	}
	return graph.Prune(net), nil
}

// input finds the image among the graph's inputs.
func (g *importer) input(source string, inputs []valueInfo) error {
	var images []valueInfo
	for _, v := range inputs {
		if g.values[v.name] == nil { // old files list the weights too
			images = append(images, v)
		}
	}
	if len(images) != 1 {
		return fmt.Errorf("%d inputs without a value, expected one, the image", len(images))
	}
	v := images[0]
	if len(v.dims) != 4 || v.dtype != 1 {
		return fmt.Errorf("input %s has shape %v and element type %d, expected float of N x C x H x W", v.name, v.dims, v.dtype)
	}
	dims := make([]int, 4)
	for i, d := range v.dims {
		switch {
		case d > 0 && d <= 1<<16:
			dims[i] = int(d)
		case i == 0: // the batch is left open
			dims[i] = 1
		default:
			return fmt.Errorf("input %s has shape %v: export with fixed channels, rows and columns", v.name, v.dims)
		}
	}
	g.batch = dims[0]
	g.Builder = graph.NewBuilder(format.Name(source), engine.Shape{C: dims[1], H: dims[2], W: dims[3]})
	g.values[v.name] = &operand{node: engine.Input, dims: dims}
	return nil
}

// node evaluates one node: as shape arithmetic where all it reads is constant,
// else as a layer.
func (g *importer) node(n *nodeProto) error {
	if n.domain != "" && n.domain != "ai.onnx" {
		return fmt.Errorf("operator of the domain %s, expected the standard ones", n.domain)
	}
	var in []*operand
	constant := true
	for _, name := range n.in {
		v := g.values[name]
		if v == nil && name != "" {
			return fmt.Errorf("reads %s, which no earlier node gives", name)
		}
		constant = constant && (v == nil || v.c != nil)
		in = append(in, v)
	}
	var out []*operand
	var err error
	switch f := operators[n.op]; {
	case n.op == "Shape":
		out, err = shapeOf(in)
	case constant:
		out, err = foldConstants(g, n, in)
	case f == nil:
		return fmt.Errorf("operator %s is not supported; supported are %s", n.op, strings.Join(Operators(), ", "))
	default:
		out, err = f(g, n, in)
	}
	if err != nil {
		return err
	}
	for i, name := range n.out {
		if i < len(out) && name != "" {
			g.values[name] = out[i]
		}
	}
	return nil
}

func shapeOf(in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	out := make([]int64, len(in[0].dims))
	for i, d := range in[0].dims {
		out[i] = int64(d)
	}
	return constants(ints(out...)), nil
}

func constants(c *constant) []*operand { return []*operand{{c: c, dims: c.dims}} }

// need refuses a node with fewer than n inputs.
func need(in []*operand, n int) error {
	for i := range n {
		if i >= len(in) || in[i] == nil {
			return fmt.Errorf("input %d is missing, expected %d", i, n)
		}
	}
	return nil
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// layer appends a layer whose output is a new value with the batch in front.
// vector gives batch x K in place of batch x C x H x W.
func (g *importer) layer(n *nodeProto, op engine.Op, vector bool, in ...int) []*operand {
	name := n.name
	if name == "" && len(n.out) > 0 {
		name = n.out[0]
	}
	k := g.Add(strings.TrimPrefix(name, "/"), op, in...)
	s := g.Shape(k)
	dims := []int{g.batch, s.C, s.H, s.W}
	if vector {
		dims = []int{g.batch, s.Len()}
	}
	return []*operand{{node: k, dims: dims}}
}

// image is the layer that v views, if v is an N x C x H x W image of the
// layer's own shape, or can be made one.
func (g *importer) image(n *nodeProto, v *operand) (int, error) {
	if v.c != nil {
		return 0, fmt.Errorf("a constant where an image is expected")
	}
	d := v.dims
	if len(d) == 2 {
		d = []int{d[0], d[1], 1, 1}
	}
	if len(d) != 4 || d[0] != g.batch {
		return 0, fmt.Errorf("input of shape %v, expected %d x C x H x W", v.dims, g.batch)
	}
	s, want := g.Shape(v.node), engine.Shape{C: d[1], H: d[2], W: d[3]}
	if s == want {
		return v.node, nil
	}
	if want.H == 1 && want.W == 1 && want.C == s.Len() {
		return g.layer(&nodeProto{name: n.name + ".flatten"}, &engine.Flatten{}, false, v.node)[0].node, nil
	}
	return 0, fmt.Errorf("reshape of a layer of %v to %v is not supported", s, want)
}
