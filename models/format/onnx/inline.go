package onnx

import (
	"fmt"
	"slices"
)

// Graphs within a graph: the branches of an If whose condition is known, and the
// functions that a file brings along (older versions of PyTorch's second exporter
// write every layer as one). Their nodes are evaluated where they are called.

// What bounds them: how deep they may lie in each other, and how many of their
// nodes are evaluated in all.
const (
	maxDepth   = 16
	maxInlined = 1 << 17
)

// functionProto is a function of the file's own.
type functionProto struct {
	name, domain string
	in, out      []string
	nodes        []nodeProto
	defaults     map[string]attrProto
}

// function is the one that a node calls, nil if it is an operator.
func (g *importer) function(n *nodeProto) *functionProto {
	for i := range g.functions {
		if f := &g.functions[i]; f.name == n.op && f.domain == n.domain {
			return f
		}
	}
	return nil
}

// call evaluates a function of the file.
func (g *importer) call(f *functionProto, n *nodeProto, in []*operand) ([]*operand, error) {
	if len(in) > len(f.in) {
		return nil, fmt.Errorf("%d inputs, its function takes %d", len(in), len(f.in))
	}
	locals := map[string]*operand{}
	for i, name := range f.in {
		locals[name] = nil
		if i < len(in) {
			locals[name] = in[i]
		}
	}
	body := make([]nodeProto, len(f.nodes))
	for i, inner := range f.nodes {
		body[i] = inner
		body[i].attrs = map[string]attrProto{}
		for name, a := range inner.attrs {
			if a.ref == "" {
				body[i].attrs[name] = a
			} else if given, ok := n.attrs[a.ref]; ok {
				body[i].attrs[name] = given
			} else if given, ok := f.defaults[a.ref]; ok {
				body[i].attrs[name] = given
			}
		}
		body[i].name = n.name + "/" + inner.name
	}
	// A function sees nothing of the graph that calls it.
	outside := g.values
	g.values = locals
	defer func() { g.values = outside }()
	return g.inline(body, f.out)
}

// branch evaluates the branch of an If that its condition chooses.
func (g *importer) branch(n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 1); err != nil {
		return nil, err
	}
	if in[0].c == nil || in[0].c.len() != 1 {
		return nil, fmt.Errorf("its condition depends on the image, and no gradient passes through a choice: export the branch that images take")
	}
	name := "else_branch"
	if in[0].c.float(0) != 0 {
		name = "then_branch"
	}
	body := n.attrs[name].g
	if body == nil {
		return nil, fmt.Errorf("no %s", name)
	}
	// Its own names may be those of the other branch, and hide others.
	hidden := map[string]*operand{}
	hide := func(name string) {
		if _, already := hidden[name]; !already && name != "" {
			hidden[name] = g.values[name]
			delete(g.values, name)
		}
	}
	for i := range body.initializers {
		hide(body.initializers[i].name)
	}
	for _, inner := range body.nodes {
		for _, out := range inner.out {
			hide(out)
		}
	}
	defer func() {
		for name, v := range hidden {
			delete(g.values, name)
			if v != nil {
				g.values[name] = v
			}
		}
	}()
	if err := g.constants(body.initializers); err != nil {
		return nil, err
	}
	var outs []string
	for _, v := range body.outputs {
		outs = append(outs, v.name)
	}
	return g.inline(body.nodes, outs)
}

// inline evaluates nodes and returns the values of the names.
func (g *importer) inline(nodes []nodeProto, outs []string) ([]*operand, error) {
	if g.depth++; g.depth > maxDepth {
		return nil, fmt.Errorf("graphs within graphs, more than %d deep", maxDepth)
	}
	defer func() { g.depth-- }()
	if g.inlined += len(nodes); g.inlined > maxInlined {
		return nil, fmt.Errorf("graphs within graphs of more than %d nodes", maxInlined)
	}
	for _, n := range g.order(nodes) {
		if err := g.evaluate(n); err != nil {
			return nil, err
		}
	}
	var out []*operand
	for _, name := range outs {
		v := g.values[name]
		if v == nil {
			return nil, fmt.Errorf("no node gives its output %s", name)
		}
		out = append(out, v)
	}
	return out, nil
}

// evaluate is node with the node's name before what is wrong.
func (g *importer) evaluate(n *nodeProto) error {
	err := g.node(n)
	if err == nil {
		err = g.Err()
	}
	if err != nil {
		return fmt.Errorf("node %v: %w", n, err)
	}
	return nil
}

// reads are the names that a node needs: its inputs, and what the graphs within it
// read of the graph that it is in.
func (n *nodeProto) reads() []string {
	names := slices.Clone(n.in)
	for _, a := range n.attrs {
		if a.g != nil {
			names = append(names, a.g.reads()...)
		}
	}
	slices.Sort(names[len(n.in):]) // not in the order of a map
	return names
}

// reads are the names that a graph's nodes read and that are not its own.
func (g *graphProto) reads() []string {
	own := map[string]bool{}
	for _, v := range g.inputs {
		own[v.name] = true
	}
	for _, t := range g.initializers {
		own[t.name] = true
	}
	for _, n := range g.nodes {
		for _, name := range n.out {
			own[name] = true
		}
	}
	var names []string
	for i := range g.nodes {
		for _, name := range g.nodes[i].reads() {
			if !own[name] {
				names = append(names, name)
			}
		}
	}
	for _, v := range g.outputs {
		if !own[v.name] {
			names = append(names, v.name)
		}
	}
	return names
}

// needed marks what the named values are made of.
func needed(nodes []nodeProto, names []string) []bool {
	giver := map[string]int{}
	for i, n := range nodes {
		for _, name := range n.out {
			if _, twice := giver[name]; !twice && name != "" {
				giver[name] = i
			}
		}
	}
	marked := make([]bool, len(nodes))
	for todo := slices.Clone(names); len(todo) > 0; {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if i, ok := giver[name]; ok && !marked[i] {
			marked[i] = true
			todo = append(todo, nodes[i].reads()...)
		}
	}
	return marked
}
