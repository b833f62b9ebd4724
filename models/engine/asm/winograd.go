package main

import (
	"fmt"
	"math"
	"slices"

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
)

// A form is the points where the polynomials of a tile are evaluated: 0 or not,
// pairs of opposite ones, and infinity. generic_winograd.go has the same.
type form struct {
	size   string
	atZero bool
	pairs  []float64
}

var forms = []form{{"4", true, []float64{0.625, 1.5}}, {"5", false, []float64{0.25, 0.875, 1.75}}}

// first is the place of the first pair.
func (w form) first() int {
	if w.atZero {
		return 1
	}
	return 0
}

func (w form) side() int    { return 2*len(w.pairs) + w.first() + 1 }
func (w form) outputs() int { return w.side() - 2 }

// without has the coefficients, of x^0, x^2, ..., of the product of x^2 - p^2
// over all pairs but one, or over all for -1.
func (w form) without(pair int) []float64 {
	c := []float64{1}
	for i, p := range w.pairs {
		if i == pair {
			continue
		}
		c = append([]float64{0}, c...)
		for k := range c[:len(c)-1] {
			c[k] -= p * p * c[k+1]
		}
	}
	return c
}

// A line is a matrix that a transform applies to all columns of a tile and then
// to all rows: from v[:in] to the registers out, by way of v[:12].
type line struct {
	*family
	form
	in, out int
	code    []func()
	results []reg.VecPhysical
	// inRegister has the constants, in their order, where there are registers
	// for them; else they are operands in memory.
	inRegister []float64
}

// newLine makes a line of in to out numbers.
func newLine(f *family, w form, in, out int, write func(*line) []reg.VecPhysical) *line {
	l := &line{family: f, form: w, in: in, out: out}
	l.results = write(l)
	return l
}

// load loads the constants.
func (l *line) load() {
	for i, c := range l.inRegister {
		VBROADCASTSS(l.memory(c), l.v[12+i])
	}
}

// apply writes the line's instructions, and tells where the results are.
func (l *line) apply() []reg.VecPhysical {
	for _, instruction := range l.code {
		instruction()
	}
	return l.results
}

// inMemory are the constants that have been used.
var inMemory = map[float64]Mem{}

