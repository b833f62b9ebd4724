package zoo_test

import (
	"slices"
	"strings"
	"testing"

	"sapf/models/format"
	"sapf/models/zoo"
)

// dict has the tensors that an architecture takes, all ones, under a prefix.
func dict(t *testing.T, arch, prefix string) *format.StateDict {
	t.Helper()
	d := &format.StateDict{Source: "test"}
	_, err := zoo.NewNet(arch, func(name string, shape []int) []float32 {
		n := 1
		for _, k := range shape {
			n *= k
		}
		w := slices.Repeat([]float32{1}, n)
		d.Tensors = append(d.Tensors, format.Tensor{Name: prefix + name, Shape: slices.Clone(shape), Data: w})
		return w
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func with(d *format.StateDict, tensors ...format.Tensor) *format.StateDict {
	d.Tensors = append(d.Tensors, tensors...)
	return d
}

func row(name string, v ...float32) format.Tensor {
	return format.Tensor{Name: name, Shape: []int{1, len(v), 1, 1}, Data: v}
}

// TestFit: one prefix that makes the names fit is dropped; what lies beside the
// network is its normalisation, or not used.
func TestFit(t *testing.T) {
	for name, c := range map[string]struct {
		d      *format.StateDict
		prefix string
		mean   []float64
		std    []float64
		unused []string
		says   string
	}{
		"as named":      {d: dict(t, "resnet20", "")},
		"wrapped":       {d: dict(t, "resnet20", "module."), prefix: "module."},
		"wrapped twice": {d: dict(t, "resnet20", "_orig_mod.module."), prefix: "_orig_mod.module."},
		"backbone":      {d: with(dict(t, "resnet20", "backbone."), row("criterion.weight", 1, 2)), prefix: "backbone.", unused: []string{"criterion.weight"}},
		"normalised": {d: with(dict(t, "resnet20", "1."), row("0.mean", 0.25, 0.5, 0.75), row("0.std", 0.5, 0.25, 0.5)), prefix: "1.",
			mean: []float64{0.25, 0.5, 0.75}, std: []float64{0.5, 0.25, 0.5}},
		"mu and sigma":    {d: with(dict(t, "resnet20", "model."), row("mu", 0.5), row("sigma", 0.25)), prefix: "model.", mean: []float64{0.5}, std: []float64{0.25}},
		"its own buffers": {d: with(dict(t, "resnet20", ""), row("mu", 0.5, 0.25, 0.75), row("sigma", 0.25)), mean: []float64{0.5, 0.25, 0.75}, std: []float64{0.25}},
		"wrapped buffers": {d: with(dict(t, "resnet20", "module."), row("module.mu", 0.5), row("module.sigma", 0.25)), prefix: "module.", mean: []float64{0.5}, std: []float64{0.25}},
		"two networks":    {d: with(dict(t, "resnet20", "model."), dict(t, "resnet20", "ema.").Tensors...), says: "below each of ema., model. fit resnet20"},
		"two means":       {d: with(dict(t, "resnet20", "net."), row("a.mean", 1), row("b.mean", 2)), says: "several tensors"},
		"another":         {d: dict(t, "cwnet", "module."), says: "conv1.weight"},
	} {
		p, err := zoo.NewParams(c.d)
		if err != nil {
			t.Fatal(err)
		}
		f, err := zoo.Known("ResNet20").FitTo(p)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, expected it to say %q", name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Prefix != c.prefix || !slices.Equal(f.Mean, c.mean) || !slices.Equal(f.Std, c.std) || !slices.Equal(f.Unused, c.unused) {
			t.Errorf("%s: prefix %q, mean %v, std %v, unused %q", name, f.Prefix, f.Mean, f.Std, f.Unused)
		}
	}
}

// TestFitAny: the only architecture that fits is found, two are named, none is
// said.
func TestFitAny(t *testing.T) {
	for _, c := range []struct{ arch, prefix, says string }{
		{"resnet20", "module.", ""}, {"resnet18", "", ""}, {"resnet18_cifar", "", ""}, {"wrn28_4", "", ""}, {"mobilenet_v3_small", "net.", ""},
		{"preactresnet18", "", "preactresnet18 and preactresnet18_v2"},
	} {
		p, err := zoo.NewParams(dict(t, c.arch, c.prefix))
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := zoo.FitAny(p)
		switch {
		case c.says == "" && (err != nil || a.Name != c.arch):
			t.Errorf("the tensors of %s: %v, %v", c.arch, a, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("the tensors of %s: %v, expected it to say %q", c.arch, err, c.says)
		}
	}
	p, err := zoo.NewParams(&format.StateDict{Tensors: []format.Tensor{row("a", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := zoo.FitAny(p); err == nil || !strings.Contains(err.Error(), "one of cnn_a") {
		t.Errorf("%v", err)
	}
}

// TestClasses: a network has as many classes as its last layer has rows.
func TestClasses(t *testing.T) {
	for _, arch := range []string{"cwnet", "resnet20", "resnet2b", "cnn_a", "resnet18", "preactresnet18", "wrn28_4", "mobilenet_v2", "mobilenet_v3_small", "vgg11_bn_cifar"} {
		d := dict(t, arch, "")
		last := &d.Tensors[len(d.Tensors)-2] // its weight; the bias is the last
		features := last.Shape[1]
		last.Shape, last.Data = []int{7, features}, last.Data[:7*features]
		bias := &d.Tensors[len(d.Tensors)-1]
		bias.Shape, bias.Data = []int{7}, bias.Data[:7]
		p, err := zoo.NewParams(d)
		if err != nil {
			t.Fatal(err)
		}
		f, err := zoo.Known(arch).FitTo(p)
		if err != nil {
			t.Errorf("%s of 7 classes: %v", arch, err)
			continue
		}
		if shapes, err := f.Net.Shapes(); err != nil || shapes[f.Net.Output].Len() != 7 {
			t.Errorf("%s: output %v, %v", arch, shapes[f.Net.Output], err)
		}
	}
}
