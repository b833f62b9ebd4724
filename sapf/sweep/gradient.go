package sweep

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"sapf/models"
	"sapf/sapf/attack"
)

// Gradient is one loss of one image with its gradient, as `sapf gradient
// --json` prints it for checking against other programs.
type Gradient struct {
	Model   string    `json:"model"`
	Image   string    `json:"image"`
	Label   *int      `json:"label"`
	Target  int       `json:"target"`
	Loss    string    `json:"loss"`
	Logits  []float64 `json:"logits"`
	Value   float64   `json:"value"`
	L2      float64   `json:"gradient_l2"`
	Profile string    `json:"profile"`
	// Gradient is with respect to the image in [0,1], C x H x W, little-endian
	// float32, in base64.
	Gradient string `json:"gradient_f32_chw_base64"`
}

// String is the gradient in two lines for people.
func (g Gradient) String() string {
	return fmt.Sprintf("%s on %s, target %d: %s loss %.6g, gradient l2 %.6g, %s\nlogits %.6g",
		g.Model, g.Image, g.Target, g.Loss, g.Value, g.L2, g.Profile, g.Logits)
}

// lossOf knows cw, the hinge on logits with confidence 0, and ce, the cross
// entropy, both to the target.
func lossOf(name string) (models.Loss, error) {
	switch name {
	case "cw":
		return attack.Margin{}, nil
	case "ce":
		return attack.CrossEntropy{}, nil
	}
	return nil, fmt.Errorf("unknown loss %q, expected cw or ce", name)
}

// ComputeGradient evaluates a loss of a job's image and target once. The
// job's method and options are not used.
func (j Job) ComputeGradient(loss string) (Gradient, error) {
	l, err := lossOf(loss)
	if err != nil {
		return Gradient{}, err
	}
	m, err := models.Load(j.Model, j.Load)
	if err != nil {
		return Gradient{}, err
	}
	x, err := LoadImage(j.Image, m, j.Resize)
	if err != nil {
		return Gradient{}, err
	}
	target, err := models.ClassIndex(m.Classes(), j.Target)
	if err != nil {
		return Gradient{}, fmt.Errorf("target %w", err)
	}
	if err := attack.Check(m, x, attack.Goal{Label: attack.None, Target: target}); err != nil {
		return Gradient{}, err
	}
	e, err := m.Evaluator(1, l)
	if err != nil {
		return Gradient{}, err
	}
	defer e.Close()
	v := make([]float64, x.Len())
	for i, p := range x.Pix {
		v[i] = float64(p)
	}
	oneHot := make([]float64, len(m.Classes()))
	oneHot[target] = 1
	step, err := e.Gradient(v, oneHot)
	if err != nil {
		return Gradient{}, err
	}
	g := Gradient{
		Model: m.Card().Name, Image: x.Name, Label: known(x.Label), Target: target, Loss: loss,
		Logits: append([]float64(nil), step.Logits...), Value: step.Loss[0], Profile: m.Profile().String(),
	}
	raw, squares := make([]byte, 4*len(step.Grad)), 0.0
	for i, d := range step.Grad {
		squares += float64(d * d)
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(float32(d)))
	}
	g.L2, g.Gradient = math.Sqrt(squares), base64.StdEncoding.EncodeToString(raw)
	return g, nil
}
