package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of winoArgs.
const (
	winoP        = 8 * iota // *float32, in the image
	winoRow                 // bytes
	winoPix                 // bytes
	winoT                   // *float32, first product
	winoSlab                // bytes from one product to the next
	winoVecs                // int
	winoScratch             // 49 vectors
	winoBias                // *float32
	winoAdd                 // *float32 or nil
	winoARow                // bytes
	winoAPix                // bytes
	winoMask                // *float32 or nil
	winoMRow                // bytes
	winoMPix                // bytes
	winoAct                 // 0 or 1
	winoRows                // 1..side
	winoCols                // 1..side
	winoOverRows            // 0..side
	winoOverCols            // 0..side
	winoAhead               // *float32, the next tile's first pixel
	winoMAhead              // *float32, its mask, or nil
	winoHi                  // float32
	winoConsts   = winoHi + 4
)

// The constants, in the order of winoArgs.consts.
const (
	two = iota
	four
	five
	eight
	sixteen
	half
)

// constant is the register of a constant of the transforms.
func (f *family) constant(c int) reg.VecPhysical {
	if f.wide() {
		return f.v[20+c]
	}
	return f.v[[]int{two: 15, four: 14, five: 13, eight: 13, sixteen: 11, half: 12}[c]]
}

func (f *family) loadConstants(cs []int) {
	for _, c := range cs {
		VBROADCASTSS(arg(winoConsts+4*c), f.constant(c))
	}
}

// A winoLine is a matrix that a transform applies to all columns of a tile and
// then to all rows.
type winoLine struct {
	in, out int
	consts  []int
	// apply multiplies the vectors v[:in], and tells where it leaves the
	// results. It may use v[:12] (11 if it needs sixteen).
	apply func(f *family) []reg.VecPhysical
}

// The points of F(4x4,3x3) are 0, 1, -1, 2, -2 and infinity; F(5x5,3x3) has
// -1/2 besides, as the last. B' for a point is the product of x minus every
// other point, so that with e[k] = d[k+1] + d[k]/2 the larger one's lines are
// the smaller one's of e, and one more.
var (
	input4   = winoLine{6, 6, []int{two, four, five}, func(f *family) []reg.VecPhysical { return f.inputLine(f.v[6:11]) }}
	input5   = winoLine{7, 7, []int{two, four, five, half}, (*family).inputLine5}
	output4  = winoLine{6, 4, []int{two, four, eight}, func(f *family) []reg.VecPhysical { return f.outputLine(4) }}
	output5  = winoLine{7, 5, []int{two, four, eight, sixteen, half}, func(f *family) []reg.VecPhysical { return f.outputLine(5) }}
	spread4  = winoLine{4, 6, []int{two, four}, func(f *family) []reg.VecPhysical { return f.spreadLine(4) }}
	spread5  = winoLine{5, 7, []int{two, four, half}, func(f *family) []reg.VecPhysical { return f.spreadLine(5) }}
	collect4 = winoLine{6, 6, []int{two, four, five}, (*family).collectLine}
	collect5 = winoLine{7, 7, []int{two, four, five, half}, (*family).collectLine5}
)

// steps makes n places a stride apart addressable, from the one in bases[0] on,
// and leaves the last place but one stride behind in the last base.
type steps struct {
	bases  [3]reg.Register
	stride reg.Register
}

func (s steps) set(n int) {
	for i := 1; i <= (n-1)/3; i++ {
		LEAQ(Mem{Base: s.bases[i-1], Index: s.stride, Scale: 2}, s.bases[i])
		ADDQ(s.stride, s.bases[i])
	}
}

func (s steps) at(k int) Mem {
	mem := Mem{Base: s.bases[k/3]}
	if k%3 > 0 {
		mem.Index, mem.Scale = s.stride, uint8(k%3)
	}
	return mem
}

// next moves the first base n strides on, after set(n).
func (s steps) next(n int) {
	last := (n - 1) / 3
	switch n - 3*last {
	case 1:
		LEAQ(Mem{Base: s.bases[last], Index: s.stride, Scale: 1}, s.bases[0])
	case 2:
		LEAQ(Mem{Base: s.bases[last], Index: s.stride, Scale: 2}, s.bases[0])
	case 3:
		LEAQ(Mem{Base: s.bases[last], Index: s.stride, Scale: 2}, s.bases[0])
		ADDQ(s.stride, s.bases[0])
	}
}

