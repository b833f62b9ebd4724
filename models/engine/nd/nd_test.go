package nd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// funcs has every operation, at shapes that exercise what is broadcast.
func funcs() map[string]struct {
	f  Func
	in [][]int
} {
	type row = struct {
		f  Func
		in [][]int
	}
	bhij, _ := ParseEinsum("bhid,bhjd->bhij", []int{4, 4})
	dots, _ := ParseEinsum("...ij,jk", []int{3, 2})
	diagonal, _ := ParseEinsum("ii->i", []int{2})
	rows := map[string]row{
		"where":      {Where{}, [][]int{{3, 1}, {2, 3, 4}, {4}}},
		"take":       {&Take{Dims: []int{2, 3}, From: []int32{5, 0, -1, 8, 6, 5}, Fill: 0.5}, [][]int{{2, 3}, {3}}},
		"reshape":    {&Reshape{[]int{6}}, [][]int{{2, 3}}},
		"takeOne":    {&Take{Dims: []int{4}, From: []int32{5, 0, -1, 5}}, [][]int{{2, 3}}},
		"softmax":    {&Softmax{Axes: []int{1}}, [][]int{{2, 3, 2}}},
		"softmax2":   {&Softmax{Axes: []int{1, 2}}, [][]int{{2, 3, 2}}},
		"logSoftmax": {&Softmax{Axes: []int{2}, Log: true}, [][]int{{2, 3, 4}}},
		"norm":       {&Norm{Axes: []int{1, 2}, Eps: 1e-3}, [][]int{{2, 3, 4}}},
		"normFirst":  {&Norm{Axes: []int{0}, Eps: 1e-3}, [][]int{{5, 2}}},
		"normRoot":   {&Norm{Axes: []int{1}, Eps: 1e-3, Root: true}, [][]int{{2, 3}}},
		"matMul":     {MatMul{}, [][]int{{2, 3}, {3, 4}}},
		"matMulLong": {MatMul{}, [][]int{{3, 9}, {9, 7}}},
		"matMulMany": {MatMul{}, [][]int{{2, 1, 2, 3}, {3, 3, 4}}},
		"einsum":     {bhij, [][]int{{2, 2, 3, 4}, {2, 2, 2, 4}}},
		"einsumDots": {dots, [][]int{{2, 2, 3}, {3, 4}}},
		"einsumDiag": {diagonal, [][]int{{3, 3}}},
		"mix":        {&Mix{Axis: 1, In: 3, Rows: [][]Share{{{0, 0.5}, {2, -1}}, {}, {{1, 2}}, {{1, 1}}}}, [][]int{{2, 3, 2}}},
	}
	for _, mode := range []string{"linear", "cubic", "nearest"} {
		for _, padding := range []string{"zeros", "border", "reflection"} {
			for _, align := range []bool{false, true} {
				rows[fmt.Sprint("gridSample", mode, padding, align)] = row{&GridSample{mode, padding, align}, [][]int{{2, 2, 3, 4}, {2, 2, 3, 2}}}
			}
		}
	}
	for _, smallest := range []bool{false, true} {
		rows[fmt.Sprint("topK", smallest)] = row{&TopK{1, 2, smallest}, [][]int{{2, 4, 3}}}
	}
	for name := range binaries {
		rows[name] = row{&Binary{name}, [][]int{{2, 1, 4}, {3, 1}}}
		rows[name+"Rank"] = row{&Binary{name}, [][]int{{4}, {2, 3, 4}}}
	}
	for _, name := range []string{"Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"} {
		rows["reduce"+name] = row{&Reduce{name, []int{0, 2}}, [][]int{{2, 3, 2}}}
		rows["reduceAll"+name] = row{&Reduce{name, []int{0, 1}}, [][]int{{2, 3}}}
		rows["reduceNone"+name] = row{&Reduce{name, nil}, [][]int{{2, 3}}}
	}
	return rows
}

// TestBackward holds every gradient against central differences.
func TestBackward(t *testing.T) {
	const h = 1e-6
	for name, c := range funcs() {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			dims, err := c.f.Shape(c.in)
			if err != nil {
				t.Fatal(err)
			}
			var in, din []Array
			for _, d := range c.in {
				x := Array{d, make([]float64, Len(d))}
				for k := range x.Data {
					x.Data[k] = 0.2 + 2*r.Float64()
					if name != "Pow" && name != "PowRank" && name != "reduceLogSum" && name != "reduceNoneLogSum" && r.IntN(2) == 0 {
						x.Data[k] = -x.Data[k]
					}
				}
				in, din = append(in, x), append(din, Array{d, make([]float64, Len(d))})
			}
			if name == "reduceAllLogSum" {
				in[0].Data[0] = 20
			}
			out := Array{dims, make([]float64, Len(dims))}
			dout := Array{dims, make([]float64, Len(dims))}
			for k := range dout.Data {
				dout.Data[k] = r.NormFloat64()
			}
			value := func() float64 {
				y := Array{dims, make([]float64, Len(dims))}
				c.f.Forward(in, y)
				sum := 0.0
				for k, v := range y.Data {
					sum += v * dout.Data[k]
				}
				return sum
			}
			c.f.Forward(in, out)
			c.f.Backward(in, out, dout, din)
			c.f.Backward(in, out, dout, make([]Array, len(in))) // nothing wanted
			for i, x := range in {
				for k, v := range x.Data {
					x.Data[k] = v + h
					up := value()
					x.Data[k] = v - h
					down := value()
					x.Data[k] = v
					if want := (up - down) / (2 * h); !(math.Abs(want-din[i].Data[k]) <= 1e-6*(1+math.Abs(want))) {
						t.Fatalf("argument %d entry %d: gradient %v, central difference %v", i, k, din[i].Data[k], want)
					}
				}
			}
		})
	}
}

// TestShapes: what does not fit is refused.
func TestShapes(t *testing.T) {
	for name, c := range map[string]struct {
		f  Func
		in [][]int
	}{
		"binary":  {&Binary{"Add"}, [][]int{{2}, {3}}},
		"unknown": {&Binary{"Plus"}, [][]int{{2}, {2}}},
		"matMul":  {MatMul{}, [][]int{{2, 3}, {2, 3}}},
		"axes":    {&Softmax{Axes: []int{2}}, [][]int{{2, 3}}},
		"twice":   {&Norm{Axes: []int{1, 1}}, [][]int{{2, 3}}},
		"take":    {&Take{Dims: []int{1}, From: []int32{6}}, [][]int{{2, 3}}},
		"length":  {&Take{Dims: []int{2}, From: []int32{1}}, [][]int{{2, 3}}},
		"mix":     {&Mix{Axis: 0, In: 3}, [][]int{{2, 3}}},
		"reduce":  {&Reduce{"Median", nil}, [][]int{{2, 3}}},
		"number":  {Where{}, [][]int{{2, 3}}},
		"grid":    {&GridSample{"linear", "zeros", false}, [][]int{{1, 3, 4, 4}, {1, 4, 4, 3}}},
		"mode":    {&GridSample{"quadratic", "zeros", false}, [][]int{{1, 3, 4, 4}, {1, 4, 4, 2}}},
		"padding": {&GridSample{"linear", "wrap", false}, [][]int{{1, 3, 4, 4}, {1, 4, 4, 2}}},
		"topK":    {&TopK{0, 3, false}, [][]int{{2, 3}}},
	} {
		if _, err := c.f.Shape(c.in); err == nil {
			t.Errorf("%s of %v is accepted", name, c.in)
		}
	}
}