// memory is a vector of c; of the wide family only its beginning is read.
func (l *line) memory(c float64) Mem {
	m, known := inMemory[c]
	if !known {
		m = GLOBL(fmt.Sprintf("wino%sc%d", l.family.name, len(inMemory)), RODATA|NOPTR)
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
	i := slices.Index(l.inRegister, c)
	if i < 0 {
		i = len(l.inRegister)
		l.inRegister = append(l.inRegister, c)
		if i == 16 {
			panic("more constants than registers")
		}
	}
	return l.v[12+i]
}

func (l *line) move(x, to reg.VecPhysical)   { l.code = append(l.code, func() { VMOVAPS(x, to) }) }
func (l *line) add(x, y, to reg.VecPhysical) { l.code = append(l.code, func() { VADDPS(y, x, to) }) }
func (l *line) sub(x, y, to reg.VecPhysical) { l.code = append(l.code, func() { VSUBPS(y, x, to) }) }

// times leaves c*x in to.
func (l *line) times(c float64, x, to reg.VecPhysical) {
	k := l.constant(c)
	l.code = append(l.code, func() { VMULPS(k, x, to) })
}

// fma adds c*x to sum.
func (l *line) fma(c float64, x, sum reg.VecPhysical) {
	if c == 1 {
		l.add(sum, x, sum)
		return
	}
	k := l.constant(c)
	l.code = append(l.code, func() { VFMADD231PS(k, x, sum) })
}

// combine leaves the sum of c[k]*x[k] in to, which may be the last of x.
func (l *line) combine(c []float64, x []reg.VecPhysical, to reg.VecPhysical) {
	last := len(c) - 1
	switch {
	case c[last] != 1:
		l.times(c[last], x[last], to)
	case x[last] != to:
		l.move(x[last], to)
	}
	for k := last - 1; k >= 0; k-- {
		l.fma(c[k], x[k], to)
	}
}

// plusMinus leaves x + p*y in plus, and x - p*y in x.
func (l *line) plusMinus(p float64, x, y, plus reg.VecPhysical) {
	k := l.constant(p)
	l.code = append(l.code, func() {
		VMOVAPS(x, plus)
		VFMADD231PS(k, y, plus)
		VFNMADD231PS(k, y, x)
	})
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
	f, name := l.family, "wino"+kind+l.form.size+l.family.name
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
	l.load()
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
		for i, v := range l.apply() {
			VMOVUPS(v, at(tmp, (i*l.in+j)*f.bytes))
		}
	}
	MOVQ(out, p[0])
	for i := 0; i < l.out; i++ {
		slabs.set(l.out)
		for k := 0; k < l.in; k++ {
			VMOVUPS(at(tmp, (i*l.in+k)*f.bytes), f.v[k])
		}
		for j, v := range l.apply() {
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

// winoOut writes the transform of a tile's products to pixels, and their
// epilogue, for the rows and columns inside the image. overlap says that tiles
// overlap and pixels are sums over tiles, without bias and clamp.
func (l *line) winoOut(kind string, overlap bool) {
	f, name := l.family, "wino"+kind+l.form.size+l.family.name
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
		for i, v := range l.apply() {
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
		for k := 0; k < l.in; k++ {
			VMOVUPS(at(tmp, (i*l.in+k)*f.bytes), f.v[k])
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

// every takes every second of x.
func every(x []reg.VecPhysical) (second []reg.VecPhysical) {
	for k := 0; k < len(x); k += 2 {
		second = append(second, x[k])
	}
	return second
}

// input is B': the products of x minus every other point, on v[:side].
func (l *line) input() []reg.VecPhysical {
	x, free, even := l.v[:l.side()], l.v[l.side():11], l.v[11]
	first := l.first()
	infinity := x[l.side()-1]
	l.combine(l.without(-1), every(x[first:]), infinity)
	var out []reg.VecPhysical
	for i, p := range l.pairs {
		c := l.without(i)
		odds, evens := every(x[first+1:l.side()-1]), every(x[first:l.side()-2])
		if i == len(l.pairs)-1 && !l.atZero { // nobody needs them any more
			odd := odds[len(odds)-1]
			l.combine(c, odds, odd)
			l.combine(c, evens, evens[len(evens)-1])
			l.plusMinus(p, odd, evens[len(evens)-1], even)
			out = append(out, even, odd)
			break
		}
		plus, odd := free[0], free[1]
		free = free[2:]
		l.combine(c, odds, odd)
		l.combine(c, evens, even)
		l.plusMinus(p, odd, even, plus)
		out = append(out, plus, odd)
	}
	if l.atZero {
		zero := x[l.side()-2]
		l.combine(l.without(-1), every(x[:l.side()-1]), zero)
		out = append([]reg.VecPhysical{zero}, out...)
	}
	return append(out, infinity)
}

// spread is A: the polynomial with the coefficients v[:tile] at every point.
func (l *line) spread() []reg.VecPhysical {
	d, free, odd := l.v[:l.outputs()], l.v[l.outputs():11], l.v[11]
	var out []reg.VecPhysical
	if l.atZero {
		out = append(out, d[0])
	}
	for _, p := range l.pairs {
		minus, plus := free[0], free[1]
		free = free[2:]
		sum := func(x []reg.VecPhysical, to reg.VecPhysical) {
			l.move(x[0], to)
			for k, power := 1, p*p; k < len(x); k, power = k+1, power*p*p {
				l.fma(power, x[k], to)
			}
		}
		sum(every(d), minus)
		sum(every(d[1:]), odd)
		l.plusMinus(p, minus, odd, plus)
		out = append(out, plus, minus)
	}
	return append(out, d[l.outputs()-1])
}

// split leaves the sums and differences of the pairs of v[:side], and tells which
// registers are free.
func (l *line) split() (sums, differences, free []reg.VecPhysical) {
	d := l.v[l.side()]
	for i := l.first(); i < l.side()-1; i += 2 {
		plus, minus := l.v[i], l.v[i+1]
		l.sub(plus, minus, d)
		l.add(plus, minus, plus)
		sums, differences, d = append(sums, plus), append(differences, d), minus
	}
	return sums, differences, append([]reg.VecPhysical{d}, l.v[l.side()+1:12]...)
}

// output is A', on v[:side]: the sums of every product times the powers of its
// point.
func (l *line) output() []reg.VecPhysical {
	sums, differences, free := l.split()
	out := make([]reg.VecPhysical, l.outputs())
	for k := range out {
		x := sums
		if k%2 > 0 {
			x = differences
		}
		powers := make([]float64, len(x))
		for i, p := range l.pairs {
			powers[i] = math.Pow(p, float64(k))
		}
		switch {
		case k == 0 && l.atZero:
			out[k] = l.v[0]
		case k == l.outputs()-1:
			out[k] = l.v[l.side()-1]
		default:
			out[k], free = free[0], free[1:]
			l.combine(powers, x, out[k])
			continue
		}
		for i := range x {
			l.fma(powers[i], x[i], out[k])
		}
	}
	return out
}

// collect is B, on v[:side].
func (l *line) collect() []reg.VecPhysical {
	sums, differences, free := l.split()
	first, whole := l.first(), l.without(-1)
	zero, infinity := l.v[0], l.v[l.side()-1]
	for i, p := range l.pairs {
		l.times(p, differences[i], differences[i])
	}
	out := make([]reg.VecPhysical, l.side())
	out[l.side()-1] = infinity
	column := func(k int) (c []float64) {
		for i := range l.pairs {
			c = append(c, l.without(i)[k])
		}
		return c
	}
	for k := range l.pairs {
		// The last is in the place of the last that it comes from.
		odd, even := sums[len(sums)-1], differences[len(differences)-1]
		if k < len(l.pairs)-1 {
			odd, even, free = free[0], free[1], free[2:]
		}
		l.combine(column(k), sums, odd)
		l.combine(column(k), differences, even)
		if l.atZero {
			l.fma(whole[k+1], zero, odd)
		}
		l.fma(whole[k], infinity, even)
		out[2*k+first], out[2*k+1+first] = even, odd
	}
	if l.atZero {
		l.times(whole[0], zero, zero)
		out[0] = zero
	}
	return out
}
