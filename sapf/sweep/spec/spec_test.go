package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/sapf/attack"
	"sapf/sapf/sweep"
)

// smallest is the specification that the documentation shows.
const smallest = `
model: cwnet
images: {set: cifar10, first: 3, correct: true}
targets: all
methods:
  - {name: sapf, preset: reference, options: {steps: 60, lambda2: 0, round: topk, k: 200}}
  - {name: fmn-l0, options: {steps: 100}, grid: {step_size: [0.5, 1]}}
`

// TestParse: the smallest spec, and every other way to say something.
func TestParse(t *testing.T) {
	s, err := Parse([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	if s.Models[0].Name != "cwnet" || s.Images.First != 3 || !s.Images.Correct || s.Targets.None || len(s.Methods) != 2 ||
		s.Methods[0].Options["round"] != "topk" || s.Methods[0].Options["lambda2"] != "0" || strings.Join(s.Methods[1].Grid["step_size"], " ") != "0.5 1" {
		t.Errorf("%+v", s)
	}
	s, err = Parse([]byte("models: [cwnet, {file: a.pth, arch: resnet20}]\nimages: [cat, dog.png]\ntargets: {random: 3, seed: 9}\nmethods: [sapf]\nbatch: 4"))
	if err != nil || !reflect.DeepEqual(s.Models[1], Model{"a.pth", Load{Arch: "resnet20"}}) || len(s.Images.Names) != 2 || s.Targets.Random != 3 || s.Targets.Seed != 9 || s.Batch != 4 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"\ufeff" + smallest, strings.ReplaceAll(smallest, "\n", "\r\n")} {
		if again, err := Parse([]byte(text)); err != nil || len(again.Methods) != 2 || again.Methods[1].Name != "fmn-l0" {
			t.Errorf("%+v, %v", again, err)
		}
	}
	s, err = Parse([]byte("model: cwnet\nimages: {folder: pictures, seed: 7, count: 2}\ntargets: none\nmethods: [{name: cw-l0}]"))
	if err != nil || !s.Targets.None || s.Images.Folder != "pictures" || s.Images.Seed != 7 || s.Images.Count != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestAs: tables call a method what the spec says, with the values of a grid.
func TestAs(t *testing.T) {
	s, err := Parse([]byte("model: cwnet\nimages: [cat]\nmethods: [{name: sapf-matched, as: sapf, preset: reference, options: {to: fgsm, less: 4}, grid: {lambda2: [0, 1]}}]"))
	if err != nil {
		t.Fatal(err)
	}
	methods, err := s.Methods[0].expand(Registry)
	if err != nil || len(methods) != 2 || methods[1].Label != "sapf lambda2=1" || methods[1].Name != "sapf-matched" || methods[1].Options["less"].(json.Number) != "4" {
		t.Errorf("%+v, %v", methods, err)
	}
	p := resolve(t, "model: cwnet\nimages: [cat]\ntargets: [dog]\nmethods: [{name: fgsm, as: \"a\\nb\"}, deepfool, {name: deepfool, options: {steps: 7}}, {name: fgsm, as: deepfool (2), options: {loss: dlr}}]")
	var labels []string
	for _, m := range p.Methods {
		labels = append(labels, m.Label)
	}
	if want := []string{`a\x0ab`, "deepfool", "deepfool (2)", "deepfool (2) (2)"}; !slices.Equal(labels, want) {
		t.Errorf("labels %q, want %q", labels, want)
	}
}

// TestParseRefuses: what does not exist, with what was meant.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"modle: cwnet", `unknown field "modle", did you mean "model"?`},
		{"model: cwnet\nimages: {sett: cifar10}", `sweep.images: unknown field "sett", did you mean "set"?`},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: sapf, option: {k: 3}}]", `sweep.methods[0]: unknown field "option", did you mean "options"?`},
		{"model: cwnet\nimages: [cat]\ntargets: al\nmethods: [sapf]", `"al", expected all, none`},
		{"model: cwnet\nimages: [cat]\ntargets: {randon: 3}\nmethods: [sapf]", `did you mean "random"?`},
		{"images: [cat]\nmethods: [sapf]", "no model"},
		{"model: cwnet\nimages: [cat]", "no methods"},
		{"model: cwnet\nmethods: [sapf]", "0 of set, folder and names"},
		{"model: cwnet\nimages: {set: cifar10, first: 0}\nmethods: [sapf]", "images.first: 0, expected a whole number from 1"},
		{"model: cwnet\nimages: {set: cifar10, first: 3, count: 4}\nmethods: [sapf]", "more than one of"},
		{"model: cwnet\nimages: {set: cifar10, first: three}\nmethods: [sapf]", `"three", expected a whole number`},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: sapf, grid: {k: []}}]", "an empty list"},
		{"model: cwnet\nmodel: other", "model"},
		{"model: {name: cwnet, file: a.pth}\nimages: [cat]\nmethods: [fgsm]", "expected one of name and file"},
		{"model: {name: cwnet, meen: 0.5}\nimages: [cat]\nmethods: [fgsm]", `did you mean "mean"`},
		{"model: {name: cwnet, scale: big}\nimages: [cat]\nmethods: [fgsm]", `"big", expected a number`},
		{"model: {name: cwnet, input: 3x}\nimages: [cat]\nmethods: [fgsm]", "channels x rows x columns"},
		{"model: {name: cwnet, binary: 1}\nimages: [cat]\nmethods: [fgsm]", "expected true or false"},
		{"model: cwnet\nimages: [cat]\nmethods: [fgsm]\nbatch: 1000000", "from 1 to 256"},
		{"model: cwnet\nimages: {set: cifar10, seed: 0}\nmethods: [fgsm]", "seed without count"},
		{"model: cwnet\nimages: {set: cifar10, seed: 7, first: 3}\nmethods: [fgsm]", "seed without count"},
		{"model: cwnet\nimages: {set: cifar10, records: []}\nmethods: [fgsm]", "sweep.images.records: an empty list"},
		{"model: cwnet\nimages: cat\nmethods: [fgsm]", `"cat", expected {set: cifar10, first: 3}, {folder: DIR} or a list`},
		{"model: cwnet\nimages: [cat]\ntargets:\nmethods: [fgsm]", "nothing, expected all, none"},
		{"model: cwnet\nimages: [cat]\ntargets: {seed: 3}\nmethods: [fgsm]", "no random, expected all, none"},
		{"model: cwnet\nimages:\n\tset: cifar10\nmethods: [fgsm]", "[3:1] the line is indented by a tab"},
		{"model: cwnet\n---\nimages: [cat]", "a second document"},
		{"\xff\xfem\x00", "UTF-16"},
		{"model: cwnet # h\xfcbsch", "not UTF-8"},
		{"model: cwnet\nimages: {set: cifar10, first: 2, first: 3}", "already defined"},
		{"- a", "a list, expected fields"},
		{"a: [", ""},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want an error about %q", c.text, err, c.want)
		}
	}
}

