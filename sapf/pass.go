package sapf

import (
	"fmt"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// pass asks the network for the logits and gradients of one or several
// factorizations at once: many programmes, one evaluator.
//
// Differs: the program subtracts a mean of 0.5 before its network. Here points
// are in [0,1], and the model normalises them itself (22).
type pass struct {
	ev      models.Evaluator
	size    int // entries of one image
	classes int
	points  []float64 // batch x size: clip(x + delta*G)
	targets []float64 // batch x classes: one-hot rows
	last    models.Evaluation
}

func newPass(m attack.Classifier, loss models.Loss, batch int) (*pass, error) {
	ev, err := m.Evaluator(batch, loss)
	if err != nil {
		return nil, err
	}
	p := &pass{ev: ev, size: m.InputShape().Len(), classes: len(m.Classes())}
	p.points = make([]float64, batch*p.size)
	p.targets = make([]float64, batch*p.classes)
	return p, nil
}

// place puts the point of f into slot i.
func (p *pass) place(i int, f *Factorization) {
	f.point(p.point(i))
	row := p.targets[i*p.classes : (i+1)*p.classes]
	clear(row)
	row[f.Goal.Class()] = 1
}

// placeImages puts images into the slots, to be classified.
func (p *pass) placeImages(images []data.Image) {
	for i, img := range images {
		point := p.point(i)
		for j, v := range img.Pix {
			point[j] = float64(v)
		}
	}
}

func (p *pass) point(i int) []float64 { return p.points[i*p.size : (i+1)*p.size] }

// run is one forward and one backward pass of the given factorizations, in
// the slots of their order.
func (p *pass) run(fs ...*Factorization) error {
	for i, f := range fs {
		if f != nil {
			p.place(i, f)
		}
	}
	var err error
	if p.last, err = p.ev.Gradient(p.points, p.targets); err != nil {
		return fmt.Errorf("gradient: %w", err)
	}
	for i, f := range fs {
		if f != nil {
			f.Loss = p.last.Loss[i]
			f.Logits = append(f.Logits[:0], p.last.Logits[i*p.classes:(i+1)*p.classes]...)
		}
	}
	return nil
}

// gradient is dL/dx of slot i after run.
func (p *pass) gradient(i int) []float64 { return p.last.Grad[i*p.size : (i+1)*p.size] }

// forward returns the logits of whatever is in the slots.
func (p *pass) forward() ([]float64, error) {
	logits, err := p.ev.Forward(p.points)
	if err != nil {
		return nil, fmt.Errorf("logits: %w", err)
	}
	return logits, nil
}
