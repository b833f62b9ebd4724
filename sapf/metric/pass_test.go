package metric_test

import (
	"slices"
	"testing"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/metric"
)

// TestLogitsOfMany: many large images go through the network some at a time, and
// each has the logits that it has alone.
func TestLogitsOfMany(t *testing.T) {
	shape := engine.Shape{C: 3, H: 256, W: 256}
	m, err := models.New(&engine.Net{Name: "means", Input: shape, Nodes: []engine.Node{{Name: "mean", Op: &engine.GlobalAvgPool{}, In: []int{engine.Input}}}}, models.Card{Name: "means"})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Classifier: m}
	var images []data.Image
	for i := range 10 {
		x := data.NewImage("x", shape.C, shape.H, shape.W)
		for j := range x.Pix {
			x.Pix[j] = float32(i*(1+j/(shape.H*shape.W))) / 30
		}
		images = append(images, x)
	}
	all, err := metric.Logits(c, images...)
	if err != nil {
		t.Fatal(err)
	}
	if c.largest < 2 || c.largest*shape.Len() > 1<<20 {
		t.Errorf("%d images of %v in a pass", c.largest, shape)
	}
	for i, x := range images {
		alone, err := metric.Logits(m, x)
		if err != nil || !slices.Equal(alone, all[3*i:3*i+3]) {
			t.Errorf("image %d: %v alone (%v), %v among others", i, alone, err, all[3*i:3*i+3])
		}
	}
}

// counted is a classifier that notes its largest batch.
type counted struct {
	attack.Classifier
	largest int
}

func (c *counted) Evaluator(batch int, loss models.Loss) (models.Evaluator, error) {
	c.largest = max(c.largest, batch)
	return c.Classifier.Evaluator(batch, loss)
}
