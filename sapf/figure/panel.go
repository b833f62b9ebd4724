package figure

import (
	"cmp"
	"image"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Tile is one picture of a panel with its words.
type Tile struct {
	Picture image.Image
	// Title stands above the picture, in ink.
	Title string
	// Caption lines stand below it, smaller.
	Caption []string
	// Key names the result that is shown, or is "".
	Key string
}

// Sizes of a panel, in points (72 an inch).
const (
	// smallTile is the side of small pictures, and the least; largeTile shows
	// one of 224 pixels at two dots a pixel, and is the greatest.
	smallTile    vg.Length = 126
	largeTile    vg.Length = 168
	tileGap      vg.Length = 10
	titleSize    vg.Length = 9.5
	captionSize  vg.Length = 8
	captionSpace vg.Length = 10.5
)

// tileSide is the side at which a panel shows its pictures: that of the
// smallest, at a screen's 96 dots an inch, within limits.
func tileSide(tiles []Tile) vg.Length {
	side := largeTile
	for _, t := range tiles {
		b := t.Picture.Bounds()
		side = min(side, vg.Length(min(b.Dx(), b.Dy()))*vg.Inch/96)
	}
	return max(side, smallTile)
}

// Panel shows pictures side by side: benign, perturbation, mask, adversarial.
// Rows hold at most perRow tiles (0: all in one row).
func Panel(tiles []Tile, perRow int) *Figure {
	if perRow <= 0 || perRow > len(tiles) {
		perRow = max(len(tiles), 1)
	}
	rows := (len(tiles) + perRow - 1) / perRow
	side := tileSide(tiles)
	lines, widest := 0, side
	alt := make([]string, len(tiles))
	for i, t := range tiles {
		lines = max(lines, len(t.Caption))
		widest = max(widest, textWidth(t.Title, titleSize))
		for _, s := range t.Caption {
			widest = max(widest, textWidth(s, captionSize))
		}
		alt[i] = t.Title
		if len(t.Caption) > 0 {
			alt[i] += " (" + strings.Join(t.Caption, ", ") + ")"
		}
	}
	cell := vg.Point{
		X: widest + tileGap,
		Y: side + titleSize + 6 + vg.Length(vg.Length(lines)*captionSpace) + tileGap,
	}
	width := vg.Length(vg.Length(perRow)*cell.X) + tileGap
	height := vg.Length(vg.Length(rows)*cell.Y) + tileGap
	f := New(width, height, strings.Join(alt, " | "), func(c draw.Canvas) {
		for i, t := range tiles {
			at := vg.Point{
				X: c.Min.X + tileGap + vg.Length(vg.Length(i%perRow)*cell.X),
				Y: c.Max.Y - tileGap - vg.Length(vg.Length(i/perRow)*cell.Y),
			}
			drawTile(c, at, t, side)
		}
	})
	f.Raster = true
	for _, t := range tiles {
		f.withKey(cmp.Or(t.Key, pictureKey(t.Picture)))
	}
	return f
}

// drawTile draws one tile with its top left corner at pt.
func drawTile(c draw.Canvas, pt vg.Point, t Tile, side vg.Length) {
	label(c, pt, t.Title, titleSize, ink)
	pt.Y -= titleSize + 4
	box := vg.Rectangle{
		Min: vg.Point{X: pt.X, Y: pt.Y - side},
		Max: vg.Point{X: pt.X + side, Y: pt.Y},
	}
	// Enlarged to more pixels than the canvas has, so that the canvas's own
	// filter never blurs one image pixel into the next.
	c.DrawImage(box, Enlarge(t.Picture, int(side.Dots(dpi))))
	c.StrokeLines(draw.LineStyle{Color: rule, Width: 0.5}, []vg.Point{
		box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}, box.Min,
	})
	pt.Y = box.Min.Y - 3
	for _, s := range t.Caption {
		label(c, pt, s, captionSize, faint)
		pt.Y -= captionSpace
	}
}
