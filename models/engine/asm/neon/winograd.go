package main

import (
	"fmt"
	"math"
	"slices"

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

// vConstants are up to three vectors of a line's constants.
const vConstants vec = lines.Scratch

// begin loads a line's constants, by way of a register.
func (a *assembly) beginLine(l *lines.Line, by reg) {
	if len(l.Constants) > 4*lanes {
		panic("more constants than registers")
	}
	a.constants(l.Constants, func(c float64) uint32 { return math.Float32bits(float32(c)) }, by, vConstants)
}

// apply writes the line's instructions.
func (a *assembly) apply(l *lines.Line) {
	for _, i := range l.Code {
		x, y, to := vec(i.X), vec(i.Y), vec(i.To)
		k := slices.Index(l.Constants, i.C)
		by := func(op uint32) { a.by(op, to, x, vConstants+vec(k/lanes), k%lanes) }
		switch i.Op {
		case lines.Move:
			a.move(x, to)
		case lines.Add:
			a.float(fadd, to, x, y)
		case lines.Sub:
			a.float(fsub, to, x, y)
		case lines.Times:
			by(fmulBy)
		case lines.FMA:
			by(fmlaBy)
		case lines.FNMA:
			by(fmlsBy)
		}
	}
}

// winoIn writes the transform of a tile of the image, vector by vector.
func (a *assembly) winoIn(kind string, l *lines.Line) {
	a.function("wino"+kind+l.Size+"128", "winoArgs", fmt.Sprintf("transforms a tile of %dx%d pixels to %d factors", l.In, l.In, l.Out*l.Out))
	const x, row, pix, out, slab, vecs, tmp, p, column reg = 1, 2, 3, 4, 5, 6, 7, 8, 9
	a.get(winoP, x)
	a.get(winoRow, row)
	a.get(winoPix, pix)
	a.get(winoT, out)
	a.get(winoSlab, slab)
	a.get(winoVecs, vecs)
	a.get(winoScratch, tmp)
	a.beginLine(l, p)
	a.label("vector")
	a.op("MOVD", x, column)
	for j := range l.In {
		a.op("MOVD", column, p)
		for k := range l.In {
			a.walk(p, row, vec(k), 1)
		}
		a.apply(l)
		for i, v := range l.Results {
			a.store(vec(v), tmp, (i*l.In+j)*vector)
		}
		if j < l.In-1 {
			a.op("ADD", pix, column)
		}
	}
	a.op("MOVD", out, p)
	for i := range l.Out {
		a.loads(tmp, i*l.In*vector, 0, l.In)
		a.apply(l)
		for _, v := range l.Results {
			a.leave(vec(v), 1, p, slab)
		}
	}
	a.op("ADD", vector, x)
	a.op("ADD", vector, out)
	a.op("SUBS", 1, vecs)
	a.op("BNE", "vector")
	a.op("RET")
}

// winoOut writes the transform of a tile's products to pixels, and their
// epilogue, for the rows and columns inside the image. overlap says that tiles
// overlap and pixels are sums over tiles, without bias and clamp.
func (a *assembly) winoOut(kind string, l *lines.Line, overlap bool) {
	a.function("wino"+kind+l.Size+"128", "winoArgs", fmt.Sprintf("transforms the %d products of a tile to %dx%d pixels", l.In*l.In, l.Out, l.Out))
	const (
		y, in, slab, vecs, tmp, off, cols, p reg = 1, 2, 3, 4, 5, 6, 7, 8
		rowp, addp, maskp, rows, over, line  reg = 9, 10, 11, 12, 13, 14
		pix, apix, mpix                      reg = 15, 16, 17
		row, arow, mrow                      reg = 19, 20, 21
		act, overRows, overCols, bias        reg = 22, 23, 24, 25
		aside, vBias                         vec = 24, 25
	)
	for _, g := range []struct {
		offset int
		to     reg
	}{{winoP, y}, {winoT, in}, {winoSlab, slab}, {winoVecs, vecs}, {winoScratch, tmp}, {winoCols, cols}, {winoRows, rows}, {winoPix, pix}, {winoAPix, apix}, {winoMPix, mpix}, {winoRow, row}, {winoARow, arow}, {winoMRow, mrow}} {
		a.get(g.offset, g.to)
	}
	if overlap {
		a.get(winoOverRows, overRows)
		a.get(winoOverCols, overCols)
	} else {
		a.get(winoAct, act)
		a.get(winoBias, bias)
	}
	a.zero(vZero)
	a.spreadArg(winoHi, p, vHi)
	a.beginLine(l, p)
	// A column's products are a line of them apart.
	a.op("MOVD", l.In, line)
	a.op("MUL", slab, line)
	a.op("MOVD", 0, off)
	a.label("vector")
	a.op("ADD", off, in, rowp)
	for j := range l.In {
		a.op("MOVD", rowp, p)
		for k := range l.In {
			a.walk(p, line, vec(k), 1)
		}
		a.apply(l)
		for i, v := range l.Results {
			a.store(vec(v), tmp, (i*l.In+j)*vector)
		}
		if j < l.In-1 {
			a.op("ADD", slab, rowp)
		}
	}
	a.op("ADD", off, y, rowp)
	a.get(winoAdd, addp)
	a.get(winoMask, maskp)
	a.op("CBZ", addp, "noadd")
	a.op("ADD", off, addp)
	a.label("noadd")
	a.op("CBZ", maskp, "nomask")
	a.op("ADD", off, maskp)
	a.label("nomask")
	if !overlap {
		a.loadAt(bias, off, vBias)
	}
	// along visits the columns inside the image, with p at the pixel, which body
	// moves on.
	along := func(first reg, end string, body func(j int)) {
		a.op("MOVD", first, p)
		for j := range l.Out {
			if j > 0 {
				a.op("CMP", j, cols)
				a.op("BLE", end)
			}
			body(j)
		}
		a.label(end)
	}
	for i := range l.Out {
		label := func(s string) string { return fmt.Sprint(s, i) }
		if i > 0 {
			a.op("CMP", i, rows)
			a.op("BLE", "stored")
		}
		a.loads(tmp, i*l.In*vector, 0, l.In)
		a.apply(l)
		out := make([]vec, l.Out)
		for j, v := range l.Results {
			out[j] = vec(v)
		}
		if overlap {
			// Earlier tiles have written the columns before over.
			a.op("CMP", i, overRows)
			a.op("CSEL", "GT", cols, overCols, over)
			a.op("MOVD", rowp, p)
			for j := range l.Out {
				a.op("CMP", j, over)
				a.op("BLE", label("summed"))
				a.walk(p, pix, aside, 1)
				a.float(fadd, out[j], out[j], aside)
			}
			a.label(label("summed"))
		} else {
			for _, v := range out {
				a.float(fadd, v, v, vBias)
			}
		}
		a.op("CBZ", addp, label("added"))
		along(addp, label("addend"), func(j int) {
			a.walk(p, apix, aside, 1)
			has := label(fmt.Sprint("has", j, "r"))
			if overlap {
				a.op("CMP", j, over)
				a.op("BGT", has)
			}
			a.float(fadd, out[j], out[j], aside)
			if overlap {
				a.label(has)
			}
		})
		a.op("ADD", arow, addp)
		a.label(label("added"))
		if !overlap {
			a.op("CBZ", act, label("clamped"))
			for _, v := range out {
				a.clamp(v)
			}
			a.label(label("clamped"))
		}
		a.op("CBZ", maskp, label("masked"))
		along(maskp, label("maskend"), func(j int) {
			a.walk(p, mpix, aside, 1)
			a.keepInside(aside, vHi, vT, vU, out[j])
		})
		a.op("ADD", mrow, maskp)
		a.label(label("masked"))
		along(rowp, label("rowend"), func(j int) { a.leave(out[j], 1, p, pix) })
		a.op("ADD", row, rowp)
	}
	a.label("stored")
	a.op("ADD", vector, off)
	a.op("SUBS", 1, vecs)
	a.op("BNE", "vector")
	a.op("RET")
}
