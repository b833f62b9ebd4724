package sweep

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// keySchema changes with what a key is made of.
const keySchema = 1

// Key is the digest, in hex, of all that decides the outcome of a task: the
// method with every option resolved, the weights, the image, the goal and the
// numerics profile. Outcomes are kept under it, and random streams of a task
// may be drawn from it.
func Key(m attack.Classifier, t attack.Task) (string, error) {
	id, ok := m.(identified)
	if !ok {
		return "", fmt.Errorf("a %T has no digest to keep results under, expected a loaded model", m)
	}
	options, err := attack.Options(t.Attack)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{ // maps are written with their keys in order
		"schema": keySchema, "method": t.Attack.Name(), "options": options, "model": id.Card().SHA256,
		"image": imageDigest(t.Image), "label": t.Goal.Label, "target": t.Goal.Target,
		"profile": id.Profile().String(),
	})
	if err != nil {
		return "", fmt.Errorf("options of %s: %w", t.Attack.Name(), err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// imageDigest is the SHA-256 of the image's entries as little-endian float32.
func imageDigest(x data.Image) string {
	pixels := make([]byte, 0, 4*len(x.Pix))
	for _, v := range x.Pix {
		pixels = binary.LittleEndian.AppendUint32(pixels, math.Float32bits(v))
	}
	sum := sha256.Sum256(pixels)
	return hex.EncodeToString(sum[:])
}
