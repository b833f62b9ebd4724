package pytorch_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sapf/models/format/pytorch"
)

// The parser must refuse or read any bytes, without a panic and without
// allocating more than the bytes justify.

func FuzzPyTorch(f *testing.F) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range []struct{ name, content string }{{"x/data.pkl", tensorPickle("FloatStorage", 2)}, {"x/data/0", "\x00\x00\x80\x3f\x00\x00\x00\x40"}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			f.Fatal(err)
		}
		w.Write([]byte(m.content))
	}
	z.Close()
	f.Add(b.Bytes())
	f.Add([]byte(legacy()))
	files, _ := filepath.Glob("testdata/checkpoint_*.pt")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("\x80\x02]q\x00h\x00ah\x00)R."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := pytorch.Read("fuzz", raw)
		if err == nil && len(d.Tensors) == 0 {
			t.Fatal("accepted without a tensor")
		}
	})
}

// legacy is a checkpoint in the format before zip.
func legacy() string {
	head := "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}."
	p := tensorPickle("FloatStorage", 2)
	p = p[:len(p)-len("tQK\x00K\x02\x85K\x01\x85\x89}tRs.")] + "NtQK\x00K\x02\x85K\x01\x85\x89}tRs."
	return head + p + "\x80\x02]X\x01\x00\x00\x000a." + "\x02\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x80\x3f\x00\x00\x00\x40"
}

func TestLegacyCheckpoint(t *testing.T) {
	d, err := pytorch.Read("x", []byte(legacy()))
	if err != nil || len(d.Tensors) != 1 || d.Tensors[0].Data[0] != 1 || d.Tensors[0].Data[1] != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	raw := []byte(legacy())
	_, err = pytorch.Read("x", raw[:len(raw)-4])
	refused(t, err, "2 entries", "4 bytes are left")
}
