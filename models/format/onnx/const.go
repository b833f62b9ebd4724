package onnx

import (
	"fmt"
	"math"
	"sapf/models/format"
)

// constant is a value of an ONNX graph that does not depend on the image: a
// weight, or the result of shape arithmetic. One of f and i is set.
type constant struct {
	dims []int
	f    []float32
	i    []int64
	// dtype is the element type of a tensor of the file, 0 for what was computed.
	dtype int64
}

func ints(v ...int64) *constant { return &constant{dims: []int{len(v)}, i: v} }

func (c *constant) len() int { return max(len(c.f), len(c.i)) }

// float is entry k as a float64.
func (c *constant) float(k int) float64 {
	if c.f != nil {
		return float64(c.f[k])
	}
	return float64(c.i[k])
}

// integers are all entries, refused where they are not whole numbers.
func (c *constant) integers() ([]int64, error) {
	if c.i != nil {
		return c.i, nil
	}
	out := make([]int64, len(c.f))
	for k, v := range c.f {
		if v != float32(math.Trunc(float64(v))) || math.Abs(float64(v)) > 1<<31 {
			return nil, fmt.Errorf("%v where an integer is expected", v)
		}
		out[k] = int64(v)
	}
	return out, nil
}

// pick is a constant of the given shape whose entry k is entry from(index of k)
// of c.
func (c *constant) pick(dims []int, from func(index []int) int) (*constant, error) {
	return c.pickWithin(max(c.len(), maxFolded), dims, from)
}

// pickWithin is pick for a shape of at most that many entries.
func (c *constant) pickWithin(most int, dims []int, from func(index []int) int) (*constant, error) {
	n, err := format.CheckShape(dims, most)
	if err != nil {
		return nil, err
	}
	out := &constant{dims: dims}
	if c.i != nil {
		out.i = make([]int64, 0, n)
	} else {
		out.f = make([]float32, 0, n)
	}
	index := make([]int, len(dims))
	for range n {
		k := from(index)
		if c.i != nil {
			out.i = append(out.i, c.i[k])
		} else {
			out.f = append(out.f, c.f[k])
		}
		for d := len(dims) - 1; d >= 0; d-- {
			if index[d]++; index[d] < dims[d] {
				break
			}
			index[d] = 0
		}
	}
	return out, nil
}

// maxFolded bounds what folding may make of a smaller constant.
const maxFolded = 1 << 22

// strides of a row-major array.
func strides(dims []int) []int {
	s, step := make([]int, len(dims)), 1
	for d := len(dims) - 1; d >= 0; d-- {
		s[d] = step
		step *= dims[d]
	}
	return s
}

func (c *constant) transpose(perm []int) (*constant, error) {
	if len(perm) == 2 && perm[0] == 1 && perm[1] == 0 && c.f != nil {
		return &constant{dims: []int{c.dims[1], c.dims[0]}, f: transposed(c.f, c.dims[0], c.dims[1])}, nil
	}
	dims, from := make([]int, len(perm)), strides(c.dims)
	for d, p := range perm {
		dims[d] = c.dims[p]
	}
	return c.pick(dims, func(index []int) int {
		k := 0
		for d, p := range perm {
			k += index[d] * from[p]
		}
		return k
	})
}

// slice takes entries start, start+step, ... of one axis, count of them.
func (c *constant) slice(axis, start, step, count int) (*constant, error) {
	dims, from := append([]int(nil), c.dims...), strides(c.dims)
	dims[axis] = count
	return c.pick(dims, func(index []int) int {
		k := 0
		for d, i := range index {
			if d == axis {
				i = start + i*step
			}
			k += i * from[d]
		}
		return k
	})
}

// gather takes entries of one axis by index; the axis is replaced by the
// index's own shape.
func (c *constant) gather(axis int, index *constant) (*constant, error) {
	at, err := index.integers()
	if err != nil {
		return nil, err
	}
	for k, v := range at {
		if v < 0 {
			v += int64(c.dims[axis])
		}
		if v < 0 || v >= int64(c.dims[axis]) {
			return nil, fmt.Errorf("index %d, expected 0 to %d", at[k], c.dims[axis]-1)
		}
	}
	dims := append(append(append([]int(nil), c.dims[:axis]...), index.dims...), c.dims[axis+1:]...)
	from, inner := strides(c.dims), strides(index.dims)
	return c.pick(dims, func(idx []int) int {
		k, which := 0, 0
		for d, i := range idx {
			switch {
			case d < axis:
				k += i * from[d]
			case d < axis+len(index.dims):
				which += i * inner[d-axis]
			default:
				k += i * from[d-len(index.dims)+1]
			}
		}
		v := at[which]
		if v < 0 {
			v += int64(c.dims[axis])
		}
		return k + int(v)*from[axis]
	})
}

