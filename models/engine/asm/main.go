// Command asm writes the engine's assembly with avo. It is a module of its own,
// so that the engine does not depend on the generator:
//
//	cd models/engine/asm && go run . -family avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg engine
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"sapf/models/engine/asm/lines"
)

// A family is a vector width and how far the registers reach.
type family struct {
	// name ends the functions' names: "512".
	name string
	// bytes of a vector.
	bytes int
	v     []reg.VecPhysical
	// pixels[nv] is the largest tile with nv vectors of channels.
	pixels [3]int
	// depth is the largest tile of the depthwise kernel.
	depth int
}

var avx512 = family{name: "512", bytes: 64, pixels: [3]int{0, 14, 14}, depth: 14, v: []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}}

var avx2 = family{name: "256", bytes: 32, pixels: [3]int{0, 12, 6}, depth: 12, v: []reg.VecPhysical{
	reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}}

// wide reports AVX-512: mask registers and broadcast operands.
func (f *family) wide() bool { return f.bytes == 64 }

// temp is the i-th of the last four registers, which no tile uses.
func (f *family) temp(i int) reg.VecPhysical { return f.v[len(f.v)-4+i] }

func main() {
	name := flag.String("family", "", "avx2 or avx512")
	flag.Parse()
	f := map[string]*family{"avx2": &avx2, "avx512": &avx512}[*name]
	if f == nil {
		log.Fatalf("family %q: want avx2 or avx512", *name)
	}
	ConstraintExpr("amd64")
	for nv := 1; nv <= 2; nv++ {
		for mr := 1; mr <= f.pixels[nv]; mr++ {
			f.tile(nv, mr)
		}
	}
	for mr := 1; mr <= f.depth; mr++ {
		f.depthwise(mr)
	}
	f.maxForward()
	f.maxBackward()
	f.combine()
	f.rows()
	for _, w := range lines.Forms {
		newLine(f, lines.Input(w)).winoIn("In")
		newLine(f, lines.Output(w)).winoOut("Out", false)
		newLine(f, lines.Spread(w)).winoIn("Spread")
		newLine(f, lines.Collect(w)).winoOut("Collect", true)
	}
	if !f.wide() {
		TEXT("pause", NOSPLIT|NOFRAME, "func()")
		Doc("pause tells the processor that this is a spinning loop.")
		PAUSE()
		RET()
	}
	Generate()
}

// The offsets of tileArgs.
const (
	argX     = 8 * iota // *float32
	argXPix             // bytes
	argTaps             // *int64
	argNTaps            // int
	argK                // int
	argW                // *float32
	argBias             // *float32
	argY                // *float32
	argYPix             // bytes
	argAdd              // *float32 or nil
	argAPix             // bytes
	argMask             // *float32 or nil
	argMPix             // bytes
	argAct              // 0 or 1
	argTiles            // int
	argHi               // float32
	argIndex            // *float32
	argIPix             // bytes
	argVecs             // int
)

func arg(off int) Mem { return Mem{Base: reg.RAX, Disp: off} }

func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }
