package engine

// The steps of moved entries: runs that lie next to each other on both sides are
// copied as one.

// move copies n floats from one image's memory to another's, or from constants.
type move struct {
	to, from int
	n        int32
	in       int32 // which input; -1 for the constants
}

// longestMove bounds a move, so that several workers share a large one.
const longestMove = 8192

// gatherStep makes moves, from x to y; an item is several.
type gatherStep struct {
	x      []*tensor
	y      *tensor
	moves  []move
	consts []float32
	// add: moves are added to what is there.
	add bool
	// alone: one worker makes all moves of an image, in their order.
	alone bool

	// cuts are where items begin in moves.
	cuts []int
}

// movesOf are a gather's moves between tensors; lengths end at the borders of
// what is contiguous on both sides.
func movesOf(g *gather, x []*tensor, y *tensor) (list []move) {
	var begin []int
	total := 0
	for _, t := range x {
		begin = append(begin, total)
		total += t.Len()
	}
	for k, at := range g.from {
		m := move{to: y.floatAt(k), n: 1, in: -1, from: int(at) - total}
		if int(at) < total {
			in := len(begin) - 1
			for int(at) < begin[in] {
				in--
			}
			m.in, m.from = int32(in), x[in].floatAt(int(at)-begin[in])
		}
		if n := len(list) - 1; n >= 0 {
			if l := &list[n]; l.in == m.in && l.to+int(l.n) == m.to && l.from+int(l.n) == m.from && l.n < longestMove {
				l.n++
				continue
			}
		}
		list = append(list, m)
	}
	return list
}

// cut divides the moves into items.
func (s *gatherStep) cut() *gatherStep {
	floats := 0
	s.cuts = []int{0}
	for k, m := range s.moves {
		if floats += int(m.n) + 8; floats > longestMove && !s.alone {
			s.cuts, floats = append(s.cuts, k+1), 0
		}
	}
	if s.cuts[len(s.cuts)-1] != len(s.moves) {
		s.cuts = append(s.cuts, len(s.moves))
	}
	return s
}

func (pl *plan) gatherForward(op *gather, ly *layer) maker {
	s := &gatherStep{y: ly.out.t, consts: op.consts}
	for _, v := range ly.in {
		s.x = append(s.x, v.t)
	}
	s.moves = movesOf(op, s.x, s.y)
	return s.cut()
}

func (pl *plan) gatherBackward(op *gather, ly *layer) {
	dy := ly.out.pending
	var to []contribution
	var gs []*tensor
	for _, v := range ly.in {
		to = append(to, contribution{})
		gs = append(gs, v.g)
	}
	all := movesOf(op, gs, dy)
	begin := 0
	for k, v := range ly.in {
		to[k] = pl.contribute(v)
		n := v.shape.Len()
		seen, once, read := make([]bool, n), true, 0
		for _, at := range op.from {
			if e := int(at) - begin; e >= 0 && e < n {
				once = once && !seen[e]
				seen[e] = true
				read++
			}
		}
		begin += n
		pl.begin(to[k], once && read == n)
		s := &gatherStep{x: []*tensor{dy}, y: to[k].y, add: to[k].add != nil || !once, alone: !once}
		for _, m := range all {
			if int(m.in) == k {
				s.moves = append(s.moves, move{to: m.from, from: m.to, n: m.n})
			}
		}
		if len(s.moves) > 0 {
			pl.backward = append(pl.backward, s.cut())
		}
		if to[k].mask != nil {
			pl.backward = append(pl.backward, &addStep{y: to[k].y, a: to[k].y, mask: to[k].mask, hi: to[k].hi})
		}
	}
}

func (s *gatherStep) prepare(_ *fast, batch, _ int) []scheduled {
	return []scheduled{{s, batch * (len(s.cuts) - 1)}}
}

func (s *gatherStep) run(w *worker, unit int) {
	items := len(s.cuts) - 1
	image, item := unit/items, unit%items
	y := w.from(s.y, image)
	for _, m := range s.moves[s.cuts[item]:s.cuts[item+1]] {
		x := s.consts
		if m.in >= 0 {
			x = w.from(s.x[m.in], image)
		}
		src, dst := x[m.from:][:m.n], y[m.to:][:m.n]
		if !s.add {
			copy(dst, src)
			continue
		}
		for i, v := range src {
			dst[i] += v
		}
	}
}
