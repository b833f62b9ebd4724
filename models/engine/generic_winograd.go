package engine

import "unsafe"

// Winograd's transforms of the generic family: a line (a matrix times the
// numbers of a row or column) on all columns of a tile, then on all rows. Sums
// are in the order of the assembly.

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

// The points of F(4x4,3x3) are 0, p4, -p4, q4, -q4 and infinity.
const (
	p4, q4     = 0.625, 1.5
	p4p4, q4q4 = p4 * p4, q4 * q4
)

// inputLine4 is B' of F(4x4,3x3): products of x minus every other point.
func inputLine4(x *winoLine) {
	oddP, evenP := x[4]-float32(q4q4*x[2]), float32(p4*(x[3]-float32(q4q4*x[1])))
	oddQ, evenQ := x[4]-float32(p4p4*x[2]), float32(q4*(x[3]-float32(p4p4*x[1])))
	x[0] = x[4] - float32((p4p4+q4q4)*x[2]) + float32(p4p4*q4q4*x[0])
	x[5] = x[5] - float32((p4p4+q4q4)*x[3]) + float32(p4p4*q4q4*x[1])
	x[1], x[2], x[3], x[4] = oddP+evenP, oddP-evenP, oddQ+evenQ, oddQ-evenQ
}

// outputLine4 is A' of F(4x4,3x3): products times the powers of their point.
func outputLine4(m *winoLine) {
	s, d, u, v := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	m[0] = m[0] + s + u
	m[1], m[2] = float32(p4*d)+float32(q4*v), float32(p4p4*s)+float32(q4q4*u)
	m[3] = m[5] + float32(p4p4*p4*d) + float32(q4q4*q4*v)
}

// spreadLine4 is A of F(4x4,3x3): a polynomial at every point.
func spreadLine4(d *winoLine) {
	evenP, oddP := d[0]+float32(p4p4*d[2]), float32(p4*(d[1]+float32(p4p4*d[3])))
	evenQ, oddQ := d[0]+float32(q4q4*d[2]), float32(q4*(d[1]+float32(q4q4*d[3])))
	d[5] = d[3]
	d[1], d[2], d[3], d[4] = evenP+oddP, evenP-oddP, evenQ+oddQ, evenQ-oddQ
}

// collectLine4 is B of F(4x4,3x3).
func collectLine4(m *winoLine) {
	s, d, u, v := m[1]+m[2], float32(p4*(m[1]-m[2])), m[3]+m[4], float32(q4*(m[3]-m[4]))
	m[1] = float32(p4p4*q4q4*m[5]) - (float32(q4q4*d) + float32(p4p4*v))
	m[2] = -(float32(q4q4*s) + float32(p4p4*u)) - float32((p4p4+q4q4)*m[0])
	m[3] = d + v - float32((p4p4+q4q4)*m[5])
	m[4] = s + u + m[0]
	m[0] = float32(p4p4 * q4q4 * m[0])
}

// The points of F(5x5,3x3) are p5, -p5, q5, -q5, r5, -r5 and infinity. The
// product of x^2 - q^2 and x^2 - r^2 is x^4 - sumP x^2 + mulP, and so on; that of
// all three has the last three coefficients.
const (
	p5, q5, r5       = 0.25, 0.875, 1.75
	p5p5, q5q5, r5r5 = p5 * p5, q5 * q5, r5 * r5
	sumP, mulP       = q5q5 + r5r5, q5q5 * r5r5
	sumQ, mulQ       = p5p5 + r5r5, p5p5 * r5r5
	sumR, mulR       = p5p5 + q5q5, p5p5 * q5q5
	all4, all2, all0 = p5p5 + q5q5 + r5r5, mulP + mulQ + mulR, p5p5 * q5q5 * r5r5
)

// inputLine5 is B' of F(5x5,3x3).
func inputLine5(x *winoLine) {
	oddP, evenP := quartic(sumP, mulP, x[5], x[3], x[1]), float32(p5*quartic(sumP, mulP, x[4], x[2], x[0]))
	oddQ, evenQ := quartic(sumQ, mulQ, x[5], x[3], x[1]), float32(q5*quartic(sumQ, mulQ, x[4], x[2], x[0]))
	oddR, evenR := quartic(sumR, mulR, x[5], x[3], x[1]), float32(r5*quartic(sumR, mulR, x[4], x[2], x[0]))
	x[6] = quartic(all4, all2, x[6], x[4], x[2]) - float32(all0*x[0])
	x[0], x[1], x[2], x[3], x[4], x[5] = oddP+evenP, oddP-evenP, oddQ+evenQ, oddQ-evenQ, oddR+evenR, oddR-evenR
}

// quartic is x4 - sum*x2 + mul*x0.
func quartic(sum, mul, x4, x2, x0 float32) float32 {
	return x4 - float32(sum*x2) + float32(mul*x0)
}

// outputLine5 is A' of F(5x5,3x3).
func outputLine5(m *winoLine) {
	s, d, u, v, y, z := m[0]+m[1], m[0]-m[1], m[2]+m[3], m[2]-m[3], m[4]+m[5], m[4]-m[5]
	m[0], m[1] = y+u+s, three(p5, q5, r5, d, v, z)
	m[2], m[3] = three(p5p5, q5q5, r5r5, s, u, y), three(p5p5*p5, q5q5*q5, r5r5*r5, d, v, z)
	m[4] = m[6] + float32(p5p5*p5p5*s) + float32(q5q5*q5q5*u) + float32(r5r5*r5r5*y)
}

// three is a*x + b*y + c*z, in the order of the assembly.
func three(a, b, c, x, y, z float32) float32 {
	return float32(c*z) + float32(b*y) + float32(a*x)
}

// spreadLine5 is A of F(5x5,3x3).
func spreadLine5(d *winoLine) {
	evenP, oddP := d[0]+float32(p5p5*d[2])+float32(p5p5*p5p5*d[4]), float32(p5*(d[1]+float32(p5p5*d[3])))
	evenQ, oddQ := d[0]+float32(q5q5*d[2])+float32(q5q5*q5q5*d[4]), float32(q5*(d[1]+float32(q5q5*d[3])))
	evenR, oddR := d[0]+float32(r5r5*d[2])+float32(r5r5*r5r5*d[4]), float32(r5*(d[1]+float32(r5r5*d[3])))
	d[6] = d[4]
	d[0], d[1], d[2], d[3], d[4], d[5] = evenP+oddP, evenP-oddP, evenQ+oddQ, evenQ-oddQ, evenR+oddR, evenR-oddR
}

// collectLine5 is B of F(5x5,3x3).
func collectLine5(m *winoLine) {
	s, u, y := m[0]+m[1], m[2]+m[3], m[4]+m[5]
	d, v, z := float32(p5*(m[0]-m[1])), float32(q5*(m[2]-m[3])), float32(r5*(m[4]-m[5]))
	m[0], m[1] = three(mulP, mulQ, mulR, d, v, z)-float32(all0*m[6]), three(mulP, mulQ, mulR, s, u, y)
	m[2], m[3] = float32(all2*m[6])-three(sumP, sumQ, sumR, d, v, z), -three(sumP, sumQ, sumR, s, u, y)
	m[4], m[5] = z+v+d-float32(all4*m[6]), y+u+s
}
