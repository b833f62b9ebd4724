package nd

import (
	"fmt"
	"math"
	"slices"
)

// GridSample reads images of N x C x H x W at the places of a grid, N x H' x W' x 2
// of x and y between -1 and 1, as a spatial transformer does. The gradient goes to
// the images and, unless Mode is nearest, to the grid.
type GridSample struct {
	// Mode is linear, cubic or nearest (the even one of two), Padding what is
	// beyond the image: zeros, border or reflection.
	Mode, Padding string
	// AlignCorners puts -1 and 1 on the centres of the outermost pixels, not on
	// their outer edges.
	AlignCorners bool
}

// Kind is "GridSample".
func (f *GridSample) Kind() string { return "GridSample" }

// Shape is N x C x H' x W'.
func (f *GridSample) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 2); err != nil {
		return nil, err
	}
	x, grid := in[0], in[1]
	if len(x) != 4 || len(grid) != 4 || grid[0] != x[0] || grid[3] != 2 || x[2] < 1 || x[3] < 1 {
		return nil, fmt.Errorf("images of %v and a grid of %v, expected N x C x H x W and N x H x W x 2", x, grid)
	}
	if !slices.Contains([]string{"linear", "cubic", "nearest"}, f.Mode) || !slices.Contains([]string{"zeros", "border", "reflection"}, f.Padding) {
		return nil, fmt.Errorf("mode %q and padding %q, expected linear, cubic or nearest and zeros, border or reflection", f.Mode, f.Padding)
	}
	return []int{x[0], x[1], grid[1], grid[2]}, nil
}

// taps are the pixels of an axis that a place is made of, their weights, and the
// slopes of those along the place. A pixel of -1 is a zero.
type taps struct {
	n             int
	at            [4]int
	weight, slope [4]float64
}

// outermost bounds a place, in pixels, so that it is a whole number of them.
const outermost = 1 << 40

func (f *GridSample) taps(place float64, size int) taps {
	perPlace := float64(size) / 2
	c := float64((place+1)*perPlace) - 0.5
	if f.AlignCorners {
		perPlace = float64(size-1) / 2
		c = (place + 1) * perPlace
	}
	if math.IsNaN(c) {
		c = 0
	}
	c = max(-outermost, min(outermost, c))
	first := math.Floor(c)
	t := c - first
	var out taps
	switch f.Mode {
	case "nearest":
		first = math.RoundToEven(c)
		out = taps{n: 1, weight: [4]float64{1}}
	case "linear":
		out = taps{n: 2, weight: [4]float64{1 - t, t}, slope: [4]float64{-perPlace, perPlace}}
	default:
		first--
		out.n = 4
		for k, d := range []float64{1 + t, t, 1 - t, 2 - t} {
			w, s := Keys(d, -0.75)
			if k > 1 {
				s = -s // d falls with t
			}
			out.weight[k], out.slope[k] = w, s*perPlace
		}
	}
	for k := range out.n {
		out.at[k] = f.pixel(int(first)+k, size)
	}
	return out
}

// Keys is Keys' cubic kernel with the coefficient a at distance d >= 0, and its
// slope.
func Keys(d, a float64) (value, slope float64) {
	switch {
	case d <= 1:
		return float64((float64((a+2)*d)-(a+3))*d*d) + 1, (float64(3*(a+2)*d) - float64(2*(a+3))) * d
	case d < 2:
		return float64((float64((float64(a*d)-float64(5*a))*d)+float64(8*a))*d) - float64(4*a), float64((float64(3*a*d)-float64(10*a))*d) + float64(8*a)
	}
	return 0, 0
}

// pixel is where pixel i of an axis is read, -1 for a zero.
func (f *GridSample) pixel(i, size int) int {
	if i >= 0 && i < size {
		return i
	}
	switch {
	case f.Padding == "zeros":
		return -1
	case f.Padding == "border":
		return max(0, min(size-1, i))
	case size == 1:
		return 0
	}
	period := 2 * size
	if f.AlignCorners {
		period -= 2
	}
	if i = i % period; i < 0 {
		i += period
	}
	switch {
	case i < size:
	case f.AlignCorners:
		i = period - i
	default:
		i = period - 1 - i
	}
	return i
}

