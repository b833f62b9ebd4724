package engine

import "unsafe"

// aligned makes n floats that begin on a cache line, or on a huge page where
// they fill some: a step walks through megabytes of weights and activations,
// and page tables of small pages would be a good part of what it reads.
func aligned(n int) []float32 {
	to := lineFloats
	if n >= hugeFloats {
		to = hugeFloats
	}
	v := make([]float32, n+to)
	at := int(uintptr(unsafe.Pointer(&v[0])) / 4 % uintptr(to))
	v = v[(to-at)%to:][:n:n]
	if n >= hugeFloats {
		adviseHuge(v[:n/hugeFloats*hugeFloats])
	}
	return v
}

// hugeFloats is a huge page of 2 MB.
const hugeFloats = 2 << 20 / 4

// slab hands out the memory of weights, which lie next to each other.
type slab struct{ rest []float32 }

// slabFloats is what a slab takes at a time.
const slabFloats = 2 * hugeFloats

// take makes n zeros that begin on a cache line.
func (s *slab) take(n int) []float32 {
	whole := roundUp(n, lineFloats)
	if len(s.rest) < whole {
		s.rest = aligned(max(slabFloats, roundUp(whole, hugeFloats)))
	}
	v := s.rest[:n:n]
	s.rest = s.rest[whole:]
	return v
}
