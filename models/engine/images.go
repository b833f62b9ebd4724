package engine

// Where the operands of a whole batch outgrow the cache, images pass through
// several steps one by one, so that a step finds what the one before it wrote
// still near. What no other step reads then needs room for one image only.

// operator is a maker of the passes to logits and images.
type operator interface {
	maker
	// operands are the tensors read and written (some may be nil), and the
	// number of weights.
	operands() (ts []*tensor, weights int)
}

func (s *tapStep) operands() ([]*tensor, int) {
	n := 0
	for _, p := range s.panels {
		n += len(p.w)
	}
	return []*tensor{s.x.t, s.y.t, s.add.t, s.mask.t}, n
}

func (s *winoStep) operands() ([]*tensor, int) {
	n := 0
	for _, p := range s.panels {
		n += len(p.u)
	}
	return []*tensor{s.x, s.y, s.add, s.mask}, n
}

func (s *maxForwardStep) operands() ([]*tensor, int) { return []*tensor{s.x, s.y, s.index}, 0 }
func (s *maxBackwardStep) operands() ([]*tensor, int) {
	return []*tensor{s.dy, s.index, s.y.t, s.add.t, s.mask.t}, 0
}
func (s *addStep) operands() ([]*tensor, int)  { return []*tensor{s.y, s.a, s.b, s.mask}, 0 }
func (s *moveStep) operands() ([]*tensor, int) { return []*tensor{s.x, s.y, s.add, s.mask}, 0 }
func (s *actStep) operands() ([]*tensor, int) {
	return []*tensor{s.x, s.y, s.dy, s.add, s.mask}, 0
}
func (s *spreadStep) operands() ([]*tensor, int)  { return []*tensor{s.dy, s.y, s.add, s.mask}, 0 }
func (s *scatterStep) operands() ([]*tensor, int) { return []*tensor{s.p, s.y, s.add}, 0 }
func (s *importStep) operands() ([]*tensor, int)  { return []*tensor{s.t}, 0 }
func (s *exportStep) operands() ([]*tensor, int)  { return []*tensor{s.t}, 0 }
func (s *normStep) operands() ([]*tensor, int) {
	return []*tensor{s.x, s.y, s.dy, s.add, s.mask}, 0
}
func (s *constStep) operands() ([]*tensor, int) { return []*tensor{s.x, s.y}, len(s.c) }
func (s *mulStep) operands() ([]*tensor, int) {
	return []*tensor{s.a, s.b, s.y, s.add, s.mask}, 0
}
func (s *gateStep) operands() ([]*tensor, int) {
	return []*tensor{s.a, s.b, s.y, s.add, s.mask}, 0
}
func (s *gatherStep) operands() ([]*tensor, int) { return append([]*tensor{s.y}, s.x...), len(s.moves) }
func (s *refStep) operands() ([]*tensor, int) {
	ts := append([]*tensor{s.y, s.dy}, s.x...)
	for _, d := range s.dx {
		ts = append(ts, d.y, d.add, d.mask)
	}
	return ts, 0
}

// nearBytes is what stays near: a bit more than half of a core's level-2 cache
// of 1 MB.
const nearBytes = 640 << 10

// imageWise reports that a step is better done image by image: the operands of
// the batch do not stay near, but its weights do.
func imageWise(m maker, batch int) bool {
	if s, ok := m.(*tapStep); ok && s.cols == 0 {
		return false // the images of the batch are the pixels
	}
	ts, weights := m.(operator).operands()
	floats := 0
	for _, t := range ts {
		if t != nil {
			floats += t.size
		}
	}
	return 4*batch*floats > nearBytes && 4*weights <= nearBytes
}

// schedule prepares a pass. Runs of imageWise steps become one step over the
// images; images that do not come out even among the threads are shared within
// each of these steps. user[t] becomes the step that uses tensor t, or several;
// times says which makers run together.
func (f *fast) schedule(makers []maker, batch, threads int, user []*imageStep) (list []scheduled, times []int) {
	uses := func(m maker, s *imageStep) {
		ts, _ := m.(operator).operands()
		for _, t := range ts {
			if t == nil {
				continue
			}
			if u := user[t.id]; u != nil && u != s {
				s = several
			}
			user[t.id] = s
		}
	}
	whole := batch / threads * threads
	for now := 0; len(makers) > 0; now++ {
		n := 0
		for n < len(makers) && batch > 1 && whole > 0 && imageWise(makers[n], batch) {
			n++
		}
		if n < 2 {
			uses(makers[0], several)
			times = append(times, now)
			list = append(list, makers[0].prepare(f, batch, threads)...)
			makers = makers[1:]
			continue
		}
		each := &imageStep{}
		list = append(list, scheduled{each, whole})
		for _, m := range makers[:n] {
			uses(m, each)
			times = append(times, now)
			each.steps = append(each.steps, m.prepare(f, 1, 1)...)
			if whole == batch {
				continue
			}
			for _, s := range m.prepare(f, batch-whole, threads) {
				list = append(list, scheduled{&restStep{s.step, whole}, s.units})
			}
		}
		makers = makers[n:]
	}
	return list, times
}

// several stands for more than one user.
var several = &imageStep{}

// imageStep runs steps prepared for one image; its units are the images.
type imageStep struct{ steps []scheduled }

func (s *imageStep) run(w *worker, image int) {
	w.image, w.own = image, true
	for i := range s.steps {
		for u := range s.steps[i].units {
			s.steps[i].step.run(w, u)
		}
	}
	w.image, w.own = 0, false
}

// restStep runs a step for the images from first on.
type restStep struct {
	step  step
	first int
}

func (s *restStep) run(w *worker, unit int) {
	w.image = s.first
	s.step.run(w, unit)
	w.image = 0
}
