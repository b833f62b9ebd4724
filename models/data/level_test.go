package data

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"
)

// TestLevelIsTheNearest: at and around every border between two levels.
func TestLevelIsTheNearest(t *testing.T) {
	for level := range 255 {
		border := float32((float64(level) + 0.5) / 255)
		for _, v := range []float32{border, math.Nextafter32(border, 0), math.Nextafter32(border, 1)} {
			want := uint8(level)
			if float64(v)*255 >= float64(level)+0.5 { // exact: 24 and 8 bits
				want++
			}
			if got := Level(v); got != want {
				t.Errorf("Level(%v) = %d, want %d: %v of a level", v, got, want, float64(v)*255)
			}
		}
	}
	for v, want := range map[float32]uint8{0.974509776: 248, -1: 0, 2: 255, float32(math.NaN()): 0, 0.5: 128} {
		if got := Level(v); got != want {
			t.Errorf("Level(%v) = %d, want %d", v, got, want)
		}
	}
}

// TestPictureThereAndBack: what a picture file keeps is each entry's level, in
// its own channel, with and without an alpha channel.
func TestPictureThereAndBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := NewImage("noise", 3, 5, 7)
	for i := range x.Pix {
		x.Pix[i] = r.Float32()
	}
	pic := x.Picture()
	clear := image.NewNRGBA(image.Rect(0, 0, 7, 6)) // a last row that is not opaque keeps the channel
	for y := range 5 {
		for c := range 7 {
			clear.SetNRGBA(c, y, pic.NRGBAAt(c, y))
		}
	}
	clear.SetNRGBA(3, 5, color.NRGBA{255, 0, 0, 128})
	for name, p := range map[string]image.Image{"opaque": pic, "with alpha": clear} {
		var file bytes.Buffer
		if err := png.Encode(&file, p); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(name, &file)
		if err != nil {
			t.Fatal(err)
		}
		for c := range 3 {
			for y := range 5 {
				for col := range 7 {
					if want := float32(Level(x.At(c, y, col))) / 255; got.At(c, y, col) != want {
						t.Fatalf("%s: channel %d, row %d, column %d is %v, want %v", name, c, y, col, got.At(c, y, col), want)
					}
				}
			}
		}
	}
}
