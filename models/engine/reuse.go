package engine

import "slices"

// Tensors that nobody reads any more leave their memory to others. What only the
// forward pass uses is free in the backward pass; what the backward pass reads of
// the forward pass stays until the next, since a caller may go back several times.

// lifetime is when a tensor's memory is in use, in steps of both passes.
type lifetime struct {
	t        *tensor
	from, to int
	floats   int
	at       int
}

// reusable reports a tensor without zeros that are written once and for all:
// halos, padding, gradients that nobody computes.
func (t *tensor) reusable() bool {
	return t.halo == (Padding{}) && t.cs == t.C && !t.zero
}

// layout places the tensors in the arena, floats long, images(t) images each.
// times has, for each pass, the time of every maker: makers that run together
// have the same.
func (f *fast) layout(times [2][]int, images func(t *tensor) int) (at []int, floats int) {
	lives := make([]*lifetime, len(f.plan.tensors))
	forwards := 0
	for _, t := range times[0] {
		forwards = max(forwards, t+1)
	}
	both := make([][2]bool, len(lives)) // read or written in the forward pass, in the backward pass
	for pass, makers := range [][]maker{f.plan.forward, f.plan.backward} {
		for k, m := range makers {
			ts, _ := m.(operator).operands()
			for _, t := range ts {
				if t == nil {
					continue
				}
				now := times[pass][k] + pass*forwards
				if lives[t.id] == nil {
					lives[t.id] = &lifetime{t: t, from: now}
				}
				lives[t.id].to = max(lives[t.id].to, now)
				both[t.id][pass] = true
			}
		}
	}
	const end = 1 << 40
	at = make([]int, len(lives))
	var moving []*lifetime
	for id, t := range f.plan.tensors {
		s := lives[id]
		if s == nil || f.passing[id] || !t.reusable() {
			at[id] = floats
			floats += t.size * images(t)
			continue
		}
		if s.floats = t.size * images(t); both[id][0] && both[id][1] {
			s.to = end
		}
		moving = append(moving, s)
	}
	slices.SortStableFunc(moving, func(a, b *lifetime) int { return b.floats - a.floats })
	begin := floats
	var placed []*lifetime // by place
	for _, s := range moving {
		s.at = begin
		for _, o := range placed {
			if o.from <= s.to && s.from <= o.to && o.at < s.at+s.floats && s.at < o.at+o.floats {
				s.at = o.at + o.floats
			}
		}
		k, _ := slices.BinarySearchFunc(placed, s, func(o, s *lifetime) int { return o.at - s.at })
		placed = slices.Insert(placed, k, s)
		at[s.t.id] = s.at
		floats = max(floats, s.at+s.floats)
	}
	return at, floats
}
