// Package onnx turns the classifiers that PyTorch and others export as ONNX files
// into networks.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format"
	"sapf/models/graph"
)

// Classifier is what an ONNX file holds.
type Classifier struct {
	Net *engine.Net
	// Classes are the names of the classes in the file's metadata, nil where
	// there are none.
	Classes []string
	// Notes say where the network differs from what the file says literally.
	Notes []string
}

// Options say how a file is read. The zero value is right for a file of one
// part, one output and fixed shapes.
type Options struct {
	// Output names the logits, where a graph has several outputs.
	Output string
	// Input is the shape of the images, where the file leaves it open.
	Input engine.Shape
	// Data opens a file beside this one that weights lie in (external data);
	// nil refuses them.
	Data func(name string) ([]byte, error)
}

// operand is what a name of an ONNX graph stands for: a constant, or a view
// of a layer's output. The entries of a view are the layer's own, in the order C
// x H x W or H x W x C; only the shape may differ (Reshape and its kin cost
// nothing).
type operand struct {
	c    *constant
	node int
	// dims are the ONNX shape, the batch first.
	dims []int
	// rowsFirst is set where the entries are in the order H x W x C, the one they
	// have in memory, as in TensorFlow's images and rows of tokens.
	rowsFirst bool
	// truth is set for numbers that are 1 or 0, the results of comparisons.
	truth bool
	// bytes is set for an image of uint8, 0 to 255, before its cast.
	bytes bool
}

// importer turns an ONNX graph into a network, node by node.
type importer struct {
	*graph.Builder
	values map[string]*operand
	// withheld has the outputs that nodes have in the file and not here.
	withheld map[string]*nodeProto
	opset    int64
	batch    int
	notes    []string
	// lists are the moves so far, by a hash of them.
	lists map[uint64][][]int32
	// data opens files beside this one; functions are the file's own.
	data      func(name string) ([]byte, error)
	functions []functionProto
	// depth and inlined count the graphs within the graph (inline.go).
	depth, inlined int
}

// note keeps a remark for the user, once.
func (g *importer) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(g.notes, text) {
		g.notes = append(g.notes, text)
	}
}

// Read turns an ONNX classifier, as torch.onnx and others export it (opsets 7
// to 25), into a network. The graph must have one image input, N x C x H x W or
// N x H x W x C, and an output of N x classes. An operator that we don't have is
// named with its node; a refusal ends with a line of Python that exports the
// network anew. source is for messages.
func Read(source string, raw []byte, o Options) (*Classifier, error) {
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
		return nil, fmt.Errorf("ONNX %s: no graph of the standard operators; it looks like %s (so do files of TensorFlow, tf2onnx converts them, and of Core ML)", source, data.Looks(raw))
	}
	g := &importer{values: map[string]*operand{}, withheld: map[string]*nodeProto{}, opset: m.opset, data: o.Data, functions: m.functions}
	net, err := g.convert(source, m, o)
	if err != nil {
		return nil, fmt.Errorf("ONNX %s: %w; %s", source, err, g.remedy(source))
	}
	return &Classifier{Net: net, Classes: classNames(m.metadata), Notes: g.notes}, nil
}

// remedy is the line of Python that exports a PyTorch network so that it can be
// read, as far as that can be said.
func (g *importer) remedy(source string) string {
	s := engine.Shape{C: 3, H: 224, W: 224}
	if g.Builder != nil {
		s = g.Shape(engine.Input)
	}
	return fmt.Sprintf(`to export it anew: torch.onnx.export(net.eval().float(), (torch.zeros(1, %d, %d, %d),), "%s.onnx", dynamo=False, opset_version=17)`,
		s.C, s.H, s.W, format.Name(source))
}

// Opsets that Read knows; later ones may change what an operator means.
const oldestOpset, newestOpset = 7, 25

