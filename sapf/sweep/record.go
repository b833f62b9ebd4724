package sweep

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"

	"sapf/models"
	"sapf/models/atomicfile"
	"sapf/models/engine"
	"sapf/models/format/npy"
	"sapf/sapf/attack"
	"sapf/sapf/figure"
	"sapf/sapf/metric"
)

// Outcome is a task that ran.
type Outcome struct {
	attack.Task
	// ModelName and Profile are the classifier's name and numerics, where it has
	// them.
	ModelName string
	Profile   engine.Profile
	// Clean is the prediction of the image before the attack.
	Clean models.Prediction
	// Result is what the attack says; Measured what its image shows.
	Result   attack.Result
	Measured metric.Measurement
	// Warnings are reasons to mistrust the outcome: k exceeded, a gradient of
	// zero, outputs that are probabilities, a success that the image does not
	// bear out.
	Warnings []string
	// Seconds of wall time.
	Seconds float64

	classifier attack.Classifier
	key        string
}

// Key is the digest of all that decides the outcome (see the function Key), ""
// for a classifier without one.
func (o *Outcome) Key() string {
	if o.key == "" {
		o.key, _ = Key(o.classifier, o.Task) // a classifier without a digest
	}
	return o.key
}

// Record is the result format: what `sapf attack --json` prints and a sweep
// stores. Norms are of clip(x+delta*G)-x, an entry counting where it is not
// exactly 0.
type Record struct {
	Method      string         `json:"method"`
	Preset      string         `json:"preset"`
	Model       string         `json:"model"`
	Image       string         `json:"image"`
	Label       *int           `json:"label"`
	Prediction  int            `json:"prediction"`
	Target      *int           `json:"target"`
	Success     bool           `json:"success"`
	Success8Bit bool           `json:"success_8bit"`
	Adversarial int            `json:"adversarial_prediction"`
	L0          int            `json:"l0"`
	L0Pixels    int            `json:"l0_pixels"`
	L1          float64        `json:"l1"`
	L2          float64        `json:"l2"`
	Linf        float64        `json:"linf"`
	K           int            `json:"k"`
	Selected    int            `json:"selected"`
	Lambda1     float64        `json:"lambda1"`
	Rounds      int            `json:"rounds"`
	Forwards    int            `json:"forwards"`
	Gradients   int            `json:"gradients"`
	Seconds     float64        `json:"seconds"`
	Profile     string         `json:"profile"`
	Status      attack.Status  `json:"status"`
	Note        string         `json:"note,omitempty"`
	Warnings    []string       `json:"warnings,omitempty"`
	Options     map[string]any `json:"options"`
}

// Record puts the outcome in the result format.
func (o *Outcome) Record() Record {
	r, m := o.Result, o.Measured
	return Record{
		Method: r.Method, Preset: r.Preset, Model: o.ModelName, Image: o.Image.Name,
		Label: known(o.Image.Label), Prediction: o.Clean.Class, Target: known(o.Goal.Target),
		Success: m.Success, Success8Bit: m.Success8Bit, Adversarial: m.AdversarialPrediction,
		L0: m.L0, L0Pixels: m.L0Pixels, L1: m.L1, L2: m.L2, Linf: m.Linf,
		K: r.K, Selected: r.Selected, Lambda1: r.Const, Rounds: r.Trials,
		Forwards: r.Forwards, Gradients: r.Gradients, Seconds: math.Round(o.Seconds*1000) / 1000,
		Profile: o.Profile.String(), Status: r.Status, Note: r.Note, Warnings: o.Warnings, Options: r.Options,
	}
}

// String is the outcome in a few lines for people.
func (o *Outcome) String() string {
	classes, m, r := o.classifier.Classes(), o.Measured, o.Result
	s := fmt.Sprintf("%s on %s: %s, %s", r.Method, o.Image.Name, r.Status, classes[o.Clean.Class])
	if o.Goal.Targeted() {
		s += " -> " + classes[o.Goal.Target]
	}
	s += fmt.Sprintf("\nprediction %s, success %v, after rounding to 8 bits %v", classes[m.AdversarialPrediction], m.Success, m.Success8Bit)
	s += fmt.Sprintf("\nl0 %d entries (%d pixels), l1 %.4f, l2 %.4f, linf %.4f", m.L0, m.L0Pixels, m.L1, m.L2, m.Linf)
	if r.Detail != nil {
		s += fmt.Sprintf("\nk %d, selected %d, lambda1 %.4g of %d rounds", r.K, r.Selected, r.Const, r.Trials)
	}
	for _, w := range o.Warnings {
		s += "\nwarning: " + w
	}
	return s + fmt.Sprintf("\n%d forward and %d backward passes, %.1f s, %s", r.Forwards, r.Gradients, o.Seconds, o.Profile)
}

