package dsl

import (
	"fmt"
	"math"

	"sapf/sapf"
)

// Vec is a vector of N entries in C, H, W order, as the paper writes delta, G,
// the copies Y and the multipliers Z. Its methods return new vectors.
type Vec []float64

// Plus is v + u.
func (v Vec) Plus(u Vec) Vec { return v.zip("Plus", u, func(a, b float64) float64 { return a + b }) }

// Minus is v - u.
func (v Vec) Minus(u Vec) Vec { return v.zip("Minus", u, func(a, b float64) float64 { return a - b }) }

// Had is the entrywise product of v and u.
func (v Vec) Had(u Vec) Vec { return v.zip("Had", u, func(a, b float64) float64 { return a * b }) }

// Times is s*v.
func (v Vec) Times(s float64) Vec {
	out := make(Vec, len(v))
	for i, a := range v {
		out[i] = s * a
	}
	return out
}

// Shift is v with c added to every entry.
func (v Vec) Shift(c float64) Vec {
	out := make(Vec, len(v))
	for i, a := range v {
		out[i] = a + c
	}
	return out
}

// Dot is the inner product of v and u.
func (v Vec) Dot(u Vec) float64 { return v.Had(u).Sum() }

// Sum adds the entries, first to last.
func (v Vec) Sum() float64 {
	s := 0.0
	for _, a := range v {
		s += a
	}
	return s
}

// Norm is the l2 norm.
func (v Vec) Norm() float64 {
	s := 0.0
	for _, a := range v {
		s += float64(a * a)
	}
	return math.Sqrt(s)
}

// MaxAbs is the linf norm.
func (v Vec) MaxAbs() float64 {
	m := 0.0
	for _, a := range v {
		m = max(m, math.Abs(a))
	}
	return m
}

// Above counts the entries greater than t.
func (v Vec) Above(t float64) int {
	n := 0
	for _, a := range v {
		if a > t {
			n++
		}
	}
	return n
}

// String shows the length and the first entries.
func (v Vec) String() string {
	if len(v) <= 6 {
		return fmt.Sprintf("%d entries %.4g", len(v), []float64(v))
	}
	return fmt.Sprintf("%d entries %.4g ...", len(v), []float64(v[:6]))
}

func (v Vec) zip(verb string, u Vec, f func(a, b float64) float64) Vec {
	if len(v) != len(u) {
		fail("Vec."+verb, fmt.Errorf("a vector of %d entries with one of %d", len(v), len(u)))
	}
	out := make(Vec, len(v))
	for i, a := range v {
		out[i] = f(a, u[i])
	}
	return out
}

// ProjectBox is eq. 11: the nearest point of [0,1]^N.
func ProjectBox(v Vec) Vec { return Vec(sapf.ProjectBox(v)) }

// ProjectSphere is eq. 13: the nearest point of the sphere around (1/2, ...,
// 1/2) through the corners of the box, of radius sqrt(N)/2.
func ProjectSphere(v Vec) Vec { return Vec(sapf.ProjectSphere(v)) }

// ProjectTopK is the nearest binary vector with exactly k ones: 1 at the k
// largest entries, the first of equals first.
func ProjectTopK(v Vec, k int) Vec {
	if k < 0 || k > len(v) {
		fail("ProjectTopK", fmt.Errorf("k is %d, expected 0 to %d", k, len(v)))
	}
	return Vec(sapf.ProjectTopK(v, k))
}
