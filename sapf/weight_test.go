package sapf

import (
	"math"
	"testing"

	"sapf/models/data"
)

// sawtooth is an image of exact 32nds without a flat neighbourhood.
func sawtooth(c, h, w int) data.Image {
	x := data.NewImage("sawtooth", c, h, w)
	for i := range x.Pix {
		ch, row, col := i/(h*w), i/w%h, i%w
		x.Pix[i] = float32((7*col+13*row+29*ch+col*row*5)%32) / 32
	}
	return x
}

// TestWeightsAsTheProgram compares with NumPy and scipy.ndimage.prewitt
// (SciPy 1.x; std with ddof=1 on the 3x3 window cut at the border, + 1e-4,
// inverted, min-max per channel), run once on the sawtooth of 3x4x5: six
// entries and the sum.
func TestWeightsAsTheProgram(t *testing.T) {
	at := []int{0, 7, 19, 23, 38, 59}
	for kind, want := range map[string][]float64{
		"variance":      {0.0756590360616, 0.461931960557, 0, 0.261297151111, 0.217910136102, 0.0379755395279, 16.3477171739},
		"variance_mean": {0.639435958004, 0.603452828528, 0, 0.332599409984, 0.130468680034, 0.104163166527, 21.7680706487},
		"contrast":      {0, 0.153489486547, 0.288828234439, 0.00847641221519, 0.181850683682, 0.116656279195, 9.97398672503},
		"contrast_mean": {0.222793421487, 0.251663035402, 0.209224871459, 0.0723578481647, 0.176811030512, 0.19888460364, 13.3661881441},
		"gradient":      {0.376552519609, 0.866050208909, 0, 0.12636137768, 0.30043851049, 0, 20.4394305756},
	} {
		s := Reference()
		s.Weight = kind
		w := Weights(sawtooth(3, 4, 5), s)
		for i, j := range at {
			if math.Abs(w[j]-want[i]) > 1e-10 {
				t.Errorf("%s: weight %d is %.12g, want %.12g", kind, j, w[j], want[i])
			}
		}
		if got := sum(w); math.Abs(got-want[6]) > 1e-9 {
			t.Errorf("%s: the weights sum to %.12g, want %.12g", kind, got, want[6])
		}
	}
}

// TestWeightsOfThePaper checks the paper's statistic by hand: population
// deviation, w = 1/deviation, scaled to a maximum of 1.
func TestWeightsOfThePaper(t *testing.T) {
	x := data.NewImage("step", 1, 1, 4)
	copy(x.Pix, []float32{0, 0, 0.5, 1})
	s := Paper()
	s.Weight = "variance"
	got := Weights(x, s)
	// Windows: {0,0}, {0,0,1/2}, {0,1/2,1}, {1/2,1}.
	deviations := []float64{0, math.Sqrt(1.0 / 18), math.Sqrt(1.0 / 6), 0.25}
	for i, d := range deviations {
		if want := 1e-4 / (d + 1e-4); math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("weight %d is %g, want %g", i, got[i], want)
		}
	}
}

// TestFailure04_FlatNeighbourhoods: variance 0, mean 0, one pixel: the weights
// are finite, within [0,1], and with scale "max" above 0.
func TestFailure04_FlatNeighbourhoods(t *testing.T) {
	black, half := data.NewImage("black", 3, 5, 5), data.NewImage("half flat", 3, 5, 5)
	for i := range half.Pix {
		if i%5 > 2 {
			half.Pix[i] = float32(i%3) / 2
		}
	}
	for _, x := range []data.Image{black, half, data.NewImage("pixel", 1, 1, 1)} {
		for _, kind := range []string{"variance", "variance_mean", "contrast", "contrast_mean", "gradient"} {
			for _, s := range []Settings{Reference(), Paper()} {
				s.Weight = kind
				for i, w := range Weights(x, s) {
					if !(w >= 0 && w <= 1) || s.WeightScale == "max" && w == 0 {
						t.Errorf("%s, %s, %s: weight %d is %g", x.Name, kind, s.Preset, i, w)
					}
				}
			}
		}
	}
}