// each calls visit for each entry k of the result, pixel j of its image, the
// weight of that, the slopes of the weight along x and y, and the grid's entry of
// x, which that of y follows.
func (f *GridSample) each(x, grid, out Array, visit func(k, j int, weight, alongX, alongY float64, g int)) {
	channels, h, w := x.Dims[1], x.Dims[2], x.Dims[3]
	places := out.Dims[2] * out.Dims[3]
	for g := 0; g < len(grid.Data); g += 2 {
		image, place := g/2/places, g/2%places
		across, down := f.taps(grid.Data[g], w), f.taps(grid.Data[g+1], h)
		for c := range channels {
			plane := image*channels + c
			for a := range down.n {
				for b := range across.n {
					if down.at[a] < 0 || across.at[b] < 0 {
						continue
					}
					visit(plane*places+place, (plane*h+down.at[a])*w+across.at[b],
						down.weight[a]*across.weight[b], down.weight[a]*across.slope[b], down.slope[a]*across.weight[b], g)
				}
			}
		}
	}
}

// Forward sums the pixels around each place.
func (f *GridSample) Forward(in []Array, out Array) {
	clear(out.Data)
	f.each(in[0], in[1], out, func(k, j int, weight, _, _ float64, _ int) {
		out.Data[k] += float64(weight * in[0].Data[j])
	})
}

// Backward gives each pixel its weight, and each place what its pixels differ by.
func (f *GridSample) Backward(in []Array, out, dout Array, din []Array) {
	f.each(in[0], in[1], out, func(k, j int, weight, alongX, alongY float64, g int) {
		d := dout.Data[k]
		if din[0].Data != nil {
			din[0].Data[j] += float64(weight * d)
		}
		if din[1].Data != nil {
			v := d * in[0].Data[j]
			din[1].Data[g] += float64(alongX * v)
			din[1].Data[g+1] += float64(alongY * v)
		}
	})
}

// TopK are the K largest entries of an axis, or the smallest ones, in order; of
// equal ones the first come first.
type TopK struct {
	Axis, K  int
	Smallest bool
}

// Kind is "TopK".
func (f *TopK) Kind() string { return "TopK" }

// Shape is the argument's with K entries along the axis.
func (f *TopK) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 1); err != nil {
		return nil, err
	}
	if err := checkAxes([]int{f.Axis}, len(in[0])); err != nil {
		return nil, err
	}
	if f.K < 0 || f.K > in[0][f.Axis] {
		return nil, fmt.Errorf("%d of the %d entries of an axis", f.K, in[0][f.Axis])
	}
	out := slices.Clone(in[0])
	out[f.Axis] = f.K
	return out, nil
}

// each calls visit with entry k of the result and the argument's entry that it is.
func (f *TopK) each(x, out Array, visit func(k, j int)) {
	step := Len(x.Dims[f.Axis+1:])
	groups(x.Dims, []int{f.Axis}, func(group int, at []int) {
		order := slices.Clone(at)
		slices.SortStableFunc(order, func(i, j int) int {
			a, b := x.Data[i], x.Data[j]
			if !f.Smallest {
				a, b = b, a
			}
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		})
		first := group/step*f.K*step + group%step
		for r, j := range order[:f.K] {
			visit(first+r*step, j)
		}
	})
}

// Forward takes the entries.
func (f *TopK) Forward(in []Array, out Array) {
	f.each(in[0], out, func(k, j int) { out.Data[k] = in[0].Data[j] })
}

// Backward gives the entries that were taken their gradient.
func (f *TopK) Backward(in []Array, out, dout Array, din []Array) {
	if din[0].Data == nil {
		return
	}
	f.each(in[0], out, func(k, j int) { din[0].Data[j] += dout.Data[k] })
}
