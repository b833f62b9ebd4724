// Package pytorch reads the checkpoints that torch.save writes, without running
// any of the code in them.
package pytorch

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sapf/models/format"
	"slices"
	"strings"
)

// Read reads the tensors of a PyTorch checkpoint: a state dict as
// torch.save writes it, in the zip format (1.6 and later) or the one before it,
// on its own or within a dictionary under state_dict, model or a similar name.
// No code of the file is run: classes are refused but for the few that tensors
// are made of.
func Read(source string, raw []byte) (*format.StateDict, error) {
	read := readLegacy
	if bytes.HasPrefix(raw, []byte("PK\x03\x04")) {
		read = readTorchZip
	}
	v, err := read(raw)
	if err == nil {
		var d *format.StateDict
		if d, err = stateDict(source, v, len(raw)); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("PyTorch checkpoint %s: %w", source, err)
}

// storage is the memory that tensors of a checkpoint are views of.
type storage struct {
	dtype string
	// size in entries, as the pickle claims it.
	size int
	raw  []byte
}

// tensorRef is a tensor before its storage is read.
type tensorRef struct {
	of            *storage
	offset        int
	shape, stride []int
}

// storageTypes maps torch's storage classes to the names of safetensors' types.
var storageTypes = map[string]string{
	"torch.FloatStorage": "F32", "torch.DoubleStorage": "F64", "torch.HalfStorage": "F16", "torch.BFloat16Storage": "BF16",
	"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ByteStorage": "U8", "torch.BoolStorage": "U8",
}

// forbidden are the modules whose functions no checkpoint has a use for: a file
// that names one is hostile, or broken, and refused.
var forbidden = []string{"os", "posix", "nt", "sys", "subprocess", "builtins", "__builtin__", "shutil", "socket", "runpy", "importlib", "pickle",
	"_pickle", "marshal", "ctypes", "types", "code", "pty", "operator", "functools", "webbrowser", "asyncio", "multiprocessing", "torch.hub", "torch.serialization"}

// harmless are the few builtins that are types of data.
var harmless = []string{"set", "frozenset", "list", "dict", "tuple", "int", "float", "bool", "str", "bytes", "bytearray", "complex", "slice", "range", "object"}

// torchClass resolves the classes that a checkpoint names. What calling one does
// is written here, in Go: a tensor's classes make tensors, all others (the
// argparse.Namespace of the training program, say) make a value that nobody asks
// for. Those that are no data at all are refused.
func torchClass(name string) (*pyClass, bool) {
	if _, ok := storageTypes[name]; ok {
		return &pyClass{name: name, call: func(pyTuple) (any, error) { return nil, errors.New("a storage is not called") }}, true
	}
	opaque := func(pyTuple) (any, error) { return pyOpaque{name}, nil }
	call := map[string]func(pyTuple) (any, error){
		"collections.OrderedDict":         func(pyTuple) (any, error) { return &pyDict{}, nil },
		"torch._utils._rebuild_tensor_v2": rebuildTensor,
		"torch._utils._rebuild_tensor":    rebuildTensor,
		"torch._utils._rebuild_parameter": firstArgument,
		"torch.nn.parameter.Parameter":    firstArgument,
		"torch.Size":                      opaque,
		"torch.device":                    opaque,
		"numpy.core.multiarray.scalar":    opaque,
		"numpy._core.multiarray.scalar":   opaque,
		"numpy.dtype":                     opaque,
		"_codecs.encode":                  opaque,
		"collections.defaultdict":         func(pyTuple) (any, error) { return &pyDict{}, nil },
		rebuildFromTypeName:               rebuildFromType,
	}[name]
	if call == nil {
		module, base := name, name
		if k := strings.LastIndexByte(name, '.'); k >= 0 {
			module, base = name[:k], name[k+1:]
		}
		builtin := module == "builtins" || module == "__builtin__"
		for _, f := range forbidden {
			if (module == f || strings.HasPrefix(module, f+".")) && !(builtin && slices.Contains(harmless, base)) {
				return nil, false
			}
		}
		if module == "torch" && strings.HasSuffix(base, "Storage") {
			return nil, false
		}
		call = func(pyTuple) (any, error) { return pyOpaque{name}, nil }
	}
	return &pyClass{name, call}, true
}

// firstArgument is what _rebuild_parameter(data, requires_grad, hooks) gives.
func firstArgument(args pyTuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("no argument")
	}
	return args[0], nil
}

