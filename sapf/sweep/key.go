package sweep

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"sapf/models/data"
	"sapf/sapf/attack"
)

// keySchema changes with what a key is made of.
const keySchema = 1

// Key is the digest, in hex, of all that decides the outcome of a task: the
// method with every option resolved, the weights, the image, the goal and the
// numerics profile. Outcomes are kept under it, and random streams of a task
// may be drawn from it.
//
// An attack that is not of this project must say which version it is (Versioned),
// and functions of the caller's among SAPF's settings have none: ErrNoKey.
func Key(m attack.Classifier, t attack.Task) (string, error) {
	version, err := versionOf(t.Attack)
	if err != nil {
		return "", err
	}
	id, ok := m.(identified)
	if !ok {
		return "", fmt.Errorf("a %T has no digest to keep results under, expected a loaded model", m)
	}
	options, err := attack.Options(t.Attack)
	if err != nil {
		return "", err
	}
	parts := map[string]any{ // maps are written with their keys in order
		"schema": keySchema, "method": t.Attack.Name(), "options": options, "model": id.Card().SHA256,
		"image": imageDigest(t.Image), "label": t.Goal.Label, "target": t.Goal.Target,
		"profile": id.Profile().String(),
	}
	if version != "" {
		parts["version"] = version
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("options of %s: %w", t.Attack.Name(), err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Versioned is an attack of somebody's own that says what it is: its source, or
// a digest of that, or a number that changes whenever it does.
type Versioned interface {
	attack.Attack
	Version() string
}

// ErrNoKey says that nothing tells what an attack will do, so that no result
// can be kept for it.
var ErrNoKey = errors.New("nothing says what the attack does, so that its results cannot be kept: give it a method Version that changes when it does")

// versionOf is "" for the attacks of this project, whose name and options say
// all.
func versionOf(a attack.Attack) (string, error) {
	if v, ok := a.(Versioned); ok {
		version := v.Version()
		if version == "" {
			return "", fmt.Errorf("%s: %w", a.Name(), ErrNoKey)
		}
		return version, nil
	}
	if own, ok := a.(interface{ Own() bool }); ok && own.Own() {
		return "", fmt.Errorf("%s with functions of your own: %w", a.Name(), ErrNoKey)
	}
	if IsOwn(a) {
		return "", fmt.Errorf("%s: %w", a.Name(), ErrNoKey)
	}
	return "", nil
}

// IsOwn reports whether an attack is somebody's own, not of this project, and
// does not say which version it is.
func IsOwn(a attack.Attack) bool {
	if _, ok := a.(Versioned); ok {
		return false
	}
	t := reflect.TypeOf(a)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path := t.PkgPath()
	return !strings.HasPrefix(path, "sapf/sapf") || strings.HasSuffix(path, "_test")
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
