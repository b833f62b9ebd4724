package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"sapf/models/engine"
	"sapf/models/graph"
)

// nodeTest is what tools/node_tests.py writes beside a file.
type nodeTest struct {
	Input, Output string
	Dims          []int
	X             []float64
	Want          struct {
		Dims []int
		Y    []string
	}
}

// TestNodes runs the node tests of the onnx package, from the folder
// $SAPF_ONNX_NODES: outputs as stored, and gradients against central differences.
// An operator may be refused; what is computed must be right.
func TestNodes(t *testing.T) {
	dir := os.Getenv("SAPF_ONNX_NODES")
	if dir == "" {
		t.Skip("set SAPF_ONNX_NODES to a folder that tools/node_tests.py wrote")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	agree, refused := map[string]int{}, map[string][]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		t.Run(name, func(t *testing.T) {
			op, err := runNode(t, file)
			switch {
			case err != nil:
				refused[op] = append(refused[op], fmt.Sprintf("%s: %v", name, err))
			case !t.Failed():
				agree[op]++
			}
		})
	}
	total, no := 0, 0
	var lines []string
	for op, list := range refused {
		no += len(list)
		lines = append(lines, fmt.Sprintf("%s: %d refused, %d agree; %.180s", op, len(list), agree[op], list[0]))
	}
	for _, n := range agree {
		total += n
	}
	sort.Strings(lines)
	t.Logf("%d of %d agree, %d are refused\n%s", total, len(files), no, strings.Join(lines, "\n"))
}

// runNode returns the refusal of a file; what is computed wrongly fails the test.
func runNode(t *testing.T, file string) (op string, refusal error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(file, ".onnx") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var c nodeTest
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	m, err := parseModel(raw)
	if err != nil {
		t.Fatal(err)
	}
	op = m.graph.nodes[len(m.graph.nodes)-1].op
	g := &importer{values: map[string]*operand{}, withheld: map[string]*nodeProto{}, opset: m.opset, batch: 1}
	for i := range m.graph.initializers {
		v, err := m.graph.initializers[i].value(nil)
		if err != nil {
			return op, err
		}
		g.values[m.graph.initializers[i].name] = &operand{c: v, dims: v.dims}
	}
	s := engine.Shape{C: len(c.X), H: 1, W: 1}
	if len(c.Dims) == 4 && c.Dims[0] == 1 {
		s = engine.Shape{C: c.Dims[1], H: c.Dims[2], W: c.Dims[3]}
	}
	g.Builder = graph.NewBuilder("node", s)
	g.values[c.Input] = &operand{node: engine.Input, dims: c.Dims}
	for i := range m.graph.nodes {
		if err := g.node(&m.graph.nodes[i]); err != nil {
			return op, err
		}
	}
	out := g.values[c.Output]
	if out == nil || out.c != nil {
		return op, fmt.Errorf("the output does not depend on the input")
	}
	if !slices.Equal(out.dims, c.Want.Dims) {
		t.Errorf("output of shape %v, want %v", out.dims, c.Want.Dims)
		return op, nil
	}
	last := g.straight(&nodeProto{name: "y"}, out)
	if last.node == engine.Input {
		last.node = g.Add("same", &engine.Affine{Scale: []float64{1}, Shift: []float64{0}}, engine.Input)
	}
	net, err := g.Net(last.node)
	if err != nil {
		t.Fatal(err)
	}
	if net = graph.Prune(net); product(c.Want.Dims) == 0 {
		return op, nil
	}
	y := values64(t, net, c.X)
	for k, text := range c.Want.Y {
		want, _ := strconv.ParseFloat(text, 64)
		if got := y[net.Output][k]; !near(got, want) {
			t.Errorf("entry %d is %v, want %v", k, got, want)
			return op, nil
		}
	}
	checkNodeGradient(t, net, c.X)
	return op, nil
}

// near has the tolerance of the onnx package: some stored outputs are typed in
// with four digits.
func near(got, want float64) bool {
	return got == want || math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= 1e-6+1e-3*math.Abs(want) ||
		math.Abs(want) > math.MaxFloat32 && math.Abs(got) > math.MaxFloat32
}

// values64 are the outputs of all layers.
func values64(t *testing.T, net *engine.Net, x []float64) [][]float64 {
	ys, _ := pass64(t, net, x, nil)
	return ys
}

// pass64 runs a network in double precision, and backwards from dy where there
// is one.
func pass64(t *testing.T, net *engine.Net, x, dy []float64) (ys [][]float64, dx []float64) {
	shapes, err := net.Shapes()
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int, list [][]float64, input []float64) (in []engine.Shape, vs [][]float64) {
		for _, k := range net.Nodes[i].In {
			if k == engine.Input {
				in, vs = append(in, net.Input), append(vs, input)
			} else {
				in, vs = append(in, shapes[k]), append(vs, list[k])
			}
		}
		return in, vs
	}
	var ds [][]float64
	for i, node := range net.Nodes {
		ys, ds = append(ys, make([]float64, shapes[i].Len())), append(ds, make([]float64, shapes[i].Len()))
		in, xs := at(i, ys, x)
		if err := engine.Forward64(node.Op, in, 1, xs, ys[i]); err != nil {
			t.Fatal(err)
		}
	}
	if dy == nil {
		return ys, nil
	}
	dx = make([]float64, len(x))
	copy(ds[net.Output], dy)
	for i := len(net.Nodes) - 1; i >= 0; i-- {
		in, xs := at(i, ys, x)
		_, dxs := at(i, ds, dx)
		if err := engine.Backward64(net.Nodes[i].Op, in, 1, xs, ys[i], ds[i], dxs); err != nil {
			t.Fatal(err)
		}
	}
	return ys, dx
}

// checkNodeGradient compares with central differences, a bit off the given point,
// where whole numbers would be ties and kinks. Of long inputs it takes a sample.
func checkNodeGradient(t *testing.T, net *engine.Net, x []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	x = slices.Clone(x)
	for k := range x {
		x[k] += 1e-3 * r.Float64()
	}
	size := len(values64(t, net, x)[net.Output])
	dy := make([]float64, size)
	for k := range dy {
		dy[k] = r.NormFloat64()
	}
	_, dx := pass64(t, net, x, dy)
	value := func() (sum float64) {
		for k, v := range values64(t, net, x)[net.Output] {
			sum += v * dy[k]
		}
		return sum
	}
	const h = 1e-6
	for range min(len(x), 40) {
		k := r.IntN(len(x))
		v := x[k]
		x[k] = v + h
		up := value()
		x[k] = v - h
		down := value()
		x[k] = v
		want := (up - down) / (2 * h)
		if math.IsNaN(want) && math.IsNaN(dx[k]) || math.IsInf(want, 0) {
			continue
		}
		if !(math.Abs(want-dx[k]) <= 1e-5*(1+math.Abs(want))) {
			t.Errorf("gradient of entry %d is %v, central difference %v", k, dx[k], want)
			return
		}
	}
}
