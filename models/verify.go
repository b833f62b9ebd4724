package models

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"sapf/models/data"
)

// VerifyOptions say what Verify measures a model on.
type VerifyOptions struct {
	// Data is a data set as data.OpenSet takes it; "" is cifar10.
	Data string
	// Limit keeps the first records only; 0 means all.
	Limit int
	// Progress, if not nil, is called now and then with the images done.
	Progress func(done, total int)
}

// Verification is a model's accuracy on clean images.
type Verification struct {
	Model        string `json:"model"`
	Architecture string `json:"architecture"`
	SHA256       string `json:"sha256,omitempty"`
	Data         string `json:"data"`
	Images       int    `json:"images"`
	Correct      int    `json:"correct"`
	// Accuracy is in percent.
	Accuracy float64 `json:"accuracy"`
	// ByClass is the accuracy on each class's images in percent, -1 where the
	// data has none.
	ByClass []float64 `json:"by_class,omitempty"`
	Seconds float64   `json:"seconds"`
	Profile string    `json:"profile"`
	// Hint says which normalisation, missing from the model, would make it
	// better by far.
	Hint string `json:"hint,omitempty"`
}

// String is "cwnet on cifar10: 8206 of 10000 right, 82.06 %".
func (v Verification) String() string {
	text := fmt.Sprintf("%s on %s: %d of %d right, %.2f %% (%.1f s, %s)", v.Model, v.Data, v.Correct, v.Images, v.Accuracy, v.Seconds, v.Profile)
	if v.Hint != "" {
		text += "\nhint: " + v.Hint
	}
	return text
}

// verifyBatch is how many images a worker classifies at once: dense layers read
// their weights once a batch.
const verifyBatch = 16

// Verify measures the share of a data set's images that the model classifies
// rightly, with one worker a processor (or Model.Threads). Every image needs a
// label that is one of the model's classes.
func Verify(ctx context.Context, m *Model, o VerifyOptions) (Verification, error) {
	start := time.Now()
	if o.Data == "" {
		o.Data = "cifar10"
	}
	set, err := data.OpenSet(o.Data, m.ImageOptions(), o.Limit)
	if err != nil {
		return Verification{}, err
	}
	predicted := make([]int, set.N)
	labels := make([]int, set.N)
	if err := m.classify(ctx, set, predicted, labels, o.Progress); err != nil {
		return Verification{}, fmt.Errorf("verify model %s on %s: %w", m.card.Name, o.Data, err)
	}
	v := Verification{Model: m.card.Name, Architecture: m.card.Architecture, SHA256: m.card.SHA256, Data: o.Data,
		Images: set.N, Profile: m.profile.String()}
	right, all := make([]int, len(m.card.Classes)), make([]int, len(m.card.Classes))
	for i, p := range predicted {
		all[labels[i]]++
		if p == labels[i] {
			v.Correct++
			right[labels[i]]++
		}
	}
	v.Accuracy = 100 * float64(v.Correct) / float64(v.Images)
	for c := range all {
		share := -1.0
		if all[c] > 0 {
			share = 100 * float64(right[c]) / float64(all[c])
		}
		v.ByClass = append(v.ByClass, share)
	}
	v.Seconds = time.Since(start).Seconds()
	v.Hint, err = m.normalisationHint(ctx, o, v)
	return v, err
}

// classify fills in the prediction and label of every record. Workers take
// batches in turn; what they write does not depend on who took which.
func (m *Model) classify(ctx context.Context, set *data.Set, predicted, labels []int, progress func(done, total int)) error {
	program, err := m.Program()
	if err != nil {
		return err
	}
	workers := m.Threads
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	var mu sync.Mutex
	var failed error
	next, done := 0, 0
	take := func() (lo, hi int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = ctx.Err()
		}
		lo = next
		hi = min(lo+verifyBatch, set.N)
		next = hi
		return lo, hi, lo < hi && failed == nil
	}
	report := func(n int, err error) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = err
		}
		done += n
		if progress != nil {
			progress(done, set.N)
		}
	}
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			r, err := program.Runner(verifyBatch, 1)
			if err != nil {
				report(0, err)
				return
			}
			defer r.Close()
			n, k := m.net.Input.Len(), len(m.card.Classes)
			x, z := make([]float32, verifyBatch*n), make([]float32, verifyBatch*k)
			for {
				lo, hi, ok := take()
				if !ok {
					return
				}
				for i := lo; i < hi; i++ {
					if err := m.record(set, i, x[(i-lo)*n:(i-lo+1)*n], labels); err != nil {
						report(0, err)
						return
					}
				}
				r.Forward(x, z)
				for i := lo; i < hi; i++ {
					logits := z[(i-lo)*k : (i-lo+1)*k]
					if err := m.finiteLogits(logits, x[(i-lo)*n:(i-lo+1)*n]); err != nil {
						report(0, fmt.Errorf("record %d: %w", i, err))
						return
					}
					predicted[i] = largest(logits)
				}
				report(hi-lo, nil)
			}
		})
	}
	wait.Wait()
	return failed
}

// record reads image i of a set into x, and its label.
func (m *Model) record(set *data.Set, i int, x []float32, labels []int) error {
	image, err := set.At(i)
	if err != nil {
		return err
	}
	if err := m.checkImage(image); err != nil {
		return err
	}
	if image.Label < 0 || image.Label >= len(m.card.Classes) {
		return fmt.Errorf("image %s: label %d, expected 0 to %d", image.Name, image.Label, len(m.card.Classes)-1)
	}
	labels[i] = image.Label
	copy(x, image.Pix)
	return nil
}
