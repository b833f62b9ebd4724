package sapf

import (
	"fmt"
	"hash"
	"hash/fnv"
	"math"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"sapf/models"
)

// Margin is the hinge on logits of Carlini and Wagner (S&P 2017, f_6), the
// loss of the authors' program:
//
//	targeted    max(0, max_{j != t} Z_j - Z_t + kappa)
//	untargeted  max(0, Z_y - max_{j != y} Z_j + kappa)
//
// Targets are one-hot rows: t for a targeted attack, the label y for an
// untargeted one. Of equal logits the lowest index counts as the largest, and
// at a hinge of exactly 0 the gradient passes, as through PyTorch's clamp.
type Margin struct {
	// Confidence is kappa >= 0, in logits.
	Confidence float64
	// Untargeted makes the row's class the one to leave.
	Untargeted bool
}

// CrossEntropy is the loss of the paper (section 3.2): for a targeted attack
// the cross entropy -sum_j t_j log softmax(Z)_j, for an untargeted one its
// negative. Targets are one-hot rows, or weights that sum to 1.
type CrossEntropy struct {
	// Untargeted negates the loss.
	Untargeted bool
}

var (
	_ models.Loss = Margin{}
	_ models.Loss = CrossEntropy{}
	_ exampleLoss = Margin{}
	_ exampleLoss = CrossEntropy{}
)

// String names the loss with its parameters.
func (l Margin) String() string {
	return fmt.Sprintf("margin{confidence %v, %s}", l.Confidence, direction(l.Untargeted))
}

// String names the loss with its parameters.
func (l CrossEntropy) String() string { return fmt.Sprintf("ce{%s}", direction(l.Untargeted)) }

func direction(untargeted bool) string {
	if untargeted {
		return "untargeted"
	}
	return "targeted"
}

// Build returns the hinge of each example.
func (l Margin) Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return buildLoss(l, logits, targets)
}

// Build returns the cross entropy of each example.
func (l CrossEntropy) Build(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	return buildLoss(l, logits, targets)
}

// Example returns the hinge of one example and writes its gradient with
// respect to the logits to grad, unless grad is nil. All slices have one entry
// a class.
func (l Margin) Example(logits, target, grad []float64) float64 {
	clear(grad)
	own := argmax(target)
	other := largestBut(logits, own)
	up, down := other, own
	if l.Untargeted {
		up, down = own, other
	}
	hinge := logits[up] - logits[down] + l.Confidence
	if hinge < 0 {
		return 0
	}
	if grad != nil {
		grad[up], grad[down] = 1, -1
	}
	return hinge
}

// Example returns the cross entropy of one example and writes its gradient
// with respect to the logits, softmax(Z) - t, to grad, unless grad is nil.
func (l CrossEntropy) Example(logits, target, grad []float64) float64 {
	sign := 1.0
	if l.Untargeted {
		sign = -1
	}
	top := logits[argmax(logits)]
	sum := 0.0
	for _, z := range logits {
		sum += exp(z - top)
	}
	logSum := math.Log(sum)
	loss := 0.0
	for j, t := range target {
		if t != 0 {
			loss += float64(t * (logSum - (logits[j] - top)))
		}
	}
	if grad != nil {
		for j, z := range logits {
			grad[j] = sign * (exp(z-top)/sum - target[j])
		}
	}
	return sign * loss
}

// argmax returns the index of the largest entry, the lowest of equal ones.
func argmax(v []float64) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

// largestBut returns the index of the largest entry other than v[own].
func largestBut(v []float64, own int) int {
	best := -1
	for i, x := range v {
		if i != own && (best < 0 || x > v[best]) {
			best = i
		}
	}
	return best
}

// exp is e^x with every product rounded, so that it has the same bits on every
// machine (math.Exp uses fused multiply-adds where the processor has them).
// The reduced argument lies in +-ln(2)/2, where 13 terms of the series leave
// an error below one unit in the last place.
func exp(x float64) float64 {
	const (
		ln2High = 6.93147180369123816490e-01 // ln 2 to 32 bits: k*ln2High is exact
		ln2Low  = 1.90821492927058770002e-10
		terms   = 13
	)
	switch {
	case math.IsNaN(x):
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	k := math.Round(x / math.Ln2)
	r := x - float64(k*ln2High) - float64(k*ln2Low)
	sum := 1.0
	for n := float64(terms); n >= 1; n-- {
		sum = 1 + float64(r/n*sum)
	}
	return math.Ldexp(sum, int(k))
}

// exampleLoss is a loss written down for one example; lossOp and lossGradOp
// carry it into gorgonia's graph.
type exampleLoss interface {
	fmt.Stringer
	Example(logits, target, grad []float64) float64
}

func buildLoss(l exampleLoss, logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	if s, t := logits.Shape(), targets.Shape(); len(s) != 2 || !s.Eq(t) || s[1] < 2 {
		return nil, fmt.Errorf("%v: logits %v and targets %v, expected two matrices of batch x classes, at least 2 classes", l, s, t)
	}
	return gorgonia.ApplyOp(&lossOp{lossRows{loss: l}}, logits, targets)
}

// lossRows is what the loss and its gradient have in common: buffers for one
// row of each matrix in float64.
type lossRows struct {
	loss                 exampleLoss
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
