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

// Determinants are all that decides the outcome of a task.
type Determinants struct {
	// Method is the attack's name, Version what it says of its code (VersionOf),
	// Options every one, resolved.
	Method, Version string
	Options         map[string]any
	// Model and Image are the SHA-256 of the weights and of the image's entries
	// (ImageDigest).
	Model, Image string
	// Loaded says how the weights were loaded (models.Card), "" for as they are.
	Loaded string
	// Label and Target are the goal's.
	Label, Target int
	// Profile is the numerics profile.
	Profile string
}

// Key is the digest of the determinants, in hex. Outcomes are kept under it, and
// random streams of a task may be drawn from it.
func (d Determinants) Key() (string, error) {
	parts := map[string]any{ // maps are written with their keys in order
		"schema": keySchema, "method": d.Method, "options": d.Options, "model": d.Model,
		"image": d.Image, "label": d.Label, "target": d.Target, "profile": d.Profile,
	}
	if d.Loaded != "" {
		parts["loaded"] = d.Loaded
	}
	if d.Version != "" {
		parts["version"] = d.Version
	}
	text, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("options of %s: %w", d.Method, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Key is the key of a task on a classifier, which must be a loaded model: the
// method with every option resolved, the weights, the image, the goal and the
// numerics profile decide it.
//
// An attack that is not of this project must say which version it is (Versioned),
// and functions of the caller's among SAPF's settings have none: ErrNoKey.
func Key(m attack.Classifier, t attack.Task) (string, error) {
	version, err := VersionOf(t.Attack)
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
	return Determinants{
		Method: t.Attack.Name(), Version: version, Options: options, Model: id.Card().SHA256, Loaded: id.Card().Loaded,
		Image: ImageDigest(t.Image), Label: t.Goal.Label, Target: t.Goal.Target, Profile: id.Profile().String(),
	}.Key()
}

// ValidKey reports whether a word has the form of a key: names of results that
// come from elsewhere are looked at before they become files.
func ValidKey(key string) bool {
	raw, err := hex.DecodeString(key)
	return err == nil && len(raw) == sha256.Size && hex.EncodeToString(raw) == key
}

// Versioned is an attack that says what it is: somebody's own its source, or a
// digest of that, or a number that changes whenever it does; one of this project,
// once its results have changed, a number. Results of different versions are not
// mixed: the version is part of their keys.
type Versioned interface {
	attack.Attack
	Version() string
}

// ErrNoKey says that nothing tells what an attack will do, so that no result
// can be kept for it.
var ErrNoKey = errors.New("nothing says what the attack does, so that its results cannot be kept: give it a method Version that changes when it does")

// VersionOf is "" for the attacks of this project, whose name and options say
// all.
func VersionOf(a attack.Attack) (string, error) {
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

// ImageDigest is the SHA-256 of the image's entries as little-endian float32.
func ImageDigest(x data.Image) string {
	pixels := make([]byte, 0, 4*len(x.Pix))
	for _, v := range x.Pix {
		pixels = binary.LittleEndian.AppendUint32(pixels, math.Float32bits(v))
	}
	sum := sha256.Sum256(pixels)
	return hex.EncodeToString(sum[:])
}
