package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"math"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Loss is a loss written down for one example, with its gradient.
type Loss interface {
	// Example returns the loss and writes its gradient with respect to the
	// logits to grad, unless grad is nil. All slices have one entry a class.
	Example(logits, target, grad []float64) float64
	// String names the loss and its parameters. Equal strings mean equal losses.
	String() string
}

// NodeLoss is a Loss that is put on the graph by its own gorgonia nodes, which
// gorgonia differentiates, in place of Example.
type NodeLoss interface {
	Loss
	// Build returns one loss per example (a vector of length batch) from the
	// logits and the targets (both batch x classes).
	Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error)
}

// build puts the loss on the graph: by its own nodes, or as one Op.
func build(l Loss, logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if b, ok := l.(NodeLoss); ok {
		return b.Build(logits, targets)
	}
	return Rows(l, logits, targets)
}

// Rows puts a loss on the graph as one Op whose gradient is another: a vector of
// length batch from the logits and targets, both batch x classes, in float32 or
// float64.
func Rows(l Loss, logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if s, t := logits.Shape(), targets.Shape(); len(s) != 2 || !s.Eq(t) || s[1] < 2 {
		return nil, fmt.Errorf("%v: logits %v and targets %v, expected two matrices of batch x classes, at least 2 classes", l, s, t)
	}
	return gorgonia.ApplyOp(&lossOp{lossRows{loss: l}}, logits, targets)
}

// lossRows is what the loss and its gradient have in common: buffers for one
// row of each matrix in float64.
type lossRows struct {
	loss                 Loss
	logits, target, grad []float64
}

func (r *lossRows) ReturnsPtr() bool     { return true }
func (r *lossRows) CallsExtern() bool    { return false }
func (r *lossRows) OverwritesInput() int { return -1 }

// each calls f with row i of the matrices in float64.
func (r *lossRows) each(logits, targets gorgonia.Value, f func(i int)) error {
	z, ok1 := logits.(*tensor.Dense)
	t, ok2 := targets.(*tensor.Dense)
	if !ok1 || !ok2 || z.Dims() != 2 || !z.Shape().Eq(t.Shape()) || z.Dtype() != t.Dtype() {
		return fmt.Errorf("%v: logits %T and targets %T, expected two matrices of one shape and type", r.loss, logits, targets)
	}
	rows, classes := z.Shape()[0], z.Shape()[1]
	if len(r.logits) != classes {
		r.logits, r.target, r.grad = make([]float64, classes), make([]float64, classes), make([]float64, classes)
	}
	for i := range rows {
		if err := readRow(r.logits, z, i); err != nil {
			return err
		}
		if err := readRow(r.target, t, i); err != nil {
			return err
		}
		f(i)
	}
	return nil
}

func readRow(row []float64, m *tensor.Dense, i int) error {
	switch data := m.Data().(type) {
	case []float64:
		copy(row, data[i*len(row):])
	case []float32:
		for j := range row {
			row[j] = float64(data[i*len(row)+j])
		}
	default:
		return fmt.Errorf("loss of a %v matrix, expected float32 or float64", m.Dtype())
	}
	return nil
}

// lossOp maps logits and targets (batch x classes) to one loss per example.
type lossOp struct{ lossRows }

func (op *lossOp) Arity() int { return 2 }

func (op *lossOp) Type() hm.Type {
	a := hm.TypeVariable('a')
	return hm.NewFnType(matrixOf(a), matrixOf(a), gorgonia.TensorType{Dims: 1, Of: a})
}

func matrixOf(a hm.Type) hm.Type { return gorgonia.TensorType{Dims: 2, Of: a} }

func (op *lossOp) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	batch, err := in[0].DimSize(0)
	return tensor.Shape{batch}, err
}

func (op *lossOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	m, ok := in[0].(*tensor.Dense)
	if !ok {
		return nil, fmt.Errorf("%v: logits are a %T, expected a matrix", op.loss, in[0])
	}
	return op.UsePreallocDo(tensor.New(tensor.Of(m.Dtype()), tensor.WithShape(m.Shape()[0])), in...)
}

// UsePreallocDo is Do into a vector that exists already.
func (op *lossOp) UsePreallocDo(out gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	err := op.each(in[0], in[1], func(i int) {
		store(out, i, op.loss.Example(op.logits, op.target, nil))
	})
	return out, err
}

func (op *lossOp) DiffWRT(int) []bool { return []bool{true, false} }

func (op *lossOp) SymDiff(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	d, err := gorgonia.ApplyOp(&lossGradOp{lossRows{loss: op.loss}}, in[0], in[1], grad)
	return gorgonia.Nodes{d, nil}, err
}

func (op *lossOp) String() string        { return op.loss.String() }
func (op *lossOp) WriteHash(h hash.Hash) { fmt.Fprint(h, op.String()) }
func (op *lossOp) Hashcode() uint32      { return hashString(op.String()) }

// lossGradOp maps logits, targets and the gradient of each example's loss to
// the gradient with respect to the logits.
type lossGradOp struct{ lossRows }

func (op *lossGradOp) Arity() int { return 3 }

func (op *lossGradOp) Type() hm.Type {
	a := hm.TypeVariable('a')
	return hm.NewFnType(matrixOf(a), matrixOf(a), gorgonia.TensorType{Dims: 1, Of: a}, matrixOf(a))
}

func (op *lossGradOp) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	batch, err := in[0].DimSize(0)
	if err != nil {
		return nil, err
	}
	classes, err := in[0].DimSize(1)
	return tensor.Shape{batch, classes}, err
}

func (op *lossGradOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	m, ok := in[0].(*tensor.Dense)
	if !ok {
		return nil, fmt.Errorf("%v: logits are a %T, expected a matrix", op, in[0])
	}
	return op.UsePreallocDo(tensor.New(tensor.Of(m.Dtype()), tensor.WithShape(m.Shape().Clone()...)), in...)
}

// UsePreallocDo is Do into a matrix that exists already.
func (op *lossGradOp) UsePreallocDo(out gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	err := op.each(in[0], in[1], func(i int) {
		op.loss.Example(op.logits, op.target, op.grad)
		up := load(in[2], i)
		for j, g := range op.grad {
			store(out, i*len(op.grad)+j, up*g)
		}
	})
	return out, err
}

func (op *lossGradOp) String() string        { return "d " + op.loss.String() }
func (op *lossGradOp) WriteHash(h hash.Hash) { fmt.Fprint(h, op.String()) }
func (op *lossGradOp) Hashcode() uint32      { return hashString(op.String()) }

// store and load reach entry i of a tensor's memory, whatever its float type.
func store(v gorgonia.Value, i int, x float64) {
	switch data := v.Data().(type) {
	case []float64:
		data[i] = x
	case []float32:
		data[i] = float32(x)
	}
}

func load(v gorgonia.Value, i int) float64 {
	switch data := v.Data().(type) {
	case []float64:
		return data[i]
	case []float32:
		return float64(data[i])
	case float64: // a batch of one may arrive as a scalar
		return data
	case float32:
		return float64(data)
	}
	return math.NaN()
}

func hashString(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}