func (g *importer) convert(source string, m modelProto, o Options) (*engine.Net, error) {
	if m.opset < oldestOpset || m.opset > newestOpset {
		return nil, fmt.Errorf("opset %d, expected %d to %d", m.opset, oldestOpset, newestOpset)
	}
	if err := g.constants(m.graph.initializers); err != nil {
		return nil, err
	}
	if err := g.input(source, m.graph.inputs, o.Input); err != nil {
		return nil, err
	}
	if err := g.once(m.graph.nodes); err != nil {
		return nil, err
	}
	wanted := logitOutputs(m.graph.outputs, o.Output)
	marked := needed(m.graph.nodes, wanted)
	var nodes []nodeProto // those that the logits are made of
	for i, n := range m.graph.nodes {
		if marked[i] {
			nodes = append(nodes, n)
		}
	}
	order := g.order(nodes)
	spent := lastReads(order, m.graph.outputs)
	for i, n := range order {
		if err := g.evaluate(n); err != nil {
			return nil, fmt.Errorf("%w%s", err, without(nodes, n, wanted))
		}
		for _, name := range spent[i] {
			delete(g.values, name)
		}
	}
	out, err := g.output(m.graph.outputs, o.Output)
	if err != nil {
		return nil, err
	}
	last := g.straight(&nodeProto{name: "logits"}, out).node
	if s := g.Shape(last); s.H != 1 || s.W != 1 {
		last = g.Add("logits", &engine.Flatten{}, last)
	}
	net, err := g.Net(last)
	if err != nil {
		return nil, err
	}
	return graph.Prune(net), nil
}

// lastReads has for each node the values that no later one reads and that are
// no outputs. What is made of a large weight is often another weight of its size.
func lastReads(order []*nodeProto, outputs []valueInfo) [][]string {
	spent, seen := make([][]string, len(order)), map[string]bool{}
	for _, v := range outputs {
		seen[v.name] = true
	}
	for i, n := range slices.Backward(order) {
		for _, name := range n.reads() {
			if !seen[name] {
				seen[name] = true
				spent[i] = append(spent[i], name)
			}
		}
	}
	return spent
}

// constants gives tensors of the file their names, and leaves the file's bytes to
// the garbage collector.
func (g *importer) constants(list []tensorProto) error {
	total := 0
	for i := range list {
		t := &list[i]
		c, err := t.value(g.data)
		if err != nil {
			return err
		}
		t.raw = nil
		total += c.len()
		g.values[t.name] = &operand{c: c, dims: c.dims}
	}
	if total > engine.ManyParameters {
		runtime.GC() // so that what is made of the weights finds room there
	}
	return nil
}

// once refuses nodes that give a value which is there already.
func (g *importer) once(nodes []nodeProto) error {
	given := map[string]bool{"": false}
	for i := range nodes {
		for _, name := range nodes[i].out {
			if given[name] || g.values[name] != nil {
				return fmt.Errorf("node %v: it gives %s, which has a value already", &nodes[i], name)
			}
			given[name] = name != ""
		}
	}
	return nil
}

// logitOutputs are the names of the outputs that may be the logits: the one that
// was named, else all that are not of integers, truth values or strings.
func logitOutputs(outputs []valueInfo, name string) (names []string) {
	for _, v := range outputs {
		if name == "" && (elementFloat(v.dtype) || v.dtype == 0) || v.name == name {
			names = append(names, v.name)
		}
	}
	if names == nil {
		for _, v := range outputs {
			names = append(names, v.name)
		}
	}
	return names
}

// without says which of several outputs do not need a node.
func without(nodes []nodeProto, n *nodeProto, outputs []string) string {
	var free []string
	for _, name := range outputs {
		needs := false
		for i, marked := range needed(nodes, []string{name}) {
			needs = needs || marked && slices.Equal(nodes[i].out, n.out)
		}
		if !needs {
			free = append(free, name)
		}
	}
	if free == nil {
		return ""
	}
	return fmt.Sprintf("; its output %s can do without that node: --output takes it for the logits", strings.Join(free, ", "))
}

// order is the nodes of a graph so that each comes after those that it reads. The
// standard asks for that, but some converters append theirs at the end. A node
// that reads what none gives, or its own result, stays where it is.
func (g *importer) order(nodes []nodeProto) []*nodeProto {
	giver := map[string]int{}
	for i, n := range nodes {
		for _, name := range n.out {
			if _, twice := giver[name]; !twice && name != "" {
				giver[name] = i
			}
		}
	}
	out := make([]*nodeProto, 0, len(nodes))
	const unseen, open, done = 0, 1, 2
	state := make([]byte, len(nodes))
	for i := range nodes {
		stack := []int{i} // no recursion: a chain may be as long as the file
		for len(stack) > 0 {
			k := stack[len(stack)-1]
			if state[k] == unseen {
				state[k] = open
				for _, name := range slices.Backward(nodes[k].reads()) {
					if from, ok := giver[name]; ok && state[from] == unseen && g.values[name] == nil {
						stack = append(stack, from)
					}
				}
				continue
			}
			stack = stack[:len(stack)-1]
			if state[k] == open {
				state[k] = done
				out = append(out, &nodes[k])
			}
		}
	}
	return out
}

