package format

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// ContentDigest is the SHA-256 of a text that goes with tensors and of all of them,
// names, shapes and numbers: what a file keeps beside the text, so that a bit that
// changed is noticed.
func ContentDigest(text []byte, d *StateDict) string {
	h := sha256.New()
	write := func(b []byte) {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	write(text)
	for _, t := range d.Tensors {
		write([]byte(t.Name))
		write(fmt.Append(nil, t.Shape))
		var buf []byte
		for _, v := range t.Data {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}
