package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/digests.txt")

// uniform is between -a and a: unlike normal numbers of package rand, the same
// on every machine.
func uniform(r *rand.Rand, n int, a float32) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32((2*r.Float32() - 1) * a)
	}
	return v
}

// digestNets are networks with every kind of step.
func digestNets() []*Net {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBuilder(r, "steps", Shape{3, 21, 17})
	b.add(&Affine{Scale: []float64{2, 1.5, 1}, Shift: []float64{-0.5, 0.25, 0.125}}, Input)
	v := b.relu(b.conv(0, 35, 5, 2, 1, same(5)))
	v = b.add(&MaxPool{3, 3, 1, 1, same(3), false}, v)
	u := b.add(&Activation{Func: ReLU6}, b.conv(v, 35, 3, 1, 35, same(3)))
	v = b.relu(b.add(&Add{}, b.conv(u, 35, 3, 1, 5, same(3)), v))
	v = b.add(&Concat{}, v, b.add(&Slice{C1: 13, StrideH: 1, StrideW: 1}, u))
	v = b.add(&ChannelShuffle{4}, v)
	for _, f := range []ActKind{SiLU, HardSwish, Sigmoid, Tanh, LeakyReLU} {
		v = b.add(&Activation{Func: f, Alpha: 0.1}, b.conv(v, 24, 1, 1, 1, Padding{}))
	}
	v = b.add(&AvgPool{3, 2, 2, 1, Padding{1, 0, 1, 1}, false, true}, v)
	gate := b.add(&Activation{Func: HardSigmoid, Alpha: 1. / 6, Beta: 0.5}, b.conv(b.add(&GlobalAvgPool{}, v), 24, 1, 1, 1, Padding{}))
	v = b.add(&Mul{}, gate, b.add(&PadChannels{3, 5}, b.conv(v, 16, 3, 2, 1, same(3))))
	b.add(&Softmax{}, b.dense(v, 10))
	nets := []*Net{b.n, cwNet(r), transformer(r, 2, 16, 4, 0), transformer(r, 3, 5, 3, 1), windowed(r)}
	// Winograd both ways, with channels that fill no family's vectors.
	for i, side := range []int{9, 10, 12, 14, 23} {
		b := newBuilder(r, fmt.Sprint("tiles", side), Shape{2 + i, side, side})
		v := b.relu(b.conv(Input, 13*(i+1), 3, 1, 1, same(3)))
		u := b.relu(b.conv(v, 24, 3, 1, 1, Padding{Top: i % 2, Bottom: 1, Left: i % 2, Right: 1}))
		v = b.add(&GlobalAvgPool{}, b.relu(b.conv(v, 37, 3, 1, 1, Padding{})))
		b.dense(b.add(&Concat{}, v, b.add(&GlobalAvgPool{}, u)), 10)
		nets = append(nets, b.n)
	}
	return nets
}

// TestDigests holds logits and gradients against stored digests: double
// precision and the plain family give the same bytes on every machine, and so do
// the families that fuse multiply and add (avx2, avx512, neon) among themselves.
func TestDigests(t *testing.T) {
	const path = "testdata/digests.txt"
	stored := map[string]string{}
	if !*update {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 3 {
				stored[f[0]+" "+f[1]] = f[2]
			}
		}
	}
	for _, n := range digestNets() {
		r := rand.New(rand.NewPCG(3, 4))
		n = n.clone(func(w []float32) []float32 { return uniform(r, len(w), 0.1) })
		const batch = 2
		x, dl := uniform(r, batch*n.Input.Len(), 1), uniform(r, batch*10, 1)
		for _, p := range append(profiles(), Profile{Family: Float64}) {
			if n.Name == "cw" && (p.Family == Float64 || testing.Short()) {
				continue // for its time
			}
			prog, err := Compile(n, p)
			if err != nil {
				t.Fatal(err)
			}
			y, dx := stepOf(t, prog, batch, 1, x, dl)
			h := sha256.New()
			for _, v := range [][]float32{y, dx} {
				if err := binary.Write(h, binary.LittleEndian, v); err != nil {
					t.Fatal(err)
				}
			}
			kind := p.String()
			if p.Family > Generic {
				kind = "fused-" + p.Algorithm.String()
			}
			key, got := n.Name+" "+kind, hex.EncodeToString(h.Sum(nil)[:8])
			if *update {
				stored[key] = got
			} else if stored[key] != got {
				t.Errorf("%s, %v: digest %s, stored is %q", n.Name, p, got, stored[key])
			}
		}
	}
	if *update {
		var out strings.Builder
		out.WriteString("# network, profile, first bytes of the SHA-256 of its logits and gradient\n")
		for _, key := range slices.Sorted(maps.Keys(stored)) {
			fmt.Fprintln(&out, key, stored[key])
		}
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
