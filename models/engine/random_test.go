package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// builder grows a network node by node, keeping each node's shape.
type builder struct {
	r *rand.Rand
	n *Net
}

func newBuilder(r *rand.Rand, name string, in Shape) *builder {
	return &builder{r, &Net{Name: name, Input: in}}
}

func (b *builder) shape(v int) Shape {
	if v == Input {
		return b.n.Input
	}
	m := *b.n
	m.Output = v
	s, err := m.Shapes()
	if err != nil {
		panic(err)
	}
	return s[v]
}

func (b *builder) add(op Op, in ...int) int {
	b.n.Nodes = append(b.n.Nodes, Node{Name: fmt.Sprintf("%s%d", op.Kind(), len(b.n.Nodes)), Op: op, In: in})
	b.n.Output = len(b.n.Nodes) - 1
	return b.n.Output
}

// conv adds a convolution whose outputs are of the inputs' size.
func (b *builder) conv(v, out, k, stride, groups int, pad Padding) int {
	c := conv(b.r, b.shape(v).C, out, groups, k, k, stride, stride, 1, 1, pad)
	scaled(b.r, c.W, c.In/groups*k*k)
	return b.add(c, v)
}

func (b *builder) norm(v int) int { return b.add(batchNorm(b.r, b.shape(v).C), v) }
func (b *builder) relu(v int) int { return b.add(&Activation{Func: ReLU}, v) }

func (b *builder) dense(v, out int) int {
	d := dense(b.r, b.shape(v).Len(), out)
	scaled(b.r, d.W, d.In)
	return b.add(d, v)
}

// seeds is n, or a quarter of it in a short run: under the race detector, or an
// emulator of another processor.
func seeds(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

// TestRandomConvolutions runs networks of two convolutions of random shapes:
// the second one's backward pass goes through general code, with a mask.
func TestRandomConvolutions(t *testing.T) {
	for seed := range seeds(40) {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		pick := func(lo, hi int) int { return lo + r.IntN(hi-lo+1) }
		pad := func(k int) Padding { return Padding{r.IntN(k), r.IntN(k), r.IntN(k), r.IntN(k)} }
		b := newBuilder(r, fmt.Sprintf("random%d", seed), Shape{pick(1, 6), pick(8, 19), pick(8, 19)})
		v := b.relu(b.conv(Input, pick(1, 40), 3, 1, 1, pad(3)))
		kh, kw := pick(1, 5), pick(1, 5)
		if seed%2 == 0 {
			kh, kw = 3, 3
		}
		c := conv(r, b.shape(v).C, pick(1, 70), 1, kh, kw, pick(1, 3), pick(1, 3), pick(1, 2), pick(1, 2),
			Padding{r.IntN(kh), r.IntN(kw), r.IntN(kh), r.IntN(kw)})
		switch seed % 4 {
		case 0: // what Winograd takes
			c.StrideH, c.StrideW, c.DilationH, c.DilationW = 1, 1, 1, 1
		case 1: // depthwise or grouped
			if c.Groups = c.In; c.In%2 == 0 && seed%8 == 1 {
				c.Groups = 2
			}
			c.Out = c.Groups * pick(1, 2)
			c.W, c.B = randoms(r, c.Out*(c.In/c.Groups)*kh*kw), randoms(r, c.Out)
		}
		scaled(r, c.W, c.In/c.Groups*kh*kw)
		if _, err := c.OutShape([]Shape{b.shape(v)}); err != nil {
			continue // the kernel is larger than the image
		}
		b.dense(b.add(&Activation{Func: []ActKind{ReLU, ReLU6}[seed/4%2]}, b.add(c, v)), 4)
		t.Run(b.n.Name, func(t *testing.T) { checkNet(t, r, b.n, 2+seed%3) })
	}
}

// TestRandomGraphs runs networks with shared values: residual sums,
// concatenations, pools and several readers of one layer.
func TestRandomGraphs(t *testing.T) {
	for seed := range seeds(40) {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		b := newBuilder(r, fmt.Sprintf("graph%d", seed), Shape{3, 8 + r.IntN(5), 8 + r.IntN(5)})
		width := []int{8, 16, 24, 33}[r.IntN(4)]
		p1 := Padding{1, 1, 1, 1}
		values := []int{b.add(&Affine{Scale: []float64{2}, Shift: []float64{-0.5, 0.1, 0.3}}, Input)}
		values[0] = b.relu(b.conv(values[0], width, 3, 1, 1, p1))
		any := func() int { return values[r.IntN(len(values))] }
		for range 3 + r.IntN(8) {
			v := any()
			switch r.IntN(10) {
			case 0:
				v = b.relu(b.conv(v, width, 3, 1, 1, p1))
			case 1:
				v = b.relu(b.norm(b.conv(v, width, 3, 1, 1, p1)))
			case 2:
				v = b.relu(b.add(&Add{}, b.norm(b.conv(v, width, 3, 1, 1, p1)), any()))
			case 3:
				v = b.add(&Add{}, v, any())
			case 4:
				v = b.relu(b.add(&Add{}, v, any()))
			case 5:
				v = b.relu(b.conv(b.add(&Concat{}, v, any(), any()), width, 1, 1, 1, Padding{}))
			case 6:
				v = b.add(&MaxPool{3, 3, 1, 1, p1, false}, v)
			case 7:
				v = b.add(&AvgPool{3, 3, 1, 1, p1, false, true}, v)
			case 8:
				v = b.add(&Activation{Func: ReLU6}, b.norm(b.conv(v, width, 3, 1, width, p1)))
			case 9:
				v = b.add(&Mul{}, b.add(&Activation{Func: HardSigmoid, Alpha: 1. / 6, Beta: 0.5}, b.add(&GlobalAvgPool{}, v)), v)
			}
			values = append(values, v)
		}
		v := b.add(&Add{}, values[len(values)-1], any())
		if r.IntN(2) == 0 {
			v = b.add(&Flatten{}, b.add(&MaxPool{2, 2, 2, 2, Padding{}, false}, v))
		} else {
			v = b.add(&GlobalAvgPool{}, v)
		}
		b.dense(v, 4)
		t.Run(b.n.Name, func(t *testing.T) { checkNet(t, r, b.n, 2) })
	}
}
