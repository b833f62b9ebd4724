package data

import (
	"fmt"
	"io"
	"os"
)

// cifarPixels is the size of a CIFAR image: 3x32x32 bytes, channels first.
const cifarPixels = 3 * 32 * 32

// ReadCIFAR10 reads records of CIFAR-10's binary format: a label byte 0-9 and
// 3072 bytes, red, green, blue. name is the prefix of the images' names
// ("cifar10" gives "cifar10:0", ...). The error names the record.
func ReadCIFAR10(name string, r io.Reader) ([]Image, error) {
	return readCIFAR(name, r, 1, len(CIFAR10Classes))
}

// ReadCIFAR100 reads records of CIFAR-100's binary format: a coarse label
// 0-19, a fine label 0-99 and 3072 bytes. Label is the fine one.
func ReadCIFAR100(name string, r io.Reader) ([]Image, error) {
	return readCIFAR(name, r, 2, 100)
}

// readCIFAR reads records of labels bytes, of which the last is the class,
// and the pixels.
func readCIFAR(name string, r io.Reader, labels, classes int) ([]Image, error) {
	var images []Image
	record := make([]byte, labels+cifarPixels)
	for i := 0; ; i++ {
		n, err := io.ReadFull(r, record)
		switch {
		case err == io.EOF && i == 0:
			return nil, fmt.Errorf("%s: no records", name)
		case err == io.EOF:
			return images, nil
		case err == io.ErrUnexpectedEOF:
			return nil, fmt.Errorf("%s: record %d has %d bytes, expected %d", name, i, n, len(record))
		case err != nil:
			return nil, fmt.Errorf("%s: record %d: %w", name, i, err)
		}
		m, err := cifarImage(fmt.Sprintf("%s:%d", name, i), record, labels, classes)
		if err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", name, i, err)
		}
		images = append(images, m)
	}
}

func cifarImage(name string, record []byte, labels, classes int) (Image, error) {
	label := int(record[labels-1])
	if label >= classes {
		return Image{}, fmt.Errorf("label %d, expected 0 to %d", label, classes-1)
	}
	if labels == 2 && record[0] >= 20 {
		return Image{}, fmt.Errorf("coarse label %d, expected 0 to 19", record[0])
	}
	m := NewImage(name, 3, 32, 32)
	m.Label = label
	for j, v := range record[labels:] {
		m.Pix[j] = float32(v) / 255
	}
	return m, nil
}

// cifarRecord reads one record of a file, checking the file's whole length.
func cifarRecord(file, name string, index, labels, classes int) (Image, error) {
	f, err := os.Open(file)
	if err != nil {
		return Image{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Image{}, err
	}
	size := int64(labels + cifarPixels)
	if info.Size() == 0 || info.Size()%size != 0 {
		return Image{}, fmt.Errorf("%s: %d bytes: record %d has %d bytes, expected %d",
			file, info.Size(), info.Size()/size, info.Size()%size, size)
	}
	if n := info.Size() / size; int64(index) >= n {
		return Image{}, fmt.Errorf("%s: record %d, expected 0 to %d", name, index, n-1)
	}
	record := make([]byte, size)
	if _, err := f.ReadAt(record, int64(index)*size); err != nil {
		return Image{}, fmt.Errorf("%s: record %d: %w", file, index, err)
	}
	return cifarImage(name, record, labels, classes)
}
