package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Registers of the tile kernels. RAX holds the arguments.
var (
	rX     = reg.RBX // input of the tile's first pixel
	rCount = reg.RCX // entries of the tap that are left
	rXPix  = reg.RDX
	rW     = reg.RSI
	rTaps  = reg.RDI
	rNTaps = reg.R8
	rY     = reg.R14
	rTiles = reg.R15
	// rPix[i] is the tap's input for pixel 3i.
	rPix = []reg.GPPhysical{reg.R9, reg.R10, reg.R11, reg.R12, reg.R13}
)

// pixel is the input of pixel m, disp bytes into the tap.
func pixel(m, disp int) Mem {
	mem := Mem{Base: rPix[m/3], Disp: disp}
	if m%3 > 0 {
		mem.Index, mem.Scale = rXPix, uint8(m%3)
	}
	return mem
}

// pointAt sets rPix for the tap at *rTaps, and moves on to the next tap.
func pointAt(mr int) {
	MOVQ(at(rTaps, 0), rPix[0])
	ADDQ(Imm(8), rTaps)
	ADDQ(rX, rPix[0])
	for i := 1; i <= (mr-1)/3; i++ {
		LEAQ(Mem{Base: rPix[i-1], Index: rXPix, Scale: 2}, rPix[i])
		ADDQ(rXPix, rPix[i])
	}
}

// cursors are the stack slots that follow the tiles.
type cursors struct{ add, mask Mem }

// begin loads what all tiles share.
func begin() cursors {
	Load(Param("a"), reg.RAX)
	local := AllocLocal(16)
	c := cursors{local, local.Offset(8)}
	MOVQ(arg(argX), rX)
	MOVQ(arg(argXPix), rXPix)
	MOVQ(arg(argY), rY)
	MOVQ(arg(argTiles), rTiles)
	MOVQ(arg(argAdd), rPix[0])
	MOVQ(rPix[0], c.add)
	MOVQ(arg(argMask), rPix[0])
	MOVQ(rPix[0], c.mask)
	return c
}

// tile writes the kernel for tiles of mr pixels by nv vectors of channels:
// sums in registers, one broadcast input against nv vectors of weights.
func (f *family) tile(nv, mr int) {
	name := fmt.Sprintf("tile%sv%dp%d", f.name, nv, mr)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s does tiles of %d pixels by %d vectors of channels.", name, mr, nv))
	c := begin()
	acc := func(m, v int) reg.VecPhysical { return f.v[m*nv+v] }
	weight := func(v int) reg.VecPhysical { return f.temp(v) }
	spread := func(m int) reg.VecPhysical { return f.temp(2 + m%2) }

	Label("tile")
	MOVQ(arg(argBias), rW)
	for v := 0; v < nv; v++ {
		VMOVUPS(at(rW, v*f.bytes), acc(0, v))
	}
	for m := 1; m < mr; m++ {
		for v := 0; v < nv; v++ {
			VMOVAPS(acc(0, v), acc(m, v))
		}
	}
	MOVQ(arg(argW), rW)
	MOVQ(arg(argTaps), rTaps)
	MOVQ(arg(argNTaps), rNTaps)
	TESTQ(rNTaps, rNTaps)
	JZ(LabelRef("sums"))

	// entry multiplies entry j of the tap, of every pixel.
	entry := func(j int) {
		for v := 0; v < nv; v++ {
			VMOVUPS(at(rW, (j*nv+v)*f.bytes), weight(v))
		}
		for m := 0; m < mr; m++ {
			if f.wide() && nv == 1 {
				VFMADD231PS_BCST(pixel(m, 4*j), weight(0), acc(m, 0))
				continue
			}
			VBROADCASTSS(pixel(m, 4*j), spread(m))
			for v := 0; v < nv; v++ {
				VFMADD231PS(weight(v), spread(m), acc(m, v))
			}
		}
	}
	advance := func(n int) {
		ADDQ(I32(n*nv*f.bytes), rW)
		for i := 0; i <= (mr-1)/3; i++ {
			ADDQ(Imm(uint64(4*n)), rPix[i])
		}
	}
	const unroll = 4
	Label("tap")
	pointAt(mr)
	MOVQ(arg(argK), rCount)
	SUBQ(Imm(unroll), rCount)
	JL(LabelRef("rest"))
	Label("entries")
	for j := 0; j < unroll; j++ {
		entry(j)
	}
	advance(unroll)
	SUBQ(Imm(unroll), rCount)
	JGE(LabelRef("entries"))
	Label("rest")
	ADDQ(Imm(unroll), rCount)
	JZ(LabelRef("tapdone"))
	Label("restentries")
	entry(0)
	advance(1)
	DECQ(rCount)
	JNZ(LabelRef("restentries"))
	Label("tapdone")
	DECQ(rNTaps)
	JNZ(LabelRef("tap"))

	Label("sums")
	f.epilogue(c, nv, mr)
	f.nextTile(mr)
}

