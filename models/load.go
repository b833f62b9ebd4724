package models

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"sapf/models/bounded"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/format"
	"sapf/models/format/onnx"
	"sapf/models/format/pytorch"
	"sapf/models/nearest"
	"sapf/models/zoo"
)

// embedded are our own models: weights/NAME.safetensors or weights/NAME.onnx, and
// its card, weights/NAME.json.
//
//go:embed weights
var embedded embed.FS

// LoadOptions say how Load reads a model. The zero value suits models known by
// name.
type LoadOptions struct {
	// Arch names the architecture, where the file does not say, in upper or
	// lower case.
	Arch string
	// Classes name the classes, in place of the file's or architecture's names;
	// ClassNames says where the names are, as data.ClassNames takes it.
	Classes    []string
	ClassNames string
	// Normalisation is done to images first, for networks that have it outside.
	// It takes the place of an architecture's own.
	Normalisation Normalisation
	// LogitScale divides the logits, where they are so large that probabilities
	// underflow; 0 means 1.
	LogitScale float64
	// Output names the logits of an ONNX file with several outputs; Input is the
	// shape of its images, where it leaves that open.
	Output string
	Input  engine.Shape
	// Binary takes the single output of an ONNX file for the log odds of class 1
	// against class 0.
	Binary bool
	// Probabilities keeps a softmax or sigmoid at the end of an ONNX file.
	Probabilities bool
	// Threads is Model.Threads.
	Threads int
	// SHA256, where set, is the digest that the file must have, in hexadecimal.
	SHA256 string
	// Profile chooses kernels; nil means engine.DefaultProfile.
	Profile *engine.Profile
}

// maxModelBytes is the largest weight file that Load reads: VGG-16's is 553 MB.
const maxModelBytes = 4 << 30

// Load opens a model by name (see List) or file. Our own models are embedded;
// other names stand for files looked for in the models folder of data.Roots;
// "random:ARCH" has invented weights (Random).
// Nothing is downloaded.
func Load(name string, o LoadOptions) (*Model, error) {
	m, err := load(name, o)
	if err == nil {
		m.card.Loaded = o.variant()
	}
	return m, err
}

// variant names the options that change the function of the same weights.
func (o LoadOptions) variant() string {
	var parts []string
	note := func(set bool, format string, values ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, values...))
		}
	}
	note(!o.Normalisation.isZero(), "normalisation %+v", o.Normalisation)
	note(o.LogitScale != 0 && o.LogitScale != 1, "logit scale %v", o.LogitScale)
	note(o.Output != "", "output %s", o.Output)
	note(o.Input != engine.Shape{}, "input %v", o.Input)
	note(o.Binary, "binary")
	note(o.Probabilities, "probabilities")
	return strings.Join(parts, "; ")
}

func load(name string, o LoadOptions) (*Model, error) {
	profile, err := o.profile()
	if err != nil {
		return nil, err
	}
	if card, err := embedded.ReadFile("weights/" + name + ".json"); err == nil && fs.ValidPath(name) {
		return loadEmbedded(name, card, profile, o)
	}
	if arch, ok := strings.CutPrefix(name, "random:"); ok {
		return Random(arch, 0, o)
	}
	file := name
	if known, ok := published(name); ok {
		if file, err = findModel(known); err != nil {
			return nil, err
		}
		if o.Arch == "" {
			o.Arch = known.Arch
		}
		if o.Classes == nil && o.ClassNames == "" {
			o.Classes = known.classes()
		}
		if o.SHA256 == "" {
			o.SHA256 = known.SHA256
		}
		m, err := loadFile(file, profile, o)
		if err != nil {
			return nil, err
		}
		known.describe(&m.card)
		return m, nil
	}
	if file, err = data.Path(name); err != nil {
		return nil, fmt.Errorf("model %w", err)
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, unknownModel(name)
	}
	return loadFile(file, profile, o)
}

func (o LoadOptions) profile() (engine.Profile, error) {
	if o.Profile != nil {
		return *o.Profile, nil
	}
	return engine.DefaultProfile()
}