const rebuildFromTypeName = "torch._tensor._rebuild_from_type_v2"

// rebuildFromType is _rebuild_from_type_v2(func, type, args, state).
func rebuildFromType(args pyTuple) (any, error) {
	if len(args) < 3 {
		return nil, fmt.Errorf("%d arguments, expected 4", len(args))
	}
	f, ok1 := args[0].(*pyClass)
	inner, ok2 := args[2].(pyTuple)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("arguments %T and %T", args[0], args[2])
	}
	if f.name == rebuildFromTypeName { // one within another, a million deep, would exhaust the stack
		return nil, errors.New("a call of itself")
	}
	return f.call(inner)
}

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride, ...).
func rebuildTensor(args pyTuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("%d arguments, expected at least 4", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := intTuple(args[2])
	stride, ok4 := intTuple(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(stride) || offset < 0 {
		return nil, errors.New("not a storage, an offset, a size and a stride")
	}
	return &tensorRef{s, int(offset), shape, stride}, nil
}

// maxDims bounds the dimensions of a tensor; convolutions have four.
const maxDims = 8

func intTuple(v any) ([]int, bool) {
	t, ok := v.(pyTuple)
	out := []int{}
	for _, x := range t {
		i, isInt := x.(int64)
		if !isInt || i < 0 || i > math.MaxInt32 {
			return nil, false
		}
		out = append(out, int(i))
	}
	return out, ok && len(out) <= maxDims
}

// newStorage reads the persistent id ("storage", class, key, location, size).
func newStorage(id any) (key string, s *storage, err error) {
	t, ok := id.(pyTuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return "", nil, errors.New("a persistent id that is not a storage")
	}
	class, ok1 := t[1].(*pyClass)
	key, ok2 := t[2].(string)
	size, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || size < 0 || storageTypes[class.name] == "" {
		return "", nil, errors.New("a storage without class, key or size")
	}
	if len(t) > 5 && t[5] != nil {
		return "", nil, errors.New("a view of a storage, as PyTorch 0.1 wrote it; save the file again with a later one")
	}
	return key, &storage{dtype: storageTypes[class.name], size: int(size)}, nil
}

// storageTable holds the storages of a checkpoint by key.
type storageTable map[string]*storage

// resolve makes unpickle's reader of persistent ids: a storage enters the table
// when it is first named, filled by fill if that is not nil.
func (t storageTable) resolve(fill func(key string, s *storage) error) func(id any) (any, error) {
	return func(id any) (any, error) {
		key, s, err := newStorage(id)
		if err != nil || t[key] != nil {
			return t[key], err
		}
		if fill != nil {
			if err := fill(key, s); err != nil {
				return nil, err
			}
		}
		t[key] = s
		return s, nil
	}
}

// dictKeys are the names under which training programs keep the weights.
var dictKeys = []string{"state_dict", "model_state_dict", "model", "net", "weights", "params", "ema", "state_dict_ema", "model_ema", "network"}

// tensorDict finds the dictionary of tensors in what a checkpoint holds.
func tensorDict(v any) (*pyDict, error) {
	if l, ok := v.(*pyList); ok && len(l.items) > 0 {
		v = l.items[0]
	}
	if object, ok := v.(pyOpaque); ok {
		return nil, &forbiddenError{object.class}
	}
	dict, ok := v.(*pyDict)
	if !ok {
		return nil, fmt.Errorf("holds a %T, expected a dictionary of tensors", v)
	}
	for range dictDepth {
		inner := dict.weights()
		if inner == nil {
			break
		}
		dict = inner
	}
	return dict, nil
}

// dictDepth is how deep the weights may lie within dictionaries.
const dictDepth = 3

// weights is the dictionary within d that has the weights, nil if there is none.
func (d *pyDict) weights() *pyDict {
	for _, key := range dictKeys {
		if inner, ok := d.get(key).(*pyDict); ok {
			return inner
		}
	}
	return nil
}

// viewOf names the first tensor that is a view of a storage, for messages.
func viewOf(v any, s *storage) string {
	if dict, err := tensorDict(v); err == nil {
		for i, value := range dict.values {
			name, isText := dict.keys[i].(string)
			if ref, ok := value.(*tensorRef); ok && isText && ref.of == s {
				return "tensor " + name
			}
		}
	}
	return "a tensor"
}

// stateDict reads the tensors in what a checkpoint holds. budget bounds the entries of all tensors together, which may
// share storages: a file has at least one byte for each.
func stateDict(source string, v any, budget int) (*format.StateDict, error) {
	dict, err := tensorDict(v)
	if err != nil {
		return nil, err
	}
	d := &format.StateDict{Source: source}
	for i, k := range dict.keys {
		name, isText := k.(string)
		ref, isTensor := dict.values[i].(*tensorRef)
		if !isText || !isTensor {
			continue
		}
		t, err := ref.read(budget)
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		budget -= len(t.Data)
		t.Name = name
		d.Tensors = append(d.Tensors, t)
	}
	if len(d.Tensors) == 0 {
		for _, key := range dictKeys { // a whole network in place of its weights
			if object, ok := dict.get(key).(pyOpaque); ok {
				return nil, &forbiddenError{object.class}
			}
		}
		return nil, fmt.Errorf("no tensors in its dictionary of %d entries", len(dict.keys))
	}
	return d, nil
}

// read copies the view out of its storage.
func (r *tensorRef) read(budget int) (format.Tensor, error) {
	width := int(format.Width[r.of.dtype])
	have := len(r.of.raw) / width
	if have != r.of.size || len(r.of.raw)%width != 0 {
		return format.Tensor{}, fmt.Errorf("storage has %d bytes, expected %d entries of %d", len(r.of.raw), r.of.size, width)
	}
	n, err := format.CheckShape(r.shape, budget)
	if err != nil {
		return format.Tensor{}, err
	}
	last := r.offset
	for i, d := range r.shape {
		if d > 0 {
			last += (d - 1) * r.stride[i]
		}
	}
	if n > 0 && (r.offset > have || last >= have || last < 0) {
		return format.Tensor{}, fmt.Errorf("shape %v, stride %v, offset %d reach entry %d of %d", r.shape, r.stride, r.offset, last, have)
	}
	t := format.Tensor{Shape: r.shape}
	if n == 0 {
		return t, nil
	}
	if r.contiguous() {
		t.Data = format.Decode(r.of.dtype, r.of.raw[r.offset*width:(r.offset+n)*width])
		return t, nil
	}
	t.Data = make([]float32, 0, n)
	index := make([]int, len(r.shape))
	for range n {
		at := r.offset
		for i, k := range index {
			at += k * r.stride[i]
		}
		t.Data = append(t.Data, format.Decode(r.of.dtype, r.of.raw[at*width:(at+1)*width])[0])
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < r.shape[i] {
				break
			}
			index[i] = 0
		}
	}
	return t, nil
}

// contiguous reports whether the view's entries lie one after another.
func (r *tensorRef) contiguous() bool {
	step := 1
	for i := len(r.shape) - 1; i >= 0; i-- {
		if r.shape[i] != 1 && r.stride[i] != step {
			return false
		}
		step *= r.shape[i]
	}
	return step > 0
}
