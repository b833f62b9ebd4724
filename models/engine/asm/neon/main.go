// Command neon writes the engine's assembly for arm64, which avo does not know:
//
//	cd models/engine/asm && go run ./neon -out ../neon_arm64.s -stubs ../neon_arm64.go
//
// The kernels are those of the wide amd64 family, four lanes wide, but that a
// register of inputs is four consecutive floats of a pixel, each multiplied with
// a whole vector of weights (fmla by element).
package main

import (
	"flag"
	"log"
	"os"

	"sapf/models/engine/asm/lines"
)

// lanes are the floats of a vector, vector its bytes.
const (
	lanes  = 4
	vector = 4 * lanes
)

// pixels[nv] is the largest tile with nv vectors of channels: sums, four
// entries' weights and two pixels' inputs fill the 32 registers at nv = 2.
var pixels = [3]int{0, 14, 11}

// depth is the largest tile of the depthwise kernel.
const depth = 14

func main() {
	out := flag.String("out", "", "the assembly")
	stubs := flag.String("stubs", "", "its Go declarations")
	flag.Parse()
	a := &assembly{}
	for nv := 1; nv <= 2; nv++ {
		for mr := 1; mr <= pixels[nv]; mr++ {
			a.tile(nv, mr)
		}
	}
	for mr := 1; mr <= depth; mr++ {
		a.depthwise(mr)
	}
	a.maxForward()
	a.maxBackward()
	a.combine()
	for _, w := range lines.Forms {
		a.winoIn("In", lines.Input(w))
		a.winoOut("Out", lines.Output(w), false)
		a.winoIn("Spread", lines.Spread(w))
		a.winoOut("Collect", lines.Collect(w), true)
	}
	a.function("pause", "", "tells the processor that this is a spinning loop")
	a.op("YIELD")
	a.op("RET")
	for path, text := range map[string]string{*out: a.source(), *stubs: a.declarations()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
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
