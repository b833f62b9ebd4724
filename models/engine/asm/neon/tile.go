package main

import "fmt"

// Registers of the tile kernels.
const (
	rX reg = 1 + iota // input of the tile's first pixel
	rXPix
	rW
	rTaps
	rNTaps
	rCount // entries of the tap that are left
	rY
	rTiles
	rAdd
	rMask
)

// rPix[m] is the tap's input for pixel m. R18, R27 and R28 are not ours.
var rPix = []reg{11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26}

// Registers of the epilogues.
const (
	vAside vec = 24 // two vectors
	vZero  vec = 28
	vHi    vec = 29
	vT     vec = 30
	vU     vec = 31
)

// begin loads what all tiles share.
func (a *assembly) begin() {
	a.get(argX, rX)
	a.get(argXPix, rXPix)
	a.get(argY, rY)
	a.get(argTiles, rTiles)
	a.get(argAdd, rAdd)
	a.get(argMask, rMask)
}

// beginTile loads the bias into the sums, and the first tap.
func (a *assembly) beginTile(nv, mr int) {
	a.label("tile")
	a.get(argBias, rW)
	a.loads(rW, 0, 0, nv)
	for i := nv; i < nv*mr; i++ {
		a.move(vec(i%nv), vec(i))
	}
	a.get(argW, rW)
	a.get(argTaps, rTaps)
	a.get(argNTaps, rNTaps)
	a.op("CBZ", rNTaps, "sums")
}

// tile writes the kernel for tiles of mr pixels by nv vectors of channels.
func (a *assembly) tile(nv, mr int) {
	a.function(fmt.Sprintf("tile128v%dp%d", nv, mr), "tileArgs", fmt.Sprintf("does tiles of %d pixels by %d vectors of channels", mr, nv))
	const quad = lanes // entries at a time
	acc := func(m, v int) vec { return vec(m*nv + v) }
	weight := func(j, v int) vec { return vec(mr*nv + j*nv + v) }
	// As many pixels' inputs at a time as there are registers.
	free := mr*nv + quad*nv
	group := min(mr, 32-free)
	input := func(m int) vec { return vec(free + m%group) }

	a.begin()
	a.beginTile(nv, mr)
	a.label("tap")
	a.op("MOVD.P", mem(rTaps, 8), rPix[0])
	a.op("ADD", rX, rPix[0])
	for m := 1; m < mr; m++ {
		a.op("ADD", rXPix, rPix[m-1], rPix[m])
	}
	a.get(argK, rCount)
	a.op("SUBS", quad, rCount)
	a.op("BLT", "rest")

	a.label("entries")
	a.loads(rW, 0, weight(0, 0), quad*nv)
	a.op("ADD", quad*nv*vector, rW)
	for m0 := 0; m0 < mr; m0 += group {
		m1 := min(m0+group, mr)
		for m := m0; m < m1; m++ {
			a.op("FMOVQ.P", mem(rPix[m], vector), fmt.Sprintf("F%d", int(input(m))))
		}
		for j := range quad {
			for m := m0; m < m1; m++ {
				for v := range nv {
					a.by(fmlaBy, acc(m, v), weight(j, v), input(m), j)
				}
			}
		}
	}
	a.op("SUBS", quad, rCount)
	a.op("BGE", "entries")

	a.label("rest")
	a.op("ADDS", quad, rCount)
	a.op("BEQ", "tapdone")
	a.label("restentries")
	a.op("VLD1.P", mem(rW, nv*vector), list(weight(0, 0), nv))
	for m := range mr {
		a.op("VLD1R.P", mem(rPix[m], 4), list(input(m), 1))
		for v := range nv {
			a.float(fmla, acc(m, v), weight(0, v), input(m))
		}
	}
	a.op("SUBS", 1, rCount)
	a.op("BNE", "restentries")
	a.label("tapdone")
	a.op("SUBS", 1, rNTaps)
	a.op("BNE", "tap")

	a.label("sums")
	a.epilogue(nv, mr)
	a.nextTile(mr)
}

// depthwise writes the kernel that multiplies each channel by its own weight:
// w is [tap][vector], and a tap is one vector of the input.
func (a *assembly) depthwise(mr int) {
	a.function(fmt.Sprintf("depthwise128p%d", mr), "tileArgs", fmt.Sprintf("does tiles of %d pixels by one vector of channels, each channel by itself", mr))
	a.begin()
	a.beginTile(1, mr)
	a.label("tap")
	a.op("MOVD.P", mem(rTaps, 8), rPix[0])
	a.op("ADD", rX, rPix[0])
	weight := vec(mr)
	input := func(m int) vec { return vec(mr + 1 + m) }
	a.op("VLD1.P", mem(rW, vector), list(weight, 1))
	for m := range mr {
		a.walk(rPix[0], rXPix, input(m), 1)
	}
	for m := range mr {
		a.float(fmla, vec(m), weight, input(m))
	}
	a.op("SUBS", 1, rNTaps)
	a.op("BNE", "tap")
	a.label("sums")
	a.epilogue(1, mr)
	a.nextTile(mr)
}

// nextTile goes on to the next tile of the row, if there is one.
func (a *assembly) nextTile(mr int) {
	a.op("SUBS", 1, rTiles)
	a.op("BEQ", "end")
	a.op("MOVD", mr, rPix[0])
	a.op("MUL", rXPix, rPix[0])
	a.op("ADD", rPix[0], rX)
	a.op("JMP", "tile")
	a.label("end")
	a.op("RET")
}

// epilogue adds, clamps, masks and stores the sums, and moves the operands on to
// the next tile.
func (a *assembly) epilogue(nv, mr int) {
	step := rPix[0]
	sum := func(m int) vec { return vec(m * nv) }
	a.op("CBZ", rAdd, "added")
	a.get(argAPix, step)
	for m := range mr {
		a.walk(rAdd, step, vAside, nv)
		for v := range nv {
			a.float(fadd, sum(m)+vec(v), sum(m)+vec(v), vAside+vec(v))
		}
	}
	a.label("added")

	a.zero(vZero)
	a.spreadArg(argHi, step, vHi)
	a.get(argAct, step)
	a.op("CBZ", step, "clamped")
	for i := range vec(nv * mr) {
		a.clamp(i)
	}
	a.label("clamped")

	a.op("CBZ", rMask, "masked")
	a.get(argMPix, step)
	for m := range mr {
		a.walk(rMask, step, vAside, nv)
		for v := range nv {
			a.keepInside(vAside+vec(v), vHi, vT, vU, sum(m)+vec(v))
		}
	}
	a.label("masked")

	a.get(argYPix, step)
	for m := range mr {
		a.leave(sum(m), nv, rY, step)
	}
}

// clamp leaves v between 0 and hi; NaN stays.
func (a *assembly) clamp(v vec) {
	a.float(fmax, v, v, vZero)
	a.float(fmin, v, v, vHi)
}
