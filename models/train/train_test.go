package train

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
)

// bars are images of the tiny network's shape in four classes, told apart by
// where a bright bar lies under noise.
func bars(seed uint64, n int) Set {
	r := rand.New(rand.NewPCG(seed, 0))
	s := Set{Shape: engine.Shape{C: 2, H: 9, W: 9}}
	for i := range n {
		label := i % 4
		for c := range 2 {
			for y := range 9 {
				for x := range 9 {
					v := r.IntN(120)
					along := []int{y, y, x, x}[label]
					if c == label%2 && along >= 3 && along <= 5 {
						v += 120
					}
					s.Pix = append(s.Pix, byte(v))
				}
			}
		}
		s.Labels = append(s.Labels, label)
	}
	return s
}

// freshNet is the tiny network with random weights, drawn as Recipe.Initial's.
func freshNet() *engine.Net {
	n, r := tinyNet(), rand.New(rand.NewPCG(5, 5))
	draw := func(w, b []float32, inputs int) {
		clear(b)
		for i := range w {
			w[i] = float32((2*r.Float64() - 1) * math.Sqrt(6/float64(inputs)))
		}
	}
	for _, node := range n.Nodes {
		switch op := node.Op.(type) {
		case *engine.Conv:
			draw(op.W, op.B, op.In*9)
		case *engine.Dense:
			draw(op.W, op.B, op.In)
		}
	}
	return n
}

func tinyImages() *Images {
	return &Images{Name: "bars", Title: "bars", Train: bars(1, 100), Test: bars(2, 50)}
}

func tinyRecipe() Recipe {
	return Recipe{Architecture: "tiny", Dataset: "bars", Epochs: 12, Batch: 16, Optimizer: SGD, Rate: 0.05, Schedule: OneCycle,
		Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4, Seed: 7}
}

