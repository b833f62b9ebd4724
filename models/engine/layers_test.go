package engine_test

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"sapf/models"
	"sapf/models/engine"
)

// TestLayers prints where a step's time goes, and what share of the processor's
// peak its products reach: SAPF_LAYERS=net.onnx,batch,threads (and SAPF_PEAK for
// GFLOP/s of a core).
func TestLayers(t *testing.T) {
	want := strings.Split(os.Getenv("SAPF_LAYERS"), ",")
	if want[0] == "" {
		t.Skip("SAPF_LAYERS is not set")
	}
	number := func(k, otherwise int) int {
		if k < len(want) {
			if n, err := strconv.Atoi(want[k]); err == nil {
				return n
			}
		}
		return otherwise
	}
	batch, threads := number(1, 1), number(2, 1)
	profile, err := engine.ParseProfile("")
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(want[0], models.LoadOptions{Profile: &profile})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	p, err := engine.Compile(m.Net(), profile)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("compiled in %v\n", time.Since(begun).Round(time.Millisecond))
	r, err := p.Runner(batch, threads)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x, dx := make([]float32, batch*p.Net().Input.Len()), make([]float32, batch*p.Net().Input.Len())
	y, dl := make([]float32, batch*p.Output().Len()), make([]float32, batch*p.Output().Len())
	for i := range x {
		x[i] = float32(i*7919%1000) / 1000
	}
	for i := range dl {
		dl[i] = float32(i%11-5) / 5
	}
	var times []time.Duration
	for start := time.Now(); time.Since(start) < time.Second || len(times) < 5; {
		t0 := time.Now()
		r.Forward(x, y)
		r.Backward(dl, dx)
		times = append(times, time.Since(t0))
	}
	slices.Sort(times)
	list := r.StepTimes(5, x, y, dl, dx)
	total, kinds, counts, flops := time.Duration(0), map[string]time.Duration{}, map[string]int{}, map[string]float64{}
	for _, s := range list {
		total += s.Least
		kinds[s.Name] += s.Least
		flops[s.Name] += s.Ops
		counts[s.Name]++
	}
	var names []string
	for n := range kinds {
		names = append(names, n)
	}
	sort.Slice(names, func(a, b int) bool { return kinds[names[a]] > kinds[names[b]] })
	fmt.Printf("%s %v batch %d threads %d: a step takes %v, at least %v, sum of least times %v, %.1f MB\n", p.Net().Name, p.Profile(), batch, threads, times[len(times)/2], times[0], total, float64(r.Bytes())/1e6)
	for _, n := range names[:min(len(names), number(3, 40))] {
		fmt.Printf("%8.2f ms %5.1f %% %4d x %7.1f GFLOP/s  %s\n", kinds[n].Seconds()*1e3, 100*kinds[n].Seconds()/total.Seconds(), counts[n], flops[n]/kinds[n].Seconds()/1e9, n)
	}
}