// depthwise writes the kernel that multiplies each channel by its own weight:
// w is [tap][vector], and a tap is one vector of the input.
func (f *family) depthwise(mr int) {
	name := fmt.Sprintf("depthwise%sp%d", f.name, mr)
	TEXT(name, NOSPLIT, "func(a *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s does tiles of %d pixels by one vector of channels, each channel by itself.", name, mr))
	c := begin()
	Label("tile")
	MOVQ(arg(argBias), rW)
	VMOVUPS(at(rW, 0), f.v[0])
	for m := 1; m < mr; m++ {
		VMOVAPS(f.v[0], f.v[m])
	}
	MOVQ(arg(argW), rW)
	MOVQ(arg(argTaps), rTaps)
	MOVQ(arg(argNTaps), rNTaps)
	TESTQ(rNTaps, rNTaps)
	JZ(LabelRef("sums"))
	Label("tap")
	pointAt(mr)
	VMOVUPS(at(rW, 0), f.temp(0))
	for m := 0; m < mr; m++ {
		VFMADD231PS(pixel(m, 0), f.temp(0), f.v[m])
	}
	ADDQ(Imm(uint64(f.bytes)), rW)
	DECQ(rNTaps)
	JNZ(LabelRef("tap"))
	Label("sums")
	f.epilogue(c, 1, mr)
	f.nextTile(mr)
}

// nextTile goes on to the next tile of the row, if there is one.
func (f *family) nextTile(mr int) {
	DECQ(rTiles)
	JZ(LabelRef("end"))
	IMUL3Q(Imm(uint64(mr)), rXPix, rPix[0])
	ADDQ(rPix[0], rX)
	JMP(LabelRef("tile"))
	Label("end")
	VZEROUPPER()
	RET()
}

// Comparison predicates: ordered, quiet.
const (
	less    = 0x11
	greater = 0x1e
	unord   = 0x03
)

// epilogue adds, clamps, masks and stores the sums v[m*nv+v], and moves the
// cursors on to the next tile.
func (f *family) epilogue(c cursors, nv, mr int) {
	acc := func(m, v int) reg.VecPhysical { return f.v[m*nv+v] }
	cursor, step := rPix[0], rPix[1]
	// each runs body for every pixel with cursor at its vectors.
	each := func(slot Mem, pix int, body func(m int)) {
		MOVQ(arg(pix), step)
		for m := 0; m < mr; m++ {
			body(m)
			ADDQ(step, cursor)
		}
		MOVQ(cursor, slot)
	}
	MOVQ(c.add, cursor)
	TESTQ(cursor, cursor)
	JZ(LabelRef("added"))
	each(c.add, argAPix, func(m int) {
		for v := 0; v < nv; v++ {
			VADDPS(at(cursor, v*f.bytes), acc(m, v), acc(m, v))
		}
	})
	Label("added")

	zero, hi := f.temp(0), f.temp(1)
	f.zero(zero)
	VBROADCASTSS(arg(argHi), hi)
	MOVQ(arg(argAct), cursor)
	TESTQ(cursor, cursor)
	JZ(LabelRef("clamped"))
	for i := 0; i < nv*mr; i++ {
		// The sum is the second source, which wins where it is NaN.
		VMAXPS(f.v[i], zero, f.v[i])
		VMINPS(f.v[i], hi, f.v[i])
	}
	Label("clamped")

	MOVQ(c.mask, cursor)
	TESTQ(cursor, cursor)
	JZ(LabelRef("masked"))
	each(c.mask, argMPix, func(m int) {
		for v := 0; v < nv; v++ {
			f.keepInside(at(cursor, v*f.bytes), zero, hi, acc(m, v))
		}
	})
	Label("masked")

	MOVQ(arg(argYPix), step)
	for m := 0; m < mr; m++ {
		for v := 0; v < nv; v++ {
			VMOVUPS(acc(m, v), at(rY, v*f.bytes))
		}
		ADDQ(step, rY)
	}
}

func (f *family) zero(v reg.VecPhysical) {
	if f.wide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

// keepInside zeroes v where !(zero < m < hi).
func (f *family) keepInside(m Mem, zero, hi, v reg.VecPhysical) {
	t, u := f.temp(2), f.temp(3)
	VMOVUPS(m, t)
	if f.wide() {
		VCMPPS(Imm(greater), zero, t, reg.K1)
		VCMPPS(Imm(less), hi, t, reg.K1, reg.K2)
		VMOVAPS_Z(v, reg.K2, v)
		return
	}
	VCMPPS(Imm(less), hi, t, u)
	VCMPPS(Imm(greater), zero, t, t)
	VANDPS(t, u, u)
	VANDPS(u, v, v)
}
