package engine

import "unsafe"

// Winograd's transforms of the generic family: a line (a matrix times the
// numbers of a row or column) on all columns of a tile, then on all rows.

var genericWino = [2]winoKernels{
	{genericWinoIn(6, 6, inputLine4), genericWinoOut(6, 4, outputLine4), genericWinoIn(4, 6, spreadLine4), genericCollect(6, collectLine4)},
	{genericWinoIn(7, 7, inputLine5), genericWinoOut(7, 5, outputLine5), genericWinoIn(5, 7, spreadLine5), genericCollect(7, collectLine5)},
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

// inputLine4 is B' of F(4x4,3x3).
func inputLine4(x *winoLine) {
	a, b := x[4]-float32(4*x[2]), x[3]-float32(4*x[1])
	c, d := x[4]-x[2], x[3]-x[1]
	x[0] = float32(4*x[0]) + (x[4] - float32(5*x[2]))
	x[5] = float32(4*x[1]) + (x[5] - float32(5*x[3]))
	x[1], x[2] = a+b, a-b
	x[3], x[4] = c+float32(2*d), c-float32(2*d)
}

// inputLine5 is B' of F(5x5,3x3): inputLine4 of d[k+1] + d[k]/2, and the line of
// the point -1/2.
func inputLine5(x *winoLine) {
	last := float32(4*x[1]) + (x[5] - float32(5*x[3]))
	for k := range 6 {
		x[k] = x[k+1] + float32(0.5*x[k])
	}
	inputLine4(x)
	x[6] = last
}

// outputLine4 is A' of F(4x4,3x3).
func outputLine4(m *winoLine) {
	s1, d1, s2, d2 := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	m[0] += s1 + s2
	m[1], m[2] = d1+float32(2*d2), s1+float32(4*s2)
	m[3] = d1 + float32(8*d2) + m[5]
}

// outputLine5 is A' of F(5x5,3x3).
func outputLine5(m *winoLine) {
	s1, d1, s2, d2, h := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4], m[6]
	m[0] += s1 + s2 + h
	m[1], m[2] = d1+float32(2*d2)-float32(h/2), s1+float32(4*s2)+float32(h/4)
	m[3], m[4] = d1+float32(8*d2)-float32(h/8), s1+float32(16*s2)+float32(h/16)+m[5]
}

// spreadLine4 is A of F(4x4,3x3).
func spreadLine4(d *winoLine) {
	s, t, u, v := d[0]+d[2], d[1]+d[3], d[0]+float32(4*d[2]), float32(2*d[1])+float32(8*d[3])
	d[5] = d[3]
	d[1], d[2], d[3], d[4] = s+t, s-t, u+v, u-v
}

// spreadLine5 is A of F(5x5,3x3).
func spreadLine5(d *winoLine) {
	s, t := d[0]+d[2]+d[4], d[1]+d[3]
	u, v := d[0]+float32(4*(d[2]+float32(4*d[4]))), float32(2*d[1])+float32(8*d[3])
	d[6] = d[0] - float32(d[1]/2) + float32(d[2]/4) - float32(d[3]/8) + float32(d[4]/16)
	d[5] = d[4]
	d[1], d[2], d[3], d[4] = s+t, s-t, u+v, u-v
}

// collectLine4 is B of F(4x4,3x3).
func collectLine4(m *winoLine) {
	s1, d1, s2, d2 := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	m[1] = float32(4*(m[5]-d1)) - float32(2*d2)
	m[2] = -float32(4*s1) - s2 - float32(5*m[0])
	m[3] = d1 + float32(2*d2) - float32(5*m[5])
	m[4] = m[0] + s1 + s2
	m[0] = float32(4 * m[0])
}

// collectLine5 is B of F(5x5,3x3).
func collectLine5(m *winoLine) {
	h := m[6]
	collectLine4(m)
	m[6] = m[5]
	for k := 5; k > 0; k-- {
		m[k] = m[k-1] + float32(m[k]/2)
	}
	m[0] = float32(m[0] / 2)
	m[1] += float32(4 * h)
	m[3] -= float32(5 * h)
	m[5] += h
}
