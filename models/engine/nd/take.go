package nd

import "fmt"

// Take moves entries: entry k of the result is entry From[k] of the arguments,
// which are numbered through one after the other, or Fill where From[k] is
// negative. Transposes, slices, concatenations and padding are all this.
type Take struct {
	// Dims is the result's shape, whose length From has.
	Dims []int
	From []int32
	Fill float64
}

// Kind is "Take".
func (t *Take) Kind() string { return "Take" }

// Shape is Dims.
func (t *Take) Shape(in [][]int) ([]int, error) {
	total := 0
	for _, d := range in {
		total += Len(d)
	}
	if len(t.From) != Len(t.Dims) {
		return nil, fmt.Errorf("%d entries for shape %v", len(t.From), t.Dims)
	}
	for k, at := range t.From {
		if int(at) >= total {
			return nil, fmt.Errorf("entry %d is entry %d of %d", k, at, total)
		}
	}
	return t.Dims, nil
}

// Forward copies.
func (t *Take) Forward(in []Array, out Array) {
	if len(in) == 1 {
		x := in[0].Data
		for k, at := range t.From {
			if at >= 0 {
				out.Data[k] = x[at]
			} else {
				out.Data[k] = t.Fill
			}
		}
		return
	}
	for k, at := range t.From {
		if at < 0 {
			out.Data[k] = t.Fill
			continue
		}
		i, j := which(in, int(at))
		out.Data[k] = in[i].Data[j]
	}
}

// which finds the argument of an entry.
func which(in []Array, at int) (i, j int) {
	for n := Len(in[i].Dims); at >= n; n = Len(in[i].Dims) {
		at -= n
		i++
	}
	return i, at
}

// Backward adds up what each entry was copied to.
func (t *Take) Backward(in []Array, _, dout Array, din []Array) {
	for k, at := range t.From {
		if at < 0 {
			continue
		}
		i, j := which(in, int(at))
		if din[i].Data != nil {
			din[i].Data[j] += dout.Data[k]
		}
	}
}

// Reshape gives the entries, in their order, another shape.
type Reshape struct{ Dims []int }

// Kind is "Reshape".
func (f *Reshape) Kind() string { return "Reshape" }

// Shape is Dims.
func (f *Reshape) Shape(in [][]int) ([]int, error) {
	if err := arguments(in, 1); err != nil {
		return nil, err
	}
	if Len(in[0]) != Len(f.Dims) {
		return nil, fmt.Errorf("%v as %v", in[0], f.Dims)
	}
	return f.Dims, nil
}

// Forward copies.
func (f *Reshape) Forward(in []Array, out Array) { copy(out.Data, in[0].Data) }

// Backward adds.
func (f *Reshape) Backward(_ []Array, _, dout Array, din []Array) {
	for k := range din[0].Data {
		din[0].Data[k] += dout.Data[k]
	}
}