// output finds the logits: the output of that name, or the only one that is a
// vector of the image's.
func (g *importer) output(outputs []valueInfo, name string) (*operand, error) {
	var found []*operand
	var names, all []string
	for _, v := range outputs {
		out := g.values[v.name]
		if out == nil || out.c != nil {
			continue
		}
		all = append(all, fmt.Sprintf("%s of shape %v", v.name, out.dims))
		vector := out.dims[0] == g.batch && product(out.dims) == g.batch*g.Shape(out.node).Len() && slices.Max(append([]int{1}, out.dims[1:]...)) == g.Shape(out.node).Len()
		if v.name == name || name == "" && vector {
			found, names = append(found, out), append(names, v.name)
		}
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("none of its %d outputs depends on the image", len(outputs))
	case len(found) == 0 && name != "":
		return nil, fmt.Errorf("no output %s; there are %s", name, strings.Join(all, ", "))
	case len(found) == 0:
		return nil, fmt.Errorf("output %s, expected batch x classes", strings.Join(all, ", "))
	case len(found) > 1:
		return nil, fmt.Errorf("%d outputs that may be the logits, %s: name one (--output)", len(found), strings.Join(names, ", "))
	case len(all) > 1:
		g.note("of its outputs %s, %s is taken for the logits", strings.Join(all, ", "), names[0])
	}
	out := found[0]
	if out.dims[0] != g.batch || product(out.dims) != g.batch*g.Shape(out.node).Len() {
		return nil, fmt.Errorf("output %s has shape %v, expected batch x classes", names[0], out.dims)
	}
	return out, nil
}

// input finds the image among the graph's inputs. open is its shape where the
// file leaves lengths open.
func (g *importer) input(source string, inputs []valueInfo, open engine.Shape) error {
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
	dtype := elementTypes[v.dtype]
	if !elementFloat(v.dtype) && v.dtype != elementUint8 {
		return fmt.Errorf("input %s has shape %v and element type %d, expected an image of floating-point numbers or uint8", v.name, v.dims, v.dtype)
	}
	dims, s, rowsFirst, err := imageDims(v, open)
	if err != nil {
		return err
	}
	g.batch = dims[0]
	g.Builder = graph.NewBuilder(format.Name(source), s)
	x := &operand{node: engine.Input, dims: dims, rowsFirst: rowsFirst}
	switch {
	case v.dtype == elementUint8:
		x.bytes = true
		x.node = g.Add("bytes", &engine.Affine{Scale: []float64{255}, Shift: []float64{0}}, x.node)
		g.note("the input is uint8: images in [0,1] are multiplied by 255, and not rounded")
	case dtype != "F32":
		g.note("the network's numbers are %s: it is computed in the kernels' own precision", dtype)
	}
	g.values[v.name] = x
	return nil
}

// imageDims is the shape of the input as the file has it, with its open lengths
// filled in, and that of the images. Of N x H x W it has one channel; N x K are
// the entries of an image whose shape must be given.
func imageDims(v valueInfo, open engine.Shape) (dims []int, s engine.Shape, rowsFirst bool, err error) {
	const images = "N x C x H x W or N x H x W x C, N x H x W of one channel, or N x K and the shape of the K entries (--input 1x28x28)"
	channel := func(d int64) bool { return d == 1 || d == 3 || d == 4 }
	var given []int // by axis, 0 where nothing was said
	switch rank := len(v.dims); {
	case rank == 4 && channel(v.dims[3]) && !channel(v.dims[1]):
		given, rowsFirst = []int{0, open.H, open.W, open.C}, true
	case rank == 4:
		given = []int{0, open.C, open.H, open.W}
	case rank == 3 && v.dims[0] <= 1 && open.C <= 1:
		given = []int{0, open.H, open.W}
	case rank == 2 && open != engine.Shape{}:
		given = []int{0, open.Len()}
	default:
		return nil, s, false, fmt.Errorf("input %s has shape %v, expected %s", v.name, v.dims, images)
	}
	dims = make([]int, len(v.dims))
	for i, d := range v.dims {
		switch {
		case d > 0 && d <= 1<<16:
			dims[i] = int(d)
			if given[i] > 0 && given[i] != dims[i] {
				return nil, s, false, fmt.Errorf("input %s has shape %v, not %v", v.name, v.dims, open)
			}
		case i == 0: // the batch is left open
			dims[i] = 1
		case given[i] > 0:
			dims[i] = given[i]
		default:
			return nil, s, false, fmt.Errorf("input %s has shape %v: say which shape its images have (--input 3x224x224), or export with fixed channels, rows and columns", v.name, v.dims)
		}
	}
	switch {
	case len(dims) == 2:
		s = open
	case len(dims) == 3:
		s = engine.Shape{C: 1, H: dims[1], W: dims[2]}
	case rowsFirst:
		s = engine.Shape{C: dims[3], H: dims[1], W: dims[2]}
	default:
		s = engine.Shape{C: dims[1], H: dims[2], W: dims[3]}
	}
	return dims, s, rowsFirst, nil
}

