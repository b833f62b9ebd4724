package nd

import (
	"fmt"
	"slices"
	"strings"
)

// MatMul is the product of matrices in the last two axes; the axes before them
// are broadcast.
type MatMul struct{}

// Kind is "MatMul".
func (MatMul) Kind() string { return "MatMul" }

// Shape is batch x rows x columns.
func (MatMul) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 2); err != nil {
		return nil, err
	}
	a, b := in[0], in[1]
	if len(a) < 2 || len(b) < 2 || a[len(a)-1] != b[len(b)-2] {
		return nil, fmt.Errorf("matrices of %v and %v", a, b)
	}
	out, err := Broadcast(a[:len(a)-2], b[:len(b)-2])
	return append(append([]int{}, out...), a[len(a)-2], b[len(b)-1]), err
}

// matrices calls f for each product: with the matrices' offsets.
func matrices(a, b, out []int, f func(a, b, y int)) {
	n := len(out) - 2
	// One more axis of length 1, along which a run is one entry.
	dims := append(append([]int{}, out[:n]...), 1)
	scaled := func(dims []int) []int {
		s := spread(dims[:len(dims)-2], out[:n])
		for k := range s {
			s[k] *= dims[len(dims)-2] * dims[len(dims)-1]
		}
		return append(s, 0)
	}
	y := 0
	walk(dims, [][]int{scaled(a), scaled(b)}, func(at []int) {
		f(at[0], at[1], y)
		y += out[n] * out[n+1]
	})
}

// Forward sums in the order of the inner axis.
func (MatMul) Forward(in []Array, out Array) {
	r := len(out.Dims)
	rows, cols, inner := out.Dims[r-2], out.Dims[r-1], in[0].Dims[len(in[0].Dims)-1]
	clear(out.Data)
	matrices(in[0].Dims, in[1].Dims, out.Dims, func(a, b, y int) {
		for i := range rows {
			to, k := out.Data[y+i*cols:][:cols], 0
			row, m := in[0].Data[a+i*inner:][:inner], in[1].Data[b:]
			for ; k+4 <= inner; k += 4 { // four at a time, added one by one
				b0, b1, b2, b3 := m[k*cols:][:cols], m[(k+1)*cols:][:cols], m[(k+2)*cols:][:cols], m[(k+3)*cols:][:cols]
				a0, a1, a2, a3 := row[k], row[k+1], row[k+2], row[k+3]
				for j, v := range to {
					v += float64(a0 * b0[j])
					v += float64(a1 * b1[j])
					v += float64(a2 * b2[j])
					v += float64(a3 * b3[j])
					to[j] = v
				}
			}
			for ; k < inner; k++ {
				axpy(to, row[k], m[k*cols:][:cols])
			}
		}
	})
}

// axpy adds a*x to y.
func axpy(y []float64, a float64, x []float64) {
	for j, v := range x {
		y[j] += float64(a * v)
	}
}

// dots adds the products of the rows of m with x to y: four sums at a time, each
// in order.
func dots(y, m, x []float64) {
	n, k := len(x), 0
	for ; k+4 <= len(y); k += 4 {
		m0, m1, m2, m3 := m[k*n:][:n], m[(k+1)*n:][:n], m[(k+2)*n:][:n], m[(k+3)*n:][:n]
		var s0, s1, s2, s3 float64
		for j, v := range x {
			s0 += float64(m0[j] * v)
			s1 += float64(m1[j] * v)
			s2 += float64(m2[j] * v)
			s3 += float64(m3[j] * v)
		}
		y[k] += s0
		y[k+1] += s1
		y[k+2] += s2
		y[k+3] += s3
	}
	for ; k < len(y); k++ {
		sum := 0.0
		for j, v := range m[k*n:][:n] {
			sum += float64(v * x[j])
		}
		y[k] += sum
	}
}

// Backward is dA = dY B', dB = A' dY.
func (MatMul) Backward(in []Array, out, dout Array, din []Array) {
	r := len(out.Dims)
	rows, cols, inner := out.Dims[r-2], out.Dims[r-1], in[0].Dims[len(in[0].Dims)-1]
	matrices(in[0].Dims, in[1].Dims, out.Dims, func(a, b, y int) {
		for i := range rows {
			dy := dout.Data[y+i*cols:][:cols]
			if din[0].Data != nil {
				dots(din[0].Data[a+i*inner:][:inner], in[1].Data[b:], dy)
			}
			for k := range inner {
				if din[1].Data != nil {
					axpy(din[1].Data[b+k*cols:][:cols], in[0].Data[a+i*inner+k], dy)
				}
			}
		}
	})
}

// Einsum sums products of entries over the letters that the result lacks.
type Einsum struct {
	// Terms has the letters of each argument's axes, Out those of the result.
	Terms []string
	Out   string
}

