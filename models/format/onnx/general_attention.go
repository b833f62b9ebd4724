package onnx

import (
	"fmt"
	"math"
)

// attention is softmax(scale Q K^T + mask) V for each head, of opset 23 and
// later, written with the operators of before. Q is batch x heads x tokens x width,
// or batch x tokens x (heads x width); K and V may have fewer heads, each for
// several of Q's. Caches of earlier tokens are for generating text.
func attention(g *importer, n *nodeProto, in []*operand) ([]*operand, error) {
	if err := need(in, 3); err != nil {
		return nil, err
	}
	for k := 1; k < max(len(in), len(n.out)); k++ {
		if k > 3 && optional(in, k) != nil || k < len(n.out) && n.out[k] != "" {
			return nil, fmt.Errorf("caches of keys and values, and scores as an output, are not supported")
		}
	}
	w := &writer{}
	q, k, v := in[0].dims, in[1].dims, in[2].dims
	rank := len(q)
	if rank != 3 && rank != 4 || len(k) != rank || len(v) != rank {
		return nil, fmt.Errorf("queries of %v, keys of %v and values of %v", q, k, v)
	}
	heads, shared := int(n.int("q_num_heads", 0)), int(n.int("kv_num_heads", 0))
	names := []string{"q", "k", "v"}
	if rank == 4 {
		heads, shared = q[1], k[1]
	} else {
		for i, count := range []int{heads, shared, shared} {
			if count < 1 || in[i].dims[2]%count != 0 {
				return nil, fmt.Errorf("%d heads of rows of %d", count, in[i].dims[2])
			}
			names[i] = w.add("Transpose", attrs{"perm": {ints: []int64{0, 2, 1, 3}}}, w.add("Reshape", nil, names[i], w.ints(0, 0, int64(count), -1)))
		}
		q, k = []int{q[0], heads, q[1], q[2] / heads}, []int{k[0], shared, k[1], k[2] / shared}
		v = []int{v[0], shared, v[1], v[2] / shared}
	}
	if shared < 1 || heads%shared != 0 {
		return nil, fmt.Errorf("%d heads of queries for %d of keys", heads, shared)
	}
	if shared != heads {
		for i, d := range [][]int{nil, k, v} {
			if i > 0 {
				wide := w.add("Expand", nil, w.add("Unsqueeze", nil, names[i], w.ints(2)), w.ints(int64(d[0]), int64(shared), int64(heads/shared), int64(d[2]), int64(d[3])))
				names[i] = w.add("Reshape", nil, wide, w.ints(int64(d[0]), int64(heads), int64(d[2]), int64(d[3])))
			}
		}
	}
	scale := n.float("scale", 1/math.Sqrt(float64(q[3])))
	scores := w.add("MatMul", nil, w.add("Mul", nil, names[0], w.float(scale)), w.add("Transpose", attrs{"perm": {ints: []int64{0, 1, 3, 2}}}, names[1]))
	if cap := n.float("softcap", 0); cap != 0 {
		scores = w.add("Mul", nil, w.add("Tanh", nil, w.add("Div", nil, scores, w.float(cap))), w.float(cap))
	}
	mask, err := attentionMask(optional(in, 3), q[2], k[2], n.int("is_causal", 0) != 0)
	if err != nil {
		return nil, err
	}
	if mask != nil {
		scores = w.add("Add", nil, scores, w.constant(mask))
	}
	y := w.add("MatMul", nil, w.add("Softmax", attrs{"axis": {i: -1}}, scores), names[2])
	if rank == 3 {
		y = w.add("Reshape", nil, w.add("Transpose", attrs{"perm": {ints: []int64{0, 2, 1, 3}}}, y), w.ints(0, 0, -1))
	}
	return w.run(g, n, y, map[string]*operand{"q": in[0], "k": in[1], "v": in[2]})
}

// attentionMask is what is added to the scores of tokens against keys, nil for
// nothing: a mask of numbers, or of truth values where 1 lets through.
func attentionMask(given *operand, tokens, keys int, causal bool) (*constant, error) {
	if given == nil && !causal {
		return nil, nil
	}
	dims, m := []int{tokens, keys}, &constant{dims: []int{1, 1}, f: []float32{0}}
	if given != nil {
		if given.c == nil || len(given.dims) < 2 {
			return nil, fmt.Errorf("a mask of %v that depends on the image, or is no matrix", given.dims)
		}
		m = given.c
		dims = append(append([]int{}, m.dims[:len(m.dims)-2]...), tokens, keys)
	}
	rows, columns := m.dims[len(m.dims)-2], m.dims[len(m.dims)-1]
	if rows != 1 && rows != tokens || columns != 1 && columns != keys {
		return nil, fmt.Errorf("a mask of %v for %d tokens and %d keys", m.dims, tokens, keys)
	}
	size, err := checkSize(dims)
	if err != nil {
		return nil, err
	}
	out := &constant{dims: dims, f: make([]float32, size)}
	for at := range out.f {
		i, j := at/keys%tokens, at%keys
		x := m.float(at/(tokens*keys)*rows*columns + min(i, rows-1)*columns + min(j, columns-1))
		if m.i != nil { // truth values
			x = math.Log(min(x, 1))
		}
		if causal && j > i {
			x = math.Inf(-1)
		}
		out.f[at] = float32(x)
	}
	for row := 0; row < size; row += keys {
		seen := false
		for _, x := range out.f[row : row+keys] {
			seen = seen || !math.IsInf(float64(x), -1)
		}
		if !seen {
			return nil, fmt.Errorf("a mask by which token %d sees nothing", row/keys%tokens)
		}
	}
	return out, nil
}

// writer writes an operator as nodes of others.
type writer struct {
	nodes  []nodeProto
	values map[string]*operand
}

type attrs = map[string]attrProto

// add appends a node and returns the name of its output.
func (w *writer) add(op string, a attrs, in ...string) string {
	out := fmt.Sprintf("%s.%d", op, len(w.nodes))
	w.nodes = append(w.nodes, nodeProto{name: out, op: op, in: in, out: []string{out}, attrs: a})
	return out
}

// constant gives a constant a name.
func (w *writer) constant(c *constant) string {
	if w.values == nil {
		w.values = map[string]*operand{}
	}
	name := fmt.Sprintf("constant.%d", len(w.values))
	w.values[name] = &operand{c: c, dims: c.dims}
	return name
}

func (w *writer) ints(v ...int64) string { return w.constant(ints(v...)) }

func (w *writer) float(v float64) string { return w.constant(&constant{f: []float32{float32(v)}}) }

// run evaluates the nodes in place of n, with names of their own, and returns the
// value called out.
func (w *writer) run(g *importer, n *nodeProto, out string, values map[string]*operand) ([]*operand, error) {
	for i := range w.nodes {
		w.nodes[i].name = n.name + "/" + w.nodes[i].name
	}
	for name, v := range w.values {
		values[name] = v
	}
	outside := g.values
	g.values = values
	defer func() { g.values = outside }()
	return g.inline(w.nodes, []string{out})
}