func resolve(t *testing.T, text string) *Plan {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Resolve(context.Background(), s, Registry)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestResolve: counts, targets, labels, and one text for one plan.
func TestResolve(t *testing.T) {
	text := `
model: cwmnist
images: {set: fashion, first: 3, correct: true}
targets: all
methods:
  - {name: sapf, preset: reference, options: {steps: 60, k: 20}}
  - {name: fmn-l0, options: {steps: 100}, grid: {step_size: [0.5, 1]}}
`
	p := resolve(t, text)
	groups, err := p.Groups()
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 9 || len(p.Methods) != 3 || p.Methods[2].Label != "fmn-l0 step_size=1" {
		t.Errorf("%d groups, %d methods", len(groups), len(p.Methods))
	}
	keys := map[string]bool{}
	for _, g := range groups {
		if len(g.Units) != 9 {
			t.Errorf("a group of %d", len(g.Units))
		}
		for _, u := range g.Units {
			keys[u.Key] = true
			if u.Image != g.Units[0].Image || u.Target == p.Images[u.Image].Label {
				t.Errorf("%+v", u)
			}
		}
	}
	if len(keys) != 81 {
		t.Errorf("%d keys, want 81", len(keys))
	}
	raw, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	q, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := q.Encode()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the text changes when it is read and written: %v", err)
	}
	read, err := q.Groups()
	if err != nil || read[8].ID != groups[8].ID {
		t.Errorf("the keys change when the plan is read: %v", err)
	}
	if _, err := q.Methods[0].Attack(Registry); err != nil {
		t.Error(err)
	}
	q.Methods[0].Version = "2"
	if _, err := q.Methods[0].Attack(Registry); err == nil {
		t.Error("another version of the method was accepted")
	}
}

