package format

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"sapf/models/data"
	"sapf/models/plain"
)

// Limits of a safetensors file (github.com/huggingface/safetensors, "Format").
const (
	// maxSafetensorsHeader is the reference implementation's limit.
	maxSafetensorsHeader = 100_000_000
	maxTensors           = 100_000
)

// safetensorsEntry is what the header says of one tensor.
type safetensorsEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// ReadSafetensors parses a safetensors file: 8 bytes of header length, a JSON
// header, the tensors' bytes, little-endian. It refuses a file that is cut off,
// a header that runs past the end, names that appear twice, types it does not
// know, shapes that disagree with their bytes, holes, overlaps and bytes left
// over; it allocates no more than the file's size justifies. source is for
// messages.
func ReadSafetensors(source string, raw []byte) (*StateDict, error) {
	fail := func(format string, args ...any) (*StateDict, error) {
		return nil, fmt.Errorf("safetensors %s: %w", source, fmt.Errorf(format, args...))
	}
	if len(raw) < 8 {
		return fail("%d bytes, expected at least 8; it looks like %s", len(raw), data.Looks(raw))
	}
	n := binary.LittleEndian.Uint64(raw)
	switch broken := n > uint64(len(raw)-8) || n > maxSafetensorsHeader; {
	case broken && strings.HasPrefix(data.Looks(raw), "a safetensors"):
		return fail("header length %d in a file of %d bytes, expected up to %d: it is cut off or damaged", n, len(raw), min(len(raw)-8, maxSafetensorsHeader))
	case broken || n < 2 || raw[8] != '{':
		return fail("not a safetensors file: it looks like %s (header length %d, file %d bytes)", data.Looks(raw), n, len(raw))
	}
	d := &StateDict{Source: source}
	names, entries, err := parseHeader(raw[8:8+n], d)
	if err != nil {
		return fail("header: %w", err)
	}
	body := raw[8+n:]
	if err := tiles(names, entries, int64(len(body))); err != nil {
		return fail("%w", err)
	}
	for i, e := range entries {
		d.Tensors = append(d.Tensors, Tensor{Name: names[i], Shape: e.Shape, Data: Decode(e.DType, body[e.Offsets[0]:e.Offsets[1]])})
	}
	return d, nil
}

// parseHeader reads the JSON object by hand at its top level, so that a name
// that appears twice is noticed.
func parseHeader(header []byte, d *StateDict) (names []string, entries []safetensorsEntry, err error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if _, err := dec.Token(); err != nil { // the '{' seen before
		return nil, nil, err
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		name := key.(string)
		if seen[name] {
			return nil, nil, fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := dec.Decode(&d.Metadata); err != nil {
				return nil, nil, fmt.Errorf("__metadata__: %w", plain.BadJSON(err))
			}
			continue
		}
		if len(entries) == maxTensors {
			return nil, nil, fmt.Errorf("more than %d tensors", maxTensors)
		}
		var e safetensorsEntry
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, plain.BadJSON(err))
		}
		strict := json.NewDecoder(bytes.NewReader(raw))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, plain.BadJSON(err))
		}
		names, entries = append(names, name), append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	// Writers pad the header with spaces; anything else does not belong there.
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, fmt.Errorf("text after the closing brace")
	}
	return names, entries, nil
}

// tiles checks each tensor's bytes against its shape, and that the tensors
// cover the body's size bytes with no hole and no overlap.
func tiles(names []string, entries []safetensorsEntry, size int64) error {
	order := make([]int, len(entries))
	for i, e := range entries {
		order[i] = i
		width, ok := Width[e.DType]
		if !ok {
			return fmt.Errorf("tensor %s: type %q, expected one of %s", names[i], e.DType, strings.Join(slices.Sorted(maps.Keys(Width)), ", "))
		}
		lo, hi := e.Offsets[0], e.Offsets[1]
		if lo < 0 || hi < lo || hi > size {
			return fmt.Errorf("tensor %s: bytes %d to %d of %d", names[i], lo, hi, size)
		}
		n, err := CheckShape(e.Shape, int(size))
		if err != nil {
			return fmt.Errorf("tensor %s: %w", names[i], err)
		}
		if int64(n)*width != hi-lo {
			return fmt.Errorf("tensor %s: %d bytes, expected %d for %s of shape %v", names[i], hi-lo, int64(n)*width, e.DType, e.Shape)
		}
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := entries[order[a]].Offsets, entries[order[b]].Offsets
		return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
	})
	end, last := int64(0), "the header"
	for _, i := range order {
		switch lo := entries[i].Offsets[0]; {
		case lo < end:
			return fmt.Errorf("tensor %s overlaps %s by %d bytes", names[i], last, end-lo)
		case lo > end:
			return fmt.Errorf("%d bytes between %s and tensor %s belong to nobody", lo-end, last, names[i])
		}
		end, last = entries[i].Offsets[1], names[i]
	}
	if end != size {
		return fmt.Errorf("%d bytes after %s belong to nobody", size-end, last)
	}
	return nil
}

// WriteSafetensors writes a state dict as float32 in its own order. Equal
// dicts give equal bytes.
func WriteSafetensors(w io.Writer, d *StateDict) error {
	var header bytes.Buffer
	header.WriteByte('{')
	put := func(name string, v any) error {
		if header.Len() > 1 {
			header.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v) // sorts the keys of a map
		header.Write(key)
		header.WriteByte(':')
		header.Write(value)
		return err
	}
	if len(d.Metadata) > 0 {
		if err := put("__metadata__", d.Metadata); err != nil {
			return err
		}
	}
	at := int64(0)
	for _, t := range d.Tensors {
		end := at + 4*int64(len(t.Data))
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		if err := put(t.Name, safetensorsEntry{"F32", shape, [2]int64{at, end}}); err != nil {
			return fmt.Errorf("write safetensors: tensor %s: %w", t.Name, err)
		}
		at = end
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(header.Len())); err != nil {
		return err
	}
	if _, err := w.Write(header.Bytes()); err != nil {
		return err
	}
	var buf []byte
	for _, t := range d.Tensors {
		buf = buf[:0]
		for _, v := range t.Data {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
