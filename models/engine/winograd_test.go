package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// winoSteps are the Winograd steps of a plan's forward and backward pass.
func winoSteps(pl *plan) (forward, backward []*winoStep) {
	find := func(ms []maker) (found []*winoStep) {
		for _, m := range ms {
			if s, ok := m.(*winoStep); ok {
				found = append(found, s)
			}
		}
		return found
	}
	return find(pl.forward), find(pl.backward)
}

// TestWinogradWays runs every form both ways, over one block and several, whole
// tiles and cut ones, and names the way that is chosen.
func TestWinogradWays(t *testing.T) {
	for _, c := range []struct {
		in, out, side     int
		pad               Padding
		forward, backward winoWay
	}{
		{32, 32, 30, Padding{}, winoWay{wino4, false}, winoWay{wino4, true}},
		{64, 128, 14, Padding{}, winoWay{wino4, false}, winoWay{wino4, true}},
		{128, 128, 12, Padding{}, winoWay{wino5, false}, winoWay{wino5, true}},
		{40, 56, 12, Padding{Bottom: 1}, winoWay{wino5, false}, winoWay{wino5, true}},
		{64, 64, 8, same(3), winoWay{wino4, false}, winoWay{wino4, false}},
		{24, 32, 35, same(3), winoWay{wino5, false}, winoWay{wino5, false}},
		{96, 64, 14, Padding{Top: 2, Left: 1}, winoWay{wino5, false}, winoWay{wino5, false}},
	} {
		if testing.Short() && c.side != 12 {
			continue
		}
		r := rand.New(rand.NewPCG(uint64(c.side), 17))
		op := conv(r, c.in, c.out, 1, 3, 3, 1, 1, 1, 1, c.pad)
		scaled(r, op.W, c.in*9)
		b := newBuilder(r, fmt.Sprintf("%d-%d-%d", c.in, c.out, c.side), Shape{3, c.side, c.side})
		b.dense(b.add(&GlobalAvgPool{}, b.relu(b.add(op, b.relu(b.conv(Input, c.in, 1, 1, 1, Padding{}))))), 4)
		n := b.n
		t.Run(n.Name, func(t *testing.T) {
			checkNet(t, r, n, 4)
			for _, profile := range profiles() {
				if profile.Algorithm != Winograd {
					continue
				}
				p, err := Compile(n, profile)
				if err != nil {
					t.Fatal(err)
				}
				f, b := winoSteps(p.plan)
				if len(f) != 1 || len(b) != 1 || *f[0].winoWay != c.forward || *b[0].winoWay != c.backward {
					t.Errorf("%v: not in the ways expected, of tiles %d and %d", profile, c.forward.form.tile, c.backward.form.tile)
				}
			}
		})
	}
}

// TestWinogradSums: the gradient of a value with several readers is added up,
// by tiles that overlap, in its own memory and from another layer's.
func TestWinogradSums(t *testing.T) {
	for seed := range seeds(12) {
		r := rand.New(rand.NewPCG(uint64(seed), 19))
		side := 10 + 2*r.IntN(3)
		b := newBuilder(r, fmt.Sprintf("sums%d", seed), Shape{3, side, side})
		width := []int{16, 33, 48}[seed%3]
		v := b.relu(b.conv(Input, width, 3, 1, 1, same(3)))
		one := b.relu(b.conv(v, 24, 3, 1, 1, Padding{}))
		two := b.relu(b.conv(v, 32, 3, 1, 1, Padding{}))
		readers := []int{one, two}
		if seed%4 > 0 {
			readers = append(readers, b.relu(b.add(&Add{}, b.conv(Input, width, 1, 1, 1, Padding{}), v)))
		}
		for i, u := range readers {
			readers[i] = b.add(&GlobalAvgPool{}, u)
		}
		b.dense(b.add(&Concat{}, readers...), 4)
		t.Run(b.n.Name, func(t *testing.T) {
			checkNet(t, r, b.n, 3)
			p, err := Compile(b.n, Profile{Generic, Winograd})
			if err != nil {
				t.Fatal(err)
			}
			_, back := winoSteps(p.plan)
			adjoint, own, other := 0, 0, 0
			for _, s := range back {
				if s.adjoint {
					adjoint++
					if s.add == s.y {
						own++
					} else if s.add != nil {
						other++
					}
				}
			}
			if adjoint != 2 || own != 1 || other != min(seed%4, 1) {
				t.Errorf("%d overlapping passes, %d onto their own memory and %d onto another's", adjoint, own, other)
			}
		})
	}
}

// TestWinogradErrors measures the relative l2 errors of a convolution of 128
// channels, against double precision, forward of rectified numbers and backward
// of normal ones: what the points of the forms were chosen by.
func TestWinogradErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("128 channels in double precision")
	}
	for _, c := range []struct {
		form              *winoForm
		side              int
		forward, backward float64
	}{
		{wino4, 12, 1.2e-6, 1.4e-6},
		{wino5, 10, 2.0e-6, 2.4e-6},
	} {
		r := rand.New(rand.NewPCG(uint64(c.side), 23))
		b := newBuilder(r, fmt.Sprintf("f%d", c.form.tile), Shape{128, c.side + 2, c.side + 2})
		op := conv(r, 128, 128, 1, 3, 3, 1, 1, 1, 1, Padding{})
		clear(op.B)
		b.add(op, Input)
		x := randoms(r, b.n.Input.Len())
		for i, v := range x {
			x[i] = max(v, 0)
		}
		dy := randoms(r, 128*c.side*c.side)
		run := func(p Profile) (y, dx []float32) {
			prog, err := Compile(b.n, p)
			if err != nil {
				t.Fatal(err)
			}
			if p.Algorithm == Winograd {
				if f, b := winoSteps(prog.plan); *f[0].winoWay != (winoWay{c.form, false}) || *b[0].winoWay != (winoWay{c.form, true}) {
					t.Fatalf("%v: not in tiles of %d", p, c.form.tile)
				}
			}
			return stepOf(t, prog, 1, 1, x, dy)
		}
		y, dx := run(Profile{Family: Float64})
		for _, p := range profiles() {
			if p.Algorithm != Winograd {
				continue
			}
			gotY, gotX := run(p)
			forward, backward := relative(gotY, y), relative(gotX, dx)
			t.Logf("F(%dx%d,3x3), %v: forward %.2g, backward %.2g", c.form.tile, c.form.tile, p, forward, backward)
			if forward > c.forward || backward > c.backward {
				t.Errorf("F(%dx%d,3x3), %v: errors %.2g and %.2g, at most %g and %g expected", c.form.tile, c.form.tile, p, forward, backward, c.forward, c.backward)
			}
		}
	}
}