// TestUntargetedShareGroups: one attack an image fills groups of several images.
func TestUntargetedShareGroups(t *testing.T) {
	p := resolve(t, "model: cwmnist\nimages: {set: fashion, first: 20}\ntargets: none\nmethods: [fmn-l0]")
	groups, err := p.Groups()
	if err != nil || len(groups) != 3 || len(groups[0].Units) != 9 || len(groups[2].Units) != 2 {
		t.Errorf("%d groups, %v", len(groups), err)
	}
}

// TestRandomTargetsAndImages are decided by the seed, and by nothing else.
func TestRandomTargetsAndImages(t *testing.T) {
	text := "model: cwmnist\nimages: {set: fashion, seed: %d, count: 5}\ntargets: {random: 3, seed: %d}\nmethods: [fgsm]"
	a, b := resolve(t, fmt.Sprintf(text, 7, 1)), resolve(t, fmt.Sprintf(text, 7, 1))
	if fmt.Sprint(a.Images) != fmt.Sprint(b.Images) {
		t.Error("one seed, two choices")
	}
	c := resolve(t, fmt.Sprintf(text, 8, 1))
	d := resolve(t, fmt.Sprintf(text, 7, 2))
	if fmt.Sprint(a.Images) == fmt.Sprint(c.Images) || fmt.Sprint(a.Images) == fmt.Sprint(d.Images) {
		t.Error("two seeds, one choice")
	}
	for _, x := range a.Images {
		if len(x.Targets) != 3 {
			t.Errorf("targets %v", x.Targets)
		}
	}
}

