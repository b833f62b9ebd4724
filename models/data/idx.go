package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of an IDX file: more than any published set has.
const (
	maxIDXRecords = 1_000_000
	maxIDXSide    = 4096
)

// ReadIDX reads images and labels of the MNIST family in IDX format, plain or
// gzipped: unsigned bytes, images of n x rows x columns and n labels below
// classes. At most limit records are read (0: all). name is the prefix of the
// images' names ("fashion" gives "fashion:0", ...).
func ReadIDX(name string, images, labels io.Reader, classes, limit int) ([]Image, error) {
	pix, err := openIDX(name+" images", images, 3)
	if err != nil {
		return nil, err
	}
	lab, err := openIDX(name+" labels", labels, 1)
	if err != nil {
		return nil, err
	}
	n, h, w := pix.dims[0], pix.dims[1], pix.dims[2]
	switch {
	case n != lab.dims[0]:
		return nil, fmt.Errorf("%s: %d images but %d labels", name, n, lab.dims[0])
	case n < 1 || n > maxIDXRecords || h < 1 || w < 1 || h > maxIDXSide || w > maxIDXSide:
		return nil, fmt.Errorf("%s: %d images of %dx%d, expected up to %d of up to %dx%d", name, n, h, w, maxIDXRecords, maxIDXSide, maxIDXSide)
	}
	whole := limit <= 0 || limit >= n
	if !whole {
		n = limit
	}
	var out []Image
	record := make([]byte, h*w)
	label := make([]byte, 1)
	for i := range n {
		if _, err := io.ReadFull(pix.r, record); err != nil {
			return nil, fmt.Errorf("%s images: record %d of %d: %w", name, i, pix.dims[0], noEOF(err))
		}
		if _, err := io.ReadFull(lab.r, label); err != nil {
			return nil, fmt.Errorf("%s labels: record %d of %d: %w", name, i, lab.dims[0], noEOF(err))
		}
		if int(label[0]) >= classes {
			return nil, fmt.Errorf("%s labels: record %d: label %d, expected 0 to %d", name, i, label[0], classes-1)
		}
		m := NewImage(fmt.Sprintf("%s:%d", name, i), 1, h, w)
		m.Label = int(label[0])
		for j, v := range record {
			m.Pix[j] = float32(v) / 255
		}
		out = append(out, m)
	}
	if whole {
		for _, f := range []*idx{pix, lab} {
			if _, err := f.r.ReadByte(); err != io.EOF {
				return nil, fmt.Errorf("%s: bytes after record %d, the last that the header announces", f.name, n-1)
			}
		}
	}
	return out, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// idx is an IDX file after its header.
type idx struct {
	name string
	dims []int
	r    *bufio.Reader
}

func openIDX(name string, r io.Reader, dims int) (*idx, error) {
	f := &idx{name: name, r: bufio.NewReader(r)}
	if head, _ := f.r.Peek(2); string(head) == "\x1f\x8b" {
		z, err := gzip.NewReader(f.r)
		if err != nil {
			return nil, fmt.Errorf("%s: gzip: %w", name, err)
		}
		f.r = bufio.NewReader(z)
	}
	head := make([]byte, 4+4*dims)
	if _, err := io.ReadFull(f.r, head); err != nil {
		return nil, fmt.Errorf("%s: IDX header of %d bytes: %w", name, len(head), noEOF(err))
	}
	const unsignedByte = 8
	if magic, want := binary.BigEndian.Uint32(head), uint32(unsignedByte<<8|dims); magic != want {
		return nil, fmt.Errorf("%s: IDX magic number 0x%08x, expected 0x%08x (bytes, %d dimensions); it looks like %s",
			name, magic, want, dims, Looks(head))
	}
	for i := range dims {
		f.dims = append(f.dims, int(binary.BigEndian.Uint32(head[4+4*i:])))
	}
	return f, nil
}
