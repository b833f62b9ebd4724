package onnx_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"sapf/models/format/onnx"
)

// outside is a TensorProto whose numbers lie in another file.
func outside(name string, entries map[string]string, dims ...int64) message {
	t := tensor(name, 1, nil, dims...)
	for _, key := range []string{"location", "offset", "length", "checksum"} {
		if v, ok := entries[key]; ok {
			t = t.bytes(13, message{}.text(1, key).text(2, v))
		}
	}
	return protowire.AppendVarint(protowire.AppendTag(t, 14, protowire.VarintType), 1)
}

// weightsOutside is a network whose weights are entries 1 to 6 of w.bin.
func weightsOutside(entries map[string]string) []byte {
	return file(parts{nodes: append([]message{xToH}, head()...), weights: []message{outside("w", entries, 2, 3), headWeights()[1]}})
}

// TestFilesOfWindows: a file beside that is named with backslashes is found.
func TestFilesOfWindows(t *testing.T) {
	raw := weightsOutside(map[string]string{"location": `data\w.bin`})
	open := func(name string) ([]byte, error) {
		if name != "data/w.bin" {
			return nil, errors.New("no " + name)
		}
		return floats(1, 0, 0, 0, 1, 0.5), nil
	}
	if _, err := onnx.Read("net.onnx", raw, onnx.Options{Data: open}); err != nil {
		t.Error(err)
	}
	if _, err := onnx.Read("net.onnx", weightsOutside(map[string]string{"location": `other\w.bin`}), onnx.Options{Data: open}); err == nil || !strings.Contains(err.Error(), `no other\w.bin`) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzOutside: whatever a file says of the numbers beside it, and whatever lies
// there, it is read or refused.
func FuzzOutside(f *testing.F) {
	numbers := floats(9, 1, 0, 0, 0, 1, 0.5)
	for _, e := range []map[string]string{
		{"location": "w.bin", "offset": "4", "length": "24"}, {"location": "w.bin"}, {"location": "../w.bin"}, {"location": "w.bin", "offset": "9223372036854775807"},
		{"location": "w.bin", "offset": "-4"}, {"location": "w.bin", "length": "18446744073709551615"}, {"location": "w.bin", "offset": "4", "length": "24", "checksum": "00"},
	} {
		f.Add(weightsOutside(e), numbers)
	}
	f.Fuzz(func(t *testing.T, raw, beside []byte) {
		c, err := onnx.Read("fuzz", raw, onnx.Options{Data: func(string) ([]byte, error) { return beside, nil }})
		if err != nil {
			return
		}
		if _, err := c.Net.Shapes(); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
	})
}