// ClassName is the name of a class of the classifier.
func (o *Outcome) ClassName(class int) string { return o.classifier.Classes()[class] }

// known is nil for "unknown" and "any".
func known(class int) *int {
	if class < 0 {
		return nil
	}
	return &class
}

// Row is the outcome as a row of a table. An image that the model gets wrong
// counts nowhere.
func (o *Outcome) Row() metric.Row {
	row := metric.Row{
		Method: o.Result.Method, Image: o.Image.Name,
		PerTarget: metric.PerTarget{Target: o.Goal.Target, Success: o.Measured.Success, Norms: o.Measured.Norms},
		Forwards:  o.Result.Forwards, Gradients: o.Result.Gradients, Seconds: o.Seconds,
	}
	switch {
	case o.Image.Label >= 0 && o.Image.Label != o.Clean.Class:
		row.LeftOut = "the image is misclassified"
	case o.Measured.Already:
		row.LeftOut = "the clean image is classified as the target"
	}
	return row
}

// Delta is the change of each entry, clip(x+delta*G)-x, length C*H*W.
func (o *Outcome) Delta() []float32 {
	d := make([]float32, o.Image.Len())
	for i, v := range o.Result.Adversarial.Pix {
		d[i] = v - o.Image.Pix[i]
	}
	return d
}

// Selection is G, or for attacks without one the entries that changed.
func (o *Outcome) Selection() []float32 {
	if d, ok := o.Result.Detail.(interface{ Selection() []float32 }); ok {
		return d.Selection()
	}
	return o.Delta()
}

// Keep is the outcome as a store keeps it.
func (o *Outcome) Keep() *Kept {
	k := &Kept{Record: o.Record(), Indices: []int{}, Values: []float32{}, Seconds: o.Seconds}
	for i, v := range o.Result.Adversarial.Pix {
		if v != o.Image.Pix[i] {
			k.Indices, k.Values = append(k.Indices, i), append(k.Values, v)
		}
	}
	return k
}

// restore makes the outcome whole from what a store kept, measured anew.
func (o *Outcome) restore(k *Kept) error {
	adv := o.Image.Clone()
	for i, at := range k.Indices {
		if at < 0 || at >= len(adv.Pix) {
			return fmt.Errorf("entry %d, expected 0 to %d", at, len(adv.Pix)-1)
		}
		adv.Pix[at] = k.Values[i]
	}
	r := k.Record
	o.Seconds = k.Seconds
	o.Result = attack.Result{
		Method: r.Method, Preset: r.Preset, Goal: o.Goal, Status: r.Status, Success: r.Success, Adversarial: adv,
		K: r.K, Selected: r.Selected, Prediction: r.Prediction, Const: r.Lambda1, Trials: r.Rounds,
		Forwards: r.Forwards, Gradients: r.Gradients, Options: r.Options, Note: r.Note,
	}
	return o.measure(o.classifier)
}

// Save writes adversarial.png (rounded to 8 bits), perturbation.png (magnified),
// mask.png, adversarial_chw.npy and delta_chw.npy (float32, C x H x W, as they
// are) and result.json into the folder dir, which is made if need be.
func (o *Outcome) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name string, content func(io.Writer) error) error {
		return atomicfile.Write(filepath.Join(dir, name), 0o644, content)
	}
	d := o.Delta()
	pictures := []struct {
		name string
		m    image.Image
	}{
		{"adversarial.png", o.Result.Adversarial.Picture()},
		{"perturbation.png", figure.Perturbation(o.Image, d, figure.Magnification(d))},
		{"mask.png", figure.Mask(o.Image, o.Selection())},
	}
	for _, p := range pictures {
		if err := write(p.name, func(w io.Writer) error { return png.Encode(w, p.m) }); err != nil {
			return err
		}
	}
	shape := []int{o.Image.C, o.Image.H, o.Image.W}
	for name, values := range map[string][]float32{"adversarial_chw.npy": o.Result.Adversarial.Pix, "delta_chw.npy": d} {
		if err := write(name, func(w io.Writer) error { return npy.Write(w, shape, values) }); err != nil {
			return err
		}
	}
	return write("result.json", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Record
			Magnification float64 `json:"perturbation_png_magnification"`
			Arrays        string  `json:"npy_layout"`
			Shape         []int   `json:"npy_shape"`
		}{o.Record(), figure.Magnification(d), "CHW", shape})
	})
}
