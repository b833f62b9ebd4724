package graph

import (
	"math"

	"sapf/models/engine"
)

// FirstBeyond names the first layer of a network that makes a number beyond
// +-limit, or none at all (NaN), of the image pix in double precision; "" if no
// layer does.
func FirstBeyond(net *engine.Net, pix []float32, limit float64) string {
	shapes, err := net.Shapes()
	if err != nil {
		return ""
	}
	x := make([]float64, len(pix))
	for i, v := range pix {
		x[i] = float64(v)
	}
	ys := make([][]float64, len(net.Nodes))
	for i, node := range net.Nodes {
		in, xs := gather(net, shapes, i, x, ys)
		ys[i] = make([]float64, shapes[i].Len())
		if err := engine.Forward64(node.Op, in, 1, xs, ys[i]); err != nil {
			return ""
		}
		for _, v := range ys[i] {
			if !(math.Abs(v) <= limit) {
				return node.Name
			}
		}
	}
	return ""
}

// gather returns the shapes and values that node i of a network reads.
func gather(net *engine.Net, shapes []engine.Shape, i int, x []float64, ys [][]float64) ([]engine.Shape, [][]float64) {
	var in []engine.Shape
	var xs [][]float64
	for _, k := range net.Nodes[i].In {
		if k == engine.Input {
			in, xs = append(in, net.Input), append(xs, x)
		} else {
			in, xs = append(in, shapes[k]), append(xs, ys[k])
		}
	}
	return in, xs
}