func fit(t *testing.T, r Recipe, o Options) *Result {
	t.Helper()
	result, err := Fit(t.Context(), freshNet(), r, tinyImages(), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestOverfit: the tiny network learns its training images by heart, and the
// curve says so.
func TestOverfit(t *testing.T) {
	for _, optimizer := range []string{SGD, Adam} {
		r := tinyRecipe()
		r.Epochs, r.Optimizer = 40, optimizer
		if optimizer == Adam {
			r.Rate = 0.01
		}
		steps := 0
		result := fit(t, r, Options{Progress: func(p Progress) { steps++ }})
		if steps != 40*6 || len(result.Curve) != 40 || result.Steps != steps {
			t.Fatalf("%d steps and %d epochs, want 240 and 40", steps, len(result.Curve))
		}
		first, last := result.Curve[0], result.Curve[39]
		if first.TrainLoss < 1 || last.TrainLoss > 0.01 || last.TrainAccuracy != 100 {
			t.Errorf("%s: loss from %.3g to %.3g, training accuracy %.4g %%: it has not learned", optimizer, first.TrainLoss, last.TrainLoss, last.TrainAccuracy)
		}
		if last.Images != 50 || last.Accuracy < 90 {
			t.Errorf("%s: accuracy %.4g %% of %d test images", optimizer, last.Accuracy, last.Images)
		}
	}
}

// everything is a recipe with every source of randomness.
func everything() Recipe {
	r := tinyRecipe()
	r.Epochs, r.Flip, r.Crop, r.Dropout, r.Adversary = 3, true, 2, engine.Dropout{"fc1": 0.5}, Madry(8./255)
	return r
}

func bytesOf(params []engine.Param) []float32 {
	var all []float32
	for _, p := range params {
		all = append(all, p.W...)
	}
	return all
}

// TestDeterminism: the same bytes at any number of threads, others for another
// seed.
func TestDeterminism(t *testing.T) {
	one := fit(t, everything(), Options{Threads: 1})
	three := fit(t, everything(), Options{Threads: 3})
	if !slices.Equal(bytesOf(one.Params), bytesOf(three.Params)) || !slices.Equal(one.Curve, three.Curve) {
		t.Error("three threads train other parameters than one")
	}
	r := everything()
	r.Seed++
	if slices.Equal(bytesOf(one.Params), bytesOf(fit(t, r, Options{}).Params)) {
		t.Error("another seed trains the same parameters")
	}
}

// TestAdversary: PGD stays in the ball and in the box, raises the loss, and
// training on its images makes a network that resists it better.
func TestAdversary(t *testing.T) {
	a := Madry(24. / 255)
	plain := tinyRecipe()
	plain.Epochs = 30
	hard := plain
	hard.Adversary = a
	net := fit(t, plain, Options{}).Net
	images := tinyImages()
	const batch = 48
	x, logits, dlogits := make([]float32, batch*162), make([]float32, batch*4), make([]float32, batch*4)
	for b := range batch {
		images.Test.fill(b, x[b*162:][:162])
	}
	labels := images.Test.Labels[:batch]
	attack := func(net *engine.Net) (before, after float64, right int) {
		tr, err := engine.NewTrainer(net, families(t)[0], batch, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		moved, clean := slices.Clone(x), make([]float32, len(x))
		tr.Forward(moved, logits)
		before, _ = crossEntropy(logits, labels, dlogits)
		a.perturb(tr, moved, labels, func(i int) *rand.Rand { return rand.New(rand.NewPCG(uint64(i), 1)) }, logits, dlogits, make([]float32, len(x)), clean)
		tr.Forward(moved, logits)
		after, right = crossEntropy(logits, labels, dlogits)
		far := float32(0)
		for i, v := range moved {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("entry %d is %v, outside [0,1]", i, v)
			}
			far = max(far, v-x[i], x[i]-v)
		}
		if float64(far) > a.Epsilon+1e-6 || float64(far) < a.Epsilon-1e-6 {
			t.Fatalf("the largest change is %v, want epsilon %v", far, a.Epsilon)
		}
		return before, after, right
	}
	before, after, weak := attack(net)
	if after < 2*before {
		t.Errorf("PGD raises the loss from %.3g to %.3g only", before, after)
	}
	robust := fit(t, hard, Options{})
	_, _, strong := attack(robust.Net)
	if strong <= weak {
		t.Errorf("attacked, %d of %d images are right after adversarial training, %d after plain training", strong, batch, weak)
	}
	last := robust.Curve[len(robust.Curve)-1]
	if last.Robust <= 0 || last.Robust > last.Accuracy {
		t.Errorf("robust accuracy %.4g %%, clean %.4g %%", last.Robust, last.Accuracy)
	}
}

func TestDiverges(t *testing.T) {
	r := tinyRecipe()
	r.Rate, r.Schedule = 1e6, Constant
	_, err := Fit(t.Context(), freshNet(), r, tinyImages(), Options{})
	if err == nil || !strings.Contains(err.Error(), "learning rate") {
		t.Errorf("error %v, want one about the learning rate", err)
	}
}

func TestRecipeCheck(t *testing.T) {
	for _, arch := range []string{"cwnet", "cwmnist", "cnn_a"} {
		r, err := Default(arch)
		if err != nil || r.Check() != nil {
			t.Errorf("%s: %v, %v", arch, err, r.Check())
		}
		net, err := r.Initial()
		if err != nil {
			t.Fatal(err)
		}
		tr, err := engine.NewTrainer(net, engine.Profile{Family: engine.Generic}, 1, 1, r.Dropout)
		if err != nil {
			t.Errorf("%s cannot be trained: %v", arch, err)
			continue
		}
		tr.Close()
	}
	if _, err := Default("vgg17"); err == nil || !strings.Contains(err.Error(), "vgg17") {
		t.Errorf("error %v", err)
	}
	for want, change := range map[string]func(r *Recipe){
		"0 epochs": func(r *Recipe) { r.Epochs = 0 }, "batch -1": func(r *Recipe) { r.Batch = -1 },
		`"rmsprop"`: func(r *Recipe) { r.Optimizer = "rmsprop" }, `"linear"`: func(r *Recipe) { r.Schedule = "linear" },
		"rate -1": func(r *Recipe) { r.Rate = -1 }, "momentum 1": func(r *Recipe) { r.Momentum = 1 },
		"Nesterov": func(r *Recipe) { r.Momentum = 0 }, "decay -0.1": func(r *Recipe) { r.WeightDecay = -0.1 },
		"17 pixels": func(r *Recipe) { r.Crop = 17 }, "epsilon 8": func(r *Recipe) { r.Adversary = Madry(8) },
	} {
		r := tinyRecipe()
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want one line about %s", err, want)
		}
	}
	r := tinyRecipe()
	for _, c := range []struct {
		want   string
		change func(m *Images)
	}{
		{"label 4", func(m *Images) { m.Train.Labels[3] = 4 }},
		{"2x9x8", func(m *Images) { m.Test.Shape.W = 8 }},
		{"empty", func(m *Images) { m.Test = Set{} }},
		{"batch 16 of 10", func(m *Images) { m.Train = m.Train.first(10) }},
	} {
		images := tinyImages()
		c.change(images)
		if _, err := Fit(t.Context(), freshNet(), r, images, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
}

// TestMoved: augmentation is a shift with black coming in, and a mirror.
func TestMoved(t *testing.T) {
	s := Set{Shape: engine.Shape{C: 1, H: 2, W: 3}, Pix: []byte{255, 0, 51, 102, 153, 204}, Labels: []int{0}}
	for _, c := range []struct {
		down, right int
		mirror      bool
		want        []float32
	}{
		{0, 0, false, []float32{1, 0, .2, .4, .6, .8}},
		{0, 0, true, []float32{.2, 0, 1, .8, .6, .4}},
		{1, 0, false, []float32{0, 0, 0, 1, 0, .2}},
		{-1, 2, false, []float32{0, 0, .4, 0, 0, 0}},
		{5, 5, true, []float32{0, 0, 0, 0, 0, 0}},
	} {
		x := make([]float32, 6)
		s.moved(0, c.down, c.right, c.mirror, x)
		if !slices.Equal(x, c.want) {
			t.Errorf("%+v: %v", c, x)
		}
	}
}

// TestSaveLoad: a trained model is found again in its file, card and all.
func TestSaveLoad(t *testing.T) {
	recipe, err := Default("cwmnist")
	if err != nil {
		t.Fatal(err)
	}
	recipe.Epochs, recipe.Batch = 1, 8
	sample, err := data.Load("fashion:1", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	images := &Images{Name: "fashion", Title: "Fashion-MNIST"}
	for range 8 {
		if err := images.Train.Add([]data.Image{sample}); err != nil {
			t.Fatal(err)
		}
	}
	images.Test = images.Train.first(3)
	result, err := Run(t.Context(), recipe, images, Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mine.safetensors")
	card, err := result.Save(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(file, models.LoadOptions{SHA256: card.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	got := m.Card()
	if got.Architecture != "cwmnist" || got.Recipe != card.Recipe || len(got.SelfTest) != 8 || !strings.Contains(got.Recipe, "8 images, 1 epochs of SGD") {
		t.Errorf("card %+v", got)
	}
	if _, err := os.Stat(strings.TrimSuffix(file, ".safetensors") + ".json"); err != nil {
		t.Error(err)
	}
	z, err := m.Logits(sample)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := engine.NewTrainer(result.Net, m.Profile(), 1, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	want := make([]float32, 10)
	tr.Forward(sample.Pix, want)
	for i, v := range want {
		if z[i] != float64(v) {
			t.Fatalf("logit %d of the loaded model is %v, the trained one's %v", i, z[i], v)
		}
	}
}

// TestLoadSets reads the data sets that are here.
func TestLoadSets(t *testing.T) {
	if _, err := Load("svhn", 0); err == nil || !strings.Contains(err.Error(), "svhn") {
		t.Errorf("error %v", err)
	}
	if os.Getenv("SAPF_DATA") == "" {
		t.Skip("SAPF_DATA is not set: no data sets to read")
	}
	images, err := Load("cifar10", 300)
	if missing := (*data.MissingError)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if images.Train.Len() != 300 || images.Test.Len() != 10000 || !slices.Equal(images.Test.Labels[:5], []int{3, 8, 8, 0, 6}) {
		t.Errorf("%d training and %d test images, labels %v", images.Train.Len(), images.Test.Len(), images.Test.Labels[:5])
	}
	want, err := data.Load("cifar10:4", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, want.Len())
	images.Test.fill(4, x)
	if !slices.Equal(x, want.Pix) {
		t.Error("image 4 has other pixels than cifar10:4")
	}
}
