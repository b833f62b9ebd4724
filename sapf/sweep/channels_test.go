package sweep

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models"
)

// TestChannels: a grey picture fits a model of one channel as it is, a coloured one
// with --resize, whose rule the refusal says.
func TestChannels(t *testing.T) {
	m, err := models.Load("cwmnist", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pic := image.NewNRGBA(image.Rect(0, 0, 28, 28))
	save := func(name string, c color.NRGBA) string {
		pic.SetNRGBA(3, 4, c)
		file := filepath.Join(t.TempDir(), name)
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, pic); err != nil {
			t.Fatal(err)
		}
		return file
	}
	grey, colour := save("grey.png", color.NRGBA{9, 9, 9, 255}), save("colour.png", color.NRGBA{255, 0, 0, 255})
	if x, err := LoadImage(grey, m, false); err != nil || x.C != 1 || x.At(0, 4, 3) != float32(9)/255 {
		t.Errorf("grey: %v, %d channels", err, x.C)
	}
	if _, err := LoadImage(colour, m, false); err == nil || !strings.Contains(err.Error(), "0.299 R") {
		t.Errorf("colour: %v", err)
	}
	if x, err := LoadImage(colour, m, true); err != nil || x.At(0, 4, 3) != float32(0.299) {
		t.Errorf("colour with --resize: %v, %v", err, x.At(0, 4, 3))
	}
}