// TestFolder: pictures without labels, scaled; an unreadable one is refused by
// name.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("p%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		m := image.NewNRGBA(image.Rect(0, 0, 40, 40))
		for j := range m.Pix {
			m.Pix[j] = uint8(255 - 200*i*(j%4/3^1))
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	text := fmt.Sprintf("model: cwnet\nimages: {folder: %q, resize: true}\ntargets: [cat, dog]\nmethods: [fgsm]", dir)
	p := resolve(t, text)
	if len(p.Images) != 2 || p.Images[0].Label != attack.None || len(p.Images[0].Targets) == 0 {
		t.Errorf("%+v", p.Images)
	}
	unscaled := strings.Replace(text, ", resize: true", "", 1)
	if _, err := Resolve(context.Background(), must(Parse([]byte(unscaled))), Registry); err == nil || !strings.HasSuffix(err.Error(), "scale it with resize: true") {
		t.Errorf("pictures of another size: %v", err)
	}
	named := resolve(t, fmt.Sprintf("model: cwnet\nimages: {names: [%q], resize: true}\ntargets: [cat, dog]\nmethods: [fgsm]", dir))
	if !reflect.DeepEqual(named.Images, p.Images) {
		t.Errorf("a folder among names: %+v", named.Images)
	}
	labels := filepath.Join(dir, "labels.csv")
	if err := os.WriteFile(labels, []byte("file,label\np0.png,1\np1.png,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if labelled := resolve(t, text); len(labelled.Images) != 2 || labelled.Images[0].Label != 1 || labelled.Images[1].SHA256 != p.Images[1].SHA256 {
		t.Errorf("with labels: %+v", labelled.Images)
	}
	if _, err := Resolve(context.Background(), must(Parse([]byte(unscaled))), Registry); err == nil || !strings.HasSuffix(err.Error(), "scale it with resize: true") {
		t.Errorf("pictures of another size, with labels: %v", err)
	}
	if err := os.Remove(labels); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "torn.png"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(context.Background(), s, Registry); err == nil || !strings.Contains(err.Error(), "torn.png") {
		t.Errorf("an unreadable picture: %v", err)
	}
}

// TestResize: records of a set whose images have another size, and colours or
// none, are scaled where that is asked for.
func TestResize(t *testing.T) {
	p := resolve(t, "model: cwnet\nimages: {set: fashion, first: 2, resize: true}\ntargets: [dog]\nmethods: [fgsm]")
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewLoader(m).Load(p.Images[1])
	if err != nil || x.C != 3 || x.H != 32 || x.W != 32 || x.Label == attack.None {
		t.Errorf("%dx%dx%d of class %d, %v", x.C, x.H, x.W, x.Label, err)
	}
}

// TestResolveRefuses: wrong names and numbers, found before anything runs.
func TestResolveRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"model: cwnett\nimages: [cat]\nmethods: [sapf]", "cwnett"},
		{"model: cwnet\nimages: [cat]\nmethods: [sapff]", `did you mean "sapf"`},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: sapf, options: {kk: 3}}]", `did you mean "k"`},
		{"model: cwnet\nimages: [cat]\ntargets: [dgo]\nmethods: [sapf]", `did you mean "dog"`},
		{"model: cwnet\nimages: [cat]\ntargets: {random: 10}\nmethods: [sapf]", "at most the 9 other classes"},
		{"model: cwnet\nimages: [nosuch*.png]\nmethods: [sapf]", "no file matches"},
		{"models: [cwnet, cwmnist]\nimages: [cat]\nmethods: [sapf]", "expected one kind"},
		{"model: cwnet\nimages: {set: fashion, first: 1}\nmethods: [sapf]", "resize: true"},
		{"model: cwmnist\nimages: {set: fashion, records: [100000]}\nmethods: [sapf]", "record 100000"},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: fmn-l0, options: {steps: 3}, grid: {steps: [4]}}]", "in the grid"},
		{"model: cwnet\nimages: [cat]\nmethods: [fgsm, {name: fgsm, options: {loss: ce}}]", "fgsm is there twice"},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: fmn-l0, grid: {steps: [4, 4]}}]", "fmn-l0 is there twice"},
		{"model: cwnet\nimages: [cat]\ntargets: [cat]\nmethods: [fgsm]", "nothing is left to attack"},
		{"models: [cwnet, cwnet]\nimages: [cat]\nmethods: [fgsm]", "cwnet is there twice"},
		{"model: cwnet\nimages: {set: cifar-10, first: 1}\nmethods: [fgsm]", "did you mean cifar10"},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: sapf, options: {k: 5000}}]", "k: 5000, expected at most 3072"},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: fmn-l0, options: {steps: 3}}, {name: sparse-rs, grid: {k: [100, 1025]}}]", "k: 1025, expected at most 1024"},
		{"model: cwnet\nimages: [cat]\nmethods: [{name: lavan, options: {side: 14, row: 30}}]", "lavan"},
		{"model: {name: cwnet, logit_scale: -1}\nimages: [cat]\nmethods: [fgsm]", "logit scale -1"},
		{"model: {name: cwnet, classes: imagenet}\nimages: [cat]\nmethods: [fgsm]", "class names"},
	} {
		s, err := Parse([]byte(c.text))
		if err == nil {
			_, err = Resolve(context.Background(), s, Registry)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want an error about %q", c.text, err, c.want)
		}
	}
}

