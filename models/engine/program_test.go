package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// profiles lists what this machine can run.
func profiles() []Profile {
	var ps []Profile
	for _, f := range []Family{Generic, AVX2, AVX512, NEON} {
		for _, a := range []Algorithm{Direct, Winograd} {
			if p := (Profile{f, a}); p.check() == nil {
				ps = append(ps, p)
			}
		}
	}
	return ps
}

// around builds a network that feeds op from convolutions of an image and
// turns its output into five logits.
func around(r *rand.Rand, c opCase) *Net {
	n := &Net{Name: c.name, Input: Shape{3, c.in[0].H, c.in[0].W}}
	for _, s := range c.in {
		n.Input.H, n.Input.W = max(n.Input.H, s.H), max(n.Input.W, s.W)
	}
	add := func(op Op, in ...int) int {
		n.Nodes = append(n.Nodes, Node{Name: fmt.Sprintf("n%d", len(n.Nodes)), Op: op, In: in})
		return len(n.Nodes) - 1
	}
	var ins []int
	for _, s := range c.in {
		v := add(conv(r, 3, s.C, 1, 3, 3, 1, 1, 1, 1, Padding{1, 1, 1, 1}), Input)
		v = add(&Activation{Func: ReLU}, v)
		if s.H == 1 && s.W == 1 {
			v = add(&GlobalAvgPool{}, v)
		}
		ins = append(ins, v)
	}
	v := add(c.op, ins...)
	out, err := c.op.OutShape(c.in)
	if err != nil {
		panic(err)
	}
	n.Output = add(dense(r, out.Len(), 5), v)
	return n
}

// step is one forward and backward pass.
func stepOf(t testing.TB, p *Program, batch, threads int, x, dlogits []float32) (logits, dx []float32) {
	t.Helper()
	r, err := p.Runner(batch, threads)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	logits, dx = make([]float32, len(dlogits)), make([]float32, len(x))
	for range 2 { // a second time over used buffers
		r.Forward(x, logits)
		r.Backward(dlogits, dx)
	}
	return logits, dx
}

// relative is the l2 distance of a from b over b's norm.
func relative(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += (float64(a[i]) - float64(b[i])) * (float64(a[i]) - float64(b[i]))
		n += float64(b[i]) * float64(b[i])
	}
	if n == 0 {
		return math.Sqrt(d)
	}
	return math.Sqrt(d / n)
}

// tolerance is the relative l2 error allowed against float64.
func (p Profile) tolerance() float64 {
	if p.Algorithm == Winograd {
		return 1e-5
	}
	return 2e-6
}

// checkNet holds every profile against the reference on one network: the
// numbers, and the same bytes alone, in a batch, on three threads, and in every
// family that fuses multiply and add.
func checkNet(t *testing.T, r *rand.Rand, n *Net, batch int) {
	t.Helper()
	ref, err := Compile(n, Profile{Family: Float64})
	if err != nil {
		t.Fatal(err)
	}
	k, size := ref.Output().Len(), n.Input.Len()
	x, dlogits := randoms(r, batch*size), randoms(r, batch*k)
	wantY, wantDX := stepOf(t, ref, batch, 1, x, dlogits)
	type bytes struct {
		of    Family
		y, dx []float32
	}
	fused := map[Algorithm]bytes{} // of the first family that fuses multiply and add
	for _, profile := range profiles() {
		p, err := Compile(n, profile)
		if err != nil {
			t.Fatal(err)
		}
		y, dx := stepOf(t, p, batch, 1, x, dlogits)
		if e := relative(y, wantY); !(e <= profile.tolerance()) {
			t.Fatalf("%v: logits are off by %.3g (relative l2)", profile, e)
		}
		if e := relative(dx, wantDX); !(e <= profile.tolerance()) {
			t.Fatalf("%v: gradient is off by %.3g (relative l2)", profile, e)
		}
		if f, known := fused[profile.Algorithm]; !known && profile.Family != Generic {
			fused[profile.Algorithm] = bytes{profile.Family, y, dx}
		} else if known && (!slices.Equal(y, f.y) || !slices.Equal(dx, f.dx)) {
			t.Fatalf("%v: other bytes than %v's", profile, f.of)
		}
		y3, dx3 := stepOf(t, p, batch, 3, x, dlogits)
		if !slices.Equal(y, y3) || !slices.Equal(dx, dx3) {
			t.Fatalf("%v: three threads give other bytes than one", profile)
		}
		b := batch - 1
		y1, dx1 := stepOf(t, p, 1, 2, x[b*size:], dlogits[b*k:])
		if !slices.Equal(y[b*k:], y1) || !slices.Equal(dx[b*size:], dx1) {
			t.Fatalf("%v: the last image alone gives other bytes than in a batch", profile)
		}
	}
}

func TestEveryOperation(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range opCases(r) {
		t.Run(c.name, func(t *testing.T) { checkNet(t, r, around(r, c), 3) })
	}
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
