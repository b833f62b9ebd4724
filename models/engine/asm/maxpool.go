package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The max pool's kernels walk tiles pixels by vecs vectors of channels. A tap
// is a pair: an int64 offset in bytes, and the number of the window's entry as
// a float32 (in the low half of the second int64).

// poolLoop runs body for every vector of every pixel. In body, rVec is the
// offset of the vector in its pixel.
var (
	rVec  = reg.RCX
	rIdx  = reg.RSI
	rVecs = reg.R13
)

func (f *family) poolLoop(each func(), next func()) {
	Label("pixel")
	XORQ(rVec, rVec)
	MOVQ(arg(argVecs), rVecs)
	Label("vector")
	each()
	ADDQ(Imm(uint64(f.bytes)), rVec)
	DECQ(rVecs)
	JNZ(LabelRef("vector"))
	ADDQ(rXPix, rX)
	ADDQ(arg(argYPix), rY)
	ADDQ(arg(argIPix), rIdx)
	next()
	DECQ(rTiles)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}

// maxForward writes the kernel that finds each window's largest entry and the
// number of the first tap that holds it. NaN wins, as in the reference.
func (f *family) maxForward() {
	TEXT("maxForward"+f.name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc("maxForward" + f.name + " writes the largest tap of each window to y, and its number to index.")
	Load(Param("a"), reg.RAX)
	MOVQ(arg(argX), rX)
	MOVQ(arg(argXPix), rXPix)
	MOVQ(arg(argY), rY)
	MOVQ(arg(argIndex), rIdx)
	MOVQ(arg(argTiles), rTiles)
	best, at1, v, k := f.v[0], f.v[1], f.v[2], f.v[3]
	f.poolLoop(func() {
		MOVQ(arg(argTaps), rTaps)
		MOVQ(arg(argNTaps), rNTaps)
		MOVQ(at(rTaps, 0), rPix[0])
		ADDQ(rX, rPix[0])
		VMOVUPS(Mem{Base: rPix[0], Index: rVec, Scale: 1}, best)
		VBROADCASTSS(at(rTaps, 8), at1)
		DECQ(rNTaps)
		JZ(LabelRef("found"))
		Label("tap")
		ADDQ(Imm(16), rTaps)
		MOVQ(at(rTaps, 0), rPix[0])
		ADDQ(rX, rPix[0])
		VMOVUPS(Mem{Base: rPix[0], Index: rVec, Scale: 1}, v)
		VBROADCASTSS(at(rTaps, 8), k)
		if f.wide() {
			VCMPPS(Imm(less), v, best, reg.K1)     // best < v
			VCMPPS(Imm(unord), v, v, reg.K2)       // v is NaN
			VCMPPS(Imm(unord), best, best, reg.K3) // best is NaN
			KANDNW(reg.K2, reg.K3, reg.K2)         // v is and best is not
			KORW(reg.K1, reg.K2, reg.K1)
			VMOVAPS(v, reg.K1, best)
			VMOVAPS(k, reg.K1, at1)
		} else {
			t, u, z := f.v[4], f.v[5], f.v[6]
			VCMPPS(Imm(less), v, best, t)
			VCMPPS(Imm(unord), v, v, u)
			VCMPPS(Imm(unord), best, best, z)
			VANDNPS(u, z, u)
			VORPS(t, u, t)
			VBLENDVPS(t, v, best, best)
			VBLENDVPS(t, k, at1, at1)
		}
		DECQ(rNTaps)
		JNZ(LabelRef("tap"))
		Label("found")
		VMOVUPS(best, Mem{Base: rY, Index: rVec, Scale: 1})
		VMOVUPS(at1, Mem{Base: rIdx, Index: rVec, Scale: 1})
	}, func() {})
}

// maxBackward writes the kernel that collects, for every entry of the input,
// the gradients of the windows that chose it.
func (f *family) maxBackward() {
	TEXT("maxBackward"+f.name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc("maxBackward" + f.name + " sums the gradients x of the windows whose index is the tap's, adds and masks.")
	Load(Param("a"), reg.RAX)
	MOVQ(arg(argX), rX)
	MOVQ(arg(argXPix), rXPix)
	MOVQ(arg(argY), rY)
	MOVQ(arg(argIndex), rIdx)
	MOVQ(arg(argTiles), rTiles)
	rAdd, rMask := reg.R11, reg.R12
	MOVQ(arg(argAdd), rAdd)
	MOVQ(arg(argMask), rMask)
	sum, g, k := f.v[0], f.v[1], f.v[2]
	zero, hi := f.temp(0), f.temp(1)
	f.zero(zero)
	VBROADCASTSS(arg(argHi), hi)
	f.poolLoop(func() {
		f.zero(sum)
		MOVQ(arg(argTaps), rTaps)
		MOVQ(arg(argNTaps), rNTaps)
		TESTQ(rNTaps, rNTaps)
		JZ(LabelRef("summed"))
		Label("tap")
		MOVQ(at(rTaps, 0), rPix[0])
		ADDQ(rVec, rPix[0])
		VBROADCASTSS(at(rTaps, 8), k)
		if f.wide() {
			VCMPPS(Imm(0), Mem{Base: rPix[0], Index: rIdx, Scale: 1}, k, reg.K1)
			VMOVUPS_Z(Mem{Base: rPix[0], Index: rX, Scale: 1}, reg.K1, g)
		} else {
			VCMPPS(Imm(0), Mem{Base: rPix[0], Index: rIdx, Scale: 1}, k, g)
			VANDPS(Mem{Base: rPix[0], Index: rX, Scale: 1}, g, g)
		}
		VADDPS(g, sum, sum)
		ADDQ(Imm(16), rTaps)
		DECQ(rNTaps)
		JNZ(LabelRef("tap"))
		Label("summed")
		TESTQ(rAdd, rAdd)
		JZ(LabelRef("added"))
		VADDPS(Mem{Base: rAdd, Index: rVec, Scale: 1}, sum, sum)
		Label("added")
		TESTQ(rMask, rMask)
		JZ(LabelRef("masked"))
		f.keepInside(Mem{Base: rMask, Index: rVec, Scale: 1}, zero, hi, sum)
		Label("masked")
		VMOVUPS(sum, Mem{Base: rY, Index: rVec, Scale: 1})
	}, f.nextOperands)
}

// combine writes the kernel y = x + add, clamped or masked, for tiles pixels of
// vecs vectors. An xpix of 0 spreads one pixel over all.
func (f *family) combine() {
	TEXT("combine"+f.name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc("combine" + f.name + " adds, clamps and masks pixels.")
	Load(Param("a"), reg.RAX)
	MOVQ(arg(argX), rX)
	MOVQ(arg(argXPix), rXPix)
	MOVQ(arg(argY), rY)
	XORQ(rIdx, rIdx)
	MOVQ(arg(argTiles), rTiles)
	rAdd, rMask, rAct := reg.R11, reg.R12, reg.R10
	MOVQ(arg(argAdd), rAdd)
	MOVQ(arg(argMask), rMask)
	MOVQ(arg(argAct), rAct)
	sum := f.v[0]
	zero, hi := f.temp(0), f.temp(1)
	f.zero(zero)
	VBROADCASTSS(arg(argHi), hi)
	f.poolLoop(func() {
		VMOVUPS(Mem{Base: rX, Index: rVec, Scale: 1}, sum)
		TESTQ(rAdd, rAdd)
		JZ(LabelRef("added"))
		VADDPS(Mem{Base: rAdd, Index: rVec, Scale: 1}, sum, sum)
		Label("added")
		TESTQ(rAct, rAct)
		JZ(LabelRef("clamped"))
		VMAXPS(sum, zero, sum)
		VMINPS(sum, hi, sum)
		Label("clamped")
		TESTQ(rMask, rMask)
		JZ(LabelRef("masked"))
		f.keepInside(Mem{Base: rMask, Index: rVec, Scale: 1}, zero, hi, sum)
		Label("masked")
		VMOVUPS(sum, Mem{Base: rY, Index: rVec, Scale: 1})
	}, f.nextOperands)
}

// nextOperands moves the optional operands on to the next pixel.
func (f *family) nextOperands() {
	rAdd, rMask := reg.R11, reg.R12
	TESTQ(rAdd, rAdd)
	JZ(LabelRef("nextmask"))
	ADDQ(arg(argAPix), rAdd)
	Label("nextmask")
	TESTQ(rMask, rMask)
	JZ(LabelRef("nextpixel"))
	ADDQ(arg(argMPix), rMask)
	Label("nextpixel")
}