// TestTooLarge: what would fill the memory with methods or keys is refused before
// it does.
func TestTooLarge(t *testing.T) {
	s := must(Parse([]byte("models: [cwmnist, {name: cwmnist, logit_scale: 2}]\nimages: {set: fashion, first: 100}\nmethods: [{name: fmn-l0, grid: {steps: [1], step_size: [1], gamma: [1]}}]")))
	grid := func(n int) {
		for name := range s.Methods[0].Grid {
			s.Methods[0].Grid[name] = nil
			for i := range n {
				s.Methods[0].Grid[name] = append(s.Methods[0].Grid[name], fmt.Sprint(i+1))
			}
		}
	}
	grid(3000) // 27 thousand millions
	if _, err := Resolve(context.Background(), s, Registry); err == nil || !strings.Contains(err.Error(), "more than 10000 combinations") {
		t.Errorf("a large grid: %v", err)
	}
	grid(21) // 9,261
	if _, err := Resolve(context.Background(), s, Registry); err == nil || !strings.Contains(err.Error(), "16669800 attacks, expected at most 10000000") {
		t.Errorf("a large plan: %v", err)
	}
}

// TestLoaderRefusesAnotherImage: one that changed since the plan was made.
func TestLoaderRefusesAnotherImage(t *testing.T) {
	p := resolve(t, "model: cwnet\nimages: [cat]\nmethods: [fgsm]")
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewLoader(m).Load(p.Images[0]); err != nil {
		t.Fatal(err)
	}
	p.Images[0].File = "horse"
	if _, err := NewLoader(m).Load(p.Images[0]); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("another image: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("model: [\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(raw) // whatever comes, an error or a spec with its parts
		if err == nil && (len(s.Models) == 0 || len(s.Methods) == 0) {
			t.Errorf("%q: %+v", raw, s)
		}
	})
}

// TestLoadOptions: how a model is loaded is in the plan, tells models of one name
// apart, decides keys, and loads the same model again.
func TestLoadOptions(t *testing.T) {
	p := resolve(t, `
models:
  - cwnet
  - {name: cwnet, logit_scale: 2}
  - {name: cwnet, mean: [0.5, 0.5, 0.5], std: 0.25, scale: 2, classes: cifar10}
images: [cat]
targets: [dog]
methods: [fgsm]`)
	names := map[string]bool{}
	for _, m := range p.Models {
		names[m.Name] = true
	}
	groups, err := p.Groups()
	if err != nil || len(groups) != 3 || len(names) != 3 || !names["cwnet"] || !names["cwnet (logit scale 2)"] {
		t.Fatalf("%d groups, models %v, %v", len(groups), names, err)
	}
	raw, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewLoader(must(read.Models[0].Open())).Load(p.Images[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range read.Models {
		loaded := must(m.Open())
		if loaded.Card().Loaded != m.Loaded || loaded.Card().SHA256 != m.SHA256 {
			t.Errorf("%s: %q, want %q", m.Name, loaded.Card().Loaded, m.Loaded)
		}
		a := must(read.Methods[0].Attack(Registry))
		u := groups[i].Units[0]
		if key := must(sweep.Key(loaded, attack.Task{Image: x, Goal: p.Goal(u), Attack: a})); key != u.Key {
			t.Errorf("%s: key %.12s, planned as %.12s", m.Name, key, u.Key)
		}
		o := must(m.Load.Options())
		if again, err := LoadOf(o); err != nil || !reflect.DeepEqual(again, m.Load) {
			t.Errorf("%+v became %+v, %v", m.Load, again, err)
		}
	}
	if _, err := LoadOf(models.LoadOptions{Threads: 3}); err == nil {
		t.Error("threads have no words")
	}
}

// must is for what cannot fail here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzPlan: a kept plan is refused, or its attacks can be listed.
func FuzzPlan(f *testing.F) {
	s, err := Parse([]byte("model: cwnet\nimages: [cat, horse]\ntargets: [dog, deer]\nmethods: [fgsm, sapf]\n"))
	if err != nil {
		f.Fatal(err)
	}
	p, err := Resolve(f.Context(), s, Registry)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := p.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"schema":1,"models":[{}],"methods":[{}],"images":[{"targets":[-5]}],"batch":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Decode(raw)
		if err != nil {
			return
		}
		if groups, err := p.Groups(); err == nil && len(groups) == 0 && len(p.Images) > 0 {
			for _, x := range p.Images {
				if len(x.Targets) > 0 {
					t.Errorf("no attacks of %+v", p)
				}
			}
		}
	})
}
