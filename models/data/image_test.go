package data

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refused fails unless err is there and its message has every part.
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("accepted, expected an error about %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%v: expected it to say %q", err, p)
		}
	}
}

// TestResizeAsPillow compares with what Pillow made (tools/resize.py).
func TestResizeAsPillow(t *testing.T) {
	src, err := LoadFile("testdata/resize.png")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/resize_*.png")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d golden pictures, %v", len(files), err)
	}
	for _, f := range files {
		want, err := LoadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := src.Resize(want.H, want.W)
		if err != nil {
			t.Fatal(err)
		}
		off := 0
		for i := range want.Pix {
			d := int(Level(got.Pix[i])) - int(Level(want.Pix[i]))
			if d != 0 {
				off++
			}
			if d < -1 || d > 1 {
				t.Fatalf("%s: entry %d is %v, Pillow's %v", f, i, got.Pix[i]*255, want.Pix[i]*255)
			}
		}
		t.Logf("%s: %d of %d entries one level off", f, off, len(want.Pix))
	}
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// header overwrites the size in a PNG's header, checksum included.
func header(raw []byte, w, h uint32) []byte {
	out := append([]byte(nil), raw...)
	for i := range 4 {
		out[16+i], out[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	sum := crc32.ChecksumIEEE(out[12:29])
	for i := range 4 {
		out[29+i] = byte(sum >> (24 - 8*i))
	}
	return out
}

func TestFailure37_ImageBomb(t *testing.T) {
	bomb := encodePNG(t, image.NewGray(image.Rect(0, 0, 10000, 10000)))
	if len(bomb) > 200_000 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	_, err := Decode("bomb.png", bytes.NewReader(bomb))
	refused(t, err, "bomb.png", "10000x10000", fmt.Sprint(MaxPixels))
	deep := encodePNG(t, image.NewNRGBA64(image.Rect(0, 0, 2, 2)))
	_, err = Decode("deep.png", bytes.NewReader(header(deep, 8000, 5000))) // 40 megapixels
	refused(t, err, "deep.png", "8000x5000", "8 bits a channel")
	small := encodePNG(t, image.NewGray(image.Rect(0, 0, 2, 2)))
	_, err = Decode("wide.png", bytes.NewReader(header(small, 65535, 65535)))
	refused(t, err, "65535x65535")
	_, err = Decode("zero.png", bytes.NewReader(header(small, 0, 2)))
	refused(t, err, "zero.png")
	_, err = Decode("cut.png", bytes.NewReader(small[:40]))
	refused(t, err, "cut.png")
	_, err = Decode("page.png", strings.NewReader("<html>gone</html>"))
	refused(t, err, "an HTML page")
	_, err = Decode("long.png", &endless{})
	refused(t, err, "64 MB")
}

// endless is a file without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	if e.read > 4*MaxFileBytes {
		panic("read on and on")
	}
	return len(p), nil
}

