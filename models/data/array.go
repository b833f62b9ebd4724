package data

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sapf/models/format/npy"
)

// maxInMemory is the most bytes of an array that are held at once, where it is
// compressed or in Fortran order; any other is read an image at a time.
const maxInMemory = 2 << 30

// IsArray reports whether a file's name is that of NumPy arrays.
func IsArray(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".npy" || ext == ".npz"
}

// cutRecord splits "batch.npy:17" into the file and the record; a name without
// a number has record -1.
func cutRecord(ref string) (file string, record int, ok bool) {
	if IsArray(ref) {
		return ref, -1, true
	}
	at := strings.LastIndexByte(ref, ':')
	if at < 0 || !IsArray(ref[:at]) {
		return "", 0, false
	}
	i, err := strconv.Atoi(ref[at+1:])
	return ref[:at], i, err == nil && i >= 0
}

// loadArray loads the only image of an array, or one of several.
func loadArray(file string, record int, o Options) (Image, error) {
	set, err := openArray(file)
	if err != nil {
		return Image{}, err
	}
	name := file
	switch {
	case record >= 0:
		name = fmt.Sprintf("%s:%d", file, record)
	case set.N > 1:
		return Image{}, fmt.Errorf("%s has %d images, expected one: name it, %s:0 to %s:%d", file, set.N, file, filepath.Base(file), set.N-1)
	default:
		record = 0
	}
	set.Name = file
	m, err := set.At(record)
	if err != nil {
		return m, err
	}
	m.Name = name
	return fit(m, o)
}

// openArray opens the images of a .npy or .npz file: floats in [0,1] or uint8,
// one image (H x W, C x H x W, H x W x C) or several (N first). In a .npz they are
// its array "images", or its only array of such a shape; the arrays "labels" and
// "targets", where there are such, have the class of each.
//
// A dimension of 1 or 3 is the channels, whether it comes first or last. Three
// dimensions without such a one are N grey images.
func openArray(file string) (*Set, error) {
	var images *stored
	var labels, targets []int
	var err error
	if strings.ToLower(filepath.Ext(file)) == ".npy" {
		images, err = openNPY(file)
	} else {
		images, labels, targets, err = openNPZ(file)
	}
	if err != nil {
		return nil, fmt.Errorf("images %s: %w", file, err)
	}
	l, err := layoutOf(images.Header)
	if err != nil {
		return nil, fmt.Errorf("images %s: %w", file, err)
	}
	for what, classes := range map[string][]int{"labels": labels, "targets": targets} {
		if classes != nil && len(classes) != l.n {
			return nil, fmt.Errorf("images %s: %d %s, expected one for each of the %d images", file, len(classes), what, l.n)
		}
	}
	set := &Set{N: l.n, targets: targets}
	set.at = func(i int) (Image, error) {
		m := NewImage(fmt.Sprintf("%s:%d", filepath.Base(file), i), l.c, l.h, l.w)
		raw, err := images.record(i, m.Len())
		if err != nil {
			return m, fmt.Errorf("images %s: %w", file, err)
		}
		if labels != nil {
			m.Label = labels[i]
		}
		l.fill(m, images.Values(raw))
		if images.Type == "uint8" {
			for k := range m.Pix {
				m.Pix[k] /= 255
			}
		}
		return m, m.Validate()
	}
	return set, nil
}

// layout is how images lie in an array.
type layout struct {
	n, c, h, w int
	last       bool // the channels are the last dimension
}

// layoutOf recognises images by the dimension that has one or three channels.
func layoutOf(h npy.Header) (layout, error) {
	refuse := func(why string, args ...any) (layout, error) {
		return layout{}, fmt.Errorf("an array %s of %s: "+why, append([]any{h.ShapeText(), h.Type}, args...)...)
	}
	if !h.Float() && h.Type != "uint8" {
		return refuse("expected float in [0,1], or uint8 (x.astype(\"uint8\"))")
	}
	channels := func(d int) bool { return d == 1 || d == 3 }
	s := h.Shape
	var l layout
	switch len(s) {
	case 2:
		l = layout{n: 1, c: 1, h: s[0], w: s[1]}
	case 3, 4:
		n := 1
		if len(s) == 4 {
			n, s = s[0], s[1:]
		}
		first, last := channels(s[0]), channels(s[2])
		switch {
		case first && last:
			return refuse("both the first and the last dimension of an image could be its channels (1 or 3), expected one of them")
		case first:
			l = layout{n: n, c: s[0], h: s[1], w: s[2]}
		case last:
			l = layout{n: n, c: s[2], h: s[0], w: s[1], last: true}
		case len(h.Shape) == 3: // grey images without a dimension for it
			l = layout{n: s[0], c: 1, h: s[1], w: s[2]}
		default:
			return refuse("expected 1 or 3 channels, (N, C, H, W) or (N, H, W, C)")
		}
	default:
		return refuse("expected (H, W), (C, H, W), (H, W, C), (N, C, H, W) or (N, H, W, C)")
	}
	if l.n < 1 {
		return refuse("no images")
	}
	if err := checkSize(l.w, l.h); err != nil {
		return refuse("%w", err)
	}
	return l, nil
}

// fill puts values into the image, channels first.
func (l layout) fill(m Image, values []float64) {
	for i := range m.Pix {
		from := i
		if l.last {
			plane := l.h * l.w
			from = i%plane*l.c + i/plane
		}
		m.Pix[i] = float32(values[from])
	}
}

// stored is an array in a file, or in memory where it cannot be read in pieces.
type stored struct {
	npy.Header
	file string
	at   int64  // of the first entry in the file
	held []byte // all entries, in C order; nil: in the file
}

