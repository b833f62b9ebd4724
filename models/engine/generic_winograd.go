package engine

import "unsafe"

// Winograd's transforms of the generic family: a line (a matrix times the
// numbers of a row or column) on all columns of a tile, then on all rows.

var genericWino = [2]winoKernels{genericWinoKernels(wino4), genericWinoKernels(wino5)}

func genericWinoKernels(f *winoForm) winoKernels {
	return winoKernels{
		in:      genericWinoIn(f.side, f.side, f.input),
		out:     genericWinoOut(f.side, f.tile, f.output),
		spread:  genericWinoIn(f.tile, f.side, f.spread),
		collect: genericCollect(f.side, f.collect),
	}
}

// winoLine is what a line takes and gives; the shorter ones leave the end.
type winoLine [7]float32

// genericWinoIn transforms n x n pixels to side x side factors.
func genericWinoIn(n, side int, line func(*winoLine)) func(*winoArgs) {
	return func(a *winoArgs) {
		t, v := a.lines()
		for c := 0; c < 4*a.vecs; c++ {
			for j := range n {
				for i := range n {
					v[i] = *a.float(a.p, a.row, a.pix, i, j, c)
				}
				line(v)
				for i := range side {
					t[i][j] = v[i]
				}
			}
			for i := range side {
				line(&t[i])
				for j := range side {
					*a.float(a.t, 0, a.slab, 0, i*side+j, c) = t[i][j]
				}
			}
		}
	}
}

// lines is the scratch: a tile's rows, and a line.
func (a *winoArgs) lines() (*[7]winoLine, *winoLine) {
	s := (*[8]winoLine)(a.scratch)
	return (*[7]winoLine)(s[:7]), &s[7]
}

// float is number c of the pixel in row i and column j from p.
func (a *winoArgs) float(p unsafe.Pointer, row, pix uintptr, i, j, c int) *float32 {
	return (*float32)(unsafe.Add(p, i*int(row)+j*int(pix)+4*c))
}

// genericTile transforms the products of a tile, for channel c, to the first
// rows of n x n pixels.
func (a *winoArgs) genericTile(side, n, c int, line func(*winoLine)) *[7]winoLine {
	t, v := a.lines()
	for j := range side {
		for k := range side {
			v[k] = *a.float(a.t, 0, a.slab, 0, k*side+j, c)
		}
		line(v)
		for i := range n {
			t[i][j] = v[i]
		}
	}
	for i := range a.rows {
		line(&t[i])
	}
	return t
}

// genericWinoOut transforms side x side products to n x n pixels, and finishes
// them.
func genericWinoOut(side, n int, line func(*winoLine)) func(*winoArgs) {
	return func(a *winoArgs) {
		for c := 0; c < 4*a.vecs; c++ {
			t := a.genericTile(side, n, c, line)
			bias := *a.float(a.bias, 0, 0, 0, 0, c)
			for i := range a.rows {
				for j := range a.cols {
					v := t[i][j] + bias
					if a.add != nil {
						v += *a.float(a.add, a.arow, a.apix, i, j, c)
					}
					if a.act != 0 {
						if v < 0 {
							v = 0
						} else if v > a.hi {
							v = a.hi
						}
					}
					*a.float(a.p, a.row, a.pix, i, j, c) = a.masked(v, i, j, c)
				}
			}
		}
	}
}

// genericCollect is the same for tiles that overlap, and are added up.
func genericCollect(side int, line func(*winoLine)) func(*winoArgs) {
	return func(a *winoArgs) {
		for c := 0; c < 4*a.vecs; c++ {
			t := a.genericTile(side, side, c, line)
			for i := range a.rows {
				for j := range a.cols {
					v, y := t[i][j], a.float(a.p, a.row, a.pix, i, j, c)
					if i < a.overRows || j < a.overCols {
						v += *y
					} else if a.add != nil {
						v += *a.float(a.add, a.arow, a.apix, i, j, c)
					}
					*y = a.masked(v, i, j, c)
				}
			}
		}
	}
}

// masked is v, or 0 where the mask is not inside its range.
func (a *winoArgs) masked(v float32, i, j, c int) float32 {
	if a.mask != nil {
		if m := *a.float(a.mask, a.mrow, a.mpix, i, j, c); !(m > 0 && m < a.hi) {
			return 0
		}
	}
	return v
}

// first is the place of the first pair.
func (f *winoForm) first() int {
	if f.zero {
		return 1
	}
	return 0
}

// second sums c[k]*x[2k].
func second(c []float32, x []float32) (sum float32) {
	for k, c := range c {
		sum += float32(c * x[2*k])
	}
	return sum
}

// input is B': the products of x minus every other point.
func (f *winoForm) input(x *winoLine) {
	d, first := *x, f.first()
	if f.zero {
		x[0] = second(f.whole, d[:])
	}
	for i, p := range f.pairs {
		odd, even := second(f.without[i], d[first+1:]), float32(p*second(f.without[i], d[first:]))
		x[first+2*i], x[first+2*i+1] = odd+even, odd-even
	}
	x[f.side-1] = second(f.whole, d[first:])
}

// spread is A: the polynomial with these coefficients at every point.
func (f *winoForm) spread(x *winoLine) {
	d, first := *x, f.first()
	for i, p := range f.pairs {
		var even, odd float32
		for k := f.tile - 1; k >= 0; k-- {
			if k%2 > 0 {
				odd = float32(odd*p*p) + d[k]
			} else {
				even = float32(even*p*p) + d[k]
			}
		}
		odd = float32(odd * p)
		x[first+2*i], x[first+2*i+1] = even+odd, even-odd
	}
	x[f.side-1] = d[f.tile-1]
}

// output is A': the sums of every product times the powers of its point.
func (f *winoForm) output(m *winoLine) {
	d, first := *m, f.first()
	clear(m[:f.tile])
	if f.zero {
		m[0] = d[0]
	}
	for i, p := range f.pairs {
		sum, difference := d[first+2*i]+d[first+2*i+1], d[first+2*i]-d[first+2*i+1]
		power := float32(1)
		for k := range f.tile {
			if k%2 > 0 {
				m[k] += float32(power * difference)
			} else {
				m[k] += float32(power * sum)
			}
			power *= p
		}
	}
	m[f.tile-1] += d[f.side-1]
}

// collect is B.
func (f *winoForm) collect(m *winoLine) {
	d, first := *m, f.first()
	clear(m[:f.side])
	for i, p := range f.pairs {
		sum, difference := d[first+2*i]+d[first+2*i+1], float32(p*(d[first+2*i]-d[first+2*i+1]))
		for k, c := range f.without[i] {
			m[first+2*k+1] += float32(c * sum)
			m[first+2*k] += float32(c * difference)
		}
	}
	for k, c := range f.whole {
		if f.zero {
			m[2*k] += float32(c * d[0])
		}
		m[first+2*k] += float32(c * d[f.side-1])
	}
}
