package models

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"os"
	"path/filepath"
	"sapf/models/engine"
	"sapf/models/format/onnx"
	"slices"
	"strings"
)

// looksONNX tells an ONNX file by its name, or by its first field (ir_version).
func looksONNX(file string, raw []byte) bool {
	return strings.EqualFold(filepath.Ext(file), ".onnx") || len(raw) > 16 && raw[0] == 0x08 && raw[1] < 32 && raw[8] != '{'
}

// loadONNX reads an ONNX file whose bytes sum has seen.
func loadONNX(file string, raw []byte, sum hash.Hash, card Card, profile engine.Profile, o LoadOptions) (*Model, error) {
	beside := &beside{file: file, read: map[string][]byte{}}
	stated, own := card.SHA256, hex.EncodeToString(sum.Sum(nil)) // stated is the card's, or the file's own
	read, err := onnx.Read(file, raw, onnx.Options{Output: o.Output, Input: o.Input, Data: beside.open})
	if err != nil {
		return nil, err
	}
	card.SHA256 = beside.digest(sum)
	if stated != own {
		if err := checkCard(file, card.SHA256, stated); err != nil {
			return nil, err
		}
	}
	if err := checkDigest(file, card.SHA256, o.SHA256); err != nil {
		return nil, err
	}
	m, err := fromONNX(file, read, card, profile, o)
	if err != nil {
		return nil, err
	}
	o.Classes, o.ClassNames = nil, "" // on the card already
	return m.adapt(o)
}

// fromONNX makes a model of what was read of a file, and runs the card's test
// patterns. A card that names the architecture keeps its name.
func fromONNX(file string, read *onnx.Classifier, card Card, profile engine.Profile, o LoadOptions) (m *Model, err error) {
	net := read.Net
	if err := finiteParameters(file, net); err != nil {
		return nil, err
	}
	card.Warnings = append(card.Warnings, read.Notes...)
	if !o.Probabilities {
		note := ""
		if net, note, err = asLogits(net, o.Binary); err != nil {
			return nil, fmt.Errorf("ONNX %s: %w", file, err)
		}
		if note != "" {
			card.Warnings = append(card.Warnings, note)
		}
	}
	card.Architecture, card.Normalisation = cmp.Or(card.Architecture, "onnx"), seenNormalisation(net)
	if card.Classes == nil && len(read.Classes) == outputs(net) {
		card.Classes = read.Classes
	}
	if card.Classes == nil {
		card.Classes = guessClasses(net)
		card.Warnings = append(card.Warnings, unnamed(card.Classes))
	}
	if cost, err := net.Cost(); err == nil {
		card.Parameters = int64(cost.Parameters)
	}
	if m, err = NewWithProfile(net, card, profile); err != nil {
		return nil, err
	}
	return m, m.selfTest()
}

// seenNormalisation says what an ONNX network does to its images first, as far as
// that can be seen.
func seenNormalisation(net *engine.Net) string {
	for _, node := range net.Nodes {
		if _, affine := node.Op.(*engine.Affine); affine && slices.Contains(node.In, engine.Input) {
			return "inside the file"
		}
	}
	return "none seen in the file: x in [0,1] as it is (--mean, --std and --scale add one)"
}

// beside reads the files beside an ONNX file that its weights lie in. Nothing
// outside its folder is opened, also not through links.
type beside struct {
	file string
	read map[string][]byte
}

func (b *beside) open(name string) ([]byte, error) {
	if raw, ok := b.read[name]; ok {
		return raw, nil
	}
	root, err := os.OpenRoot(filepath.Dir(b.file))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file, expected one of weights", name)
	case info.Size() > maxModelBytes:
		return nil, fmt.Errorf("%s has %d bytes, expected up to %d", name, info.Size(), int64(maxModelBytes))
	}
	raw, err := root.ReadFile(name)
	b.read[name] = raw
	return raw, err
}

// digest is that of the ONNX file, which sum has seen, followed by the files beside it that were
// read, in the order of their names.
func (b *beside) digest(sum hash.Hash) string {
	for _, name := range slices.Sorted(maps.Keys(b.read)) {
		sum.Write(b.read[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}