// node evaluates one node: as shape arithmetic where all it reads is constant,
// else as a layer.
func (g *importer) node(n *nodeProto) error {
	f := g.function(n)
	switch {
	case f != nil, n.domain == "", n.domain == "ai.onnx":
	case n.domain == "com.microsoft", n.domain == "com.microsoft.nchwc":
		return fmt.Errorf("operator of the domain %s: ONNX Runtime has optimised the file for itself; load the file as it was exported", n.domain)
	default:
		return fmt.Errorf("operator of the domain %s, expected the standard ones", n.domain)
	}
	var in []*operand
	fixed := true // nothing that it reads depends on the image
	for _, name := range n.in {
		v := g.values[name]
		if v == nil && name != "" {
			if of := g.withheld[name]; of != nil {
				return fmt.Errorf("reads %s, an output of the node %v that is not supported beside its first", name, of)
			}
			return fmt.Errorf("reads %s, which no earlier node gives", name)
		}
		fixed = fixed && (v == nil || v.c != nil)
		in = append(in, v)
		if v != nil && v.bytes && f == nil && !operators[n.op].anyType {
			return fmt.Errorf("arithmetic of uint8 is not supported: cast the image to float first")
		}
	}
	var out []*operand
	var op operator
	var err error
	if f == nil && n.op != "If" {
		op, err = known(n)
	}
	switch {
	case err != nil:
	case f != nil:
		out, err = g.call(f, n, in)
	case n.op == "If":
		out, err = g.branch(n, in)
	case fixed && op.fold != nil:
		var c *constant
		if c, err = op.fold(g, n, in); err == nil {
			out = constants(c)
		}
	case fixed && op.general != nil:
		out, err = op.general(g, n, in)
	case fixed:
		err = fmt.Errorf("operator %s on constants is not supported", n.op)
	default:
		out, err = g.lower(op, n, in)
	}
	if err != nil {
		return err
	}
	for i, name := range n.out {
		if i >= len(out) && name != "" {
			g.withheld[name] = n
		}
		if i < len(out) && name != "" {
			if g.values[name] != nil {
				return fmt.Errorf("it gives %s, which has a value already", name)
			}
			g.values[name] = out[i]
		}
	}
	return nil
}

// lower makes layers of a node that reads the image: the engine's own where they
// fit, else those on arrays. The error is the first one's where both refuse.
func (g *importer) lower(op operator, n *nodeProto, in []*operand) ([]*operand, error) {
	turned := false // entries in an order that the engine's own lowering does not expect
	for _, v := range in {
		turned = turned || v != nil && v.rowsFirst && !op.rowsFirst
	}
	mark := g.Len()
	err := fmt.Errorf("operator %s of the image is not supported, only of shapes", n.op)
	if op.lower != nil && !(turned && op.general != nil) {
		own := slices.Clone(in)
		for k, v := range own {
			if !op.rowsFirst {
				own[k] = g.straight(n, v)
			}
		}
		var out []*operand
		if out, err = op.lower(g, n, own); err == nil {
			err = g.Err()
		}
		if err == nil {
			return out, nil
		}
		g.Cut(mark)
	}
	if op.general == nil {
		return nil, err
	}
	out, general := op.general(g, n, in)
	if general == nil {
		general = g.Err()
	}
	switch {
	case general == nil:
		return out, nil
	case op.lower != nil && !turned:
		return nil, fmt.Errorf("%w; nor as arrays: %w", err, general)
	}
	return nil, general
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
	if s.Len() == want.Len() && g.batch == 1 {
		return g.lay(n, v, want, false).node, nil
	}
	return 0, fmt.Errorf("reshape of a layer of %v to %v is not supported", s, want)
}
