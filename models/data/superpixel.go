package data

import (
	"encoding/binary"
	"fmt"
	"math"

	"sapf/models/exact"
)

// SuperpixelOptions are the parameters of SLIC.
type SuperpixelOptions struct {
	// Segments is the number of superpixels asked for; the grid of seeds
	// decides how many come out.
	Segments int
	// Compactness weighs distance in space against distance in colour, 10 if 0.
	Compactness float64
	// Connectivity is what becomes of small pieces: they join a neighbour by
	// the rule of scikit-image "0.16" and before, or "0.17" and after (also
	// if empty), or "none": labels stay as the clustering left them.
	Connectivity string
	// Scale is done to the 8-bit image first: "" nothing (scikit-image up to
	// 0.18), "max" divides by the largest entry (0.19), "minmax" stretches to
	// [0,1] (0.20 on).
	Scale string
	// RGB clusters three channels as they are, instead of in CIE Lab.
	RGB bool
	// StartLabel is the first label: 0 as in scikit-image up to 0.18 (and
	// SAPF's program), 1 after.
	StartLabel int
}

// slicPasses is the number of k-means passes. None ends early: the test for
// it in scikit-image's program never fires.
const slicPasses = 10

// Superpixels is SLIC (Achanta et al., TPAMI 2012), label for label as
// scikit-image's slic: the label of each pixel, length H*W, row by row. The
// image is rounded to 8 bits first.
func Superpixels(m Image, o SuperpixelOptions) ([]int, error) {
	if o.Compactness == 0 {
		o.Compactness = 10
	}
	switch {
	case o.Segments < 1:
		return nil, fmt.Errorf("superpixels: %d segments, expected at least 1", o.Segments)
	case !(o.Compactness > 0) || math.IsInf(o.Compactness, 0):
		return nil, fmt.Errorf("superpixels: compactness %v, expected a positive number", o.Compactness)
	case o.Connectivity != "" && o.Connectivity != "0.16" && o.Connectivity != "0.17" && o.Connectivity != "none":
		return nil, fmt.Errorf("superpixels: connectivity %q, expected 0.16, 0.17 or none", o.Connectivity)
	case o.Scale != "" && o.Scale != "max" && o.Scale != "minmax":
		return nil, fmt.Errorf("superpixels: scale %q, expected max, minmax or nothing", o.Scale)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	grid := newSeedGrid(m.H, m.W, o.Segments)
	labels := cluster(features(m, o), m.C, grid)
	if o.Connectivity != "none" {
		size := float64(m.H*m.W) / float64(grid.count())
		if o.Connectivity == "0.16" {
			size = float64(m.H*m.W) / float64(o.Segments)
		}
		labels = connect(labels, m.H, m.W, int(0.5*size), int(3*size), o.Connectivity == "0.16")
	}
	for i := range labels {
		labels[i] += o.StartLabel
	}
	return labels, nil
}

// ColourLabels reads a picture as a label image: pixels of one colour have one
// label, length H*W, row by row. Labels count from 0 in the order in which the
// colours first appear.
func ColourLabels(m Image) []int {
	number := map[string]int{}
	labels := make([]int, m.H*m.W)
	for i := range labels {
		var colour []byte
		for c := range m.C {
			colour = binary.LittleEndian.AppendUint32(colour, math.Float32bits(m.Pix[c*m.H*m.W+i]))
		}
		if _, ok := number[string(colour)]; !ok {
			number[string(colour)] = len(number)
		}
		labels[i] = number[string(colour)]
	}
	return labels
}

// features returns the colour of each pixel as the clustering compares it,
// channels last: length H*W*C.
func features(m Image, o SuperpixelOptions) []float64 {
	out := make([]float64, m.Len())
	low, high := math.Inf(1), math.Inf(-1)
	for i, v := range m.Pix {
		x := math.Round(float64(v)*255) / 255
		low, high = min(low, x), max(high, x)
		out[i%(m.H*m.W)*m.C+i/(m.H*m.W)] = x
	}
	for i := range out {
		switch {
		case o.Scale == "max" && high > 0:
			out[i] /= high
		case o.Scale == "minmax" && high > low:
			out[i] = (out[i] - low) / (high - low)
		}
	}
	if m.C == 3 && !o.RGB {
		for i := 0; i < len(out); i += 3 {
			out[i], out[i+1], out[i+2] = labOf(out[i], out[i+1], out[i+2])
		}
	}
	ratio := 1 / o.Compactness
	for i := range out {
		out[i] *= ratio
	}
	return out
}

// labOf converts sRGB in [0,1] to CIE Lab under the white of D65.
func labOf(r, g, b float64) (l, a, bb float64) {
	linear := func(v float64) float64 {
		if v > 0.04045 {
			return exact.Pow((v+0.055)/1.055, 2.4)
		}
		return v / 12.92
	}
	r, g, b = linear(r), linear(g), linear(b)
	dot := func(p, q, s float64) float64 { return float64(p*r) + float64(q*g) + float64(s*b) }
	f := func(v float64) float64 {
		if v > 0.008856 {
			return exact.Pow(v, 1./3)
		}
		return float64(7.787*v) + 16.0/116
	}
	fx := f(dot(0.412453, 0.357580, 0.180423) / 0.95047)
	fy := f(dot(0.212671, 0.715160, 0.072169))
	fz := f(dot(0.019334, 0.119193, 0.950227) / 1.08883)
	return float64(116*fy) - 16, 500 * (fx - fy), 200 * (fy - fz)
}

// seedGrid is the regular grid of first cluster centres.
type seedGrid struct{ h, w, startY, startX, stepY, stepX int }

// newSeedGrid spaces about n seeds over h x w pixels.
func newSeedGrid(h, w, n int) seedGrid {
	g := seedGrid{h: h, w: w, stepY: 1, stepX: 1}
	if h*w <= n {
		return g
	}
	y := math.Sqrt(float64(h) * float64(w) / float64(n))
	x := y
	switch { // a side shorter than the step is one step
	case h <= w && float64(h) < y:
		y, x = float64(h), float64(w)/float64(n)
	case w < h && float64(w) < x:
		x, y = float64(w), float64(h)/float64(n)
	}
	g.startY, g.startX = int(math.Floor(y/2)), int(math.Floor(x/2))
	g.stepY, g.stepX = int(math.RoundToEven(y)), int(math.RoundToEven(x))
	return g
}

func (g seedGrid) count() int {
	along := func(n, start, step int) int { return (n - start + step - 1) / step }
	return along(g.h, g.startY, g.stepY) * along(g.w, g.startX, g.stepX)
}

// centre is a cluster: its place, its colour, and whether it has members.
type centre struct {
	y, x   float64
	colour []float64
	dead   bool
}

// cluster assigns each pixel to a centre by k-means in which a centre sees
// only the window of two steps around it. colours has c entries a pixel.
func cluster(colours []float64, c int, g seedGrid) []int {
	var centres []centre
	for y := g.startY; y < g.h; y += g.stepY {
		for x := g.startX; x < g.w; x += g.stepX {
			centres = append(centres, centre{y: float64(y), x: float64(x), colour: make([]float64, c)})
		}
	}
	step := float64(max(g.stepY, g.stepX))
	perPixel := 1 / (step * step)
	labels := make([]int, g.h*g.w)
	nearest := make([]float64, g.h*g.w)
	for range slicPasses {
		for i := range nearest {
			nearest[i] = math.MaxFloat64
		}
		for k, s := range centres {
			if s.dead {
				continue
			}
			for y := int(max(s.y-float64(2*g.stepY), 0)); y < int(min(s.y+float64(2*g.stepY)+1, float64(g.h))); y++ {
				dy := float64((s.y - float64(y)) * (s.y - float64(y)))
				for x := int(max(s.x-float64(2*g.stepX), 0)); x < int(min(s.x+float64(2*g.stepX)+1, float64(g.w))); x++ {
					i := y*g.w + x
					d := float64((dy + float64((s.x-float64(x))*(s.x-float64(x)))) * perPixel)
					colour := 0.0
					for j, v := range s.colour {
						diff := colours[i*c+j] - v
						colour += float64(diff * diff)
					}
					if d += colour; nearest[i] > d {
						nearest[i], labels[i] = d, k
					}
				}
			}
		}
		recentre(centres, labels, colours, c, g.w)
	}
	return labels
}

// recentre moves each centre to the mean of its members. One without members
// stays dead.
func recentre(centres []centre, labels []int, colours []float64, c, w int) {
	members := make([]float64, len(centres))
	for k := range centres {
		centres[k].y, centres[k].x = 0, 0
		clear(centres[k].colour)
	}
	for i, k := range labels {
		s := &centres[k]
		members[k]++
		s.y += float64(i / w)
		s.x += float64(i % w)
		for j := range s.colour {
			s.colour[j] += colours[i*c+j]
		}
	}
	for k := range centres {
		s := &centres[k]
		if members[k] == 0 {
			s.dead = true
			continue
		}
		s.y /= members[k]
		s.x /= members[k]
		for j := range s.colour {
			s.colour[j] /= members[k]
		}
	}
}

// connect renumbers the connected pieces of the labels, in raster order. A
// piece ends at most size pixels; one below least joins the last neighbouring
// piece that the search met. Where it met none, it joins piece 0 by the old
// rule, and by the new one shares its number with the next piece.
func connect(labels []int, h, w, least, most int, oldRule bool) []int {
	out := make([]int, len(labels))
	for i := range out {
		out[i] = -1
	}
	next := 0
	for i := range labels {
		if out[i] >= 0 {
			continue
		}
		adjacent := next
		if oldRule {
			adjacent = 0
		}
		out[i] = next
		piece := []int{i}
		for visited := 0; visited < len(piece) && len(piece) < most; visited++ {
			y, x := piece[visited]/w, piece[visited]%w
			for _, d := range [4][2]int{{0, 1}, {0, -1}, {1, 0}, {-1, 0}} {
				yy, xx := y+d[0], x+d[1]
				if yy < 0 || yy >= h || xx < 0 || xx >= w {
					continue
				}
				j := yy*w + xx
				if labels[j] == labels[i] && out[j] < 0 {
					out[j] = next
					piece = append(piece, j)
					if len(piece) >= most {
						break
					}
				} else if out[j] >= 0 && out[j] != next {
					adjacent = out[j]
				}
			}
		}
		if len(piece) >= least {
			next++
			continue
		}
		for _, j := range piece {
			out[j] = adjacent
		}
	}
	return out
}
