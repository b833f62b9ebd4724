package models

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"sapf/models/atomicfile"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format"
)

// Layer is one line of an Inspection.
type Layer struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Output is the shape of one example, "64x30x30".
	Output     string `json:"output"`
	Parameters int64  `json:"parameters"`
	// FLOPs are the multiplications and additions of a forward pass of one
	// image.
	FLOPs int64 `json:"flops"`
	// Reads names the layers read; "input" is the image.
	Reads []string `json:"reads"`
}

// Inspection is what `sapf models show` prints.
type Inspection struct {
	Card  Card   `json:"card"`
	Input string `json:"input"`
	// Parameters and FLOPs are the sums over the layers.
	Parameters int64   `json:"parameters"`
	FLOPs      int64   `json:"flops"`
	Layers     []Layer `json:"layers"`
}

// Inspect lists a model's layers with their shapes and costs.
func (m *Model) Inspect() (Inspection, error) {
	shapes, err := m.net.Shapes()
	if err != nil {
		return Inspection{}, err
	}
	in := Inspection{Card: m.card, Input: m.net.Input.String()}
	for i, node := range m.net.Nodes {
		l := Layer{Name: node.Name, Kind: node.Op.Kind(), Output: shapes[i].String()}
		if a, ok := node.Op.(*engine.Activation); ok {
			l.Kind = string(a.Func)
		}
		alone := engine.Net{Name: node.Name, Nodes: []engine.Node{{Name: node.Name, Op: node.Op}}}
		for _, k := range node.In {
			shape, name := m.net.Input, "input"
			if k != engine.Input {
				shape, name = shapes[k], m.net.Nodes[k].Name
			}
			alone.Input = shape
			alone.Nodes[0].In = append(alone.Nodes[0].In, engine.Input)
			l.Reads = append(l.Reads, name)
		}
		if len(node.In) == 1 { // layers of several inputs have no weights
			cost, err := alone.Cost()
			if err != nil {
				return Inspection{}, err
			}
			l.Parameters, l.FLOPs = int64(cost.Parameters), cost.Forward
		}
		in.Parameters += l.Parameters
		in.FLOPs += l.FLOPs
		in.Layers = append(in.Layers, l)
	}
	return in, nil
}

// String is the inspection as a table.
func (in Inspection) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n\n", in.Card)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "layer\tkind\toutput\tparameters\tMFLOP\t\n")
	fmt.Fprintf(w, "input\t\t%s\t\t\t\n", in.Input)
	for _, l := range in.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.2f\t\n", l.Name, l.Kind, l.Output, l.Parameters, float64(l.FLOPs)/1e6)
	}
	fmt.Fprintf(w, "total\t\t\t%d\t%.2f\t\n", in.Parameters, float64(in.FLOPs)/1e6)
	w.Flush()
	return b.String()
}

// Convert writes the weights of a model, a name or a file, as safetensors with a
// card: its architecture, where it came from, and logits of the test patterns, so
// that the result needs no Arch and tests itself when it is loaded. The file is
// complete or not there at all.
func Convert(from, to string, o LoadOptions) (Card, error) {
	file, raw, err := weightsOf(from)
	if err != nil {
		return Card{}, fmt.Errorf("convert %s: %w", from, err)
	}
	if looksONNX(file, raw) {
		return Card{}, fmt.Errorf("convert %s: an ONNX file carries its network and is loaded as it is; convert reads PyTorch checkpoints and safetensors", from)
	}
	if o.changes() {
		return Card{}, fmt.Errorf("convert %s: the file written holds the weights as they are; normalisation and logit scale are options of loading it", from)
	}
	m, err := Load(from, o)
	if err != nil {
		return Card{}, err
	}
	d, err := ReadWeights(file, raw)
	if err != nil {
		return Card{}, err
	}
	card := m.card
	card.SHA256, card.SelfTest = "", nil // the digest is the new file's own
	for i := range selfTestImages {
		z, err := m.Logits(TestPattern(m.net.Input, i))
		if err != nil {
			return Card{}, fmt.Errorf("convert %s: %w", from, err)
		}
		card.SelfTest = append(card.SelfTest, z)
	}
	text, err := sealCard(card, d)
	if err != nil {
		return Card{}, err
	}
	d.Metadata = map[string]string{"sapf.card": string(text), "format": "pt"}
	var out bytes.Buffer
	if err := format.WriteSafetensors(&out, d); err != nil {
		return Card{}, fmt.Errorf("convert %s: %w", from, err)
	}
	if err := atomicfile.WriteFile(to, out.Bytes()); err != nil {
		return Card{}, fmt.Errorf("convert %s: %w", from, err)
	}
	return card, nil
}

// weightsOf reads the weight file of a model as Load takes its name.
func weightsOf(name string) (file string, raw []byte, err error) {
	if file, raw, err := embeddedFile(name); err == nil {
		return file, raw, nil
	}
	if strings.HasPrefix(name, "random:") {
		return "", nil, errors.New("invented weights are in no file: the name gives the same ones everywhere")
	}
	if known, ok := published(name); ok {
		file, err = findModel(known)
	} else if file, err = data.Path(name); err == nil {
		if _, none := os.Stat(file); errors.Is(none, fs.ErrNotExist) {
			return "", nil, unknownModel(name)
		}
	}
	if err != nil {
		return "", nil, err
	}
	raw, err = readModelFile(file)
	return file, raw, err
}
