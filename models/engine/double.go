package engine

// double runs a network layer by layer with the double-precision reference.
type double struct {
	p      *Program
	batch  int
	x, dx  []float64
	ys, ds [][]float64
	// in[i] and grad[i] gather what node i reads, and its gradients.
	in, grad [][][]float64
	shapes   [][]Shape
}

func newDouble(p *Program, batch int) *double {
	d := &double{p: p, batch: batch,
		x: make([]float64, batch*p.net.Input.Len()), dx: make([]float64, batch*p.net.Input.Len())}
	for i, node := range p.net.Nodes {
		d.ys = append(d.ys, make([]float64, batch*p.shapes[i].Len()))
		d.ds = append(d.ds, make([]float64, batch*p.shapes[i].Len()))
		var in, grad [][]float64
		var shapes []Shape
		for _, k := range node.In {
			if k == Input {
				in, grad, shapes = append(in, d.x), append(grad, d.dx), append(shapes, p.net.Input)
			} else {
				in, grad, shapes = append(in, d.ys[k]), append(grad, d.ds[k]), append(shapes, p.shapes[k])
			}
		}
		d.in, d.grad, d.shapes = append(d.in, in), append(d.grad, grad), append(d.shapes, shapes)
	}
	return d
}

func (d *double) forward(x, logits []float32) {
	for i, v := range x {
		d.x[i] = float64(v)
	}
	for i := range d.p.net.Nodes {
		if err := Forward64(d.p.net.Nodes[i].Op, d.shapes[i], d.batch, d.in[i], d.ys[i]); err != nil {
			panic("engine: " + err.Error()) // Compile has checked all shapes
		}
	}
	for i, v := range d.ys[d.p.net.Output] {
		logits[i] = float32(v)
	}
}

func (d *double) backward(dlogits, dx []float32) {
	fill(d.dx, 0)
	for _, g := range d.ds {
		fill(g, 0)
	}
	for i, v := range dlogits {
		d.ds[d.p.net.Output][i] = float64(v)
	}
	for i := len(d.p.net.Nodes) - 1; i >= 0; i-- {
		if err := Backward64(d.p.net.Nodes[i].Op, d.shapes[i], d.batch, d.in[i], d.ys[i], d.ds[i], d.grad[i]); err != nil {
			panic("engine: " + err.Error())
		}
	}
	for i, v := range d.dx {
		dx[i] = float32(v)
	}
}

func (d *double) close() {}
