package dsl

import (
	"fmt"
	"math"

	"sapf/sapf"
	"sapf/sapf/figure"
	"sapf/sapf/metric"
)

// Figure, Curve, Axes and Tile are what plots and panels are made of.
type (
	Figure = figure.Figure
	Curve  = figure.Curve
	Axes   = figure.Axes
	Tile   = figure.Tile
	Bar    = figure.Bar
	Path   = figure.Path
)

// Plot draws curves, with bands where they have them.
//
//	Show(Plot(Axes{Title: "Loss", X: "step", Y: "logits"}, p.Curve("hinge", "loss")))
func Plot(axes Axes, curves ...Curve) *Figure {
	f, err := figure.Curves(axes, curves...)
	if err != nil {
		fail("Plot", err)
	}
	return f
}

// Bars draws one bar for each value, with whiskers where Low and High are
// given.
//
//	Show(Bars(Axes{Title: "Passes", Y: "backward passes"}, Bar{Name: "sapf", Value: 6000}))
func Bars(axes Axes, bars ...Bar) *Figure {
	f, err := figure.Bars(axes, bars...)
	if err != nil {
		fail("Bars", err)
	}
	return f
}

// PlotPlane draws the box and the sphere whose meeting points are the binary
// vectors, for vectors of two entries, and paths on top of them.
//
//	Show(PlotPlane("a projection", Arrow("onto the box", v, ProjectBox(v))))
func PlotPlane(title string, paths ...Path) *Figure {
	f, err := figure.BoxAndSphere(title, paths...)
	if err != nil {
		fail("PlotPlane", err)
	}
	return f
}

// Arrow is a path through vectors of two entries.
func Arrow(name string, vectors ...Vec) Path {
	p := Path{Name: name}
	for i, v := range vectors {
		if len(v) != 2 {
			fail("Arrow", fmt.Errorf("vector %d has %d entries, expected 2", i, len(v)))
		}
		p.Points = append(p.Points, figure.Point{X: v[0], Y: v[1]})
	}
	return p
}

// Beside puts figures side by side in one.
func Beside(figures ...*Figure) *Figure { return figure.Beside(figures...) }

// Panel shows pictures with their titles and captions, perRow in a row.
//
//	Show(Panel(4, r.PerturbationTile(10), r.MaskTile()))
func Panel(perRow int, tiles ...Tile) *Figure { return figure.Panel(tiles, perRow) }

// ImageTile is a tile of an image.
func ImageTile(x Image, title string, caption ...string) Tile {
	return Tile{Picture: x.Picture(), Title: title, Caption: caption}
}

// MapTile is a tile of one value for each pixel (length H*W of like) or each
// entry (then the mean over the channels), dark where it is low.
func MapTile(like Image, values Vec, title string, caption ...string) Tile {
	pic, err := figure.Heat(like, values)
	if err != nil {
		fail("MapTile", err)
	}
	return Tile{Picture: pic, Title: title, Caption: caption}
}

// OverlayTile is a tile of an image in grey with the pixels that have a selected
// entry on top, in orange. selected has the shape of x and is not 0 where an
// entry is selected.
func OverlayTile(x Image, selected []float32, title string, caption ...string) Tile {
	pic, err := figure.Overlay(x, selected)
	if err != nil {
		fail("OverlayTile", err)
	}
	return Tile{Picture: pic, Title: title, Caption: caption}
}

// MeanCurve is the mean of samples at each x with a band: the 95 % confidence
// interval of the mean by Student's t. samples[i] are the values at x[i]; those
// that are not finite are left out.
//
//	MeanCurve("SAPF", ks, l2sOfAllImages)
func MeanCurve(name string, x []float64, samples [][]float64) Curve {
	if len(x) != len(samples) {
		fail("MeanCurve", fmt.Errorf("%d places x, but samples at %d", len(x), len(samples)))
	}
	c := Curve{Name: name, X: x}
	for _, s := range samples {
		m := metric.Mean95(s)
		c.Y, c.Low, c.High = append(c.Y, m.Mean), append(c.Low, m.Low), append(c.High, m.High)
	}
	return c
}

// Magnification is the factor by which the perturbations of all outcomes can be
// shown on mid-grey.
func (rs Outcomes) Magnification() float64 {
	best := math.Inf(1)
	for _, r := range rs {
		best = min(best, figure.Magnification(r.Delta()))
	}
	if math.IsInf(best, 1) {
		return 1
	}
	return best
}

