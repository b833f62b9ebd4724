package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of winoArgs.
const (
	winoP       = 8 * iota   // *float32, in the image
	winoRow                  // bytes
	winoPix                  // bytes
	winoT                    // *float32, first product
	winoSlab                 // bytes from one product to the next
	winoVecs                 // int
	winoScratch              // 36 vectors
	winoBias                 // *float32
	winoAdd                  // *float32 or nil
	winoARow                 // bytes
	winoAPix                 // bytes
	winoMask                 // *float32 or nil
	winoMRow                 // bytes
	winoMPix                 // bytes
	winoAct                  // 0 or 1
	winoRows                 // 1..4
	winoCols                 // 1..4
	winoHi                   // float32
	winoConsts  = winoHi + 4 // float32 2, 4, 5, 8
)

// constant is the i-th of winoArgs' constants, in a register.
func (f *family) constant(i int, v reg.VecPhysical) {
	VBROADCASTSS(arg(winoConsts+4*i), v)
}

// winoIn writes the input transform V = B'd B of one tile, vector by vector.
func (f *family) winoIn() {
	TEXT("winoIn"+f.name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc("winoIn" + f.name + " transforms a 6x6 tile of the image.")
	Load(Param("a"), reg.RAX)
	x, row, pix, out, slab, vecs, tmp, p, p3 := reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11
	MOVQ(arg(winoP), x)
	MOVQ(arg(winoRow), row)
	MOVQ(arg(winoPix), pix)
	MOVQ(arg(winoT), out)
	MOVQ(arg(winoSlab), slab)
	MOVQ(arg(winoVecs), vecs)
	MOVQ(arg(winoScratch), tmp)
	four, five, two := f.v[12], f.v[13], f.v[14]
	f.constant(0, two)
	f.constant(1, four)
	f.constant(2, five)
	Label("vector")
	// The 36 lines of the next vector's results, before they are written.
	LEAQ(at(out, f.bytes), p)
	for i := 0; i < 6; i++ {
		LEAQ(Mem{Base: p, Index: slab, Scale: 2}, p3)
		ADDQ(slab, p3)
		for j := 0; j < 6; j++ {
			mem := Mem{Base: p}
			if j >= 3 {
				mem.Base = p3
			}
			if j%3 > 0 {
				mem.Index, mem.Scale = slab, uint8(j%3)
			}
			PREFETCHT0(mem)
		}
		if i < 5 {
			LEAQ(Mem{Base: p3, Index: slab, Scale: 2}, p)
			ADDQ(slab, p)
		}
	}
	// Columns: scratch[i][j] = sum over k of B'[i][k] d[k][j].
	MOVQ(x, p)
	for j := 0; j < 6; j++ {
		LEAQ(Mem{Base: p, Index: row, Scale: 2}, p3)
		ADDQ(row, p3)
		f.inputRow(func(k int, v reg.VecPhysical) {
			mem := Mem{Base: p}
			if k >= 3 {
				mem.Base = p3
			}
			if k%3 > 0 {
				mem.Index, mem.Scale = row, uint8(k%3)
			}
			VMOVUPS(mem, v)
		}, func(i int, v reg.VecPhysical) {
			VMOVUPS(v, at(tmp, (i*6+j)*f.bytes))
		}, two, four, five)
		if j < 5 {
			ADDQ(pix, p)
		}
	}
	// Rows.
	MOVQ(out, p)
	for i := 0; i < 6; i++ {
		LEAQ(Mem{Base: p, Index: slab, Scale: 2}, p3)
		ADDQ(slab, p3)
		f.inputRow(func(k int, v reg.VecPhysical) {
			VMOVUPS(at(tmp, (i*6+k)*f.bytes), v)
		}, func(j int, v reg.VecPhysical) {
			mem := Mem{Base: p}
			if j >= 3 {
				mem.Base = p3
			}
			if j%3 > 0 {
				mem.Index, mem.Scale = slab, uint8(j%3)
			}
			VMOVUPS(v, mem)
		}, two, four, five)
		if i < 5 {
			LEAQ(Mem{Base: p3, Index: slab, Scale: 2}, p)
			ADDQ(slab, p)
		}
	}
	ADDQ(Imm(uint64(f.bytes)), x)
	ADDQ(Imm(uint64(f.bytes)), out)
	DECQ(vecs)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// inputRow applies B' to six vectors:
//
//	4 x0 - 5 x2 + x4, (x4-4x2) + (x3-4x1), (x4-4x2) - (x3-4x1),
//	(x4-x2) + 2(x3-x1), (x4-x2) - 2(x3-x1), 4 x1 - 5 x3 + x5
func (f *family) inputRow(load func(int, reg.VecPhysical), store func(int, reg.VecPhysical), two, four, five reg.VecPhysical) {
	x := f.v[:6]
	a, b, c, d, t, u := f.v[6], f.v[7], f.v[8], f.v[9], f.v[10], f.v[11]
	for k := 0; k < 6; k++ {
		load(k, x[k])
	}
	VMOVAPS(x[4], a)
	VFNMADD231PS(four, x[2], a) // x4 - 4 x2
	VMOVAPS(x[3], b)
	VFNMADD231PS(four, x[1], b) // x3 - 4 x1
	VSUBPS(x[2], x[4], c)       // x4 - x2
	VSUBPS(x[1], x[3], d)       // x3 - x1
	VADDPS(b, a, t)
	VSUBPS(b, a, u)
	store(1, t)
	store(2, u)
	VFNMADD231PS(five, x[2], x[4])
	VFMADD231PS(four, x[0], x[4])
	store(0, x[4])
	VFNMADD231PS(five, x[3], x[5])
	VFMADD231PS(four, x[1], x[5])
	store(5, x[5])
	VMOVAPS(c, t)
	VFMADD231PS(two, d, t)
	store(3, t)
	VFNMADD231PS(two, d, c)
	store(4, c)
}

// winoOut writes the output transform Y = A'm A of one tile, with the same
// epilogue as the tile kernels, for the rows and columns inside the image.
func (f *family) winoOut() {
	TEXT("winoOut"+f.name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc("winoOut" + f.name + " transforms the products of a tile to its 4x4 outputs.")
	Load(Param("a"), reg.RAX)
	y, in, slab, vecs, tmp, p, p3, off, rowp, addp, maskp, bias := reg.RBX, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.RCX, reg.RDX, reg.R12, reg.R13, reg.R14
	cols := reg.R15
	MOVQ(arg(winoP), y)
	MOVQ(arg(winoT), in)
	MOVQ(arg(winoSlab), slab)
	MOVQ(arg(winoVecs), vecs)
	MOVQ(arg(winoScratch), tmp)
	MOVQ(arg(winoBias), bias)
	MOVQ(arg(winoCols), cols)
	two, four, eight := f.v[10], f.v[11], f.v[9]
	zero, hi := f.temp(0), f.temp(1)
	XORQ(off, off)
	Label("vector")
	f.constant(0, two)
	f.constant(1, four)
	f.constant(3, eight)
	// What the epilogue reads and writes, before it is needed.
	ahead := func(first reg.Register, row, pix int) {
		MOVQ(first, p3)
		for i := 0; i < 4; i++ {
			MOVQ(p3, p)
			for j := 0; j < 4; j++ {
				PREFETCHT0(Mem{Base: p, Index: off, Scale: 1})
				ADDQ(arg(pix), p)
			}
			ADDQ(arg(row), p3)
		}
	}
	ahead(y, winoRow, winoPix)
	MOVQ(arg(winoMask), maskp)
	TESTQ(maskp, maskp)
	JZ(LabelRef("ahead"))
	ahead(maskp, winoMRow, winoMPix)
	Label("ahead")
	// Columns: scratch[i][j], i < 4, j < 6.
	for j := 0; j < 6; j++ {
		// Product k*6+j: p at j, p3 at 18+j.
		if j == 0 {
			MOVQ(in, p)
		} else {
			ADDQ(slab, p)
		}
		MOVQ(p, p3)
		f.outputRow(func(k int, v reg.VecPhysical) {
			if k > 0 {
				LEAQ(Mem{Base: p3, Index: slab, Scale: 4}, p3)
				LEAQ(Mem{Base: p3, Index: slab, Scale: 2}, p3)
			}
			VMOVUPS(Mem{Base: p3, Index: off, Scale: 1}, v)
		}, two, four, eight)
		for i := 0; i < 4; i++ {
			VMOVUPS(f.v[i], at(tmp, (i*6+j)*f.bytes))
		}
	}
	MOVQ(y, rowp)
	MOVQ(arg(winoAdd), addp)
	MOVQ(arg(winoMask), maskp)
	f.zero(zero)
	VBROADCASTSS(arg(winoHi), hi)
	for i := 0; i < 4; i++ {
		name := string(rune('0' + i))
		CMPQ(arg(winoRows), Imm(uint64(i)))
		JLE(LabelRef("stored"))
		f.constant(0, two)
		f.constant(1, four)
		f.constant(3, eight)
		f.outputRow(func(k int, v reg.VecPhysical) {
			VMOVUPS(at(tmp, (i*6+k)*f.bytes), v)
		}, two, four, eight)
		// Epilogue; v[0..3] are the outputs.
		VMOVUPS(Mem{Base: bias, Index: off, Scale: 1}, f.v[4])
		for j := 0; j < 4; j++ {
			VADDPS(f.v[4], f.v[j], f.v[j])
		}
		TESTQ(addp, addp)
		JZ(LabelRef("added" + name))
		MOVQ(addp, p)
		for j := 0; j < 4; j++ {
			if j > 0 {
				CMPQ(cols, Imm(uint64(j)))
				JLE(LabelRef("addend" + name))
				ADDQ(arg(winoAPix), p)
			}
			VADDPS(Mem{Base: p, Index: off, Scale: 1}, f.v[j], f.v[j])
		}
		Label("addend" + name)
		ADDQ(arg(winoARow), addp)
		Label("added" + name)
		CMPQ(arg(winoAct), Imm(0))
		JEQ(LabelRef("clamped" + name))
		for j := 0; j < 4; j++ {
			VMAXPS(f.v[j], zero, f.v[j])
			VMINPS(f.v[j], hi, f.v[j])
		}
		Label("clamped" + name)
		TESTQ(maskp, maskp)
		JZ(LabelRef("masked" + name))
		MOVQ(maskp, p)
		for j := 0; j < 4; j++ {
			if j > 0 {
				CMPQ(cols, Imm(uint64(j)))
				JLE(LabelRef("maskend" + name))
				ADDQ(arg(winoMPix), p)
			}
			f.keepInside(Mem{Base: p, Index: off, Scale: 1}, zero, hi, f.v[j])
		}
		Label("maskend" + name)
		ADDQ(arg(winoMRow), maskp)
		Label("masked" + name)
		MOVQ(rowp, p)
		for j := 0; j < 4; j++ {
			if j > 0 {
				CMPQ(cols, Imm(uint64(j)))
				JLE(LabelRef("rowend" + name))
				ADDQ(arg(winoPix), p)
			}
			VMOVUPS(f.v[j], Mem{Base: p, Index: off, Scale: 1})
		}
		Label("rowend" + name)
		ADDQ(arg(winoRow), rowp)
	}
	Label("stored")
	ADDQ(Imm(uint64(f.bytes)), off)
	DECQ(vecs)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// outputRow applies A' to six vectors and leaves the results in v[0..3]:
//
//	m0 + (m1+m2) + (m3+m4), (m1-m2) + 2(m3-m4), (m1+m2) + 4(m3+m4),
//	(m1-m2) + 8(m3-m4) + m5
func (f *family) outputRow(load func(int, reg.VecPhysical), two, four, eight reg.VecPhysical) {
	m := f.v[:6]
	d1, d2, s := f.v[6], f.v[7], f.v[8]
	for k := 0; k < 6; k++ {
		load(k, m[k])
	}
	VSUBPS(m[2], m[1], d1)
	VADDPS(m[2], m[1], s) // s1
	VSUBPS(m[4], m[3], d2)
	VADDPS(m[4], m[3], m[4]) // s2
	VADDPS(s, m[0], m[0])
	VADDPS(m[4], m[0], m[0]) // y0
	VFMADD231PS(four, m[4], s)
	VMOVAPS(s, m[2]) // y2
	VMOVAPS(d1, m[1])
	VFMADD231PS(two, d2, m[1]) // y1
	VFMADD231PS(eight, d2, d1)
	VADDPS(m[5], d1, m[3]) // y3
}