// concat joins constants of one type along an axis.
func concatConstants(axis int, parts []*constant) (*constant, error) {
	first := parts[0]
	dims := append([]int(nil), first.dims...)
	dims[axis] = 0
	for _, p := range parts {
		if len(p.dims) != len(dims) || (p.i != nil) != (first.i != nil) {
			return nil, fmt.Errorf("constants of shapes %v and %v", first.dims, p.dims)
		}
		for d := range dims {
			if d != axis && p.dims[d] != dims[d] {
				return nil, fmt.Errorf("constants of shapes %v and %v", first.dims, p.dims)
			}
		}
		dims[axis] += p.dims[axis]
	}
	inner := 1
	for _, d := range dims[axis+1:] {
		inner *= d
	}
	outer := 1
	for _, d := range dims[:axis] {
		outer *= d
	}
	out := &constant{dims: dims}
	if first.i != nil {
		out.i = []int64{}
	} else {
		out.f = []float32{}
	}
	for o := range outer {
		for _, p := range parts {
			n := p.dims[axis] * inner
			if p.i != nil {
				out.i = append(out.i, p.i[o*n:(o+1)*n]...)
			} else {
				out.f = append(out.f, p.f[o*n:(o+1)*n]...)
			}
		}
	}
	return out, nil
}

// arithmetic is Add, Sub, Mul or Div of constants with broadcasting.
func arithmetic(op string, a, b *constant) (*constant, error) {
	rank := max(len(a.dims), len(b.dims))
	dims := make([]int, rank)
	at := func(c *constant, d int) int {
		if k := d - (rank - len(c.dims)); k >= 0 {
			return c.dims[k]
		}
		return 1
	}
	for d := range dims {
		x, y := at(a, d), at(b, d)
		if x != y && x != 1 && y != 1 {
			return nil, fmt.Errorf("shapes %v and %v do not broadcast", a.dims, b.dims)
		}
		dims[d] = max(x, y)
		if x == 0 || y == 0 {
			dims[d] = 0
		}
	}
	spread := func(c *constant) (*constant, error) {
		from := strides(c.dims)
		return c.pickWithin(max(a.len(), b.len(), maxFolded), dims, func(index []int) int {
			k := 0
			for d, i := range index {
				if j := d - (rank - len(c.dims)); j >= 0 && c.dims[j] != 1 {
					k += i * from[j]
				}
			}
			return k
		})
	}
	x, err := spread(a)
	if err != nil {
		return nil, err
	}
	y, err := spread(b)
	if err != nil {
		return nil, err
	}
	if (x.i != nil) != (y.i != nil) {
		return nil, fmt.Errorf("an integer and a float constant")
	}
	for k := range x.i {
		switch op {
		case "Add":
			x.i[k] += y.i[k]
		case "Sub":
			x.i[k] -= y.i[k]
		case "Mul":
			x.i[k] *= y.i[k]
		case "Div":
			if y.i[k] == 0 {
				return nil, fmt.Errorf("division by zero")
			}
			x.i[k] /= y.i[k]
		}
	}
	for k := range x.f {
		switch op {
		case "Add":
			x.f[k] += y.f[k]
		case "Sub":
			x.f[k] -= y.f[k]
		case "Mul":
			x.f[k] *= y.f[k]
		case "Div":
			x.f[k] /= y.f[k]
		}
	}
	return x, nil
}

// cast converts to the type numbered as in TensorProto.DataType.
func (c *constant) cast(to int64) (*constant, error) {
	out := &constant{dims: c.dims}
	switch elementTypes[to] {
	case "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8":
		out.i = make([]int64, c.len())
		for k := range out.i {
			switch {
			case to == elementBool:
				out.i[k] = int64(min(math.Abs(math.Ceil(math.Abs(c.float(k)))), 1))
			case c.i != nil:
				out.i[k] = c.i[k]
			default:
				out.i[k] = int64(c.f[k])
			}
		}
	case "F32", "F64", "F16", "BF16":
		out.f = make([]float32, c.len())
		for k := range out.f {
			out.f[k] = float32(c.float(k))
		}
	default:
		return nil, fmt.Errorf("a cast to element type %d, expected one to numbers", to)
	}
	return out, nil
}

// reshape resolves a Reshape target: 0 keeps a length, -1 is what is left.
func reshapeDims(dims []int, target []int64) ([]int, error) {
	total := 1
	for _, d := range dims {
		total *= d
	}
	out, known, free := make([]int, len(target)), 1, -1
	for k, d := range target {
		switch {
		case d == 0 && k < len(dims):
			out[k] = dims[k]
		case d == -1 && free < 0:
			free, out[k] = k, 1
		case d > 0 && d <= math.MaxInt32:
			out[k] = int(d)
		default:
			return nil, fmt.Errorf("reshape of %v to %v: length %d, expected from 1 on, one -1, or 0 where an axis stays", dims, target, d)
		}
		if known > 0 && out[k] > math.MaxInt32/known {
			return nil, fmt.Errorf("reshape of %v to %v: more entries than there can be", dims, target)
		}
		known *= out[k]
	}
	if free >= 0 && known > 0 {
		out[free] = total / known
		known *= out[free]
	}
	if known != total {
		return nil, fmt.Errorf("reshape of %v to %v: %d entries, expected %d", dims, target, known, total)
	}
	return out, nil
}

// transposed is the transpose of a matrix of that many rows and columns, block by
// block, so that both sides stay in the cache.
func transposed(v []float32, rows, cols int) []float32 {
	const block = 32
	out := make([]float32, len(v))
	for r0 := 0; r0 < rows; r0 += block {
		for c0 := 0; c0 < cols; c0 += block {
			for r := r0; r < min(r0+block, rows); r++ {
				for c := c0; c < min(c0+block, cols); c++ {
					out[c*rows+r] = v[r*cols+c]
				}
			}
		}
	}
	return out
}