// winoIn writes the transform of a tile of the image, vector by vector.
func (f *family) winoIn(kind string, l winoLine) {
	name := "wino" + kind + f.name
	TEXT(name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms a tile of %dx%d pixels to %d factors.", name, l.in, l.in, l.out*l.out))
	Load(Param("a"), reg.RAX)
	x, row, pix, out, slab, vecs, tmp := reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI, reg.R8, reg.R9
	p := [3]reg.Register{reg.R10, reg.R11, reg.R12}
	MOVQ(arg(winoP), x)
	MOVQ(arg(winoRow), row)
	MOVQ(arg(winoPix), pix)
	MOVQ(arg(winoT), out)
	MOVQ(arg(winoSlab), slab)
	MOVQ(arg(winoVecs), vecs)
	MOVQ(arg(winoScratch), tmp)
	f.loadConstants(l.consts)
	rows, slabs := steps{p, row}, steps{p, slab}
	Label("vector")
	// The lines of the next vector's results, before they are written.
	LEAQ(at(out, f.bytes), p[0])
	for i := 0; i < l.out; i++ {
		slabs.set(l.out)
		for j := 0; j < l.out; j++ {
			PREFETCHT0(slabs.at(j))
		}
		if i < l.out-1 {
			slabs.next(l.out)
		}
	}
	for j := 0; j < l.in; j++ {
		if j == 0 {
			MOVQ(x, p[0])
		} else {
			ADDQ(pix, p[0])
		}
		rows.set(l.in)
		for k := 0; k < l.in; k++ {
			VMOVUPS(rows.at(k), f.v[k])
		}
		for i, v := range l.apply(f) {
			VMOVUPS(v, at(tmp, (i*l.in+j)*f.bytes))
		}
	}
	MOVQ(out, p[0])
	for i := 0; i < l.out; i++ {
		slabs.set(l.out)
		for k := 0; k < l.in; k++ {
			VMOVUPS(at(tmp, (i*l.in+k)*f.bytes), f.v[k])
		}
		for j, v := range l.apply(f) {
			VMOVUPS(v, slabs.at(j))
		}
		if i < l.out-1 {
			slabs.next(l.out)
		}
	}
	ADDQ(Imm(uint64(f.bytes)), x)
	ADDQ(Imm(uint64(f.bytes)), out)
	DECQ(vecs)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// inputLine is B' of F(4x4,3x3), on v[:6]:
//
//	4 x0 - 5 x2 + x4, (x4-4x2) + (x3-4x1), (x4-4x2) - (x3-4x1),
//	(x4-x2) + 2(x3-x1), (x4-x2) - 2(x3-x1), 4 x1 - 5 x3 + x5
func (f *family) inputLine(free []reg.VecPhysical) []reg.VecPhysical {
	x := f.v[:6]
	a, b, c, d, t := free[0], free[1], free[2], free[3], free[4]
	VMOVAPS(x[4], a)
	VFNMADD231PS(f.constant(four), x[2], a) // x4 - 4 x2
	VMOVAPS(x[3], b)
	VFNMADD231PS(f.constant(four), x[1], b) // x3 - 4 x1
	VSUBPS(x[2], x[4], c)                   // x4 - x2
	VSUBPS(x[1], x[3], d)                   // x3 - x1
	VADDPS(b, a, t)
	VSUBPS(b, a, a)
	VMOVAPS(c, b)
	VFMADD231PS(f.constant(two), d, b)
	VFNMADD231PS(f.constant(two), d, c)
	VFNMADD231PS(f.constant(five), x[2], x[4])
	VFMADD231PS(f.constant(four), x[0], x[4])
	VFNMADD231PS(f.constant(five), x[3], x[5])
	VFMADD231PS(f.constant(four), x[1], x[5])
	return []reg.VecPhysical{x[4], t, a, b, c, x[5]}
}

// inputLine5 is B' of F(5x5,3x3), on v[:7]: inputLine of e, and
// 4 x1 - 5 x3 + x5.
func (f *family) inputLine5() []reg.VecPhysical {
	x, last := f.v[:7], f.v[7]
	VMOVAPS(x[5], last)
	VFNMADD231PS(f.constant(five), x[3], last)
	VFMADD231PS(f.constant(four), x[1], last)
	for k := range 6 {
		VFMADD213PS(x[k+1], f.constant(half), x[k])
	}
	return append(f.inputLine([]reg.VecPhysical{x[6], f.v[8], f.v[9], f.v[10], f.v[11]}), last)
}

// spreadLine is A, on v[:tile]: the polynomial with these coefficients at every
// point.
func (f *family) spreadLine(tile int) []reg.VecPhysical {
	d, last := f.v[:tile], f.v[tile-1]
	s, t, u, v := f.v[5], f.v[6], f.v[7], f.v[8]
	plus, plus2 := f.v[9], f.v[10]
	// Even and odd coefficients, of 1 and of 2.
	VADDPS(d[2], d[0], s)
	VADDPS(d[3], d[1], t)
	VMOVAPS(d[2], u)
	if tile == 5 {
		VADDPS(d[4], s, s)
		VFMADD231PS(f.constant(four), d[4], u)
	}
	VFMADD213PS(d[0], f.constant(four), u)
	VMOVAPS(d[1], v)
	VFMADD231PS(f.constant(four), d[3], v)
	VADDPS(t, s, plus)
	VSUBPS(t, s, s)
	VMOVAPS(u, plus2)
	VFMADD231PS(f.constant(two), v, plus2)
	VFNMADD231PS(f.constant(two), v, u)
	out := []reg.VecPhysical{d[0], plus, s, plus2, u, last}
	if tile == 5 {
		VMOVAPS(d[4], t)
		for k := 3; k >= 0; k-- {
			VFNMADD213PS(d[k], f.constant(half), t)
		}
		out = append(out, t)
	}
	return out
}

// winoOut writes the transform of a tile's products to pixels, and their
// epilogue, for the rows and columns inside the image. overlap says that tiles
// overlap and pixels are sums over tiles, without bias and clamp.
func (f *family) winoOut(kind string, l winoLine, overlap bool) {
	name := "wino" + kind + f.name
	TEXT(name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms the %d products of a tile to %dx%d pixels.", name, l.in*l.in, l.out, l.out))
	Load(Param("a"), reg.RAX)
	y, in, slab, vecs, tmp, p, off, rowp, addp, maskp := reg.RBX, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.RCX, reg.RDX, reg.R12, reg.R13
	p2, bias, over, cols := reg.R11, reg.R14, reg.R14, reg.R15
	MOVQ(arg(winoP), y)
	MOVQ(arg(winoT), in)
	MOVQ(arg(winoSlab), slab)
	MOVQ(arg(winoVecs), vecs)
	MOVQ(arg(winoScratch), tmp)
	MOVQ(arg(winoCols), cols)
	if !overlap {
		MOVQ(arg(winoBias), bias)
	}
	zero, hi := f.temp(0), f.temp(1)
	limits := func() {
		f.zero(zero)
		VBROADCASTSS(arg(winoHi), hi)
	}
	if f.wide() {
		f.loadConstants(l.consts)
		limits()
	}
	XORQ(off, off)
	Label("vector")
	// What the next tile's epilogue reads and writes, but for the columns that
	// it shares with this one. Into the second cache only: pixels are some
	// hundred bytes apart and would meet in a few sets of the first one.
	ahead := func(first, row, pix int) {
		MOVQ(arg(first), p2)
		for i := 0; i < l.out; i++ {
			MOVQ(p2, p)
			for j := 0; j < l.out; j++ {
				if !overlap || j >= 2 {
					PREFETCHT1(Mem{Base: p, Index: off, Scale: 1})
				}
				ADDQ(arg(pix), p)
			}
			ADDQ(arg(row), p2)
		}
	}
	ahead(winoAhead, winoRow, winoPix)
	MOVQ(arg(winoMAhead), p)
	TESTQ(p, p)
	JZ(LabelRef("ahead"))
	ahead(winoMAhead, winoMRow, winoMPix)
	Label("ahead")
	if !f.wide() {
		f.loadConstants(l.consts)
	}
	for j := 0; j < l.in; j++ {
		// Product k*in+j: p at j.
		if j == 0 {
			MOVQ(in, p)
		} else {
			ADDQ(slab, p)
		}
		MOVQ(p, p2)
		for k := 0; k < l.in; k++ {
			if k > 0 && l.in == 6 {
				LEAQ(Mem{Base: p2, Index: slab, Scale: 4}, p2)
				LEAQ(Mem{Base: p2, Index: slab, Scale: 2}, p2)
			} else if k > 0 {
				LEAQ(Mem{Base: p2, Index: slab, Scale: 8}, p2)
				SUBQ(slab, p2)
			}
			VMOVUPS(Mem{Base: p2, Index: off, Scale: 1}, f.v[k])
		}
		for i, v := range l.apply(f) {
			VMOVUPS(v, at(tmp, (i*l.in+j)*f.bytes))
		}
	}
	MOVQ(y, rowp)
	MOVQ(arg(winoAdd), addp)
	MOVQ(arg(winoMask), maskp)
	// along visits the columns inside the image, with p at the pixel.
	along := func(first reg.Register, pix int, end string, body func(j int, mem Mem)) {
		MOVQ(first, p)
		for j := 0; j < l.out; j++ {
			if j > 0 {
				CMPQ(cols, Imm(uint64(j)))
				JLE(LabelRef(end))
				ADDQ(arg(pix), p)
			}
			body(j, Mem{Base: p, Index: off, Scale: 1})
		}
		Label(end)
	}
	for i := 0; i < l.out; i++ {
		label := func(s string) string { return fmt.Sprint(s, i) }
		CMPQ(arg(winoRows), Imm(uint64(i)))
		JLE(LabelRef("stored"))
		if !f.wide() {
			f.loadConstants(l.consts)
		}
		for k := 0; k < l.in; k++ {
			VMOVUPS(at(tmp, (i*l.in+k)*f.bytes), f.v[k])
		}
		out := l.apply(f)
		if !f.wide() {
			limits()
		}
		if overlap {
			// Earlier tiles have written the columns before over.
			MOVQ(cols, over)
			CMPQ(arg(winoOverRows), Imm(uint64(i)))
			JG(LabelRef(label("over")))
			MOVQ(arg(winoOverCols), over)
			Label(label("over"))
			MOVQ(rowp, p)
			for j := 0; j < l.out; j++ {
				CMPQ(over, Imm(uint64(j)))
				JLE(LabelRef(label("summed")))
				if j > 0 {
					ADDQ(arg(winoPix), p)
				}
				VADDPS(Mem{Base: p, Index: off, Scale: 1}, out[j], out[j])
			}
			Label(label("summed"))
		} else {
			b := f.temp(2)
			VMOVUPS(Mem{Base: bias, Index: off, Scale: 1}, b)
			for _, v := range out {
				VADDPS(b, v, v)
			}
		}
		TESTQ(addp, addp)
		JZ(LabelRef(label("added")))
		along(addp, winoAPix, label("addend"), func(j int, mem Mem) {
			if overlap {
				CMPQ(over, Imm(uint64(j)))
				JG(LabelRef(label(fmt.Sprint("has", j, "r"))))
			}
			VADDPS(mem, out[j], out[j])
			if overlap {
				Label(label(fmt.Sprint("has", j, "r")))
			}
		})
		ADDQ(arg(winoARow), addp)
		Label(label("added"))
		if !overlap {
			CMPQ(arg(winoAct), Imm(0))
			JEQ(LabelRef(label("clamped")))
			for _, v := range out {
				VMAXPS(v, zero, v)
				VMINPS(v, hi, v)
			}
			Label(label("clamped"))
		}
		TESTQ(maskp, maskp)
		JZ(LabelRef(label("masked")))
		along(maskp, winoMPix, label("maskend"), func(j int, mem Mem) { f.keepInside(mem, zero, hi, out[j]) })
		ADDQ(arg(winoMRow), maskp)
		Label(label("masked"))
		along(rowp, winoPix, label("rowend"), func(j int, mem Mem) { VMOVUPS(out[j], mem) })
		ADDQ(arg(winoRow), rowp)
	}
	Label("stored")
	ADDQ(Imm(uint64(f.bytes)), off)
	DECQ(vecs)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// outputLine is A', on v[:tile+2]:
//
//	m0 + (m1+m2) + (m3+m4), (m1-m2) + 2(m3-m4), (m1+m2) + 4(m3+m4),
//	(m1-m2) + 8(m3-m4) + m5
//
// or for five outputs, instead of the last:
//
//	(m1-m2) + 8(m3-m4), (m1+m2) + 16(m3+m4) + m5
//
// and m6 times the powers of -1/2 added to all.
func (f *family) outputLine(tile int) []reg.VecPhysical {
	m := f.v[:tile+2]
	d1, d2, s := f.v[7], f.v[8], f.v[9]
	VSUBPS(m[2], m[1], d1)
	VADDPS(m[2], m[1], s) // s1
	VSUBPS(m[4], m[3], d2)
	VADDPS(m[4], m[3], m[4]) // s2
	VADDPS(s, m[0], m[0])
	VADDPS(m[4], m[0], m[0]) // y0
	if tile == 5 {
		VADDPS(s, m[5], m[5])
		VFMADD231PS(f.constant(sixteen), m[4], m[5]) // y4
	}
	VFMADD231PS(f.constant(four), m[4], s)
	VMOVAPS(s, m[2]) // y2
	VMOVAPS(d1, m[1])
	VFMADD231PS(f.constant(two), d2, m[1]) // y1
	VFMADD231PS(f.constant(eight), d2, d1)
	if tile == 4 {
		VADDPS(m[5], d1, m[3]) // y3
		return []reg.VecPhysical{m[0], m[1], m[2], m[3]}
	}
	y := []reg.VecPhysical{m[0], m[1], m[2], d1, m[5]}
	for i, v := range y {
		if i > 0 {
			VMULPS(f.constant(half), m[6], m[6])
		}
		if i%2 == 0 {
			VADDPS(m[6], v, v)
		} else {
			VSUBPS(m[6], v, v)
		}
	}
	return y
}

// collectLine is B of F(4x4,3x3), on v[:6]:
//
//	4 m0, -4(m1-m2) - 2(m3-m4) + 4 m5, -5 m0 - 4(m1+m2) - (m3+m4),
//	(m1-m2) + 2(m3-m4) - 5 m5, m0 + (m1+m2) + (m3+m4), m5
func (f *family) collectLine() []reg.VecPhysical {
	m, s := f.v[:6], f.v[11]
	VADDPS(m[2], m[1], s)    // s1
	VSUBPS(m[2], m[1], m[1]) // d1
	VADDPS(m[4], m[3], m[2]) // s2
	VSUBPS(m[4], m[3], m[3]) // d2
	VADDPS(s, m[0], m[4])
	VADDPS(m[2], m[4], m[4])                   // z4
	VFNMSUB231PS(f.constant(four), s, m[2])    // -4 s1 - s2
	VFNMADD231PS(f.constant(five), m[0], m[2]) // z2
	VSUBPS(m[1], m[5], s)
	VMULPS(f.constant(four), s, s)
	VFNMADD231PS(f.constant(two), m[3], s) // z1
	VFMADD231PS(f.constant(two), m[3], m[1])
	VFNMADD231PS(f.constant(five), m[5], m[1]) // z3
	VMULPS(f.constant(four), m[0], m[0])       // z0
	return []reg.VecPhysical{m[0], s, m[2], m[1], m[4], m[5]}
}

// collectLine5 is B of F(5x5,3x3), on v[:7]: with z of collectLine, z[k-1] +
// z[k]/2, and m6 times (0, 4, 0, -5, 0, 1, 0).
func (f *family) collectLine5() []reg.VecPhysical {
	z, m6, y1 := f.collectLine(), f.v[6], f.v[3]
	VMOVAPS(z[0], y1)
	VFMADD231PS(f.constant(half), z[1], y1)
	VFMADD231PS(f.constant(four), m6, y1)
	VMULPS(f.constant(half), z[0], z[0]) // y0
	for k := 1; k < 5; k++ {
		VFMADD231PS(f.constant(half), z[k+1], z[k]) // y[k+1]
	}
	VFNMADD231PS(f.constant(five), m6, z[2])
	VADDPS(m6, z[4], z[4])
	return []reg.VecPhysical{z[0], y1, z[1], z[2], z[3], z[4], z[5]}
}
