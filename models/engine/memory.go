package engine

import (
	"slices"
	"unsafe"
)

// aligned makes n floats that begin on a cache line, on huge pages as far as they
// fill some: a step walks through megabytes of weights and activations, and page
// tables of small pages would be a good part of what it reads. Few begin on a huge
// page; beside many, small ones at the ends do not count.
func aligned(n int) []float32 {
	to := lineFloats
	if n >= hugeFloats && n <= slabFloats {
		to = hugeFloats
	}
	v := make([]float32, n+to)
	v = v[before(v, to):][:n:n]
	if n >= hugeFloats {
		first := before(v, hugeFloats)
		adviseHuge(v[first : first+(n-first)/hugeFloats*hugeFloats])
	}
	return v
}

// before is how many floats come before the next multiple of so many.
func before(v []float32, to int) int {
	at := int(uintptr(unsafe.Pointer(&v[0])) / 4 % uintptr(to))
	return (to - at) % to
}

// hugeFloats is a huge page of 2 MB.
const hugeFloats = 2 << 20 / 4

// slab hands out the memory of weights, which lie next to each other.
type slab struct {
	rests [][]float32
	total int
}

// A slab takes 4 MB at first, then an eighth of what it has, up to 16 MB. Who
// wants as much as the first has memory of its own, without a rest.
const slabFloats, slabShare, slabMost = 2 * hugeFloats, 8, 8 * hugeFloats

// take makes n zeros that begin on a cache line.
func (s *slab) take(n int) []float32 {
	whole := roundUp(n, lineFloats)
	if whole >= slabFloats {
		s.total += whole
		return aligned(whole)[:n:n]
	}
	at := slices.IndexFunc(s.rests, func(r []float32) bool { return len(r) >= whole })
	if at < 0 {
		size := roundUp(max(slabFloats, min(s.total/slabShare, slabMost)), lineFloats)
		at, s.total = len(s.rests), s.total+size
		s.rests = append(s.rests, aligned(size))
	}
	v := s.rests[at][:n:n]
	s.rests[at] = s.rests[at][whole:]
	return v
}