// TestFailure38_PictureKinds checks Decode's rules of conversion, on a pixel.
func TestFailure38_PictureKinds(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	palette := image.NewPaletted(one, color.Palette{color.RGBA{10, 20, 30, 255}})
	grey := image.NewGray(one)
	grey.SetGray(0, 0, color.Gray{77})
	deep := image.NewRGBA64(one)
	deep.SetRGBA64(0, 0, color.RGBA64{1000, 30000, 65535, 65535})
	alpha := image.NewNRGBA(one)
	alpha.SetNRGBA(0, 0, color.NRGBA{255, 0, 0, 51}) // a fifth of red over white
	clear := image.NewNRGBA(one)
	for _, c := range []struct {
		name string
		pic  image.Image
		want [3]float64
	}{
		{"palette", palette, [3]float64{10. / 255, 20. / 255, 30. / 255}},
		{"grey", grey, [3]float64{77. / 255, 77. / 255, 77. / 255}},
		{"16 bit", deep, [3]float64{1000. / 65535, 30000. / 65535, 1}},
		{"alpha", alpha, [3]float64{1, 0.8, 0.8}},
		{"transparent", clear, [3]float64{1, 1, 1}},
	} {
		m, err := Decode(c.name, bytes.NewReader(encodePNG(t, c.pic)))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if d := math.Abs(float64(m.Pix[i]) - want); d > 1e-5 {
				t.Errorf("%s: channel %d is %v, want %v", c.name, i, m.Pix[i], want)
			}
		}
	}
	// CMYK is converted without a profile: (255-c)(255-k)/255.
	cmyk := image.NewCMYK(one)
	cmyk.SetCMYK(0, 0, color.CMYK{255, 0, 128, 0})
	if m := FromPicture("cmyk", cmyk); m.Pix[0] != 0 || m.Pix[1] != 1 || math.Abs(float64(m.Pix[2])-127./255) > 0.005 {
		t.Errorf("CMYK: %v", m.Pix)
	}
	// An animation gives its first frame, laid on the whole screen.
	frame := func(c color.RGBA, r image.Rectangle) *image.Paletted {
		return image.NewPaletted(r, color.Palette{c})
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame(color.RGBA{255, 0, 0, 255}, one), frame(color.RGBA{0, 255, 0, 255}, one)},
		Delay: []int{1, 1}, Config: image.Config{Width: 2, Height: 1, ColorModel: color.Palette{color.RGBA{255, 0, 0, 255}}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode("two.gif", &b)
	if err != nil {
		t.Fatal(err)
	}
	if m.W != 2 || m.At(0, 0, 0) != 1 || m.At(1, 0, 0) != 0 || m.At(1, 0, 1) != 1 {
		t.Errorf("animation: %dx%d %v, expected red beside white", m.H, m.W, m.Pix)
	}
}

