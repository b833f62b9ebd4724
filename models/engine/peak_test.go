package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
	"unsafe"
)

// TestPeak prints the rate of fused multiply-adds that the tile kernels reach
// on operands in the nearest cache, which is the processor's peak but for a few
// percent, and the share of it that the C&W network's direct step reaches. It
// runs on one thread and on two, alternating, and takes the best of each.
func TestPeak(t *testing.T) {
	if os.Getenv("SAPF_PEAK") == "" {
		t.Skip("SAPF_PEAK is not set")
	}
	n := cwNet(rand.New(rand.NewPCG(1, 2)))
	cost, err := n.Cost()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []Family{AVX2, AVX512, NEON} {
		profile := Profile{family, Direct}
		if profile.check() != nil {
			continue
		}
		p, err := Compile(n, profile)
		if err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2} {
			const batch = 9
			run, err := p.Runner(batch, threads)
			if err != nil {
				t.Fatal(err)
			}
			x, dl := make([]float32, batch*n.Input.Len()), make([]float32, batch*10)
			y, dx := make([]float32, len(dl)), make([]float32, len(x))
			peak, net := 0.0, 0.0
			for range 40 {
				peak = max(peak, tileRate(family.kernels(), threads))
				t0 := time.Now()
				run.Forward(x, y)
				run.Backward(dl, dx)
				net = max(net, batch*float64(cost.Step())/float64(time.Since(t0).Nanoseconds()))
			}
			run.Close()
			fmt.Printf("%v, %d threads: peak %.1f GFLOP/s, C&W network at batch %d %.1f GFLOP/s, %.0f %%\n", profile, threads, peak, batch, net, 100*net/peak)
		}
	}
}

// tileRate is the GFLOP/s of the largest tile on 4 KB of weights.
func tileRate(ks *kernelSet, threads int) float64 {
	const k, calls = 32, 4000
	mr := len(ks.tile[2]) - 1
	done := make(chan time.Duration, threads)
	for range threads {
		go func() {
			x, w, y := aligned(mr*k), aligned(k*2*ks.lanes), aligned(mr*2*ks.lanes)
			tap := int64(0)
			a := &tileArgs{x: unsafe.Pointer(&x[0]), xpix: bytes(k), taps: unsafe.Pointer(&tap), ntaps: 1, k: k, w: unsafe.Pointer(&w[0]),
				bias: unsafe.Pointer(&w[0]), y: unsafe.Pointer(&y[0]), ypix: bytes(2 * ks.lanes), tiles: 1}
			t0 := time.Now()
			for range calls {
				ks.tile[2][mr](a)
			}
			done <- time.Since(t0)
		}()
	}
	slowest := time.Duration(0)
	for range threads {
		slowest = max(slowest, <-done)
	}
	return 2 * float64(threads*calls*k*mr*2*ks.lanes) / float64(slowest.Nanoseconds())
}