// PerturbationTile shows the perturbation on mid-grey, magnified.
func (r *Outcome) PerturbationTile(magnify float64) Tile {
	return Tile{Picture: figure.Perturbation(r.Image, r.Delta(), magnify), Title: r.goalName() + " " + figure.Times(magnify),
		Caption: []string{fmt.Sprintf("l2 %.3f, linf %.3f", r.Measured.L2, r.Measured.Linf)}, Key: r.Key()}
}

// MaskTile shows which entries changed: white where all channels of a pixel
// did, coloured where some did.
func (r *Outcome) MaskTile() Tile {
	return Tile{Picture: figure.Mask(r.Image, r.Selection()), Title: "mask",
		Caption: []string{fmt.Sprintf("%d entries in %d pixels", r.Measured.L0, r.Measured.L0Pixels)}, Key: r.Key()}
}

// AdversarialTile shows the adversarial image and what the model says of it.
func (r *Outcome) AdversarialTile() Tile {
	p, err := r.Model.Predict(r.Result.Adversarial)
	if err != nil {
		fail("AdversarialTile", err)
	}
	return Tile{Picture: r.Result.Adversarial.Picture(), Title: "adversarial", Caption: top(p)[:1], Key: r.Key()}
}

// goalName is what the image is to become.
func (r *Outcome) goalName() string {
	if r.Goal.Targeted() {
		return "to " + r.Model.Classes()[r.Goal.Target]
	}
	return "away from " + r.Model.Classes()[r.Goal.Label]
}

// Quantities that Problem.Curve knows.
var quantities = map[string]func(sample) float64{
	"loss":       func(s sample) float64 { return s.loss },
	"sum":        func(s sample) float64 { return s.sum },
	"ones":       func(s sample) float64 { return float64(s.ones) },
	"box":        func(s sample) float64 { return s.gaps.Box },
	"sphere":     func(s sample) float64 { return s.gaps.Sphere },
	"card":       func(s sample) float64 { return s.gaps.Card },
	"l2":         func(s sample) float64 { return s.l2 },
	"step size":  func(s sample) float64 { return s.rate },
	"rho box":    func(s sample) float64 { return s.rhoBox },
	"rho sphere": func(s sample) float64 { return s.rhoSphere },
	"rho card":   func(s sample) float64 { return s.rhoCard },
}

// Curve is one quantity over the steps of a stage ("delta", "mask" or "tune";
// "" for all of them): "loss", "l2" (of delta*G), "sum" (of G), "ones" (G > 1/2),
// the distances "box", "sphere" and "card", "step size", "rho box",
// "rho sphere" and "rho card".
//
//	Show(Plot(Axes{Y: "sum of G"}, p.Curve("guarded", "sum", "mask")))
func (p *Problem) Curve(name, quantity string, stage ...string) Curve {
	value, ok := quantities[quantity]
	if !ok {
		fail("Curve", fmt.Errorf("unknown quantity %q, expected loss, l2, sum, ones, box, sphere, card, step size, rho box, rho sphere or rho card", quantity))
	}
	c := Curve{Name: name}
	for _, s := range p.history {
		if len(stage) == 0 || stage[0] == "" || s.stage == sapf.Stage(stage[0]) {
			c.X, c.Y = append(c.X, float64(len(c.X)+1)), append(c.Y, value(s))
		}
	}
	return c
}

// Try runs f and returns why it ended early, or nil. Verbs that cannot do what
// they are asked end the cell; within Try they end f, and the cell goes on.
//
//	err := Try(func() { p.ADMMSteps(2000) })
func Try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = fmt.Errorf("%v", r)
		}
	}()
	f()
	return nil
}

// SegmentTile shows the segments of an image; those in which the outcome
// changes an entry are outlined in orange, the others darkened.
func (r *Outcome) SegmentTile(labels []int, title string) Tile {
	pic, err := figure.Superpixels(r.Image, labels, r.Selection())
	if err != nil {
		fail("SegmentTile", err)
	}
	return Tile{Picture: pic, Title: title,
		Caption: []string{fmt.Sprintf("%d entries in %d segments", r.Measured.L0, r.SegmentsTouched(labels))}, Key: r.Key()}
}

// SegmentsTouched counts the segments in which the outcome changes an entry.
func (r *Outcome) SegmentsTouched(labels []int) int {
	return len(figure.Touched(labels, r.Selection()))
}

// Weights are the weights w of SAPF-VI, one for each entry, for the statistic
// that the options name; what the attack multiplies the perturbation with.
//
//	w := Weights(x, Options{Weight: "variance"})
func Weights(x Image, o sapf.Resolver) Vec {
	s, err := o.Resolve()
	if err != nil {
		fail("Weights", err)
	}
	return Vec(sapf.Weights(x, s))
}