// TestFailure38_EXIF turns a picture of two halves by each orientation.
func TestFailure38_EXIF(t *testing.T) {
	pic := image.NewGray(image.Rect(0, 0, 32, 16)) // dark left, bright right
	for y := range 16 {
		for x := 16; x < 32; x++ {
			pic.SetGray(x, y, color.Gray{255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, pic, nil); err != nil {
		t.Fatal(err)
	}
	// Where the bright half lies: right, left, bottom or top.
	for orientation, want := range map[byte]string{1: "right", 2: "left", 3: "left", 4: "right", 5: "bottom", 6: "bottom", 7: "top", 8: "top"} {
		exif := []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
		exif[4+6+8+2+8+1] = orientation
		raw := append(append(append([]byte(nil), b.Bytes()[:2]...), exif...), b.Bytes()[2:]...)
		m, err := Decode("turned.jpg", bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]float32{"left": m.At(0, m.H/2, 1), "right": m.At(0, m.H/2, m.W-2), "top": m.At(0, 1, m.W/2), "bottom": m.At(0, m.H-2, m.W/2)}
		opposite := map[string]string{"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
		if !(at[want] > 0.9 && at[opposite[want]] < 0.1) {
			t.Errorf("orientation %d: %v, expected the bright half %s", orientation, at, want)
		}
	}
}

func TestFailure35_CIFAR(t *testing.T) {
	record := make([]byte, 3073)
	two := append(append([]byte(nil), record...), record...)
	for _, c := range []struct {
		raw  []byte
		says []string
	}{
		{nil, []string{"record"}},
		{two[:5000], []string{"record 1", "1927 bytes", "3073"}},
		{append(append([]byte(nil), two...), 0), []string{"record 2", "1 bytes"}},
		{append(append([]byte(nil), record...), append([]byte{200}, record[1:]...)...), []string{"record 1", "label 200"}},
	} {
		_, err := ReadCIFAR10("batch", bytes.NewReader(c.raw))
		refused(t, err, append(c.says, "batch")...)
		file := filepath.Join(t.TempDir(), "x.bin")
		if err := os.WriteFile(file, c.raw, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSet(file, Options{}, 0)
		if err == nil {
			_, err = s.At(s.N - 1)
		}
		refused(t, err, c.says[len(c.says)-1:]...)
	}
	if m, err := ReadCIFAR10("batch", bytes.NewReader(two)); err != nil || len(m) != 2 {
		t.Errorf("a good batch: %d images, %v", len(m), err)
	}
	fine := append([]byte{19, 99}, make([]byte, 3072)...)
	if m, err := ReadCIFAR100("batch", bytes.NewReader(fine)); err != nil || m[0].Label != 99 {
		t.Errorf("CIFAR-100: %v", err)
	}
}

func TestFailure40_Folder(t *testing.T) {
	folder := func(labels string, pictures ...string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(labels), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, p := range pictures {
			if err := os.WriteFile(filepath.Join(dir, p), encodePNG(t, image.NewGray(image.Rect(0, 0, 2, 2))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	s, err := OpenSet(folder("file,class_index\na.png,3\n", "a.png"), Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.At(0); err != nil || m.Label != 3 {
		t.Errorf("a good folder: label %d, %v", m.Label, err)
	}
	unreadable := folder("file,class_index\na.png,3\nb.png,4\nc.png,5\n", "a.png")
	for name, text := range map[string]string{"b.png": "what?", "c.png": "<html>gone</html>"} {
		if err := os.WriteFile(filepath.Join(unreadable, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		dir  string
		says []string
	}{
		{folder("file,class_index\na.png,3\nb.png,4\n", "a.png"), []string{"b.png"}},
		{folder("file,class_index\na.png,3\n", "a.png", "c.png"), []string{"c.png", "not in labels.csv"}},
		{folder("file,class_index\na.png,3\na.png,4\n", "a.png"), []string{"line 3", "line 2"}},
		{folder("file,class_index\na.png,3\n./a.png,4\n", "a.png"), []string{"a.png", "listed twice"}},
		{unreadable, []string{"2 pictures cannot be used", "b.png", "a text file", "c.png", "an HTML page"}},
		{folder("file,class_index\n"), []string{"no images"}},
		{folder("name of it,what\na.png,3\n", "a.png"), []string{"columns"}},
		{folder("file,class_index\na.png,cat\n", "a.png"), []string{"line 2", "cat"}},
		{folder("file,class_index\n../a.png,1\n"), []string{"leaves the folder"}},
	} {
		_, err := OpenSet(c.dir, Options{}, 0)
		refused(t, err, c.says...)
	}
}

func TestIDX(t *testing.T) {
	good := []byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255}
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 1, 7}
	m, err := ReadIDX("x", bytes.NewReader(good), bytes.NewReader(labels), 10, 0)
	if err != nil || len(m) != 1 || m[0].Label != 7 || m[0].Pix[1] != 1 {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, c := range []struct {
		images, labels []byte
		says           string
	}{
		{good[:10], labels, "header"},
		{good[:17], labels, "record 0 of 1"},
		{append(append([]byte(nil), good...), 0), labels, "bytes after record 0"},
		{good, []byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 7}, "1 images but 2 labels"},
		{good, []byte{0, 0, 8, 1, 0, 0, 0, 1, 11}, "label 11"},
		{append(append([]byte(nil), labels...), labels...), good, "magic number"},
		{[]byte{0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 1}, []byte{0, 0, 8, 1, 255, 255, 255, 255}, "expected up to"},
	} {
		_, err := ReadIDX("x", bytes.NewReader(c.images), bytes.NewReader(c.labels), 10, 0)
		refused(t, err, c.says)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"testdata/resize_5x120.png", "testdata/resize_1x1.png"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 9)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"), b.Bytes()[2:]...))
	b.Reset()
	if err := gif.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 9)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := Decode("fuzz", bytes.NewReader(raw)); err == nil {
			if err := m.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255}, []byte{0, 0, 8, 1, 0, 0, 0, 1, 7})
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		list, err := ReadIDX("fuzz", bytes.NewReader(images), bytes.NewReader(labels), 10, 0)
		for _, m := range list {
			if err == nil && m.Validate() != nil {
				t.Fatal(m.Validate())
			}
		}
	})
}

func FuzzCIFAR(f *testing.F) {
	f.Add(make([]byte, 3073))
	f.Fuzz(func(t *testing.T, raw []byte) {
		images, err := ReadCIFAR10("fuzz", bytes.NewReader(raw))
		if err == nil && len(images)*3073 != len(raw) {
			t.Fatalf("%d images of %d bytes", len(images), len(raw))
		}
	})
}
