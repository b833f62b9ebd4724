package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of rowArgs.
const (
	rowX = 8 * iota
	rowZ
	rowU
	rowV
	rowY
	rowConsts
	rowN
	rowA
	rowB = rowA + 4
	rowC = rowB + 4
	rowD = rowC + 4
	rowS = rowD + 4
	rowT = rowS + 64
)

// The numbers of the constants, as in the engine's rows.go.
const (
	constOne = iota
	constHalf
	constLow
	constHigh
	constLog2e
	constMagic
	constLn2High
	constLn2Low
	constExp5
	constExp4
	constExp3
	constExp2
	constExp1
	constAbs
	constMinusHalf
	constTail
	constTail1
	constTail2
	constTail3
	constTail4
	constTail5
	constTail6
	constTail7
	constTail8
	constTail9
	constDensity
	constGeluA
	constGeluB
	constGeluB3
	constMinusOne
)

// row is one kernel of rows while it is written: the part of a block at hand
// begins at byte off of every operand.
type row struct {
	*family
	off int
}

var (
	rowPointer = map[int]reg.GPPhysical{rowX: reg.RBX, rowZ: reg.RCX, rowU: reg.RDX, rowV: reg.RSI, rowY: reg.RDI}
	rowTable   = reg.R8
	rowCount   = reg.R9
)

func (r *row) vec() reg.VecVirtual {
	if r.wide() {
		return ZMM()
	}
	return YMM()
}

// in is an operand in memory.
func (r *row) in(p int) Mem { return at(rowPointer[p], r.off) }

func (r *row) load(p int) reg.VecVirtual { v := r.vec(); VMOVUPS(r.in(p), v); return v }

func konst(k int) Mem { return at(rowTable, 64*k) }

func (r *row) konst(k int) reg.VecVirtual { v := r.vec(); VMOVUPS(konst(k), v); return v }

// The operations write a new register; b may be memory.
func (r *row) mul(a, b Op) reg.VecVirtual { v := r.vec(); VMULPS(b, a, v); return v }
func (r *row) add(a, b Op) reg.VecVirtual { v := r.vec(); VADDPS(b, a, v); return v }
func (r *row) sub(a, b Op) reg.VecVirtual { v := r.vec(); VSUBPS(b, a, v); return v }
func (r *row) div(a, b Op) reg.VecVirtual { v := r.vec(); VDIVPS(b, a, v); return v }

// max is a where that is larger, else b; min alike.
func (r *row) max(a, b Op) reg.VecVirtual { v := r.vec(); VMAXPS(b, a, v); return v }
func (r *row) min(a, b Op) reg.VecVirtual { v := r.vec(); VMINPS(b, a, v); return v }

func (r *row) and(a, b Op) reg.VecVirtual {
	v := r.vec()
	if r.wide() {
		VPANDD(b, a, v)
	} else {
		VANDPS(b, a, v)
	}
	return v
}

// below is v where x < bound, else w; both are registers.
func (r *row) below(x, bound, v, w Op) reg.VecVirtual {
	out := r.vec()
	if r.wide() {
		k := K()
		VCMPPS(Imm(less), bound, x, k)
		VBLENDMPS(v, w, k, out)
		return out
	}
	m := r.vec()
	VCMPPS(Imm(less), bound, x, m)
	VBLENDVPS(m, v, w, out)
	return out
}

// exp is e^x; see exp32.
func (r *row) exp(x Op) reg.VecVirtual {
	x = r.max(r.konst(constLow), x)
	x = r.min(r.konst(constHigh), x)
	n := r.add(r.mul(x, konst(constLog2e)), konst(constMagic))
	n = r.sub(n, konst(constMagic))
	e := r.sub(x, r.mul(n, konst(constLn2High)))
	e = r.sub(e, r.mul(n, konst(constLn2Low)))
	p := r.konst(constExp5)
	for k := constExp4; k <= constExp1; k++ {
		p = r.add(r.mul(p, e), konst(k))
	}
	p = r.add(r.mul(p, e), konst(constHalf))
	y := r.add(r.mul(r.mul(p, e), e), e)
	y = r.add(y, konst(constOne))
	i := r.vec()
	VCVTPS2DQ(n, i)
	VPSLLD(Imm(23), i, i)
	out := r.vec()
	VPADDD(y, i, out)
	return out
}

// normal is normal32.
func (r *row) normal(x Op) (p, e reg.VecVirtual) {
	z := r.and(x, konst(constAbs))
	e = r.exp(r.mul(r.mul(z, z), konst(constMinusHalf)))
	t := r.div(r.konst(constOne), r.add(r.mul(z, konst(constTail)), konst(constOne)))
	q := r.konst(constTail9)
	for k := constTail8; k >= constTail1; k-- {
		q = r.add(r.mul(q, t), konst(k))
	}
	q = r.mul(r.mul(q, t), e)
	zero := r.vec()
	if r.wide() {
		VPXORD(zero, zero, zero)
	} else {
		VXORPS(zero, zero, zero)
	}
	return r.below(x, zero, q, r.sub(r.konst(constOne), q)), e
}

// sigmoid is sigmoid32.
func (r *row) sigmoid(x Op) reg.VecVirtual {
	return r.div(r.konst(constOne), r.add(r.exp(r.mul(x, konst(constMinusOne))), konst(constOne)))
}

// slope is x*(s*(1-s)), or s*(1-s) for no x.
func (r *row) slope(x, s Op) reg.VecVirtual {
	v := r.mul(s, r.sub(r.konst(constOne), s))
	if x != nil {
		v = r.mul(x, v)
	}
	return v
}

// rowsKernel writes a kernel. It reads the operands named, gets the numbers
// named in registers, and sums into s and t, which body adds to; what body
// returns is stored in y.
func (f *family) rowsKernel(name, doc string, operands, scalars []int, sums []int, body func(r *row, c map[int]Op, s map[int]reg.VecVirtual) Op) {
	full := "row" + name + f.name
	TEXT(full, NOSPLIT, "func(a *int16)")
	Pragma("noescape")
	Doc(full + " is " + doc + ", for blocks of 16 floats.")
	Load(Param("a"), reg.RAX)
	for _, p := range operands {
		MOVQ(arg(p), rowPointer[p])
	}
	MOVQ(arg(rowConsts), rowTable)
	MOVQ(arg(rowN), rowCount)
	parts := 64 / f.bytes
	r := &row{family: f}
	c := map[int]Op{}
	for _, p := range scalars {
		v := r.vec()
		VBROADCASTSS(arg(p), v)
		c[p] = v
	}
	acc := make([]map[int]reg.VecVirtual, parts)
	for k := range acc {
		acc[k] = map[int]reg.VecVirtual{}
		for _, p := range sums {
			v := r.vec()
			VMOVUPS(arg(p+k*f.bytes), v)
			acc[k][p] = v
		}
	}
	Label("block")
	for k := range parts {
		r.off = k * f.bytes
		if y := body(r, c, acc[k]); y != nil {
			VMOVUPS(y, r.in(rowY))
		}
	}
	for _, p := range operands {
		ADDQ(Imm(64), rowPointer[p])
	}
	DECQ(rowCount)
	JNZ(LabelRef("block"))
	for k := range acc {
		for _, p := range sums {
			VMOVUPS(acc[k][p], arg(p+k*f.bytes))
		}
	}
	VZEROUPPER()
	RET()
}