// ParseEinsum reads an equation such as "bhid,bhjd->bhij" for arguments of the
// given ranks. Dots stand for as many axes as are left.
func ParseEinsum(equation string, ranks []int) (*Einsum, error) {
	left, right, explicit := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(ranks) {
		return nil, fmt.Errorf("equation %q of %d arguments", equation, len(ranks))
	}
	const spare = "\x01\x02\x03\x04\x05\x06\x07\x08"
	longest := 0
	for i, t := range terms {
		letters := strings.Replace(t, "...", "", 1)
		if letters == t {
			continue
		}
		n := ranks[i] - len(letters)
		if n < 0 || n > len(spare) {
			return nil, fmt.Errorf("equation %q: %q of an array of %d axes", equation, t, ranks[i])
		}
		longest = max(longest, n)
		terms[i] = strings.Replace(t, "...", spare[len(spare)-n:], 1)
	}
	if !explicit { // what occurs once, in order of the alphabet
		right = "..."
		all := []byte(strings.Join(terms, ""))
		for _, c := range slices.Compact(slices.Sorted(slices.Values(all))) {
			if c > 8 && strings.Count(string(all), string(c)) == 1 {
				right += string(c)
			}
		}
	}
	f := &Einsum{terms, strings.Replace(right, "...", spare[len(spare)-longest:], 1)}
	for i, t := range f.Terms {
		if len(t) != ranks[i] {
			return nil, fmt.Errorf("equation %q: %q of an array of %d axes", equation, t, ranks[i])
		}
	}
	return f, nil
}

// Kind is "Einsum".
func (f *Einsum) Kind() string { return "Einsum" }

// lengths of the letters, in the order in which they are first seen, those of
// the result in front.
func (f *Einsum) lengths(in [][]int) (letters []byte, dims []int, err error) {
	of := map[byte]int{}
	for i, t := range f.Terms {
		for k := range t {
			n := in[i][k]
			if old, ok := of[t[k]]; ok && old != n && old != 1 && n != 1 {
				return nil, nil, fmt.Errorf("an axis of %d and of %d", old, n)
			}
			of[t[k]] = max(of[t[k]], n)
		}
	}
	for _, t := range append([]string{f.Out}, f.Terms...) {
		for k := range t {
			n, ok := of[t[k]]
			if !ok {
				return nil, nil, fmt.Errorf("the result has an axis that no argument has")
			}
			if !slices.Contains(letters, t[k]) {
				letters, dims = append(letters, t[k]), append(dims, n)
			}
		}
	}
	return letters, dims, nil
}

// Shape has an axis for each letter of Out.
func (f *Einsum) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, len(f.Terms)); err != nil {
		return nil, err
	}
	_, dims, err := f.lengths(in)
	if err != nil {
		return nil, err
	}
	return dims[:len(f.Out)], nil
}

// terms calls g for every product: at[0] is its place in the result, at[1+i] that
// of its factor in argument i.
func (f *Einsum) terms(in []Array, g func(at []int)) {
	var shapes [][]int
	for _, x := range in {
		shapes = append(shapes, x.Dims)
	}
	letters, dims, _ := f.lengths(shapes)
	own := func(term string, shape []int) []int {
		s, st := make([]int, len(letters)+1), Strides(shape)
		for k := range term {
			if shape[k] != 1 {
				s[slices.Index(letters, term[k])] += st[k]
			}
		}
		return s
	}
	strides := [][]int{own(f.Out, dims[:len(f.Out)])}
	for i, t := range f.Terms {
		strides = append(strides, own(t, shapes[i]))
	}
	walk(append(dims, 1), strides, g)
}

// Forward adds up the products in order.
func (f *Einsum) Forward(in []Array, out Array) {
	clear(out.Data)
	f.terms(in, func(at []int) {
		p := 1.0
		for i, x := range in {
			p *= x.Data[at[1+i]]
		}
		out.Data[at[0]] += p
	})
}

// Backward multiplies with the other factors.
func (f *Einsum) Backward(in []Array, _, dout Array, din []Array) {
	f.terms(in, func(at []int) {
		for i := range in {
			if din[i].Data == nil {
				continue
			}
			p := dout.Data[at[0]]
			for j, x := range in {
				if j != i {
					p *= x.Data[at[1+j]]
				}
			}
			din[i].Data[at[1+i]] += p
		}
	})
}

// Mix replaces one axis by sums of its entries: resizing by interpolation,
// running sums and windows over channels are such.
type Mix struct {
	Axis int
	// In is the axis' length, Rows has the sums that take its place.
	In   int
	Rows [][]Share
}

// Share is an entry of the axis and its weight.
type Share struct {
	At     int
	Weight float64
}

// Kind is "Mix".
func (f *Mix) Kind() string { return "Mix" }

// Shape has the new length of the axis.
func (f *Mix) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 1); err != nil {
		return nil, err
	}
	if err := checkAxes([]int{f.Axis}, len(in[0])); err != nil {
		return nil, err
	}
	if in[0][f.Axis] != f.In {
		return nil, fmt.Errorf("axis %d of %v, expected a length of %d", f.Axis, in[0], f.In)
	}
	out := append([]int{}, in[0]...)
	out[f.Axis] = len(f.Rows)
	return out, nil
}

// shares calls g for every weight and runs of entries: from x on, to y on.
func (f *Mix) shares(dims []int, g func(w float64, x, y, n int)) {
	outer, inner := Len(dims[:f.Axis]), Len(dims[f.Axis+1:])
	for o := range outer {
		for r, row := range f.Rows {
			for _, s := range row {
				g(s.Weight, (o*f.In+s.At)*inner, (o*len(f.Rows)+r)*inner, inner)
			}
		}
	}
}

// Forward adds up.
func (f *Mix) Forward(in []Array, out Array) {
	clear(out.Data)
	f.shares(in[0].Dims, func(w float64, x, y, n int) { axpy(out.Data[y:][:n], w, in[0].Data[x:][:n]) })
}

// Backward is the transpose.
func (f *Mix) Backward(in []Array, _, dout Array, din []Array) {
	if din[0].Data != nil {
		f.shares(in[0].Dims, func(w float64, x, y, n int) { axpy(din[0].Data[x:][:n], w, dout.Data[y:][:n]) })
	}
}
