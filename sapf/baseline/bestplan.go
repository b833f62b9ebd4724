package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"sapf/models/data"
	"sapf/models/exact"
	"sapf/sapf/attack"
)

// solver is Best on one task.
type solver struct {
	a Best
	o *oracle
	// w is w of eq. 3, nil where all are 1; lo and hi are the box of w*delta.
	w, lo, hi []float64
	// groupOf is the superpixel of each pixel, nil without groups.
	groupOf []int
	groups  int
	// units is how many entries or pixels there are, classes the targets in turn.
	units   int
	classes []int
	// starts, and the steps of a start's two phases and of the last hold, are what
	// the budget allows.
	starts, dense, shrink, polish int
	// done and total are gradients, for who watches.
	done, total int
}

// leastWeight stands for smaller weights where steps are taken, so that w*delta
// determines delta. Lengths are measured with the weights themselves.
const leastWeight = 1e-3

// The steps of a phase: those of a start before k shrinks, the least with which
// it shrinks, and those of refining, of a union or cycle, and of the last hold.
const (
	denseSteps, leastSteps               = 15, 20
	refineSteps, cycleSteps, polishSteps = 60, 80, 20
)

func (a Best) newSolver(o *oracle) (*solver, error) {
	s := &solver{a: a, o: o, units: o.n, lo: make([]float64, o.n), hi: make([]float64, o.n), classes: []int{o.own}}
	o.k = a.K
	if a.Share == "pixels" {
		s.units = o.pixels
	}
	if a.Weight != "none" {
		s.w = a.weights(s.picture())
		for i, w := range s.w {
			s.w[i] = max(w, leastWeight)
		}
	}
	for i, x := range o.x {
		s.lo[i], s.hi[i] = -x, 1-x
		if s.w != nil {
			s.lo[i], s.hi[i] = s.lo[i]*s.w[i], s.hi[i]*s.w[i]
		}
	}
	if a.Superpixels > 0 {
		if err := s.segment(); err != nil {
			return nil, err
		}
	}
	if !o.goal.Targeted() {
		if err := s.likelyClasses(); err != nil {
			return nil, err
		}
	}
	s.plan()
	return s, nil
}

// picture is the clean image.
func (s *solver) picture() data.Image {
	x := data.NewImage("", s.o.shape.C, s.o.shape.H, s.o.shape.W)
	for i, v := range s.o.x {
		x.Pix[i] = float32(v)
	}
	return x
}

// segment numbers the superpixels, or the groups given, from 0.
func (s *solver) segment() error {
	labels := s.a.Groups
	if labels == nil {
		var err error
		if labels, err = data.Superpixels(s.picture(), data.SuperpixelOptions{Segments: s.a.Segments}); err != nil {
			return err
		}
	}
	if len(labels) != s.o.pixels {
		return fmt.Errorf("option groups: %d labels, expected %d, one a pixel", len(labels), s.o.pixels)
	}
	number := map[int]int{}
	for _, l := range labels {
		if _, ok := number[l]; !ok {
			number[l] = len(number)
		}
		s.groupOf = append(s.groupOf, number[l])
	}
	s.groups = len(number)
	return nil
}

// groupsAt is how many groups may be touched while k entries may: they shrink
// with k. 0 is all.
func (s *solver) groupsAt(k int) int {
	if s.a.Superpixels == 0 {
		return 0
	}
	share := float64(k) / float64(max(s.a.K, 1))
	return max(1, min(s.groups, int(math.RoundToEven(float64(s.a.Superpixels)*share))))
}

// likelyClasses ranks the classes that an untargeted attack runs to by the
// distance, linearised at the image, at which they win: (Z_y - Z_j) divided by
// the norm of the gradient's k largest entries.
func (s *solver) likelyClasses() error {
	order := ascending(s.o.clean)
	slices.Reverse(order)
	var classes []int
	const most = 10 // of the largest logits
	for _, c := range order {
		if c != s.o.own && len(classes) < most {
			classes = append(classes, c)
		}
	}
	weights := make([][]float64, len(classes))
	for i, c := range classes {
		weights[i] = make([]float64, s.o.classes)
		weights[i][c], weights[i][s.o.own] = 1, -1
	}
	_, grads, err := s.o.jacobian(s.o.x, weights)
	if err != nil {
		return err
	}
	keep := s.newSelector()
	distance := make([]float64, len(classes))
	for i, c := range classes {
		g := slices.Clone(grads[i])
		if s.w != nil {
			for j := range g {
				g[j] /= s.w[j]
			}
		}
		distance[i] = (s.o.clean[s.o.own] - s.o.clean[c]) / keep.norm(g, s.a.K, s.groupsAt(s.a.K))
	}
	s.classes = nil
	for _, i := range ascending(distance)[:min(s.a.Classes, len(classes))] {
		s.classes = append(s.classes, classes[i])
	}
	return nil
}

func (s *solver) newSelector() selector {
	return newSelector(s.o.n, s.o.pixels, s.a.Share, s.groupOf, s.groups)
}

