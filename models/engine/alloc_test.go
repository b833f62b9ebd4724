package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStepAllocatesNothing runs steps of networks that use every kind of step
// but the reference's: convolutions, and transformers, whole and in windows.
func TestStepAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBuilder(r, "all", Shape{3, 16, 16})
	v := b.relu(b.norm(b.conv(Input, 32, 3, 1, 1, same(3))))
	u := b.add(&Activation{Func: ReLU6}, b.conv(v, 32, 3, 1, 32, same(3)))
	v = b.relu(b.add(&Add{}, b.conv(u, 32, 3, 1, 1, same(3)), v))
	v = b.add(&Concat{}, v, b.add(&Slice{C1: 16, StrideH: 1, StrideW: 1}, u))
	v = b.add(&MaxPool{3, 3, 2, 2, same(3), false}, b.add(&ChannelShuffle{2}, v))
	v = b.add(&Activation{Func: SiLU}, b.add(&AvgPool{2, 2, 2, 2, Padding{}, false, false}, b.norm(v)))
	b.dense(b.add(&GlobalAvgPool{}, v), 10)
	for _, n := range []*Net{b.n, transformer(r, 2, 16, 4, 0), windowed(r)} {
		for _, profile := range profiles() {
			p, err := Compile(n, profile)
			if err != nil {
				t.Fatal(err)
			}
			for _, batch := range []int{1, 5} {
				run, err := p.Runner(batch, 2)
				if err != nil {
					t.Fatal(err)
				}
				x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*10)
				y, dx := make([]float32, len(dl)), make([]float32, len(x))
				if a := testing.AllocsPerRun(2, func() {
					run.Forward(x, y)
					run.Backward(dl, dx)
				}); a >= 1 {
					t.Errorf("%s %v batch %d: a step allocates %v times", n.Name, profile, batch, a)
				}
				run.Close()
			}
		}
	}
}

// TestMemoryIsTakenOver: a Runner of a closed one's size works in its memory, to
// the same bytes; one of another size, or beside an open one, has its own.
func TestMemoryIsTakenOver(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range digestNets()[2:4] {
		for _, profile := range profiles() {
			p, err := Compile(n, profile)
			if err != nil {
				t.Fatal(err)
			}
			const batch = 3
			runner := func(batch int) *Runner {
				run, err := p.Runner(batch, 2)
				if err != nil {
					t.Fatal(err)
				}
				return run
			}
			x, dl := randoms(r, batch*n.Input.Len()), randoms(r, batch*10)
			step := func(run *Runner) []float32 {
				y, dx := make([]float32, len(dl)), make([]float32, len(x))
				run.Forward(x, y)
				run.Backward(dl, dx)
				return append(y, dx...)
			}
			one, other := runner(batch), runner(batch)
			want := step(one)
			if one.exec == other.exec {
				t.Fatal("two open Runners share their memory")
			}
			if one.Bytes() < 4*batch*n.Input.Len() {
				t.Errorf("%d bytes", one.Bytes())
			}
			mine := one.exec.(*fast)
			taken := false
			for range 20 { // sync.Pool drops some under the race detector
				one.Close()
				one.Close()
				if small := runner(1); small.exec == executor(mine) {
					t.Fatal("a batch of 1 got the memory of 3")
				} else {
					small.Close()
				}
				one = runner(batch)
				if !slices.Equal(step(one), want) {
					t.Fatalf("%s %v: other bytes in used memory", n.Name, profile)
				}
				if one.exec == executor(mine) {
					taken = true
					break
				}
				mine = one.exec.(*fast)
			}
			if !taken {
				t.Errorf("%s %v: the memory of a closed Runner is not taken over", n.Name, profile)
			}
			one.Close()
			other.Close()
		}
	}
}

// tinyProgram is ten logits of a 4x4 picture.
func tinyProgram(t *testing.T) *Program {
	b := newBuilder(rand.New(rand.NewPCG(1, 2)), "tiny", Shape{3, 4, 4})
	b.dense(b.relu(b.conv(Input, 8, 3, 1, 1, same(3))), 10)
	p, err := Compile(b.n, Profile{Family: Generic})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestShapesPanic: a slice of the wrong length is a broken invariant.
func TestShapesPanic(t *testing.T) {
	p := tinyProgram(t)
	run, err := p.Runner(2, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	defer func() {
		if recover() == nil {
			t.Error("a logits slice that is too short is accepted")
		}
	}()
	run.Forward(make([]float32, 2*48), make([]float32, 19))
}

func TestRunnerErrors(t *testing.T) {
	p := tinyProgram(t)
	if _, err := p.Runner(0, 1); err == nil {
		t.Error("batch 0 is accepted")
	}
	if _, err := p.Runner(1, -1); err == nil {
		t.Error("-1 threads are accepted")
	}
}

func TestParseProfile(t *testing.T) {
	for words, want := range map[string]string{
		"generic": "generic-winograd", "generic,direct": "generic-direct", "float64": "float64", "GENERIC-Winograd": "generic-winograd",
	} {
		p, err := ParseProfile(words)
		if err != nil || p.String() != want {
			t.Errorf("%q: %v, %v; want %s", words, p, err, want)
		}
		if q, err := ParseProfile(p.String()); err != nil || q != p {
			t.Errorf("%v does not read its own name: %v, %v", p, q, err)
		}
	}
	if _, err := ParseProfile("avx3"); err == nil {
		t.Error("avx3 is accepted")
	}
}

// TestAssemblyOffsets holds the structs against the offsets that the generator
// (asm/main.go, asm/winograd.go) writes into the kernels.
func TestAssemblyOffsets(t *testing.T) {
	for _, c := range offsets() {
		if c.got != c.want {
			t.Errorf("%s is at %d, the assembly expects %d", c.name, c.got, c.want)
		}
	}
}
