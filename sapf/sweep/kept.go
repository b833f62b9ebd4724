package sweep

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Kept is an outcome as it is kept: the record, and the entries of the
// adversarial image that differ from the image's, with their values. Both make
// the outcome whole again, but for what only the method has to tell.
type Kept struct {
	Record  Record    `json:"record"`
	Indices []int     `json:"indices"`
	Values  []float32 `json:"values"`
	// Seconds are the record's, not rounded.
	Seconds float64 `json:"seconds"`
	// Provenance says where and by what the outcome was made.
	Provenance Provenance `json:"provenance"`
}

// The end of a kept outcome: the SHA-256 of everything before it.
const (
	sumStart = `"sha256":"`
	sumEnd   = "\"}\n"
	sumLen   = len(sumStart) + 2*sha256.Size + len(sumEnd)
)

// Encode writes a kept outcome as a JSON object of four lines: the record, the
// changed entries, seconds and provenance, and the SHA-256 of those three.
func Encode(k *Kept) ([]byte, error) {
	var b bytes.Buffer
	for i, part := range []struct {
		name  string
		value any
	}{{"record", k.Record}, {"indices", k.Indices}, {"values", k.Values}, {"seconds", k.Seconds}, {"provenance", k.Provenance}} {
		text, err := json.Marshal(part.value)
		if err != nil {
			return nil, fmt.Errorf("%s of %s on %s: %w", part.name, k.Record.Method, k.Record.Image, err)
		}
		open := ""
		if i == 0 {
			open = "{"
		}
		fmt.Fprintf(&b, "%s%q:%s,", open, part.name, text)
		if part.name != "indices" && part.name != "seconds" {
			b.WriteByte('\n')
		}
	}
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sumStart+hex.EncodeToString(sum[:])+sumEnd...), nil
}

// Check refuses what is not, to the last bit, what Encode wrote.
func Check(raw []byte) error {
	if len(raw) < sumLen {
		return fmt.Errorf("%d bytes without a checksum at the end: the file is torn", len(raw))
	}
	body, end := raw[:len(raw)-sumLen], raw[len(raw)-sumLen:]
	sum := sha256.Sum256(body)
	if string(end) != sumStart+hex.EncodeToString(sum[:])+sumEnd {
		return errors.New("the checksum does not fit: the file is damaged")
	}
	return nil
}

// Decode reads what Encode wrote.
func Decode(raw []byte) (*Kept, error) {
	if err := Check(raw); err != nil {
		return nil, err
	}
	k := &Kept{}
	if err := json.Unmarshal(raw, k); err != nil {
		return nil, err
	}
	if len(k.Indices) != len(k.Values) || k.Record.Method == "" {
		return nil, fmt.Errorf("%d indices and %d values of method %q, expected as many, of a method with a name", len(k.Indices), len(k.Values), k.Record.Method)
	}
	return k, nil
}

// DecodeRecord reads the record of what Encode wrote, and leaves the entries,
// which are most of it, alone.
func DecodeRecord(raw []byte) (Record, error) {
	if err := Check(raw); err != nil {
		return Record{}, err
	}
	line, _, _ := bytes.Cut(raw, []byte(",\n"))
	var k struct {
		Record Record `json:"record"`
	}
	err := json.Unmarshal(append(line[:len(line):len(line)], '}'), &k)
	return k.Record, err
}

// Digest is the SHA-256, in hex, of what a key decides of a kept outcome:
// everything but how long it took, where and by what it was made. Two runs of
// one key have one digest.
func Digest(raw []byte) (string, error) {
	k, err := Decode(raw)
	if err != nil {
		return "", err
	}
	k.Seconds, k.Record.Seconds, k.Provenance = 0, 0, Provenance{}
	text, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