func unknownModel(name string) error {
	var names []string
	for _, l := range List() {
		names = append(names, l.Name)
	}
	return fmt.Errorf("no model %q (neither a file nor one of %s)%s", name, strings.Join(names, ", "), nearest.DidYouMean(name, names))
}

// embeddedModels keeps what was decoded once: loading the same model again
// shares its weights.
var embeddedModels sync.Map // "name profile" -> *onceModel

type onceModel struct {
	once  sync.Once
	model *Model
	err   error
}

func loadEmbedded(name string, card []byte, profile engine.Profile, o LoadOptions) (*Model, error) {
	v, _ := embeddedModels.LoadOrStore(name+" "+profile.String(), &onceModel{})
	once := v.(*onceModel)
	once.once.Do(func() { once.model, once.err = decodeEmbedded(name, card, profile) })
	if once.err != nil {
		return nil, once.err
	}
	if err := o.fits(once.model); err != nil {
		return nil, err
	}
	return once.model.adapt(o)
}

func decodeEmbedded(name string, rawCard []byte, profile engine.Profile) (*Model, error) {
	var card Card
	if err := json.Unmarshal(rawCard, &card); err != nil {
		return nil, fmt.Errorf("card of model %s: %w", name, err)
	}
	file, raw, err := embeddedFile(name)
	if err != nil {
		return nil, err
	}
	if err := checkDigest(name, digest(raw), card.SHA256); err != nil {
		return nil, err
	}
	if looksONNX(file, raw) {
		read, err := onnx.Read(name, raw, onnx.Options{})
		if err != nil {
			return nil, err
		}
		return fromONNX(name, read, card, profile, LoadOptions{})
	}
	d, err := format.ReadSafetensors(name, raw)
	if err != nil {
		return nil, err
	}
	m, err := fromStateDict(d, card, profile)
	if err != nil {
		return nil, err
	}
	return m, m.selfTest()
}

// embeddedFile is the weight file of an embedded model.
func embeddedFile(name string) (file string, raw []byte, err error) {
	for _, ext := range []string{".safetensors", ".onnx"} {
		file = name + ext
		if raw, err = embedded.ReadFile("weights/" + file); err == nil {
			return file, raw, nil
		}
	}
	return "", nil, fmt.Errorf("embedded model %s: %w", name, err)
}

