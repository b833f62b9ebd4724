package sweep

import (
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"

	"github.com/sbinet/npyio"

	"sapf/models/data"
	"sapf/sapf"
	"sapf/sapf/figure"
	"sapf/sapf/metric"
)

// Outcome is a task that ran.
type Outcome struct {
	*Task
	// Result is what the attack says; Measured what its image shows.
	Result   sapf.Result
	Measured metric.Measurement
	// Seconds of wall time.
	Seconds float64
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
	Status      sapf.Status    `json:"status"`
	Note        string         `json:"note,omitempty"`
	Options     map[string]any `json:"options"`
}

// Record puts the outcome in the result format.
func (o *Outcome) Record() Record {
	r, m := o.Result, o.Measured
	return Record{
		Method: r.Method, Preset: r.Preset, Model: o.Model.Card().Name, Image: o.Image.Name,
		Label: known(o.Image.Label), Prediction: o.Clean.Class, Target: known(o.Goal.Target),
		Success: m.Success, Success8Bit: m.Success8Bit, Adversarial: m.AdversarialPrediction,
		L0: m.L0, L0Pixels: m.L0Pixels, L1: m.L1, L2: m.L2, Linf: m.Linf,
		K: r.K, Selected: r.Selected, Lambda1: r.Lambda1, Rounds: r.Rounds,
		Forwards: r.Forwards, Gradients: r.Gradients, Seconds: math.Round(o.Seconds*1000) / 1000,
		Profile: o.Model.Profile().String(), Status: r.Status, Note: r.Note, Options: r.Options,
	}
}

// String is the outcome in a few lines for people.
func (o *Outcome) String() string {
	classes, m, r := o.Model.Classes(), o.Measured, o.Result
	s := fmt.Sprintf("%s on %s: %s, %s", r.Method, o.Image.Name, r.Status, classes[o.Clean.Class])
	if o.Goal.Targeted() {
		s += " -> " + classes[o.Goal.Target]
	}
	s += fmt.Sprintf("\nprediction %s, success %v, after rounding to 8 bits %v", classes[m.AdversarialPrediction], m.Success, m.Success8Bit)
	s += fmt.Sprintf("\nl0 %d entries (%d pixels), l1 %.4f, l2 %.4f, linf %.4f", m.L0, m.L0Pixels, m.L1, m.L2, m.Linf)
	if r.Mask != nil {
		s += fmt.Sprintf("\nk %d, selected %d, lambda1 %.4g of %d rounds", r.K, r.Selected, r.Lambda1, r.Rounds)
	}
	return s + fmt.Sprintf("\n%d forward and %d backward passes, %.1f s, %s", r.Forwards, r.Gradients, o.Seconds, o.Model.Profile())
}

// known is nil for "unknown" and "any".
func known(class int) *int {
	if class < 0 {
		return nil
	}
	return &class
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
	if o.Result.Mask != nil {
		return o.Result.Mask
	}
	return o.Delta()
}

// Save writes adversarial.png (rounded to 8 bits), perturbation.png (magnified),
// mask.png, delta.npy (float32, H x W x C) and result.json into the folder dir,
// which is made if need be.
func (o *Outcome) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
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
		if err := writeFile(dir, p.name, func(f *os.File) error { return png.Encode(f, p.m) }); err != nil {
			return err
		}
	}
	if err := writeFile(dir, "delta.npy", func(f *os.File) error { return writeNPY(f, o.Image, d) }); err != nil {
		return err
	}
	return writeFile(dir, "result.json", func(f *os.File) error {
		enc := json.NewEncoder(f)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Record
			Magnification float64 `json:"perturbation_png_magnification"`
		}{o.Record(), figure.Magnification(d)})
	})
}

// writeNPY writes d, in C x H x W order, as a NumPy array of H x W x C.
func writeNPY(f *os.File, like data.Image, d []float32) error {
	// npyio takes arrays, whose type holds their shape.
	shape := reflect.ArrayOf(like.H, reflect.ArrayOf(like.W, reflect.ArrayOf(like.C, reflect.TypeFor[float32]())))
	array := reflect.New(shape).Elem()
	for c := range like.C {
		for y := range like.H {
			for x := range like.W {
				array.Index(y).Index(x).Index(c).SetFloat(float64(d[(c*like.H+y)*like.W+x]))
			}
		}
	}
	return npyio.Write(f, array.Interface())
}

// writeFile writes dir/name in full or not at all: to a temporary file first,
// which then takes the name.
func writeFile(dir, name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(dir, "."+name+"-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(dir, name), err)
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
