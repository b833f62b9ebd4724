package lpbox

import (
	"cmp"
	"fmt"
	"slices"
)

// Entry is one number of a matrix.
type Entry struct {
	Row, Col int
	Value    float64
}

// Sparse is a matrix of Rows x Cols in compressed rows. The zero value is the
// empty matrix: no constraints, no quadratic term.
type Sparse struct {
	Rows, Cols int
	start      []int // of each row in column and value, length Rows+1
	column     []int
	value      []float64
}

// NewSparse makes a matrix of its entries; those at one place are added, in
// the order given.
func NewSparse(rows, cols int, entries []Entry) (Sparse, error) {
	m := Sparse{Rows: rows, Cols: cols, start: make([]int, rows+1)}
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col)) })
	for i, e := range sorted {
		if e.Row < 0 || e.Row >= rows || e.Col < 0 || e.Col >= cols {
			return Sparse{}, fmt.Errorf("entry (%d,%d) of a %dx%d matrix", e.Row, e.Col, rows, cols)
		}
		if i > 0 && e.Row == sorted[i-1].Row && e.Col == sorted[i-1].Col {
			m.value[len(m.value)-1] += e.Value
			continue
		}
		m.column, m.value = append(m.column, e.Col), append(m.value, e.Value)
		m.start[e.Row+1] = len(m.value)
	}
	for r := range rows {
		m.start[r+1] = max(m.start[r+1], m.start[r])
	}
	return m, nil
}

// Dense makes a matrix of its rows.
func Dense(rows [][]float64) (Sparse, error) {
	var entries []Entry
	cols := 0
	for i, row := range rows {
		cols = max(cols, len(row))
		for j, v := range row {
			if v != 0 {
				entries = append(entries, Entry{i, j, v})
			}
		}
	}
	return NewSparse(len(rows), cols, entries)
}

// Mul returns m x.
func (m Sparse) Mul(x []float64) []float64 {
	out := make([]float64, m.Rows)
	m.addMul(out, 1, x)
	return out
}

// addMul adds scale * m x to dst.
func (m Sparse) addMul(dst []float64, scale float64, x []float64) {
	for r := range m.Rows {
		s := 0.0
		for i := m.start[r]; i < m.start[r+1]; i++ {
			s += float64(m.value[i] * x[m.column[i]])
		}
		dst[r] += float64(scale * s)
	}
}

// addMulTrans adds scale * m' y to dst.
func (m Sparse) addMulTrans(dst []float64, scale float64, y []float64) {
	for r := range m.Rows {
		s := scale * y[r]
		for i := m.start[r]; i < m.start[r+1]; i++ {
			dst[m.column[i]] += float64(m.value[i] * s)
		}
	}
}
