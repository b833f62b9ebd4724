package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"sapf/models/engine/asm/lines"
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
)

// A line is one of Winograd's, on the registers of a family, with constants from
// register 12 on, where there are registers for them, or else in memory.
type line struct {
	*family
	*lines.Line
}

func newLine(f *family, l *lines.Line) *line {
	if len(l.Constants) > 16 {
		panic("more constants than registers")
	}
	if !f.wide() {
		for _, c := range l.Constants {
			f.memory(c)
		}
	}
	return &line{f, l}
}

// load loads the constants.
func (l *line) load() {
	if !l.wide() {
		return
	}
	for i, c := range l.Constants {
		VBROADCASTSS(l.memory(c), l.v[lines.Scratch+i])
	}
}

// apply writes the line's instructions, and tells where the results are.
func (l *line) apply() (results []reg.VecPhysical) {
	for _, i := range l.Code {
		x, y, to := l.v[i.X], l.v[i.Y], l.v[i.To]
		switch i.Op {
		case lines.Move:
			VMOVAPS(x, to)
		case lines.Add:
			VADDPS(y, x, to)
		case lines.Sub:
			VSUBPS(y, x, to)
		case lines.Times:
			VMULPS(l.constant(i.C), x, to)
		case lines.FMA:
			VFMADD231PS(l.constant(i.C), x, to)
		case lines.FNMA:
			VFNMADD231PS(l.constant(i.C), x, to)
		}
	}
	for _, r := range l.Results {
		results = append(results, l.v[r])
	}
	return results
}

// inMemory are the constants that have been used.
var inMemory = map[float64]Mem{}

// memory is a vector of c; of the wide family only its beginning is read.
func (f *family) memory(c float64) Mem {
	m, known := inMemory[c]
	if !known {
		m = GLOBL(fmt.Sprintf("wino%sc%d", f.name, len(inMemory)), RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, F32(c))
		}
		inMemory[c] = m
	}
	return m
}

// constant is an operand.
func (l *line) constant(c float64) Op {
	if !l.wide() {
		return l.memory(c)
	}
	return l.v[lines.Scratch+slices.Index(l.Constants, c)]
}

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
func (l *line) winoIn(kind string) {
	f, name := l.family, "wino"+kind+l.Size+l.family.name
	TEXT(name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms a tile of %dx%d pixels to %d factors.", name, l.In, l.In, l.Out*l.Out))
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
	l.load()
	rows, slabs := steps{p, row}, steps{p, slab}
	Label("vector")
	// The lines of the next vector's results, before they are written.
	LEAQ(at(out, f.bytes), p[0])
	for i := 0; i < l.Out; i++ {
		slabs.set(l.Out)
		for j := 0; j < l.Out; j++ {
			PREFETCHT0(slabs.at(j))
		}
		if i < l.Out-1 {
			slabs.next(l.Out)
		}
	}
	for j := 0; j < l.In; j++ {
		if j == 0 {
			MOVQ(x, p[0])
		} else {
			ADDQ(pix, p[0])
		}
		rows.set(l.In)
		for k := 0; k < l.In; k++ {
			VMOVUPS(rows.at(k), f.v[k])
		}
		for i, v := range l.apply() {
			VMOVUPS(v, at(tmp, (i*l.In+j)*f.bytes))
		}
	}
	MOVQ(out, p[0])
	for i := 0; i < l.Out; i++ {
		slabs.set(l.Out)
		for k := 0; k < l.In; k++ {
			VMOVUPS(at(tmp, (i*l.In+k)*f.bytes), f.v[k])
		}
		for j, v := range l.apply() {
			VMOVUPS(v, slabs.at(j))
		}
		if i < l.Out-1 {
			slabs.next(l.Out)
		}
	}
	ADDQ(Imm(uint64(f.bytes)), x)
	ADDQ(Imm(uint64(f.bytes)), out)
	DECQ(vecs)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// winoOut writes the transform of a tile's products to pixels, and their
// epilogue, for the rows and columns inside the image. overlap says that tiles
// overlap and pixels are sums over tiles, without bias and clamp.
func (l *line) winoOut(kind string, overlap bool) {
	f, name := l.family, "wino"+kind+l.Size+l.family.name
	TEXT(name, NOSPLIT, "func(a *int8)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms the %d products of a tile to %dx%d pixels.", name, l.In*l.In, l.Out, l.Out))
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
	f.zero(zero)
	VBROADCASTSS(arg(winoHi), hi)
	l.load()
	XORQ(off, off)
	Label("vector")
	// What the next tile's epilogue reads and writes, but for the columns that
	// it shares with this one. Into the second cache only: pixels are some
	// hundred bytes apart and would meet in a few sets of the first one.
	ahead := func(first, row, pix int) {
		MOVQ(arg(first), p2)
		for i := 0; i < l.Out; i++ {
			MOVQ(p2, p)
			for j := 0; j < l.Out; j++ {
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
	for j := 0; j < l.In; j++ {
		// Product k*in+j: p at j.
		if j == 0 {
			MOVQ(in, p)
		} else {
			ADDQ(slab, p)
		}
		MOVQ(p, p2)
		for k := 0; k < l.In; k++ {
			if k > 0 && l.In == 6 {
				LEAQ(Mem{Base: p2, Index: slab, Scale: 4}, p2)
				LEAQ(Mem{Base: p2, Index: slab, Scale: 2}, p2)
			} else if k > 0 {
				LEAQ(Mem{Base: p2, Index: slab, Scale: 8}, p2)
				SUBQ(slab, p2)
			}
			VMOVUPS(Mem{Base: p2, Index: off, Scale: 1}, f.v[k])
		}
		for i, v := range l.apply() {
			VMOVUPS(v, at(tmp, (i*l.In+j)*f.bytes))
		}
	}
	MOVQ(y, rowp)
	MOVQ(arg(winoAdd), addp)
	MOVQ(arg(winoMask), maskp)
	// along visits the columns inside the image, with p at the pixel.
	along := func(first reg.Register, pix int, end string, body func(j int, mem Mem)) {
		MOVQ(first, p)
		for j := 0; j < l.Out; j++ {
			if j > 0 {
				CMPQ(cols, Imm(uint64(j)))
				JLE(LabelRef(end))
				ADDQ(arg(pix), p)
			}
			body(j, Mem{Base: p, Index: off, Scale: 1})
		}
		Label(end)
	}
	for i := 0; i < l.Out; i++ {
		label := func(s string) string { return fmt.Sprint(s, i) }
		CMPQ(arg(winoRows), Imm(uint64(i)))
		JLE(LabelRef("stored"))
		for k := 0; k < l.In; k++ {
			VMOVUPS(at(tmp, (i*l.In+k)*f.bytes), f.v[k])
		}
		out := l.apply()
		if overlap {
			// Earlier tiles have written the columns before over.
			MOVQ(cols, over)
			CMPQ(arg(winoOverRows), Imm(uint64(i)))
			JG(LabelRef(label("over")))
			MOVQ(arg(winoOverCols), over)
			Label(label("over"))
			MOVQ(rowp, p)
			for j := 0; j < l.Out; j++ {
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
