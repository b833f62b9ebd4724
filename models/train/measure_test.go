package train

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestMeasureTorch prints the time of a training step of the C&W CIFAR network
// beside PyTorch's, in turns, so that whatever else the machine does falls on
// both. SAPF_MEASURE_TORCH is a Python that has torch. Ours draws and flips its
// images and packs its weights within the step; PyTorch's images are ready.
func TestMeasureTorch(t *testing.T) {
	python := os.Getenv("SAPF_MEASURE_TORCH")
	if python == "" {
		t.Skip("SAPF_MEASURE_TORCH is not set")
	}
	rounds := 15
	if s := os.Getenv("SAPF_MEASURE_ROUNDS"); s != "" {
		rounds, _ = strconv.Atoi(s)
	}
	recipe, err := Default("cwnet")
	if err != nil {
		t.Fatal(err)
	}
	images := &Images{Title: "noise"}
	for range 2 * recipe.Batch {
		for k := range 3 * 32 * 32 {
			images.Train.Pix = append(images.Train.Pix, byte(k*k+len(images.Train.Labels)))
		}
		images.Train.Labels = append(images.Train.Labels, len(images.Train.Labels)%10)
	}
	net, err := recipe.Initial()
	if err != nil {
		t.Fatal(err)
	}
	images.Train.Shape = net.Input
	images.Test = images.Train
	for _, threads := range []int{1, 2} {
		r, err := newRun(net, recipe, images, Options{Threads: threads, Validate: -1})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "testdata/torch_steps.py", strconv.Itoa(threads), strconv.Itoa(recipe.Batch))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan()
		version := lines.Text()
		var ours, theirs []float64
		for i := range rounds + 2 {
			start := time.Now()
			if err := r.step(); err != nil {
				t.Fatal(err)
			}
			a := time.Since(start).Seconds()
			io.WriteString(in, "step\n")
			if !lines.Scan() {
				t.Fatal("PyTorch has stopped")
			}
			b, err := strconv.ParseFloat(lines.Text(), 64)
			if err != nil {
				t.Fatal(err)
			}
			if i >= 2 { // the first ones warm up
				ours, theirs = append(ours, a), append(theirs, b)
			}
			time.Sleep(200 * time.Millisecond) // until PyTorch's threads have stopped spinning
		}
		in.Close()
		cmd.Wait()
		r.t.Close()
		slices.Sort(ours)
		slices.Sort(theirs)
		for _, c := range []struct {
			what string
			i    int
		}{{"fastest", 0}, {"median", len(ours) / 2}} {
			fmt.Printf("%d threads, batch %d, %s of %d: ours %.3f s a step (%.2f steps/s, %v), %s %.3f s (%.2f steps/s), ratio %.2f\n",
				threads, recipe.Batch, c.what, rounds, ours[c.i], 1/ours[c.i], r.profile, version, theirs[c.i], 1/theirs[c.i], theirs[c.i]/ours[c.i])
		}
	}
}
