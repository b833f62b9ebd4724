package remote

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// TestWorkerFetchesModel: a model that only the hub has, loaded in its own way,
// comes from the hub; one that the worker has under the same name and that is
// another one is left alone; what was kept of it, and is torn, is fetched anew.
func TestWorkerFetchesModel(t *testing.T) {
	t.Parallel()
	file, cache := filepath.Join(t.TempDir(), "mine.safetensors"), t.TempDir()
	whole, err := os.ReadFile(filepath.Join("..", "..", "..", "models", "weights", "cwmnist.safetensors"))
	must(t, err)
	must(t, os.WriteFile(file, whole, 0o644))
	text := fmt.Sprintf("model: {file: %q, logit_scale: 2}\nimages: {set: fashion, first: 2}\ntargets: {random: 2}\nmethods: [{name: fgsm}]", file)
	s, err := spec.Parse([]byte(text))
	must(t, err)
	p, err := spec.Resolve(t.Context(), s, toy.Catalogue)
	must(t, err)
	reference := filepath.Join(t.TempDir(), "reference")
	d, err := runs.Create(reference, p, runs.Shard{})
	must(t, err)
	if q, err := d.Run(t.Context(), runs.Options{}); err != nil || q.Done != 4 {
		t.Fatalf("%+v, %v", q, err)
	}
	must(t, d.Close())
	other := bytes.Clone(whole)
	other[len(other)-4] ^= 1 // the last bit of a bias
	for _, here := range []struct {
		what string
		make func() error
	}{
		{"no file", func() error { return os.Remove(file) }},
		{"another file", func() error { return os.WriteFile(file, whole[:len(whole)-1], 0o644) }},
		{"another model", func() error { return os.WriteFile(file, other, 0o644) }},
		{"a torn copy", func() error {
			list, err := filepath.Glob(filepath.Join(cache, "*", "*"))
			if err != nil || len(list) != 1 {
				return fmt.Errorf("kept: %v, %w", list, err)
			}
			return os.WriteFile(list[0], whole[:1000], 0o644)
		}},
	} {
		t.Run(here.what, func(t *testing.T) {
			must(t, os.WriteFile(file, whole, 0o644))
			b := &bench{t: t, dir: filepath.Join(t.TempDir(), "x"), said: notices(t)}
			b.connect()
			made, err := runs.Create(b.dir, p, runs.Shard{})
			must(t, err)
			must(t, made.Close())
			b.open()
			h, err := newHub(b.d, ServeOptions{Conn: b.nc})
			must(t, err)
			_, err = h.setUp(t.Context())
			must(t, err)
			must(t, here.make())
			worked := make(chan error, 1)
			go func() {
				_, err := Work(t.Context(), WorkOptions{Conn: b.nc, Sweep: b.name, Cache: cache, Notice: b.said})
				worked <- err
			}()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			h.tally.Start(nil, stop)
			q := b.queue()
			must(t, h.publish(ctx, q, h.groups))
			h.collect(ctx, q) // not Serve, which would set it up with the file that is there now
			must(t, h.leave(t.Context()))
			must(t, <-worked)
			same(t, b.dir, reference)
			if !strings.Contains(rows(t, b.dir), fmt.Sprintf(`"model":%q`, p.Models[0].Name)) {
				t.Error("the model has another name")
			}
		})
	}
}

// TestCache: a model is found again by its digest, by another worker too; one that
// is torn is not; where the user's folder cannot be written to, it is kept in a
// temporary one, which goes; where a folder was asked for, it has to be that.
func TestCache(t *testing.T) {
	user, temporary := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", user)
	t.Setenv("HOME", user)
	t.Setenv("TMPDIR", temporary)
	raw := []byte("a model")
	c := newCache("")
	if got := c.find(digest(raw), ".onnx"); got != "" {
		t.Errorf("%s is there before it came", got)
	}
	if c.close(); listing(t, user) != user {
		t.Errorf("nothing came, and there is %s", listing(t, user))
	}
	file, err := c.add(digest(raw), ".onnx", raw)
	must(t, err)
	c.close()
	if got := newCache("").find(digest(raw), ".onnx"); got != file || !strings.HasPrefix(got, user) {
		t.Errorf("%s, want %s", got, file)
	}
	must(t, os.WriteFile(file, raw[:3], 0o644))
	if got := newCache("").find(digest(raw), ".onnx"); got != "" {
		t.Errorf("%s is torn", got)
	}
	must(t, os.RemoveAll(filepath.Dir(file)))
	must(t, os.WriteFile(filepath.Dir(file), nil, 0o644)) // nobody can make a folder of that name now
	c = newCache("")
	file, err = c.add(digest(raw), ".onnx", raw)
	must(t, err)
	if got := c.find(digest(raw), ".onnx"); got != file || !strings.HasPrefix(got, temporary) {
		t.Errorf("%s, want %s in %s", got, file, temporary)
	}
	if c.close(); listing(t, temporary) != temporary {
		t.Errorf("left behind: %s", listing(t, temporary))
	}
	own := filepath.Join(user, "file")
	must(t, os.WriteFile(own, nil, 0o644))
	if file, err := newCache(own).add(digest(raw), ".onnx", raw); err == nil {
		t.Errorf("kept in %s, though %s was asked for", file, own)
	}
}
