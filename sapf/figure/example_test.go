package figure_test

import (
	"fmt"
	"log"

	"sapf/models/data"
	"sapf/sapf/figure"
)

// A plot of norms against k, as Figure 4 of the paper has them. Alt is what
// somebody hears who can't see it.
func ExampleCurves() {
	f, err := figure.Curves(figure.Axes{Title: "Norm against k", X: "k", Y: "l2"},
		figure.Curve{Name: "SAPF", X: []float64{50, 100, 200}, Y: []float64{0.9, 0.5, 0.3}},
		figure.Curve{Name: "C&W", X: []float64{50, 100, 200}, Y: []float64{1.4, 0.8, 0.5}})
	if err != nil {
		log.Fatal(err)
	}
	svg, err := f.SVG()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", f.Alt)
	fmt.Println(svg[:5], len(svg) > 1000)
	// Output:
	// "Norm against k: SAPF from 0.9 at 50 to 0.3 at 200; C&W from 1.4 at 50 to 0.5 at 200"
	// <?xml true
}

func ExampleBars() {
	f, err := figure.Bars(figure.Axes{Title: "Success", X: "attack", Y: "share of images"},
		figure.Bar{Name: "SAPF", Value: 1}, figure.Bar{Name: "OnePixel", Value: 0.2, Low: 0.1, High: 0.35})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f)
	// Output:
	// [figure: Success: SAPF 1; OnePixel 0.2]
}

func ExampleHistogram() {
	g := []float64{0, 0.02, 0.1, 0.9, 0.97, 1}
	f, err := figure.Histogram(figure.Axes{Title: "G before rounding", X: "value", Y: "entries"}, g, 10, 0, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Alt)
	// Output:
	// G before rounding: histogram of 6 values
}

// The binary set of eq. 5 for two entries: box and sphere meet in the corners.
func ExampleBoxAndSphere() {
	f, err := figure.BoxAndSphere("A projection", figure.Path{Name: "onto the box", Points: []figure.Point{{X: 1.4, Y: 0.3}, {X: 1, Y: 0.3}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Alt)
	// Output:
	// A projection: box, sphere; onto the box from (1.40, 0.30) to (1.00, 0.30)
}

// A perturbation is too small to be seen: it is shown magnified, and the caption
// says by how much.
func ExamplePanel() {
	x := data.NewImage("grey", 3, 8, 8)
	for i := range x.Pix {
		x.Pix[i] = 0.5
	}
	d := make([]float32, x.Len())
	d[9] = 0.02
	m := figure.Magnification(d)
	f := figure.Panel([]figure.Tile{
		{Picture: figure.Enlarge(x.Picture(), 96), Title: "benign"},
		{Picture: figure.Enlarge(figure.Perturbation(x, d, m), 96), Title: "perturbation", Caption: []string{figure.Times(m)}},
	}, 2)
	fmt.Println(f.Alt)
	fmt.Println(f.DisplaySize())
	// Output:
	// benign | perturbation (×20)
	// 376 229
}

// Which superpixels a selection touches: entry 5 is pixel 1 of the second
// channel.
func ExampleTouched() {
	labels := []int{0, 7, 7, 9}
	g := make([]float32, 3*len(labels))
	g[5] = 1
	fmt.Println(figure.Touched(labels, g))
	// Output:
	// map[7:true]
}
