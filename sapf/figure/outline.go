package figure

import (
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// outlined is an SVG canvas that draws text as the outlines of its glyphs: the
// drawing looks the same where the theme's font is not installed.
type outlined struct{ *vgsvg.Canvas }

// FillString draws s with its baseline starting at pt.
func (c outlined) FillString(f font.Face, pt vg.Point, s string) {
	c.Fill(outline(&f, pt, s))
}

// outline is the path around the glyphs of s, advanced and kerned as
// font.Face.Width measures them. Characters that the font lacks get its box.
func outline(f *font.Face, at vg.Point, s string) vg.Path {
	// At one pixel for each of the font's units, all numbers are whole units.
	em := fixed.Int26_6(f.Face.UnitsPerEm())
	unit := f.Font.Size / vg.Length(em)
	var path vg.Path
	var buf sfnt.Buffer
	var previous sfnt.GlyphIndex
	for i, r := range s {
		glyph, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if kern, err := f.Face.Kern(&buf, previous, glyph, em, 0); err == nil {
				at.X += vg.Length(vg.Length(kern) * unit)
			}
		}
		if segments, err := f.Face.LoadGlyph(&buf, glyph, em, nil); err == nil {
			path = appendGlyph(path, segments, at, unit)
		}
		if advance, err := f.Face.GlyphAdvance(&buf, glyph, em, 0); err == nil {
			at.X += vg.Length(vg.Length(advance) * unit)
		}
		previous = glyph
	}
	return path
}

// appendGlyph adds one glyph's contours, whose y grows downwards.
func appendGlyph(path vg.Path, segments sfnt.Segments, at vg.Point, unit vg.Length) vg.Path {
	point := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: at.X + vg.Length(vg.Length(p.X)*unit), Y: at.Y - vg.Length(vg.Length(p.Y)*unit)}
	}
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(point(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(point(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(point(s.Args[0]), point(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(point(s.Args[0]), point(s.Args[1]), point(s.Args[2]))
		}
	}
	if len(segments) > 0 {
		path.Close()
	}
	return path
}
