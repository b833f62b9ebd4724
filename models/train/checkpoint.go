package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"sapf/models/atomicfile"
	"sapf/models/format"
)

// A checkpoint is a safetensors file: the parameters by their names, the
// optimizer's state as "velocity/conv1.weight", and in the metadata, as JSON,
// what the run is and how far it has come. It is written whole or not at all,
// so a run that is killed goes on from the last one, to the same bytes as if it
// had never stopped.

// metadataKey is where the metadata has the checkpoint's description.
const metadataKey = "sapf.checkpoint"

// digestKey is where it has the digest of the description and all tensors.
const digestKey = "sapf.digest"

// checkpoint is that description.
type checkpoint struct {
	Recipe  Recipe `json:"recipe"`
	Profile string `json:"profile"`
	// Images is the digest of the training and test sets.
	Images   string   `json:"images"`
	Progress progress `json:"progress"`
}

func (r *run) describe() checkpoint {
	if r.digest == "" {
		r.digest = r.images.Train.digest()[:32] + r.images.Test.digest()[:32]
	}
	return checkpoint{Recipe: r.recipe, Profile: r.profile.String(), Images: r.digest, Progress: r.state}
}

// tensors are the parameters and the optimizer's state, sharing their memory.
func (r *run) tensors() []format.Tensor {
	params := r.t.Params()
	list := tensors(params)
	state := r.opt.state()
	for _, kind := range slices.Sorted(maps.Keys(state)) {
		for i, v := range state[kind] {
			list = append(list, format.Tensor{Name: kind + "/" + params[i].Name, Shape: params[i].Shape, Data: v})
		}
	}
	return list
}

// save writes the checkpoint, if there is to be one.
func (r *run) save() error {
	if r.o.Checkpoint == "" {
		return nil
	}
	text, err := json.Marshal(r.describe())
	if err != nil {
		return fmt.Errorf("write checkpoint %s: %w", r.o.Checkpoint, err)
	}
	var raw bytes.Buffer
	d := &format.StateDict{Tensors: r.tensors()}
	d.Metadata = map[string]string{metadataKey: string(text), digestKey: format.ContentDigest(text, d)}
	err = format.WriteSafetensors(&raw, d)
	if err == nil {
		err = atomicfile.WriteFile(r.o.Checkpoint, raw.Bytes())
	}
	if err != nil {
		return fmt.Errorf("write checkpoint %s: %w", r.o.Checkpoint, err)
	}
	return nil
}

// resume takes the state from the checkpoint, if it is asked for and there.
func (r *run) resume() error {
	if !r.o.Resume {
		return nil
	}
	file := r.o.Checkpoint
	// What a process left that was killed while it wrote.
	if err := atomicfile.Sweep(file); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("resume from %s: %w", file, fmt.Errorf(format, args...))
	}
	d, err := format.ReadSafetensors(file, raw)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	text, ok := d.Metadata[metadataKey]
	if !ok {
		return fail("the file is no checkpoint: its metadata has no %s", metadataKey)
	}
	if want, got := d.Metadata[digestKey], format.ContentDigest([]byte(text), d); got != want {
		return fail("its contents have the digest %s, expected %q: it is damaged, or of an older sapf; begin anew without it", got, want)
	}
	var have checkpoint
	if err := json.Unmarshal([]byte(text), &have); err != nil {
		return fail("%w", err)
	}
	want := r.describe()
	for _, c := range []struct {
		what       string
		have, want any
	}{{"recipe", have.Recipe, want.Recipe}, {"kernels", have.Profile, want.Profile}, {"images' digest", have.Images, want.Images}} {
		a, _ := json.Marshal(c.have)
		b, _ := json.Marshal(c.want)
		if !bytes.Equal(a, b) {
			return fail("it is of another run: its %s is %s, expected %s", c.what, a, b)
		}
	}
	mine := r.tensors()
	if len(d.Tensors) != len(mine) {
		return fail("%d tensors, expected %d", len(d.Tensors), len(mine))
	}
	for i, t := range d.Tensors {
		if t.Name != mine[i].Name || !slices.Equal(t.Shape, mine[i].Shape) {
			return fail("tensor %d is %s of shape %v, expected %s of %v", i, t.Name, t.Shape, mine[i].Name, mine[i].Shape)
		}
		copy(mine[i].Data, t.Data)
	}
	if s := have.Progress.Step; s < 0 || s > r.steps || len(have.Progress.Curve) != s/r.perPass {
		return fail("step %d with a curve of %d epochs, expected up to %d steps of %d an epoch", s, len(have.Progress.Curve), r.steps, r.perPass)
	}
	r.state = have.Progress
	r.t.Update()
	return nil
}
