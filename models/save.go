package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/engine"
	"sapf/models/format"
)

// Save writes a trained model: its tensors to file (safetensors, with the card
// in its metadata, so that Load needs no architecture), and the card beside it
// (.json in place of the file's extension). It fills in what can be computed:
// digest, parameters, normalisation and, in double precision, the logits of the
// self-test. A file appears whole or not at all. Equal models give equal bytes.
func Save(file string, d *format.StateDict, card Card) (Card, error) {
	m, err := fromStateDict(d, card, engine.Profile{Family: engine.Float64})
	if err != nil {
		return Card{}, fmt.Errorf("save model %s: %w", file, err)
	}
	card = m.card
	card.SHA256, card.SelfTest = "", nil
	for i := range selfTestImages {
		z, err := m.Logits(TestPattern(m.net.Input, i))
		if err != nil {
			return Card{}, fmt.Errorf("save model %s: self-test: %w", file, err)
		}
		for k, v := range z {
			z[k] = math.Round(v*1e6) / 1e6
		}
		card.SelfTest = append(card.SelfTest, z)
	}
	text, err := sealCard(card, d)
	if err != nil {
		return Card{}, fmt.Errorf("save model %s: its card: %w", file, err)
	}
	var raw bytes.Buffer
	if err := format.WriteSafetensors(&raw, &format.StateDict{Tensors: d.Tensors, Metadata: map[string]string{"sapf.card": string(text)}}); err != nil {
		return Card{}, fmt.Errorf("save model %s: %w", file, err)
	}
	card.SHA256, card.Tensors = digest(raw.Bytes()), ""
	if text, err = json.MarshalIndent(card, "", " "); err != nil {
		return Card{}, fmt.Errorf("save model %s: its card: %w", file, err)
	}
	if err := atomicfile.WriteFile(file, raw.Bytes()); err != nil {
		return Card{}, fmt.Errorf("save model: %w", err)
	}
	if err := atomicfile.WriteFile(strings.TrimSuffix(file, filepath.Ext(file))+".json", append(text, '\n')); err != nil {
		return Card{}, fmt.Errorf("save model: %w", err)
	}
	return card, nil
}
