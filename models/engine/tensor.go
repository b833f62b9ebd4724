package engine

// tensor is where a value of the network lives in a Runner's arena: rows of
// pixels, the channels of a pixel next to each other (NHWC), surrounded by a
// halo of zeros that convolutions read instead of testing for the border.
type tensor struct {
	Shape
	// id numbers the tensors of a plan.
	id int
	// halo is the number of zero rows and columns around the image.
	halo Padding
	// cs is the distance between two pixels: C rounded up to whole vectors.
	// The channels between C and cs are always zero.
	cs int
	// thin marks the images where pixels are not padded: cs is C.
	thin bool
	// zero: it is read and never written.
	zero bool
	// row is the distance between two rows, size that between two images,
	// and origin the place of the first pixel in an image, all in float32s.
	row, size, origin int
}

// lineFloats is a cache line: images begin on one.
const lineFloats = 16

func roundUp(n, m int) int { return (n + m - 1) / m * m }

// layOut fixes the distances once the halo is known.
func (t *tensor) layOut() {
	t.row = (t.halo.Left + t.W + t.halo.Right) * t.cs
	t.size = roundUp((t.halo.Top+t.H+t.halo.Bottom)*t.row, lineFloats)
	t.origin = t.halo.Top*t.row + t.halo.Left*t.cs
}

// need widens the halo.
func (t *tensor) need(p Padding) {
	t.halo = Padding{max(t.halo.Top, p.Top), max(t.halo.Left, p.Left), max(t.halo.Bottom, p.Bottom), max(t.halo.Right, p.Right)}
}

// bare reports that pixels follow each other over the whole image.
func (t *tensor) bare() bool { return t.row == t.W*t.cs }

// view is a grid of pixels in a tensor: pixel (r,c) begins at off + r*row +
// c*pix of its image. A view without a tensor is absent.
type view struct {
	t             *tensor
	off, row, pix int
}

// grid is the view of the pixels (r0+r*sr, c0+c*sc).
func (t *tensor) grid(r0, c0, sr, sc int) view {
	return view{t, t.origin + r0*t.row + c0*t.cs, sr * t.row, sc * t.cs}
}

// images is the view with one "pixel" per image of the batch.
func (t *tensor) images() view { return view{t, t.origin, 0, t.size} }