// rows writes all of them.
func (f *family) rows() {
	type sums = map[int]reg.VecVirtual
	type numbers = map[int]Op
	all := func(list ...int) []int { return list }
	f.rowsKernel("Top", "the largest", all(rowX), nil, all(rowS), func(r *row, _ numbers, s sums) Op {
		VMAXPS(r.in(rowX), s[rowS], s[rowS])
		return nil
	})
	f.rowsKernel("Exp", "e^(x-a) and its sum", all(rowX, rowY), all(rowA), all(rowS), func(r *row, c numbers, s sums) Op {
		x := r.sub(r.load(rowX), c[rowA])
		zero := r.vec()
		if r.wide() {
			VPXORD(zero, zero, zero)
		} else {
			VXORPS(zero, zero, zero)
		}
		e := r.below(x, r.konst(constLow), zero, r.exp(x))
		VADDPS(e, s[rowS], s[rowS])
		return e
	})
	f.rowsKernel("Scale", "x*a", all(rowX, rowY), all(rowA), nil, func(r *row, c numbers, _ sums) Op {
		return r.mul(c[rowA], r.in(rowX))
	})
	f.rowsKernel("Dot", "the sum of x*z", all(rowX, rowZ), nil, all(rowS), func(r *row, _ numbers, s sums) Op {
		VADDPS(r.mul(r.load(rowX), r.in(rowZ)), s[rowS], s[rowS])
		return nil
	})
	f.rowsKernel("SoftmaxGrad", "x*(z-a)", all(rowX, rowZ, rowY), all(rowA), nil, func(r *row, c numbers, _ sums) Op {
		return r.mul(r.sub(r.load(rowZ), c[rowA]), r.in(rowX))
	})
	f.rowsKernel("Sum", "the sum", all(rowX), nil, all(rowS), func(r *row, _ numbers, s sums) Op {
		VADDPS(r.in(rowX), s[rowS], s[rowS])
		return nil
	})
	f.rowsKernel("Squares", "the sum of (x-a)^2", all(rowX), all(rowA), all(rowS), func(r *row, c numbers, s sums) Op {
		d := r.sub(r.load(rowX), c[rowA])
		VADDPS(r.mul(d, d), s[rowS], s[rowS])
		return nil
	})
	hat := func(r *row, c numbers) reg.VecVirtual { return r.mul(r.sub(r.load(rowX), c[rowA]), c[rowB]) }
	f.rowsKernel("Norm", "(x-a)*b*u + v", all(rowX, rowU, rowV, rowY), all(rowA, rowB), nil, func(r *row, c numbers, _ sums) Op {
		return r.add(r.mul(hat(r, c), r.in(rowU)), r.in(rowV))
	})
	f.rowsKernel("NormSums", "the sums of z*u and of z*u*(x-a)*b", all(rowX, rowZ, rowU), all(rowA, rowB), all(rowS, rowT), func(r *row, c numbers, s sums) Op {
		g := r.mul(r.load(rowZ), r.in(rowU))
		VADDPS(g, s[rowS], s[rowS])
		VADDPS(r.mul(g, hat(r, c)), s[rowT], s[rowT])
		return nil
	})
	grad := func(r *row, c numbers) reg.VecVirtual {
		g := r.sub(r.mul(r.load(rowZ), r.in(rowU)), c[rowC])
		return r.mul(r.sub(g, r.mul(hat(r, c), c[rowD])), c[rowB])
	}
	f.rowsKernel("NormGrad", "b*((z*u-c) - (x-a)*b*d)", all(rowX, rowZ, rowU, rowY), all(rowA, rowB, rowC, rowD), nil, func(r *row, c numbers, _ sums) Op {
		return grad(r, c)
	})
	f.rowsKernel("NormGradAdd", "v + b*((z*u-c) - (x-a)*b*d)", all(rowX, rowZ, rowU, rowV, rowY), all(rowA, rowB, rowC, rowD), nil, func(r *row, c numbers, _ sums) Op {
		return r.add(grad(r, c), r.in(rowV))
	})
	f.rowsKernel("Mul", "x*z", all(rowX, rowZ, rowY), nil, nil, func(r *row, _ numbers, _ sums) Op {
		return r.mul(r.load(rowX), r.in(rowZ))
	})
	f.rowsKernel("MulAdd", "v + x*z", all(rowX, rowZ, rowV, rowY), nil, nil, func(r *row, _ numbers, _ sums) Op {
		return r.add(r.mul(r.load(rowX), r.in(rowZ)), r.in(rowV))
	})
	function := func(name, doc string, value, slope func(r *row, x Op) Op) {
		f.rowsKernel(name, doc, all(rowX, rowY), nil, nil, func(r *row, _ numbers, _ sums) Op { return value(r, r.load(rowX)) })
		f.rowsKernel(name+"Grad", "z times the slope of "+doc, all(rowX, rowZ, rowY), nil, nil, func(r *row, _ numbers, _ sums) Op {
			return r.mul(slope(r, r.load(rowX)), r.in(rowZ))
		})
	}
	function("Gelu", "x*normal(x)",
		func(r *row, x Op) Op { p, _ := r.normal(x); return r.mul(x, p) },
		func(r *row, x Op) Op {
			p, e := r.normal(x)
			return r.add(p, r.mul(x, r.mul(e, konst(constDensity))))
		})
	function("Sigmoid", "1/(1+e^-x)",
		func(r *row, x Op) Op { return r.sigmoid(x) },
		func(r *row, x Op) Op { return r.slope(nil, r.sigmoid(x)) })
	function("Silu", "x*sigmoid(x)",
		func(r *row, x Op) Op { return r.mul(x, r.sigmoid(x)) },
		func(r *row, x Op) Op { s := r.sigmoid(x); return r.add(s, r.slope(x, s)) })
	inner := func(r *row, x, q Op, k int) reg.VecVirtual {
		return r.add(r.mul(q, konst(k)), konst(constGeluA))
	}
	function("GeluTanh", "x*sigmoid of a cubic",
		func(r *row, x Op) Op {
			return r.mul(x, r.sigmoid(r.mul(x, inner(r, x, r.mul(x, x), constGeluB))))
		},
		func(r *row, x Op) Op {
			q := r.mul(x, x)
			s := r.sigmoid(r.mul(x, inner(r, x, q, constGeluB)))
			return r.add(s, r.mul(r.slope(x, s), inner(r, x, q, constGeluB3)))
		})
}
