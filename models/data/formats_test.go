package data

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// colours is a small picture of random pixels.
func colours() *image.NRGBA {
	pic := image.NewNRGBA(image.Rect(0, 0, 5, 3))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range pic.Pix {
		pic.Pix[i] = uint8(rng.IntN(256))
		if i%4 == 3 {
			pic.Pix[i] = 255
		}
	}
	return pic
}

func decoded(t *testing.T, name string, raw []byte) Image {
	t.Helper()
	m, err := Decode(name, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFormatsAgree: one picture in every format without loss is the same image.
func TestFormatsAgree(t *testing.T) {
	pic := colours()
	want := decoded(t, "png", encodePNG(t, pic))
	files := map[string][]byte{}
	for name, o := range map[string]*tiff.Options{"tiff": nil, "deflate": {Compression: tiff.Deflate}, "predictor": {Compression: tiff.Deflate, Predictor: true}} {
		var b bytes.Buffer
		if err := tiff.Encode(&b, pic, o); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	text, raw, deep := "P3 # made by hand\n5\t3\n#\n255\n", []byte("P6\n5 3 255\n"), []byte("P6 5 3 65535 ")
	for y := range 3 {
		for x := range 5 {
			c := pic.NRGBAAt(x, y)
			text += fmt.Sprintf("%d %d\n%d ", c.R, c.G, c.B)
			raw = append(raw, c.R, c.G, c.B)
			deep = append(deep, c.R, c.R, c.G, c.G, c.B, c.B) // 257 v of 65535
		}
	}
	files["P3"], files["P6"], files["P6 deep"] = []byte(text), raw, deep
	for name, file := range files {
		if got := decoded(t, name, file); got.H != 3 || got.W != 5 || !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: %dx%d, %v; PNG's %v", name, got.H, got.W, got.Pix, want.Pix)
		}
	}
	grey := decoded(t, "P5", []byte("P5 2 2 100\n\x00\x32\x64\x19"))
	if !slices.Equal(grey.Pix[:4], []float32{0, 32768. / 65535, 1, 16384. / 65535}) || !grey.IsGrey() {
		t.Errorf("P5: %v", grey.Pix)
	}
	black := []float32{0, 1, 1, 0, 1, 0, 0, 0, 0, 1}
	for name, file := range map[string]string{"P1": "P1\n5 2\n10010\n1 1 1 1 0", "P4": "P4\n5 2\n\x97\xf0"} {
		got := decoded(t, name, []byte(file)).Pix[:10]
		if name == "P4" { // a row a byte, the rest of it is no pixel
			if !slices.Equal(got, []float32{0, 1, 1, 0, 1, 0, 0, 0, 0, 1}) {
				t.Errorf("P4: %v", got)
			}
		} else if !slices.Equal(got, black) {
			t.Errorf("P1: %v", got)
		}
	}
}

func TestNetpbmRefused(t *testing.T) {
	for file, says := range map[string]string{
		"P6 2 2 255 abc":      "row 0",
		"P6 2 2 70000 ":       "70000",
		"P6 2 2 0 ":           "largest sample 0",
		"P3 1 1 9 1 2 10":     "sample 10",
		"P3 1 1 9 1 -2 3":     "malformed",
		"P6 90000 90000 255 ": "90000x90000",
		"P6 99999999999999 1": "expected up to",
		"P5 0 3 255 ":         "0x3",
		"P6 2":                "EOF",
		"P1 2 2 1 0 2":        "malformed",
	} {
		_, err := Decode("net.ppm", bytes.NewReader([]byte(file)))
		refused(t, err, "net.ppm", says)
	}
}

// TestTIFFAsPillow: TIFF files of many kinds are what Pillow makes of them, or are
// refused (tools/tiff.py).
func TestTIFFAsPillow(t *testing.T) {
	files, err := filepath.Glob("testdata/tiff/*.tif")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		got, err := LoadFile(file)
		if strings.HasPrefix(filepath.Base(file), "refused-") {
			refused(t, err, file)
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		want, err := LoadFile(strings.TrimSuffix(file, ".tif") + ".png")
		if err != nil {
			t.Fatal(err)
		}
		if got.H != want.H || got.W != want.W {
			t.Errorf("%s: %dx%d, Pillow's %dx%d", file, got.H, got.W, want.H, want.W)
			continue
		}
		for i, v := range want.Pix {
			if math.Abs(float64(got.Pix[i]-v)) > 0.6/255 { // Pillow rounds what it lays over white
				t.Errorf("%s: entry %d is %v, Pillow's %v", file, i, got.Pix[i], v)
				break
			}
		}
	}
}

// TestPath: pictures are found by the names that people have for them.
func TestPath(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	file := filepath.Join(home, "my cat.PNG")
	if err := os.WriteFile(file, encodePNG(t, colours()), 0o600); err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	for _, ref := range []string{file, "~/my cat.PNG", "~/my cat.png", filepath.Join(home, "My Cat.png"), u.String(), "file://localhost" + u.EscapedPath()} {
		m, err := Load(ref, Options{})
		if err != nil || m.W != 5 {
			t.Errorf("%s: %v", ref, err)
		}
	}
	_, err := Load("https://example.org/cat.png", Options{})
	refused(t, err, "nothing is downloaded")
	_, err = Load("file://server/cat.png", Options{})
	refused(t, err, "this machine")
	if err := os.WriteFile(filepath.Join(home, "my cat.png"), encodePNG(t, colours()), 0o600); err == nil {
		if _, err := Load("~/MY CAT.png", Options{}); err == nil {
			t.Error("one of two names that fit alike was taken")
		}
	}
}

// TestPicturesToConvert: pictures of other kinds are named.
func TestPicturesToConvert(t *testing.T) {
	for head, says := range map[string]string{
		"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00": "an AVIF picture: convert it",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00": "a HEIC picture",
		"8BPS\x00\x01": "a Photoshop picture",
		"<svg xmlns='http://www.w3.org/2000/svg'/>": "an SVG drawing",
		"\xff\x0a\x00\x00":                          "a JPEG XL picture",
	} {
		_, err := Decode("photo", bytes.NewReader([]byte(head)))
		refused(t, err, says)
	}
}

// TestGreyKeepsGrey: pixels without colour keep their value to the bit.
func TestGreyKeepsGrey(t *testing.T) {
	g := NewImage("grey", 1, 1, 256)
	for i := range g.Pix {
		g.Pix[i] = float32(i) / 255
	}
	if got := g.RGB().Grey(); !slices.Equal(got.Pix, g.Pix) {
		t.Error("grey pixels changed")
	}
	c := g.RGB()
	if !c.IsGrey() {
		t.Error("not grey")
	}
	if c.Pix[300] = 0; c.IsGrey() {
		t.Error("grey")
	}
}