// checkDigest compares SHA-256 with what is expected; an empty want accepts
// anything.
func checkDigest(name, got, want string) error {
	if want != "" && !strings.EqualFold(got, want) {
		return fmt.Errorf("weights %s: SHA-256 is %s, expected %s: the file is damaged or another version", name, got, want)
	}
	return nil
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// fits refuses options of ONNX files for a model that has nothing to choose: m is
// an embedded one, or nil for a file that is not ONNX.
func (o LoadOptions) fits(m *Model) error {
	const of = "%s is for ONNX files, and this model is none or has no choice"
	switch {
	case o.Output != "":
		return fmt.Errorf(of, "an output's name ("+o.Output+")")
	case o.Binary:
		return fmt.Errorf(of, "taking a single output for log odds")
	case o.Input != engine.Shape{} && (m == nil || o.Input != m.net.Input):
		return fmt.Errorf(of, fmt.Sprintf("a shape of images (%v)", o.Input))
	}
	return nil
}

// fromStateDict builds the card's architecture from tensors, or the only one that
// they fit where the card names none.
func fromStateDict(d *format.StateDict, card Card, profile engine.Profile) (*Model, error) {
	p, err := zoo.NewParams(d)
	if err != nil {
		return nil, err
	}
	var arch *zoo.Architecture
	var fit *zoo.Fit
	if card.Architecture == "" {
		if arch, fit, err = zoo.FitAny(p); err != nil {
			return nil, fmt.Errorf("load %s: %w", d.Source, err)
		}
		card.Warnings = append(card.Warnings, fmt.Sprintf("the file does not say what network it is for: its tensors fit %s and no other", arch.Name))
	} else {
		if arch, err = zoo.Find(card.Architecture); err != nil {
			return nil, fmt.Errorf("load %s: %w", d.Source, err)
		}
		if fit, err = arch.FitTo(p); err != nil {
			return nil, fmt.Errorf("architecture %s: %w", arch.Name, err)
		}
	}
	net := fit.Net
	card.Architecture, card.Normalisation = arch.Name, arch.Normalisation
	if n := insideCheckpoint(fit); !n.isZero() {
		if net, err = n.apply(net); err != nil {
			return nil, fmt.Errorf("load %s: its mean and std: %w", d.Source, err)
		}
		card.Normalisation = n.String() + ", from the file"
	}
	if len(fit.Unused) > 0 {
		card.Warnings = append(card.Warnings, fmt.Sprintf("%d tensors beside the network (%s...) are not used: %s", len(fit.Unused), fit.Prefix, strings.Join(fit.Unused[:min(4, len(fit.Unused))], ", ")))
	}
	if len(card.Classes) == 0 {
		if card.Classes, err = classesOf(arch, net); err != nil {
			return nil, err
		}
	}
	if cost, err := net.Cost(); err == nil {
		card.Parameters = int64(cost.Parameters)
	}
	return NewWithProfile(net, card, profile)
}

// insideCheckpoint is the normalisation that a checkpoint keeps beside its
// network. Means beyond 1 are of pixels from 0 to 255.
func insideCheckpoint(f *zoo.Fit) Normalisation {
	n := Normalisation{Mean: f.Mean, Std: f.Std}
	for _, v := range append(slices.Clone(f.Mean), f.Std...) {
		if v > 2 {
			n.Scale = 255
		}
	}
	return n
}

// loadFile opens a weight file of any format we read.
func loadFile(file string, profile engine.Profile, o LoadOptions) (*Model, error) {
	raw, err := readModelFile(file)
	if err != nil {
		return nil, err
	}
	names, err := o.names()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write(raw)
	own := hex.EncodeToString(sum.Sum(nil))
	card := Card{Name: format.Name(file), Source: file, SHA256: own}
	beside, err := cardBeside(file)
	if err != nil {
		return nil, err
	}
	if beside != nil {
		if !looksONNX(file, raw) { // whose digest may be of several files
			if err := checkCard(file, own, beside.SHA256); err != nil {
				return nil, err
			}
		}
		beside.Name, beside.Source = cmp.Or(beside.Name, card.Name), cmp.Or(beside.Source, file)
		card = *beside
	}
	if w := hubName(file, own); w != "" {
		card.Warnings = append(card.Warnings, w)
	}
	if names != nil {
		card.Classes = names
	}
	if looksONNX(file, raw) {
		return loadONNX(file, raw, sum, card, profile, o)
	}
	if err := o.fits(nil); err != nil {
		return nil, err
	}
	if err := checkDigest(file, card.SHA256, o.SHA256); err != nil {
		return nil, err
	}
	d, err := ReadWeights(file, raw)
	if err != nil {
		return nil, err
	}
	if text, ok := d.Metadata["sapf.card"]; ok {
		within, err := cardWithin(file, text, d)
		if err != nil {
			return nil, err
		}
		within.SHA256, within.Warnings = card.SHA256, append(within.Warnings, card.Warnings...)
		card = *within
		if names != nil {
			card.Classes = names
		}
	}
	if o.Arch != "" {
		card.Architecture = o.Arch
	}
	m, err := fromStateDict(d, card, profile)
	if err != nil {
		return nil, err
	}
	if len(card.Classes) == 0 {
		m.card.Warnings = append(m.card.Warnings, unnamed(m.card.Classes))
	}
	if err := m.selfTest(); err != nil {
		return nil, err
	}
	return m.adapt(o)
}

// finiteParameters refuses a weight that is not a finite number.
func finiteParameters(source string, net *engine.Net) error {
	for _, node := range net.Nodes {
		var params [][]float32
		switch op := node.Op.(type) {
		case *engine.Conv:
			params = [][]float32{op.W, op.B}
		case *engine.Dense:
			params = [][]float32{op.W, op.B}
		case *engine.BatchNorm:
			params = [][]float32{op.Gamma, op.Beta, op.Mean, op.Var}
		}
		for _, p := range params {
			for i, v := range p {
				if v-v != 0 {
					return fmt.Errorf("weights %s: layer %s: entry %d of %d is %v, expected a finite number", source, node.Name, i, len(p), v)
				}
			}
		}
	}
	return nil
}

func readModelFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(file, "saved_model.pb")); err == nil {
			return nil, fmt.Errorf("load model %s: a SavedModel of TensorFlow: python -m tf2onnx.convert --saved-model %[1]s --output net.onnx", file)
		}
		return nil, fmt.Errorf("load model %s: is a folder", file)
	}
	if info.Size() > maxModelBytes {
		return nil, fmt.Errorf("load model %s: %d bytes, expected up to %d", file, info.Size(), int64(maxModelBytes))
	}
	if info.Mode()&fs.ModeDevice != 0 {
		return nil, fmt.Errorf("load model %s: is a device, expected a file", file)
	}
	return bounded.ReadFile(file, maxModelBytes)
}