// shrinkSteps is how many steps a start takes from all entries to k.
func (s *solver) shrinkSteps() int {
	lost := -exact.Log(1 - s.a.Rate)
	steps := exact.Log(float64(s.units)/float64(min(max(s.a.K, 1), s.units))) / lost / s.a.Shrinking
	return max(leastSteps, int(math.RoundToEven(steps)))
}

// plan sets the number of starts to what the budget allows beside all the rest.
// A budget too small for one start and all the rest goes without cycles, then
// without refining, then without the last hold, and in the end with shorter
// starts.
func (s *solver) plan() {
	a := &s.a
	a.Unions, a.Cycles = max(a.Unions, 0), max(a.Cycles, 0)
	s.dense, s.shrink, s.polish, s.total = denseSteps, s.shrinkSteps(), polishSteps, a.Gradients
	s.starts = max(1, min(a.Starts, a.Gradients/(s.dense+s.shrink)))
	for s.starts > 1 && s.cost(s.starts) > a.Gradients {
		s.starts--
	}
	for s.cost(1) > a.Gradients {
		switch {
		case a.Cycles > 0:
			a.Cycles--
		case a.Refined > 0:
			a.Refined = 0
		case s.polish > 0:
			s.polish = 0
		default:
			left := max(a.Gradients-s.o.gradients, 1)
			s.dense = left * s.dense / (s.dense + s.shrink)
			s.shrink = left - s.dense
			return
		}
	}
}

// cost is how many gradients so many starts and all the rest come to.
func (s *solver) cost(starts int) int {
	refined := min(s.a.Refined, starts)
	unions := min(s.a.Unions, max(refined-1, 0))
	return starts*(s.dense+s.shrink) + refined*refineSteps + (unions+s.a.Cycles)*cycleSteps + s.polish + s.o.gradients
}

// newWalker is one at the image itself, towards a class.
func (s *solver) newWalker(class int) *walker {
	n := s.o.n
	return &walker{
		s: s, class: class, lo: s.lo, hi: s.hi, length: math.Inf(1), keep: s.newSelector(),
		d: make([]float64, n), u: make([]float64, n), img: make([]float64, n),
	}
}

// at is a walker of its own at another's best point, or at its last without one.
func (s *solver) at(w *walker) *walker {
	next := s.newWalker(w.class)
	next.length = w.length
	copy(next.d, w.d)
	if w.best != nil {
		copy(next.d, w.best)
		next.best = slices.Clone(w.best)
	}
	return next
}

// walk runs walkers at once, in shared passes, each on a part of the oracle's
// work, and books what they found in their order.
func (s *solver) walk(stage string, walkers []*walker, f func(i int, w *walker) error) error {
	before := s.done
	err := attack.Fork(s.o.m, len(walkers), func(i int, m attack.Classifier) error {
		w := walkers[i]
		w.o = s.o.child(m)
		if w.best != nil {
			w.o.best, w.o.bestSize = slices.Clone(s.image(w.o, w.best, w.img)), size{float64(w.length * w.length)}
		}
		steps := 0
		w.watch = func(int) {
			if steps++; i == 0 {
				s.done = min(before+steps*len(walkers), s.total)
				s.o.report(stage, 1, 1, s.done, s.total, w.length)
			}
		}
		return f(i, w)
	})
	for _, w := range walkers {
		s.o.absorb(w.o)
	}
	s.done = min(max(s.done, s.o.gradients), s.total)
	return err
}

// image writes the image at d = w*delta*G as it is stored.
func (s *solver) image(o *oracle, d, img []float64) []float64 {
	if s.w == nil {
		return o.image(d, img)
	}
	for i, v := range d {
		img[i] = o.x[i]
		if v != 0 {
			img[i] = pixel(o.x[i] + v/s.w[i])
		}
	}
	return img
}

// used counts what an image has of the budget: entries or pixels that differ;
// more than any budget if it touches too many groups.
func (s *solver) used(img []float64) int {
	if s.a.Superpixels > 0 {
		touched := make([]bool, s.groups)
		count := 0
		for i, v := range img {
			if g := s.groupOf[i%s.o.pixels]; v != s.o.x[i] && !touched[g] {
				touched[g] = true
				count++
			}
		}
		if count > s.a.Superpixels {
			return math.MaxInt
		}
	}
	if s.a.Share == "pixels" {
		return countPixels(s.o.x, img, s.o.channels)
	}
	return countEntries(s.o.x, img)
}

// random is the stream of a start, derived from the task: the pixels, the class
// and the seed.
func (s *solver) random(start, class int) *rand.Rand {
	return stream(s.a.Seed, fmt.Sprintf("best: start %d to %d of %s", start, class, s.o.digest()))
}

// byLength sorts walkers by their length, those of equal length in their order.
func byLength(walkers []*walker) []*walker {
	sorted := slices.Clone(walkers)
	slices.SortStableFunc(sorted, func(a, b *walker) int {
		switch {
		case a.length < b.length:
			return -1
		case a.length > b.length:
			return 1
		}
		return 0
	})
	return sorted
}