// record is the bytes of n entries, the i-th such piece.
func (s *stored) record(i, n int) ([]byte, error) {
	size := n * s.Size
	if s.held != nil {
		return s.held[i*size:][:size], nil
	}
	f, err := os.Open(s.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw := make([]byte, size)
	if _, err := f.ReadAt(raw, s.at+int64(i)*int64(size)); err != nil {
		return nil, fmt.Errorf("the file ends before entry %d of %d", (i+1)*n, s.Entries())
	}
	return raw, nil
}

// all are all entries, held in memory.
func (s *stored) all(r io.Reader) error {
	n := s.Entries() * s.Size
	if n > maxInMemory {
		return fmt.Errorf("%d MB that are compressed or in Fortran order, expected up to %d: save it with numpy.savez or numpy.save of ascontiguousarray(x)",
			n>>20, maxInMemory>>20)
	}
	raw, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(raw) < n {
		err = fmt.Errorf("the file ends after %d bytes of entries, expected %d", len(raw), n)
	}
	if err == nil {
		s.held = s.COrder(raw)
	}
	return err
}

func openNPY(file string) (*stored, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &stored{file: file}
	if s.Header, err = npy.ReadHeader(f); err != nil {
		return nil, err
	}
	s.at = s.Offset
	if s.Fortran {
		return s, s.all(f)
	}
	info, err := f.Stat()
	if want := s.at + int64(s.Entries())*int64(s.Size); err == nil && info.Size() < want {
		err = fmt.Errorf("the file has %d bytes, expected %d for %s of %s", info.Size(), want, s.ShapeText(), s.Type)
	}
	return s, err
}

// openNPZ finds the images of a .npz, and the classes that go with them.
func openNPZ(file string) (images *stored, labels, targets []int, err error) {
	z, err := zip.OpenReader(file)
	if err != nil {
		return nil, nil, nil, err
	}
	defer z.Close()
	found := map[string]*stored{}
	member := map[string]*zip.File{}
	var names, likely []string
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		s, err := memberHeader(file, f)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("array %q: %w", name, err)
		}
		found[name], member[name] = s, f
		names = append(names, name)
		if _, err := layoutOf(s.Header); err == nil {
			likely = append(likely, name)
		}
	}
	name := "images"
	if found[name] == nil {
		switch {
		case len(likely) == 1:
			name = likely[0]
		case len(names) == 1: // whose shape will be refused with its reason
			name = names[0]
		default:
			return nil, nil, nil, fmt.Errorf("arrays %s: which are the images? save them with numpy.savez(file, images=x, labels=y)", strings.Join(names, ", "))
		}
	}
	classes := func(names ...string) ([]int, error) {
		for _, n := range names {
			if s := found[n]; s != nil && n != name {
				return classesOf(n, s, member[n])
			}
		}
		return nil, nil
	}
	if labels, err = classes("labels", "label", "y"); err != nil {
		return nil, nil, nil, err
	}
	if targets, err = classes("targets", "target"); err != nil {
		return nil, nil, nil, err
	}
	images = found[name]
	if images.held == nil && (images.at < 0 || images.Fortran) {
		err = inflate(images, member[name])
	}
	return images, labels, targets, err
}

// memberHeader reads a member's header, and finds where its entries lie if it is
// stored as it is; at is -1 otherwise.
func memberHeader(file string, f *zip.File) (*stored, error) {
	s := &stored{file: file, at: -1}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if s.Header, err = npy.ReadHeader(r); err != nil {
		return nil, err
	}
	if offset, err := f.DataOffset(); err == nil && f.Method == zip.Store {
		s.at = offset + s.Offset
		if want := s.Offset + int64(s.Entries())*int64(s.Size); int64(f.UncompressedSize64) < want {
			return nil, fmt.Errorf("%d bytes, expected %d for %s of %s", f.UncompressedSize64, want, s.ShapeText(), s.Type)
		}
	}
	return s, nil
}

// inflate reads a member's entries into memory.
func inflate(s *stored, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := npy.ReadHeader(r); err != nil {
		return err
	}
	return s.all(r)
}

// classesOf reads an array of class indices; -1 is none.
func classesOf(name string, s *stored, f *zip.File) ([]int, error) {
	if !s.Whole() || len(s.Shape) > 1 {
		return nil, fmt.Errorf("array %q %s of %s, expected a whole number for each image", name, s.ShapeText(), s.Type)
	}
	if err := inflate(s, f); err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	out := make([]int, 0, s.Entries())
	for i, v := range s.Values(s.held) {
		if v < NoLabel || v > 1<<20 {
			return nil, fmt.Errorf("array %q: entry %d is %v, expected a class's index, or -1 for none", name, i, v)
		}
		out = append(out, int(v))
	}
	return out, nil
}

// SaveNPY writes images of one shape as a NumPy array of float32, N x C x H x W, as
// they are.
func SaveNPY(w io.Writer, images ...Image) error {
	if len(images) == 0 {
		return errors.New("no images to save")
	}
	first := images[0]
	if i := slices.IndexFunc(images, func(m Image) bool { return m.C != first.C || m.H != first.H || m.W != first.W }); i >= 0 {
		m := images[i]
		return fmt.Errorf("image %d is %dx%dx%d, the first one %dx%dx%d: expected one size", i, m.C, m.H, m.W, first.C, first.H, first.W)
	}
	var b bytes.Buffer
	if err := npy.WriteHeader(&b, []int{len(images), first.C, first.H, first.W}); err != nil {
		return err
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	for _, m := range images {
		if err := npy.WriteValues(w, m.Pix); err != nil {
			return err
		}
	}
	return nil
}
