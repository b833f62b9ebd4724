package study

import "math"

// reluNet is Z = W2 max(W1 x + b1, 0) + b2, small enough to be solved exactly.
type reluNet struct {
	w1, w2 [][]float64
	b1, b2 []float64
}

// halfSpace is a'd <= c.
type halfSpace struct {
	a []float64
	c float64
}

// leastL2 is min ||d||_2 with at most k entries, x+d in [0,1], at which no class
// beats the target; infinite if there is none. It is exact: on each support and
// in each region where the same units are active the problem is to project 0
// onto a polyhedron, whose nearest point is the projection onto the
// intersection of some of its faces. All of these are tried, but for those that
// cannot be nearer than what is in hand.
func (m reluNet) leastL2(x []float64, target, k int) float64 {
	best := math.Inf(1)
	each(len(x), k, func(support []int) {
		for pattern := range 1 << len(m.b1) {
			if region, ok := m.region(x, target, support, pattern, best); ok {
				best = min(best, nearestPoint(region, len(support), best))
			}
		}
	})
	return best
}

// fewestEntries is the smallest k with a solution, of at most most; one more if
// there is none.
func (m reluNet) fewestEntries(x []float64, target, most int) int {
	for k := 1; k <= most; k++ {
		if !math.IsInf(m.leastL2(x, target, k), 1) {
			return k
		}
	}
	return most + 1
}

// each calls f with every subset of k of n, in order. f must not keep it.
func each(n, k int, f func(chosen []int)) {
	chosen := make([]int, 0, k)
	var choose func(from int)
	choose = func(from int) {
		if len(chosen) == k {
			f(chosen)
			return
		}
		for i := from; i <= n-(k-len(chosen)); i++ {
			chosen = append(chosen, i)
			choose(i + 1)
			chosen = chosen[:len(chosen)-1]
		}
	}
	choose(0)
}

// region is where the units of a pattern are active, the target wins and the
// image stays in the box, in the coordinates of a support. It reports whether
// the region may have a point nearer than best.
func (m reluNet) region(x []float64, target int, support []int, pattern int, best float64) ([]halfSpace, bool) {
	var out []halfSpace
	ok := true
	add := func(a []float64, c float64) {
		out = append(out, halfSpace{a, c})
		if length := norm(a); c < 0 && (length == 0 || -c/length > best) {
			ok = false
		}
	}
	classes := len(m.b2)
	slope, value := make([][]float64, classes), append([]float64(nil), m.b2...)
	for c := range slope {
		slope[c] = make([]float64, len(support))
	}
	for j, row := range m.w1 {
		z := m.b1[j] + dot(row, x)
		sign := 1.0 // inactive: z + a'd <= 0
		if pattern>>j&1 == 1 {
			sign = -1
		}
		a := make([]float64, len(support))
		for i, s := range support {
			a[i] = sign * row[s]
		}
		if add(a, -sign*z); !ok {
			return nil, false
		}
		if sign < 0 {
			for c := range slope {
				value[c] += float64(m.w2[c][j] * z)
				for i, s := range support {
					slope[c][i] += float64(m.w2[c][j] * row[s])
				}
			}
		}
	}
	for c := range slope {
		if c != target {
			a := make([]float64, len(support))
			for i := range a {
				a[i] = slope[c][i] - slope[target][i]
			}
			add(a, value[target]-value[c])
		}
	}
	for i, s := range support {
		up, down := make([]float64, len(support)), make([]float64, len(support))
		up[i], down[i] = 1, -1
		add(up, 1-x[s])
		add(down, x[s])
	}
	return out, ok
}

// nearestPoint is the distance of a polyhedron of the given dimension from 0, if
// that is less than best, else infinity.
func nearestPoint(region []halfSpace, dimension int, best float64) float64 {
	inside := true
	for _, h := range region {
		inside = inside && h.c >= 0
	}
	if inside {
		return 0
	}
	found := math.Inf(1)
	for size := 1; size <= dimension; size++ {
		each(len(region), size, func(faces []int) {
			violated := false // the nearest point lies on a face that 0 is beyond
			for _, f := range faces {
				violated = violated || region[f].c < 0
			}
			if !violated {
				return
			}
			d, ok := project(region, faces, dimension)
			if !ok {
				return
			}
			if length := norm(d); length < min(found, best) && holds(region, d) {
				found = length
			}
		})
	}
	return found
}

func holds(region []halfSpace, d []float64) bool {
	const tolerance = 1e-9
	for _, h := range region {
		if dot(h.a, d) > h.c+tolerance {
			return false
		}
	}
	return true
}

// project is the point nearest to 0 on the intersection of the faces' planes:
// d = A'y with A A' y = c, by elimination with pivots; false where the planes are
// not independent.
func project(region []halfSpace, faces []int, dimension int) ([]float64, bool) {
	const singular = 1e-12
	n := len(faces)
	rows := make([][]float64, n)
	for i, f := range faces {
		rows[i] = make([]float64, n+1)
		for j, g := range faces {
			rows[i][j] = dot(region[f].a, region[g].a)
		}
		rows[i][n] = region[f].c
	}
	for i := range rows {
		pivot := i
		for j := i; j < n; j++ {
			if math.Abs(rows[j][i]) > math.Abs(rows[pivot][i]) {
				pivot = j
			}
		}
		rows[i], rows[pivot] = rows[pivot], rows[i]
		if math.Abs(rows[i][i]) < singular {
			return nil, false
		}
		for j := range rows {
			if factor := rows[j][i] / rows[i][i]; j != i && factor != 0 {
				for c := i; c <= n; c++ {
					rows[j][c] -= float64(factor * rows[i][c])
				}
			}
		}
	}
	d := make([]float64, dimension)
	for i, f := range faces {
		y := rows[i][n] / rows[i][i]
		for j, a := range region[f].a {
			d[j] += float64(y * a)
		}
	}
	return d, true
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }
