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
	wino:        genericWino,
	rows:        plainRows,
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
			// Two entries at a time: the compiler then keeps what it adds in
			// registers (a third faster).
			for len(x) >= 2 && len(z) >= 2 && len(ws) >= 8 {
				v, q := x[0], z[0]
				s0, t0 = s0+float32(v*ws[0]), t0+float32(q*ws[0])
				s1, t1 = s1+float32(v*ws[1]), t1+float32(q*ws[1])
				s2, t2 = s2+float32(v*ws[2]), t2+float32(q*ws[2])
				s3, t3 = s3+float32(v*ws[3]), t3+float32(q*ws[3])
				v, q = x[1], z[1]
				s0, t0 = s0+float32(v*ws[4]), t0+float32(q*ws[4])
				s1, t1 = s1+float32(v*ws[5]), t1+float32(q*ws[5])
				s2, t2 = s2+float32(v*ws[6]), t2+float32(q*ws[6])
				s3, t3 = s3+float32(v*ws[7]), t3+float32(q*ws[7])
				x, z, ws = x[2:], z[2:], ws[8:]
			}
			if len(x) == 1 {
				v, q := x[0], z[0]
				s0, t0 = s0+float32(v*ws[0]), t0+float32(q*ws[0])
				s1, t1 = s1+float32(v*ws[1]), t1+float32(q*ws[1])
				s2, t2 = s2+float32(v*ws[2]), t2+float32(q*ws[2])
				s3, t3 = s3+float32(v*ws[3]), t3+float32(q*ws[3])
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
