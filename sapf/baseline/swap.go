package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// swapper looks for fewer entries than the best success of its oracle has. It
// goes in runs: each begins with some of the entries of the best given up at
// random, and has k, how many it may change, two more than the best has. A step
// evaluates d and, by the linearised margin, knows what each entry is worth:
// -g_i d_i where it changes, |g_j| times the room to its corner where it does
// not. Beyond the boundary the cheapest are given up; before it those that
// change move on, the dearest others fill up k, and a few are swapped.
type swapper struct {
	a          Fewest
	o          *oracle
	confidence float64
	random     *rand.Rand
	d, img     []float64
	// outUntil is the step before which an entry given up stays out.
	outUntil []int
	step     int
}

// The constants of a run, as they were measured.
const (
	runSteps   = 60  // of a run
	patience   = 15  // steps without a success until k grows
	spare      = 2   // entries that a run may change beyond those of the best
	giveUp     = 0.7 // of the margin that entries given up may cost
	swapFactor = 1.1 // by which what comes in is worth more
	moved      = 0.5 // by the entry of steepest margin in a step
	gentler    = 4   // times fewer are given up at the start of every second run
)

func newSwapper(a Fewest, o *oracle, confidence float64) *swapper {
	return &swapper{
		a: a, o: o, confidence: confidence, random: stream(a.Seed, fmt.Sprintf("fewest: %s", o.digest())),
		d: make([]float64, o.n), img: make([]float64, o.n), outUntil: make([]int, o.n),
	}
}

// search makes runs until the steps are spent, the end is reached or no entry
// can be spared.
func (s *swapper) search(steps int, end func() bool) error {
	for runs := 0; s.step < steps && !end(); runs++ {
		if s.o.best != nil && s.o.bestSize[0] <= 1 {
			return nil
		}
		dropped := s.a.Dropped
		if runs%2 == 1 {
			dropped /= gentler
		}
		k := s.begin(dropped)
		clear(s.outUntil)
		since := 0 // steps since the last success of the run
		for range min(runSteps, steps-s.step) {
			m, g, err := s.evaluate()
			if err != nil || end() {
				return err
			}
			s.step++
			s.o.report("swap", 1, 1, s.o.gradients, max(s.a.Steps, s.o.gradients), m)
			if m < 0 {
				since = 0
				k = max(s.shed(g, -m), 1)
				continue
			}
			if since++; since%patience == 0 {
				k++
			}
			s.move(g)
			s.fill(g, k)
			s.swap(g, k)
		}
	}
	return nil
}

// begin puts d at the best success without some of its entries, and returns k.
// Without a success it begins at the image itself.
func (s *swapper) begin(dropped float64) int {
	const few = 64 // one of so many entries
	clear(s.d)
	if s.o.best == nil {
		return spare + s.o.n/few
	}
	k := spare
	for i, v := range s.o.best {
		if d := v - s.o.x[i]; d != 0 {
			k++
			if s.random.Float64() >= dropped {
				s.d[i] = d
			}
		}
	}
	return k
}

// evaluate returns the margin at d, with the confidence added, and its gradient.
func (s *swapper) evaluate() (float64, []float64, error) {
	v, err := s.o.gradient(s.o.margin(neverClosed), s.o.image(s.d, s.img))
	if err != nil {
		return 0, nil, err
	}
	s.o.considerSure(s.img, v.z, s.confidence)
	return s.o.gap(v.z) + s.confidence, v.grad, nil
}

// shed gives up the cheapest entries while they cost no more than a part of
// the margin in hand; one at least, a quarter of them at most. It returns how
// many are left.
func (s *swapper) shed(g []float64, margin float64) int {
	in := s.inside(g)
	most := max(1, len(in)/4)
	cost := 0.0
	for n, e := range in {
		if cost += max(e.worth, 0); n > 0 && (n >= most || cost > giveUp*margin) {
			return len(in) - n
		}
		s.drop(e.at)
	}
	return 0
}

func (s *swapper) drop(i int) {
	s.d[i] = 0
	s.outUntil[i] = s.step + s.a.Tabu
}

// move takes the entries that change down the margin.
func (s *swapper) move(g []float64) {
	top := 0.0
	for i, d := range s.d {
		if d != 0 {
			top = max(top, math.Abs(g[i]))
		}
	}
	if top == 0 {
		return
	}
	for i, d := range s.d {
		if d != 0 {
			s.d[i] = min(max(d-float64(moved*(g[i]/top)), -s.o.x[i]), 1-s.o.x[i])
		}
	}
}

// fill lets the dearest others change, at their corners, until k do.
func (s *swapper) fill(g []float64, k int) {
	in := 0
	for _, d := range s.d {
		if d != 0 {
			in++
		}
	}
	if in < k {
		for _, e := range s.outside(g, k-in) {
			s.d[e.at] = e.corner
		}
	}
}

// swap exchanges the cheapest that change for the dearest others, where those
// are worth more.
func (s *swapper) swap(g []float64, k int) {
	in := s.inside(g)
	count := min(max(1, int(s.a.Swaps*float64(k))), len(in))
	for n, e := range s.outside(g, count) {
		if e.worth <= swapFactor*in[n].worth || e.worth <= 0 {
			return
		}
		s.drop(in[n].at)
		s.d[e.at] = e.corner
	}
}

// entry is what an entry is worth: the margin that it gains, or would gain at
// its corner.
type entry struct {
	at            int
	worth, corner float64
}

// inside are the entries that change, the cheapest first.
func (s *swapper) inside(g []float64) []entry {
	var in []entry
	for i, d := range s.d {
		if d != 0 {
			in = append(in, entry{at: i, worth: -g[i] * d})
		}
	}
	sort.SliceStable(in, func(a, b int) bool { return in[a].worth < in[b].worth })
	return in
}

// outside are the count dearest entries that do not change and may, the dearest
// first.
func (s *swapper) outside(g []float64, count int) []entry {
	var out []entry
	if count == 0 {
		return nil
	}
	for i, d := range s.d {
		if d != 0 || s.step < s.outUntil[i] {
			continue
		}
		e := entry{at: i, corner: 1 - s.o.x[i]}
		if g[i] > 0 {
			e.corner = -s.o.x[i]
		}
		if e.worth = -g[i] * e.corner; e.worth > 0 && (len(out) < count || e.worth > out[len(out)-1].worth) {
			at := sort.Search(len(out), func(j int) bool { return out[j].worth < e.worth })
			out = append(out, entry{})
			copy(out[at+1:], out[at:])
			out[at] = e
			out = out[:min(len(out), count)]
		}
	}
	return out
}
