package main

// The max pool's kernels walk tiles pixels by vecs vectors of channels. A tap
// is a pair: an int64 offset in bytes, and the number of the window's entry as
// a float32 (in the low half of the second int64).

// Registers of the walk; those of the tile kernels besides.
const (
	rVec   reg = 6 // the offset of the vector in its pixel
	rPlace reg = 11
	rIdx   reg = 12
	rVecs  reg = 13
	rYPix  reg = 14
	rIPix  reg = 15
	rAPix  reg = 16
	rMPix  reg = 17
	rAct   reg = 19
)

// pixelLoop runs each for every vector of every pixel, and next after a pixel.
func (a *assembly) pixelLoop(each, next func()) {
	a.label("pixel")
	a.op("MOVD", 0, rVec)
	a.get(argVecs, rVecs)
	a.label("vector")
	each()
	a.op("ADD", vector, rVec)
	a.op("SUBS", 1, rVecs)
	a.op("BNE", "vector")
	a.op("ADD", rXPix, rX)
	a.op("ADD", rYPix, rY)
	a.op("ADD", rIPix, rIdx)
	next()
	a.op("SUBS", 1, rTiles)
	a.op("BNE", "pixel")
	a.op("RET")
}

// beginPixels loads what the walk needs.
func (a *assembly) beginPixels() {
	a.get(argX, rX)
	a.get(argXPix, rXPix)
	a.get(argY, rY)
	a.get(argYPix, rYPix)
	a.get(argIndex, rIdx)
	a.get(argIPix, rIPix)
	a.get(argTiles, rTiles)
}

// beginOperands loads the optional operands.
func (a *assembly) beginOperands() {
	a.get(argAdd, rAdd)
	a.get(argAPix, rAPix)
	a.get(argMask, rMask)
	a.get(argMPix, rMPix)
	a.zero(vZero)
	a.spreadArg(argHi, rPlace, vHi)
}

// point goes to the next tap: its place in x or the like, and its number.
func (a *assembly) point(number vec) {
	a.op("MOVD.P", mem(rTaps, 8), rPlace)
	a.spread(rTaps, number)
	a.op("ADD", 8, rTaps)
}

// maxForward writes the kernel that finds each window's largest entry and the
// number of the first tap that holds it. NaN wins, as in the reference.
func (a *assembly) maxForward() {
	a.function("maxForward128", "tileArgs", "writes the largest tap of each window to y, and its number to index")
	a.beginPixels()
	const best, at, v, k, t, u, z vec = 0, 1, 2, 3, 4, 5, 6
	a.pixelLoop(func() {
		a.get(argTaps, rTaps)
		a.get(argNTaps, rNTaps)
		a.point(at)
		a.op("ADD", rX, rPlace)
		a.loadAt(rPlace, rVec, best)
		a.op("SUBS", 1, rNTaps)
		a.op("BEQ", "found")
		a.label("tap")
		a.point(k)
		a.op("ADD", rX, rPlace)
		a.loadAt(rPlace, rVec, v)
		a.float(fcmgt, t, v, best)
		a.float(fcmeq, u, v, v)
		a.float(fcmeq, z, best, best)
		a.without(u, z, u) // v is NaN and best is not
		a.bits("VORR", u, t, t)
		a.bits("VBIT", t, v, best)
		a.bits("VBIT", t, k, at)
		a.op("SUBS", 1, rNTaps)
		a.op("BNE", "tap")
		a.label("found")
		a.storeAt(best, rY, rVec)
		a.storeAt(at, rIdx, rVec)
	}, func() {})
}

// maxBackward writes the kernel that collects, for every entry of the input,
// the gradients of the windows that chose it.
func (a *assembly) maxBackward() {
	a.function("maxBackward128", "tileArgs", "sums the gradients x of the windows whose index is the tap's, adds and masks")
	a.beginPixels()
	a.beginOperands()
	const sum, g, k, index vec = 0, 1, 2, 3
	a.pixelLoop(func() {
		a.zero(sum)
		a.get(argTaps, rTaps)
		a.get(argNTaps, rNTaps)
		a.op("CBZ", rNTaps, "summed")
		a.label("tap")
		a.point(k)
		a.op("ADD", rVec, rPlace)
		a.loadAt(rPlace, rIdx, index)
		a.loadAt(rPlace, rX, g)
		a.float(fcmeq, index, k, index)
		a.bits("VAND", index, g, g)
		a.float(fadd, sum, sum, g)
		a.op("SUBS", 1, rNTaps)
		a.op("BNE", "tap")
		a.label("summed")
		a.addAndMask(sum, false)
	}, a.nextOperands)
}

// combine writes the kernel y = x + add, clamped or masked, for tiles pixels of
// vecs vectors. An xpix of 0 spreads one pixel over all.
func (a *assembly) combine() {
	a.function("combine128", "tileArgs", "adds, clamps and masks pixels")
	a.beginPixels()
	a.beginOperands()
	a.get(argAct, rAct)
	const sum vec = 0
	a.pixelLoop(func() {
		a.loadAt(rX, rVec, sum)
		a.addAndMask(sum, true)
	}, a.nextOperands)
}

// addAndMask adds, clamps, masks and stores the vector of a pixel.
func (a *assembly) addAndMask(sum vec, clamp bool) {
	a.op("CBZ", rAdd, "added")
	a.loadAt(rAdd, rVec, vAside)
	a.float(fadd, sum, sum, vAside)
	a.label("added")
	if clamp {
		a.op("CBZ", rAct, "clamped")
		a.clamp(sum)
		a.label("clamped")
	}
	a.op("CBZ", rMask, "masked")
	a.loadAt(rMask, rVec, vAside)
	a.keepInside(vAside, vHi, vT, vU, sum)
	a.label("masked")
	a.storeAt(sum, rY, rVec)
}

// nextOperands moves the optional operands on to the next pixel.
func (a *assembly) nextOperands() {
	a.op("CBZ", rAdd, "nextmask")
	a.op("ADD", rAPix, rAdd)
	a.label("nextmask")
	a.op("CBZ", rMask, "nextpixel")
	a.op("ADD", rMPix, rMask)
	a.label("nextpixel")
}
