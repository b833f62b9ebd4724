package format_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"sapf/models/format"
)

// dict is a small state dict of two tensors.
func dict() *format.StateDict {
	return &format.StateDict{Tensors: []format.Tensor{
		{Name: "a", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}},
		{Name: "b", Shape: []int{3}, Data: []float32{5, 6, 7}},
	}}
}

func encode(t testing.TB, d *format.StateDict) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := format.WriteSafetensors(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// safetensors builds a file of a header as given and n zero bytes.
func safetensors(header string, n int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, n)...)
}

func TestFailure30_Safetensors(t *testing.T) {
	good := encode(t, dict())
	if d, err := format.ReadSafetensors("x", good); err != nil || len(d.Tensors) != 2 || d.Tensors[1].Data[2] != 7 {
		t.Fatalf("a good file: %v, %v", d, err)
	}
	long := append([]byte(nil), good...)
	binary.LittleEndian.PutUint64(long, 1<<63)
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"empty":        {nil, "empty file"},
		"cut header":   {good[:20], "header length"},
		"cut body":     {good[:len(good)-1], "bytes"},
		"length 2^63":  {long, "header length"},
		"one over":     {append(append([]byte(nil), good...), 0), "belong to nobody"},
		"hole":         {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), "belong to nobody"},
		"overlap":      {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "overlaps"},
		"twice":        {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "twice"},
		"type":         {safetensors(`{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}`, 8), "C64"},
		"shape":        {safetensors(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "expected 12"},
		"overflow":     {safetensors(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}`, 8), "room"},
		"negative":     {safetensors(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "negative"},
		"backwards":    {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "bytes 8 to 0"},
		"unknown key":  {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), "unknown field"},
		"not JSON":     {safetensors(`{"a":`, 0), "header"},
		"two headers":  {safetensors(`{} {}`, 0), "after the closing brace"},
		"past the end": {safetensors(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, 8), "of 8"},
	} {
		_, err := format.ReadSafetensors("x", c.raw)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected it to say %q", name, err, c.says)
		}
	}
}

// The parser must refuse or read any bytes, without a panic and without
// allocating more than the bytes justify.

func FuzzSafetensors(f *testing.F) {
	var b bytes.Buffer
	if err := format.WriteSafetensors(&b, dict()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(safetensors(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}`, 4))
	f.Add(safetensors(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := format.ReadSafetensors("fuzz", raw)
		if err != nil {
			return
		}
		// What was read is written and read back as it is.
		var out bytes.Buffer
		if err := format.WriteSafetensors(&out, d); err != nil {
			t.Fatal(err)
		}
		again, err := format.ReadSafetensors("again", out.Bytes())
		if err != nil {
			t.Fatalf("written and refused: %v", err)
		}
		if len(again.Tensors) != len(d.Tensors) {
			t.Fatalf("%d tensors, then %d", len(d.Tensors), len(again.Tensors))
		}
	})
}
