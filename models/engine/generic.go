package engine

import "unsafe"

// The generic family: four lanes, tiles of one or two pixels, plain Go. Products
// are rounded before they are added, so every compiler and processor gives the
// same bytes.

var genericKernels = &kernelSet{
	lanes:       4,
	tile:        [3][]func(*tileArgs){1: {nil, genericTile1, genericTile2}},
	depthwise:   []func(*tileArgs){nil, genericDepthwise},
	maxForward:  genericMaxForward,
	maxBackward: genericMaxBackward,
	combine:     genericCombine,
	winoIn:      genericWinoIn,
	winoOut:     genericWinoOut,
}

func floats(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

// at is the memory of n floats of pixel i of an operand.
func at(p unsafe.Pointer, pix uintptr, i int, off int64, n int) []float32 {
	return floats(unsafe.Add(p, i*int(pix)+int(off)), n)
}

func genericTile1(a *tileArgs) {
	for i := 0; i < a.tiles; i++ {
		var s [4]float32
		copy(s[:], floats(a.bias, 4))
		for t := 0; t < a.ntaps; t++ {
			off := *(*int64)(unsafe.Add(a.taps, 8*t))
			x := at(a.x, a.xpix, i, off, a.k)
			ws := at(a.w, uintptr(16*a.k), t, 0, 4*a.k)
			s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
			for k, v := range x {
				u := ws[4*k : 4*k+4 : 4*k+4]
				s0 += float32(v * u[0])
				s1 += float32(v * u[1])
				s2 += float32(v * u[2])
				s3 += float32(v * u[3])
			}
			s = [4]float32{s0, s1, s2, s3}
		}
		genericEpilogue(a, i, &s)
	}
}

func genericTile2(a *tileArgs) {
	for i := 0; i < 2*a.tiles; i += 2 {
		var s, t [4]float32
		copy(s[:], floats(a.bias, 4))
		t = s
		for j := 0; j < a.ntaps; j++ {
			off := *(*int64)(unsafe.Add(a.taps, 8*j))
			x := at(a.x, a.xpix, i, off, a.k)
			z := at(a.x, a.xpix, i+1, off, a.k)
			ws := at(a.w, uintptr(16*a.k), j, 0, 4*a.k)
			s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
			t0, t1, t2, t3 := t[0], t[1], t[2], t[3]
			for k, v := range x {
				u := ws[4*k : 4*k+4 : 4*k+4]
				q := z[k]
				s0 += float32(v * u[0])
				s1 += float32(v * u[1])
				s2 += float32(v * u[2])
				s3 += float32(v * u[3])
				t0 += float32(q * u[0])
				t1 += float32(q * u[1])
				t2 += float32(q * u[2])
				t3 += float32(q * u[3])
			}
			s = [4]float32{s0, s1, s2, s3}
			t = [4]float32{t0, t1, t2, t3}
		}
		genericEpilogue(a, i, &s)
		genericEpilogue(a, i+1, &t)
	}
}

// genericEpilogue finishes the sums of pixel i.
func genericEpilogue(a *tileArgs, i int, s *[4]float32) {
	if a.add != nil {
		for c, v := range at(a.add, a.apix, i, 0, 4) {
			s[c] += v
		}
	}
	if a.act != 0 {
		clamp(s[:], a.hi)
	}
	if a.mask != nil {
		keepInside(s[:], at(a.mask, a.mpix, i, 0, 4), a.hi)
	}
	copy(at(a.y, a.ypix, i, 0, 4), s[:])
}

func genericDepthwise(a *tileArgs) {
	for i := 0; i < a.tiles; i++ {
		var s [4]float32
		copy(s[:], floats(a.bias, 4))
		for t := 0; t < a.ntaps; t++ {
			x := at(a.x, a.xpix, i, *(*int64)(unsafe.Add(a.taps, 8*t)), 4)
			for c, w := range at(a.w, 16, t, 0, 4) {
				s[c] += float32(x[c] * w)
			}
		}
		genericEpilogue(a, i, &s)
	}
}

func genericMaxForward(a *tileArgs) {
	taps := unsafe.Slice((*poolTap)(a.taps), a.ntaps)
	for i := 0; i < a.tiles; i++ {
		y, index := at(a.y, a.ypix, i, 0, 4*a.vecs), at(a.index, a.ipix, i, 0, 4*a.vecs)
		copy(y, at(a.x, a.xpix, i, taps[0].off, len(y)))
		for c := range index {
			index[c] = taps[0].number
		}
		for _, t := range taps[1:] {
			for c, v := range at(a.x, a.xpix, i, t.off, len(y)) {
				if best := y[c]; v > best || v != v && best == best {
					y[c], index[c] = v, t.number
				}
			}
		}
	}
}

func genericMaxBackward(a *tileArgs) {
	taps := unsafe.Slice((*poolTap)(a.taps), a.ntaps)
	for i := 0; i < a.tiles; i++ {
		y := at(a.y, a.ypix, i, 0, 4*a.vecs)
		var add []float32
		if a.add != nil {
			add = at(a.add, a.apix, i, 0, len(y))
		}
		for c := range y {
			sum := float32(0)
			for _, t := range taps {
				off := t.off + int64(4*c)
				if at(a.index, a.ipix, i, off, 1)[0] == t.number {
					sum += at(a.x, a.xpix, i, off, 1)[0]
				}
			}
			if add != nil {
				sum += add[c]
			}
			y[c] = sum
		}
		if a.mask != nil {
			keepInside(y, at(a.mask, a.mpix, i, 0, len(y)), a.hi)
		}
	}
}

func genericCombine(a *tileArgs) {
	for i := 0; i < a.tiles; i++ {
		y := at(a.y, a.ypix, i, 0, 4*a.vecs)
		x := at(a.x, a.xpix, i, 0, len(y))
		if a.add == nil {
			copy(y, x)
		} else { // which may be y
			for c, v := range at(a.add, a.apix, i, 0, len(y)) {
				y[c] = x[c] + v
			}
		}
		if a.act != 0 {
			clamp(y, a.hi)
		}
		if a.mask != nil {
			keepInside(y, at(a.mask, a.mpix, i, 0, len(y)), a.hi)
		}
	}
}

// keepInside zeroes y where !(0 < m < hi).
func keepInside(y, mask []float32, hi float32) {
	for c, m := range mask {
		if !(m > 0 && m < hi) {
			y[c] = 0
		}
	}
}

func genericWinoIn(a *winoArgs) {
	var t [winoCells]float32
	for c := 0; c < 4*a.vecs; c++ {
		in := func(i, j int) float32 {
			return *(*float32)(unsafe.Add(a.p, i*int(a.row)+j*int(a.pix)+4*c))
		}
		for j := range winoSide {
			b := winoInputRow([6]float32{in(0, j), in(1, j), in(2, j), in(3, j), in(4, j), in(5, j)})
			for i, v := range b {
				t[i*winoSide+j] = v
			}
		}
		for i := range winoSide {
			for j, v := range winoInputRow([6]float32(t[i*winoSide:][:winoSide])) {
				*(*float32)(unsafe.Add(a.t, (i*winoSide+j)*int(a.slab)+4*c)) = v
			}
		}
	}
}

// winoInputRow is B'x.
func winoInputRow(x [6]float32) [6]float32 {
	a, b := x[4]-float32(4*x[2]), x[3]-float32(4*x[1])
	c, d := x[4]-x[2], x[3]-x[1]
	return [6]float32{
		float32(4*x[0]) + (x[4] - float32(5*x[2])),
		a + b, a - b,
		c + float32(2*d), c - float32(2*d),
		float32(4*x[1]) + (x[5] - float32(5*x[3])),
	}
}

func genericWinoOut(a *winoArgs) {
	var t [winoTile * winoSide]float32
	for c := 0; c < 4*a.vecs; c++ {
		at := func(p unsafe.Pointer, row, pix uintptr, i, j int) *float32 {
			return (*float32)(unsafe.Add(p, i*int(row)+j*int(pix)+4*c))
		}
		for j := range winoSide {
			m := func(k int) float32 { return *at(a.t, a.slab, 0, k*winoSide+j, 0) }
			for i, v := range winoOutputRow([6]float32{m(0), m(1), m(2), m(3), m(4), m(5)}) {
				t[i*winoSide+j] = v
			}
		}
		bias := *at(a.bias, 0, 0, 0, 0)
		for i := range a.rows {
			y := winoOutputRow([6]float32(t[i*winoSide:][:winoSide]))
			for j := range a.cols {
				v := y[j] + bias
				if a.add != nil {
					v += *at(a.add, a.arow, a.apix, i, j)
				}
				if a.act != 0 {
					if v < 0 {
						v = 0
					} else if v > a.hi {
						v = a.hi
					}
				}
				if a.mask != nil {
					if m := *at(a.mask, a.mrow, a.mpix, i, j); !(m > 0 && m < a.hi) {
						v = 0
					}
				}
				*at(a.p, a.row, a.pix, i, j) = v
			}
		}
	}
}

// winoOutputRow is A'm.
func winoOutputRow(m [6]float32) [4]float32 {
	s1, d1, s2, d2 := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + s1 + s2, d1 + float32(2*d2), s1 + float32(4*s2), d1 + float32(8*d2) + m[5]}
}