// ReadWeights parses the tensors of a weight file, safetensors or PyTorch,
// told by its first bytes, not by its name.
func ReadWeights(source string, raw []byte) (*format.StateDict, error) {
	looks := data.Looks(raw)
	switch {
	case len(raw) > 8 && raw[8] == '{' && binary.LittleEndian.Uint64(raw) <= uint64(len(raw)-8), strings.HasPrefix(looks, "a safetensors"):
		return format.ReadSafetensors(source, raw)
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")), len(raw) > 1 && raw[0] == 0x80 && raw[1] <= 5:
		return pytorch.Read(source, raw)
	}
	return nil, fmt.Errorf("weights %s: expected safetensors, a PyTorch checkpoint or ONNX, it looks like %s%s", source, looks, toONNX(looks))
}

// toONNX is how a network of another program becomes an ONNX file.
func toONNX(looks string) string {
	switch {
	case strings.HasPrefix(looks, "an HDF5 file"):
		return `; of Keras: keras.saving.load_model("net.h5").export("net.onnx", format="onnx")`
	case strings.HasPrefix(looks, "a TensorFlow Lite"):
		return "; python -m tf2onnx.convert --tflite net.tflite --output net.onnx"
	}
	return ""
}

// Listing is one model that Load knows by name.
type Listing struct {
	Name         string  `json:"name"`
	Architecture string  `json:"architecture"`
	Input        string  `json:"input"`
	Classes      int     `json:"classes"`
	Accuracy     float64 `json:"accuracy,omitempty"`
	// Embedded models need no file. Otherwise File is where it was found, or
	// "" where it was not.
	Embedded bool   `json:"embedded"`
	File     string `json:"file,omitempty"`
	About    string `json:"about"`
}

// List lists the models that Load knows by name, embedded ones first.
func List() []Listing {
	var list []Listing
	files, _ := fs.Glob(embedded, "weights/*.json")
	sort.Strings(files)
	for _, f := range files {
		raw, err := embedded.ReadFile(f)
		var card Card
		if err != nil || json.Unmarshal(raw, &card) != nil {
			continue
		}
		l := Listing{Name: card.Name, Architecture: card.Architecture, Accuracy: card.Accuracy, Embedded: true, About: card.Recipe}
		if a := zoo.Known(card.Architecture); a != nil {
			l.Input, l.Classes, l.About = a.Input.String(), len(a.Classes()), a.About
		} else if m, err := Load(card.Name, LoadOptions{}); err == nil { // its file is the network
			l.Input, l.Classes, l.About = m.InputShape().String(), len(m.Classes()), card.About
		}
		list = append(list, l)
	}
	return append(list, publishedListings()...)
}
