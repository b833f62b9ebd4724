// Package lines has Winograd's transforms of one line, a row or a column of a
// tile, as instructions on numbered registers, for the generators of the
// engine's assembly: both write the same sums in the same order.
package lines

import "math"

// Scratch is the number of registers that a line uses, from 0 on.
const Scratch = 12

// A Form is the points where the polynomials of a tile are evaluated: 0 or not,
// pairs of opposite ones, and infinity. generic_winograd.go has the same.
type Form struct {
	// Size is the side of a tile's outputs.
	Size   string
	AtZero bool
	Pairs  []float64
}

// Forms are F(4x4,3x3) and F(5x5,3x3).
var Forms = []Form{{"4", true, []float64{0.625, 1.5}}, {"5", false, []float64{0.25, 0.875, 1.75}}}

// first is the place of the first pair.
func (w Form) first() int {
	if w.AtZero {
		return 1
	}
	return 0
}

// Side is the number of inputs of a tile's line.
func (w Form) Side() int { return 2*len(w.Pairs) + w.first() + 1 }

// Outputs is the number of its results.
func (w Form) Outputs() int { return w.Side() - 2 }

// without has the coefficients, of x^0, x^2, ..., of the product of x^2 - p^2
// over all pairs but one, or over all for -1.
func (w Form) without(pair int) []float64 {
	c := []float64{1}
	for i, p := range w.Pairs {
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

// Op is what an instruction does.
type Op int

// The instructions, on registers x, y and to, and the constant c.
const (
	Move  Op = iota // to = x
	Add             // to = x + y
	Sub             // to = x - y
	Times           // to = c*x
	FMA             // to += c*x
	FNMA            // to -= c*x
)

// Instr is one instruction.
type Instr struct {
	Op       Op
	C        float64
	X, Y, To int
}

// A Line is a matrix that a transform applies to all columns of a tile and then
// to all rows: from the first In registers to the registers Results.
type Line struct {
	Form
	In, Out int
	Code    []Instr
	Results []int
	// Constants are in the order of their first use.
	Constants []float64
}

// newLine makes a line of in to out numbers.
func newLine(w Form, in, out int, write func(*Line) []int) *Line {
	l := &Line{Form: w, In: in, Out: out}
	l.Results = write(l)
	return l
}

// Input, Output, Spread and Collect are B', A', A and B of a form.
func Input(w Form) *Line   { return newLine(w, w.Side(), w.Side(), (*Line).input) }
func Output(w Form) *Line  { return newLine(w, w.Side(), w.Outputs(), (*Line).output) }
func Spread(w Form) *Line  { return newLine(w, w.Outputs(), w.Side(), (*Line).spread) }
func Collect(w Form) *Line { return newLine(w, w.Side(), w.Side(), (*Line).collect) }

func (l *Line) constant(c float64) float64 {
	for _, known := range l.Constants {
		if known == c {
			return c
		}
	}
	l.Constants = append(l.Constants, c)
	return c
}

func (l *Line) write(i Instr)    { l.Code = append(l.Code, i) }
func (l *Line) move(x, to int)   { l.write(Instr{Op: Move, X: x, To: to}) }
func (l *Line) add(x, y, to int) { l.write(Instr{Op: Add, X: x, Y: y, To: to}) }
func (l *Line) sub(x, y, to int) { l.write(Instr{Op: Sub, X: x, Y: y, To: to}) }

// times leaves c*x in to.
func (l *Line) times(c float64, x, to int) {
	l.write(Instr{Op: Times, C: l.constant(c), X: x, To: to})
}

// fma adds c*x to sum.
func (l *Line) fma(c float64, x, sum int) {
	if c == 1 {
		l.add(sum, x, sum)
		return
	}
	l.write(Instr{Op: FMA, C: l.constant(c), X: x, To: sum})
}

// combine leaves the sum of c[k]*x[k] in to, which may be the last of x.
func (l *Line) combine(c []float64, x []int, to int) {
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
func (l *Line) plusMinus(p float64, x, y, plus int) {
	l.constant(p)
	l.move(x, plus)
	l.write(Instr{Op: FMA, C: p, X: y, To: plus})
	l.write(Instr{Op: FNMA, C: p, X: y, To: x})
}

// registers are the numbers from a up to b.
func registers(a, b int) (r []int) {
	for ; a < b; a++ {
		r = append(r, a)
	}
	return r
}

// every takes every second of x.
func every(x []int) (second []int) {
	for k := 0; k < len(x); k += 2 {
		second = append(second, x[k])
	}
	return second
}

// input is B': the products of x minus every other point, on registers 0 to side-1.
func (l *Line) input() []int {
	x, free, even := registers(0, l.Side()), registers(l.Side(), Scratch-1), Scratch-1
	first := l.first()
	infinity := x[l.Side()-1]
	l.combine(l.without(-1), every(x[first:]), infinity)
	var out []int
	for i, p := range l.Pairs {
		c := l.without(i)
		odds, evens := every(x[first+1:l.Side()-1]), every(x[first:l.Side()-2])
		if i == len(l.Pairs)-1 && !l.AtZero { // nobody needs them any more
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
	if l.AtZero {
		zero := x[l.Side()-2]
		l.combine(l.without(-1), every(x[:l.Side()-1]), zero)
		out = append([]int{zero}, out...)
	}
	return append(out, infinity)
}

// spread is A: the polynomial with the coefficients registers 0 to tile-1 at every point.
func (l *Line) spread() []int {
	d, free, odd := registers(0, l.Outputs()), registers(l.Outputs(), Scratch-1), Scratch-1
	var out []int
	if l.AtZero {
		out = append(out, d[0])
	}
	for _, p := range l.Pairs {
		minus, plus := free[0], free[1]
		free = free[2:]
		sum := func(x []int, to int) {
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
	return append(out, d[l.Outputs()-1])
}

// split leaves the sums and differences of the pairs of registers 0 to side-1, and tells which
// registers are free.
func (l *Line) split() (sums, differences, free []int) {
	d := l.Side()
	for i := l.first(); i < l.Side()-1; i += 2 {
		plus, minus := i, i+1
		l.sub(plus, minus, d)
		l.add(plus, minus, plus)
		sums, differences, d = append(sums, plus), append(differences, d), minus
	}
	return sums, differences, append([]int{d}, registers(l.Side()+1, Scratch)...)
}

// output is A', on registers 0 to side-1: the sums of every product times the powers of its
// point.
func (l *Line) output() []int {
	sums, differences, free := l.split()
	out := make([]int, l.Outputs())
	for k := range out {
		x := sums
		if k%2 > 0 {
			x = differences
		}
		powers := make([]float64, len(x))
		for i, p := range l.Pairs {
			powers[i] = math.Pow(p, float64(k))
		}
		switch {
		case k == 0 && l.AtZero:
			out[k] = 0
		case k == l.Outputs()-1:
			out[k] = l.Side() - 1
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

// collect is B, on registers 0 to side-1.
func (l *Line) collect() []int {
	sums, differences, free := l.split()
	first, whole := l.first(), l.without(-1)
	zero, infinity := 0, l.Side()-1
	for i, p := range l.Pairs {
		l.times(p, differences[i], differences[i])
	}
	out := make([]int, l.Side())
	out[l.Side()-1] = infinity
	column := func(k int) (c []float64) {
		for i := range l.Pairs {
			c = append(c, l.without(i)[k])
		}
		return c
	}
	for k := range l.Pairs {
		// The last is in the place of the last that it comes from.
		odd, even := sums[len(sums)-1], differences[len(differences)-1]
		if k < len(l.Pairs)-1 {
			odd, even, free = free[0], free[1], free[2:]
		}
		l.combine(column(k), sums, odd)
		l.combine(column(k), differences, even)
		if l.AtZero {
			l.fma(whole[k+1], zero, odd)
		}
		l.fma(whole[k], infinity, even)
		out[2*k+first], out[2*k+1+first] = even, odd
	}
	if l.AtZero {
		l.times(whole[0], zero, zero)
		out[0] = zero
	}
	return out
}
