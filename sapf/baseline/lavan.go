package baseline

import (
	"context"
	"fmt"
	"math"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// LaVAN is the localised visible noise of Karmon, Zoran & Goldberg (ICML 2018):
// the pixels of one square patch are free, all others fixed,
//
//	max_d  Z_t(x') - Z_y(x')   s.t.  x' = (1-m)*x + m*d,  d in [0,1],
//
// by steps d <- clip(d + step*grad(Z_t - Z_y), 0, 1) until the target is
// predicted with confidence. It is the baseline whose position is chosen by
// hand. There is no authors' program; step, budget and confidence are ours.
// Untargeted it lowers Z_y against the strongest rival.
//
//	formula  code            shape  range
//	x        o.x             N      [0,1]
//	d, x'    img             N      [0,1]; x' is made in place
//	m        Side, Row, Col  N      1 on the patch, 0 elsewhere
//	t        up              1      a class
//	y        down            1      a class
//	step     StepSize        1      [0,inf)
//
// Differs: the paper also has a "network domain" that leaves [0,1]. An image
// outside the box is no adversarial image here, so only the image domain, where
// d is clipped after each step, is offered.
type LaVAN struct {
	// Side of the patch in pixels; 0 means the square nearest to 2 % of the
	// image, the paper's 42 of 299.
	Side int `range:"[0,inf)"`
	// Row and Col of the patch's upper left corner.
	Row, Col int `range:"[0,inf)"`
	// Scan, if positive, tries a grid of Scan x Scan positions over the image
	// instead of one, and ends at the first that succeeds. The note says so,
	// since a location search is no longer the paper's attack.
	Scan int `range:"[0,inf)"`
	// Steps at each position; 0 means 300.
	Steps int `def:"300" range:"[0,inf)"`
	// StepSize multiplies the gradient of the logits; 0 means 0.1.
	StepSize float64 `def:"0.1" range:"[0,inf)"`
	// Confidence is the probability of the target (1 - that of the label)
	// above which the patch is done; 0 means 0.9.
	Confidence float64 `def:"0.9" range:"[0,1]"`
}

var _ attack.Attack = (*LaVAN)(nil)

// Name is "lavan".
func (LaVAN) Name() string { return "lavan" }

// Run attacks one image. A patch that does not fit into the image is an error.
func (a LaVAN) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byPixels, LaVAN.search)
}

func (a LaVAN) search(o *oracle) error {
	if a.Side == 0 {
		const area = 0.02
		a.Side = max(int(math.Round(math.Sqrt(area*float64(o.pixels)))), 1)
	}
	places, err := a.places(o)
	if err != nil {
		return err
	}
	o.k = a.Side * a.Side
	for i, at := range places {
		done, err := a.patch(o, at[0], at[1], len(places))
		if err != nil {
			return err
		}
		if o.note = fmt.Sprintf("patch of side %d at row %d, column %d", a.Side, at[0], at[1]); a.Scan > 0 {
			o.note += fmt.Sprintf(", position %d of a scan of %d", i+1, len(places))
		}
		if done {
			return nil
		}
	}
	return nil
}

// places are the upper left corners to try.
func (a LaVAN) places(o *oracle) ([][2]int, error) {
	h, w := o.shape.H-a.Side, o.shape.W-a.Side
	if h < a.Row || w < a.Col {
		return nil, fmt.Errorf("a patch of side %d at row %d, column %d leaves the image of %v", a.Side, a.Row, a.Col, o.shape)
	}
	if a.Scan < 2 {
		return [][2]int{{a.Row, a.Col}}, nil
	}
	var list [][2]int
	for i := range a.Scan {
		for j := range a.Scan {
			list = append(list, [2]int{i * h / (a.Scan - 1), j * w / (a.Scan - 1)})
		}
	}
	return list, nil
}

// patch fills the patch at one of so many positions and reports whether it
// succeeded.
func (a LaVAN) patch(o *oracle, row, col, places int) (bool, error) {
	img := append([]float64(nil), o.x...)
	z := o.clean
	for step := range a.Steps {
		// The gradient of Z_t - Z_y, and whether the target is sure yet.
		s, err := o.pull(models.Linear{}, img, a.rise(o, z))
		if err != nil {
			return false, err
		}
		z = s.z
		if a.sure(o, z) > a.Confidence {
			return o.consider(img, z), nil
		}
		a.ascend(o, img, s.grad, row, col)
		o.report("step", o.rounds+1, places, o.rounds*a.Steps+step+1, places*a.Steps, o.gap(z))
	}
	o.rounds++
	return o.try(img) // reached without the confidence asked for, perhaps
}

// ascend is the step d <- clip(d + step*g, 0, 1) on the patch.
func (a LaVAN) ascend(o *oracle, img, g []float64, row, col int) {
	for c := range o.channels {
		for r := row; r < row+a.Side; r++ {
			for q := col; q < col+a.Side; q++ {
				i := (c*o.shape.H+r)*o.shape.W + q
				img[i] = pixel(img[i] + float64(a.StepSize*g[i]))
			}
		}
	}
}

// rise is the row of weights of the logits to ascend: Z_t - Z_y, where y is
// the label or, unknown, the class now predicted; untargeted the strongest
// rival stands for t.
func (a LaVAN) rise(o *oracle, z []float64) []float64 {
	up, down := o.goal.Target, o.goal.Label
	if !o.goal.Targeted() {
		up = models.ArgmaxBut(z, down)
	} else if down == attack.None {
		down = models.ArgmaxBut(z, up)
	}
	row := make([]float64, o.classes)
	row[up], row[down] = 1, -1
	return row
}

// sure is P_t, or 1 - P_y.
func (a LaVAN) sure(o *oracle, z []float64) float64 {
	p := probability(z, o.own)
	if o.goal.Targeted() {
		return p
	}
	return 1 - p
}
