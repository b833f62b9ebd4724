package baseline

import "math"

// start runs the starts and returns them, the nearest first. Every fourth has
// the same kind: Gaussian noise; nothing, with half of the blocks of 4x4 pixels
// closed at first; nothing (once) or more noise; nothing, with most of the
// blocks of 2x2 pixels closed. Those ends differ: what a start comes to after
// all entries were open says little of what it comes to at k.
func (s *solver) start() ([]*walker, error) {
	walkers := make([]*walker, s.starts)
	for i := range walkers {
		walkers[i] = s.newWalker(s.classes[i%len(s.classes)])
	}
	err := s.walk("start", walkers, func(i int, w *walker) error {
		s.begin(i, w)
		if err := w.run(phase{s.dense, s.units, s.units, [2]float64{.5, .15}, [2]float64{.4, .05}}); err != nil {
			return err
		}
		w.lo, w.hi = s.lo, s.hi // reopened
		return w.run(phase{s.shrink, s.units, s.k(), [2]float64{.3, .03}, [2]float64{.1, .004}})
	})
	return byLength(walkers), err
}

// k is the budget, of what there is.
func (s *solver) k() int { return min(s.a.K, s.units) }

// twice is where refining starts from.
func (s *solver) twice() int { return min(2*s.a.K, s.units) }

// begin puts start i at its point.
func (s *solver) begin(i int, w *walker) {
	const more = 1.5 // times the noise
	kind := i / len(s.classes)
	switch {
	case kind%4 == 0:
		s.noise(i, w, s.a.Noise)
	case kind%4 == 1:
		s.close(i, w, 4, 0.5)
	case kind%4 == 3:
		s.close(i, w, 2, 0.6)
	case kind > 2:
		s.noise(i, w, more*s.a.Noise)
	}
}

// noise puts w at a Gaussian point of the given length.
func (s *solver) noise(i int, w *walker, length float64) {
	random := s.random(i, w.class)
	for j := range w.d {
		w.d[j] = random.NormFloat64()
	}
	scale := length / norm2(w.d)
	for j := range w.d {
		w.d[j] *= scale
	}
}

// close keeps each block of side x side pixels at 0 with a probability.
func (s *solver) close(i int, w *walker, side int, probability float64) {
	random := s.random(i, w.class)
	width, height := s.o.shape.W, s.o.shape.H
	across := (width + side - 1) / side
	closed := make([]bool, across*((height+side-1)/side))
	for b := range closed {
		closed[b] = random.Float64() < probability
	}
	w.lo, w.hi = make([]float64, s.o.n), make([]float64, s.o.n)
	for j := range w.lo {
		p := j % s.o.pixels
		if !closed[p/width/side*across+p%width/side] {
			w.lo[j], w.hi[j] = s.lo[j], s.hi[j]
		}
	}
}

// improve takes the nearest starts further.
func (s *solver) improve(found []*walker) error {
	if s.a.Refined == 0 {
		return s.cycle(found[0])
	}
	refined, err := s.refine(found[:min(s.a.Refined, len(found))])
	if err != nil || s.agree(refined) {
		return err
	}
	best, err := s.unite(refined)
	if err != nil {
		return err
	}
	return s.cycle(best)
}

// refine takes each start once from 2k entries to k, from its best point.
func (s *solver) refine(found []*walker) ([]*walker, error) {
	walkers := make([]*walker, len(found))
	for i, w := range found {
		walkers[i] = s.at(w)
	}
	err := s.walk("refine", walkers, func(_ int, w *walker) error {
		return w.run(phase{refineSteps, s.twice(), s.k(), [2]float64{.3, .02}, [2]float64{.05, .002}})
	})
	return byLength(walkers), err
}

// agree reports whether all refined are of one length, so that more of them
// would find nothing else.
func (s *solver) agree(refined []*walker) bool {
	last := refined[len(refined)-1].length
	return len(refined) > 1 && last <= refined[0].length*(1+s.a.Agree) && s.a.Agree > 0
}

// unite starts from the middle of the nearest and another, whose support is the
// union of both, and returns the nearest of all.
func (s *solver) unite(refined []*walker) (*walker, error) {
	first := refined[0]
	var walkers []*walker
	for _, other := range refined[1:] {
		if len(walkers) < s.a.Unions && other.best != nil && first.best != nil && other.class == first.class {
			w := s.newWalker(first.class)
			for i, v := range first.best {
				w.d[i] = (v + other.best[i]) / 2
			}
			walkers = append(walkers, w)
		}
	}
	if len(walkers) == 0 {
		return first, nil
	}
	err := s.walk("union", walkers, func(_ int, w *walker) error {
		return w.run(phase{cycleSteps, s.twice(), s.k(), [2]float64{.3, .02}, [2]float64{.1, .002}})
	})
	return byLength(append(walkers, first))[0], err
}

// cycle lets k grow to 2k and shrink again, from the best point and then from
// the last one, and holds it in the end.
func (s *solver) cycle(best *walker) error {
	w := s.at(best)
	return s.walk("cycle", []*walker{w}, func(_ int, w *walker) error {
		for range s.a.Cycles {
			if err := w.run(phase{cycleSteps, s.twice(), s.k(), [2]float64{.3, .01}, [2]float64{.05, .001}}); err != nil {
				return err
			}
		}
		if w.best != nil {
			copy(w.d, w.best)
		}
		return w.run(phase{s.polish, s.k(), s.k(), [2]float64{.1, .005}, [2]float64{.01, .0003}})
	})
}

// round looks for the best image of 8 bits a channel: the best point, made
// longer little by little and rounded, until that is a success.
func (s *solver) round() error {
	best := s.o.best
	s.o.best, s.o.kept = nil, 0
	if best == nil {
		return nil
	}
	const step, most = 0.0025, 400
	write := func(i int, img []float64) {
		for j, x := range s.o.x {
			img[j] = x
			if d := best[j] - x; d != 0 {
				longer := min(max(x+float64(d*(1+float64(step*float64(i)))), 0), 1)
				img[j] = pixel(math.RoundToEven(float64(longer*255)) / 255)
			}
		}
	}
	img := make([]float64, s.o.n)
	err := s.o.logitsOf(most, write, func(i int, z []float64) bool {
		write(i, img)
		return !s.o.considerSure(img, z, s.a.Confidence)
	})
	if s.o.best == nil {
		s.o.note = joinNotes(s.o.note, "no image of 8 bits along the best perturbation reaches the goal")
	}
	return err
}
