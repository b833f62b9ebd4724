package engine_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
)

// cifarTest reads the first n images of CIFAR-10's test set, or skips.
func cifarTest(t *testing.T, n int) []data.Image {
	t.Helper()
	root := os.Getenv("SAPF_DATA")
	if root == "" {
		t.Skip("SAPF_DATA is not set: no images and weights")
	}
	f, err := os.Open(filepath.Join(root, "data", "cifar-10-batches-bin", "test_batch.bin"))
	if err != nil {
		t.Skipf("no CIFAR-10: %v", err)
	}
	defer f.Close()
	images, err := data.ReadCIFAR10("test_batch.bin", f)
	if err != nil {
		t.Fatal(err)
	}
	return images[:n]
}

// lossGradient is the gradient of a loss of the logits towards class target:
// the margin max(others) - z[target], or cross entropy.
func lossGradient(logits []float32, target int, margin bool) []float32 {
	d := make([]float32, len(logits))
	if margin {
		other := -1
		for c, z := range logits {
			if c != target && (other < 0 || z > logits[other]) {
				other = c
			}
		}
		d[other], d[target] = 1, -1
		return d
	}
	top, sum := float64(logits[0]), 0.0
	for _, z := range logits {
		top = math.Max(top, float64(z))
	}
	for _, z := range logits {
		sum += math.Exp(float64(z) - top)
	}
	for c, z := range logits {
		d[c] = float32(math.Exp(float64(z)-top) / sum)
	}
	d[target]--
	return d
}

func distance(got, want []float32) float64 {
	var d, n float64
	for i, v := range want {
		d += (float64(got[i]) - float64(v)) * (float64(got[i]) - float64(v))
		n += float64(v) * float64(v)
	}
	return math.Sqrt(d / n)
}

// profilesHere lists what this machine runs, by SAPF_KERNELS words.
func profilesHere() []engine.Profile {
	var ps []engine.Profile
	for _, words := range []string{"generic,direct", "generic,winograd", "avx2,direct", "avx2,winograd", "avx512,direct", "avx512,winograd", "neon,direct", "neon,winograd"} {
		if p, err := engine.ParseProfile(words); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// runners makes one runner for each profile, the float64 one first.
func runners(t *testing.T, name string) (profiles []engine.Profile, rs []*engine.Runner) {
	t.Helper()
	double := engine.Profile{Family: engine.Float64}
	m, err := models.Load(name, models.LoadOptions{Profile: &double})
	if err != nil {
		t.Skipf("no %s: %v", name, err)
	}
	profiles = append([]engine.Profile{double}, profilesHere()...)
	for _, p := range profiles {
		prog, err := engine.Compile(m.Net(), p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := prog.Runner(1, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		rs = append(rs, r)
	}
	return profiles, rs
}

// long reports that the environment asks for the long form of a test.
func long() bool { return os.Getenv("SAPF_LONG") != "" }

// TestTrainedAccuracy measures gradients of both losses on trained networks and
// test images against float64: relative l2 error at most 2e-6 with the direct
// algorithm and 5e-6 with Winograd.
//
// These networks are piecewise linear. Where an image lies within rounding of a
// border (a ReLU's input near 0, two entries of a pool nearly equal), the
// nearest float32 computation may be on the other side of it, and its gradient
// is then that of the neighbouring piece. One image in ten may be such a one.
func TestTrainedAccuracy(t *testing.T) {
	n := 3
	if long() {
		n = 100
	}
	images := cifarTest(t, n)
	for _, name := range []string{"cwnet", "resnet20"} {
		profiles, rs := runners(t, name)
		errors := make([][]float64, len(rs))
		logits, want, got := make([]float32, 10), make([]float32, images[0].Len()), make([]float32, images[0].Len())
		for i, image := range images {
			for _, r := range rs[1:] {
				r.Forward(image.Pix, logits)
			}
			rs[0].Forward(image.Pix, logits)
			for _, margin := range []bool{true, false} {
				d := lossGradient(logits, (image.Label+1+i)%10, margin)
				rs[0].Backward(d, want)
				for k, r := range rs[1:] {
					r.Backward(d, got)
					errors[k+1] = append(errors[k+1], distance(got, want))
				}
			}
		}
		for k, p := range profiles[1:] {
			limit := 2e-6
			if p.Algorithm == engine.Winograd {
				limit = 5e-6
			}
			e := errors[k+1]
			slices.Sort(e)
			beyond := len(e) - sort.SearchFloat64s(e, limit)
			t.Logf("%s %v: gradient error median %.2g, 90th percentile %.2g, largest %.2g; %d of %d on another linear piece",
				name, p, e[len(e)/2], e[len(e)*9/10], e[len(e)-1], beyond, len(e))
			// Both losses of one image are on the same piece.
			if beyond > max(2, len(e)/10) {
				t.Errorf("%s %v: gradient error beyond %g for %d of %d", name, p, limit, beyond, len(e))
			}
		}
	}
}

// TestPredictionsUnchanged compares predicted classes with float64's on 1,000
// test images (10 without SAPF_LONG).
func TestPredictionsUnchanged(t *testing.T) {
	n := 10
	if long() {
		n = 1000
	}
	images := cifarTest(t, n)
	for _, name := range []string{"cwnet", "resnet20"} {
		profiles, rs := runners(t, name)
		logits := make([]float32, 10)
		class := func(r *engine.Runner, x []float32) int {
			r.Forward(x, logits)
			best := 0
			for c, z := range logits {
				if z > logits[best] {
					best = c
				}
			}
			return best
		}
		for i, image := range images {
			want := class(rs[0], image.Pix)
			for k, r := range rs[1:] {
				if c := class(r, image.Pix); c != want {
					t.Errorf("%s %v: image %d is class %d, in float64 %d", name, profiles[k+1], i, c, want)
				}
			}
		}
	}
}
