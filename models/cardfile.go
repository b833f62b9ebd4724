package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sapf/models/format"
	"sapf/models/plain"
)

// cardFile is where the card of a weight file lies beside it.
func cardFile(file string) string { return strings.TrimSuffix(file, filepath.Ext(file)) + ".json" }

// maxCardBytes bounds a card: a thousand names and eight times as many logits
// have 200 kB.
const maxCardBytes = 4 << 20

// cardBeside reads the card that lies beside a weight file, nil where there is
// none. Any JSON file may have that name: it is a card if it states a SHA-256.
func cardBeside(file string) (*Card, error) {
	info, err := os.Stat(cardFile(file))
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCardBytes {
		return nil, nil
	}
	raw, err := os.ReadFile(cardFile(file))
	if err != nil {
		return nil, fmt.Errorf("load %s: its card: %w", file, err)
	}
	var stated struct {
		SHA256 string `json:"sha256"`
	}
	// A card with one bit of this field's name changed is none; what it says is
	// then not used either.
	if json.Unmarshal(raw, &stated) != nil || !isDigest(stated.SHA256) {
		return nil, nil
	}
	card, err := parseCard(raw)
	if err != nil {
		return nil, fmt.Errorf("load %s: its card %s: %w", file, cardFile(file), err)
	}
	return card, nil
}

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size
}

// parseCard reads a card's JSON, in which every field must be known.
func parseCard(raw []byte) (*Card, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var card Card
	if err := dec.Decode(&card); err != nil {
		return nil, plain.BadJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the closing brace")
	}
	return &card, nil
}

// sealCard is the JSON of the card that Save puts into a file: with the digest of
// its tensors and of the card itself without that digest.
func sealCard(card Card, d *format.StateDict) ([]byte, error) {
	card.Tensors = ""
	text, err := json.Marshal(card)
	if err != nil {
		return nil, err
	}
	card.Tensors = format.ContentDigest(text, d)
	return json.Marshal(card)
}

// cardWithin reads the card in a file's metadata and compares the digest that it
// states with the file's contents. Files of before there was one are taken with a
// warning.
func cardWithin(file, text string, d *format.StateDict) (*Card, error) {
	card, err := parseCard([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("load %s: its card: %w", file, err)
	}
	stated := card.Tensors
	card.Tensors = ""
	if stated == "" {
		card.Warnings = append(card.Warnings, "the file's card states no digest of its contents: whether it is damaged can't be told")
		return card, nil
	}
	plainText, err := json.Marshal(card)
	if err != nil {
		return nil, fmt.Errorf("load %s: its card: %w", file, err)
	}
	if got := format.ContentDigest(plainText, d); got != stated {
		return nil, fmt.Errorf("load %s: the digest of its tensors and card is %s, expected %s: the file is damaged", file, got, stated)
	}
	return card, nil
}

// checkCard compares a file's SHA-256 with the one that the card beside it
// states.
func checkCard(file, got, want string) error {
	if err := checkDigest(file, got, want); err != nil {
		return fmt.Errorf("%w (the card %s beside it says so)", err, cardFile(file))
	}
	return nil
}

// hub is how torch.hub names its files: by the first digits of their SHA-256.
var hub = regexp.MustCompile(`-([0-9a-f]{8,64})\.[a-z]+$`)

// hubName warns of a file that is not the one its name says.
func hubName(file, digest string) string {
	m := hub.FindStringSubmatch(filepath.Base(file))
	if m == nil || strings.HasPrefix(digest, m[1]) {
		return ""
	}
	return fmt.Sprintf("its name says that its SHA-256 begins with %s, but that is %s: the file is damaged or was written anew", m[1], digest)
}

// plain is the card as it can be shown anywhere: control characters in what its
// file says are spelled out.
func (c Card) plain() Card {
	for _, s := range []*string{&c.Name, &c.Architecture, &c.About, &c.Dataset, &c.Recipe, &c.Source, &c.Licence, &c.Normalisation, &c.SHA256} {
		*s = plain.Line(*s)
	}
	line := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = plain.Line(s)
		}
		return out
	}
	c.Classes = line(c.Classes)
	if len(c.Warnings) > 0 {
		c.Warnings = line(c.Warnings)
	}
	return c
}
