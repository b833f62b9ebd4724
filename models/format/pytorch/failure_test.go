package pytorch_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sapf/models/format/pytorch"
)

// torchZip is a checkpoint in PyTorch's zip format around a pickle.
func torchZip(t *testing.T, pickle string, method uint16, storages map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	add("x/data.pkl", []byte(pickle))
	for name, content := range storages {
		add("x/data/"+name, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensorPickle is a state dict of one tensor "w" of n entries in storage "0".
func tensorPickle(class string, n byte) string {
	return "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" +
		"(X\x07\x00\x00\x00storagectorch\n" + class + "\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK" + string([]byte{n}) + "tQ" +
		"K\x00K" + string([]byte{n}) + "\x85K\x01\x85\x89}tRs."
}

func TestFailure31_HostilePickle(t *testing.T) {
	four := []byte{0, 0, 128, 63, 0, 0, 0, 64}
	d, err := pytorch.Read("x", torchZip(t, tensorPickle("FloatStorage", 2), zip.Store, map[string][]byte{"0": four}))
	if err != nil || len(d.Tensors) != 1 || d.Tensors[0].Name != "w" || d.Tensors[0].Data[1] != 2 {
		t.Fatalf("a good checkpoint: %+v, %v", d, err)
	}
	deep := "\x80\x02" + strings.Repeat("(", 100000) + "."
	cyclic := "\x80\x02]q\x00h\x00ah\x00)R."
	for _, c := range []struct {
		name, pickle, says string
	}{
		{"os.system", "\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "os.system"},
		{"eval", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"},
		{"getattr", "\x80\x02c__builtin__\ngetattr\n.", "__builtin__.getattr"},
		{"a module", "\x80\x02ctorchvision.models.resnet\nResNet\n)\x81.", "state_dict"},
		{"a call of data", "\x80\x02X\x02\x00\x00\x00hi)R.", "call of a string"},
		{"marks", deep, "holds a"},
		{"a list within itself", cyclic, "call of a"},
		{"a string of 4 GB", "\x80\x02X\xff\xff\xff\xffab.", "cut off"},
		{"a string of 2^63", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.", "cut off"},
		{"no end", "\x80\x02}", "cut off"},
		{"extension", "\x80\x02\x82\x01.", "not an operation"},
		{"long storage", tensorPickle("FloatStorage", 200), "expected 200 entries"},
		{"other class", tensorPickle("ComplexStorage", 2), "torch.ComplexStorage"},
	} {
		_, err := pytorch.Read("x", torchZip(t, c.pickle, zip.Store, map[string][]byte{"0": four}))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected it to say %q", c.name, err, c.says)
		}
	}
}

func TestFailure36_Zip(t *testing.T) {
	// A member that unpacks to a thousand times its size.
	bomb := torchZip(t, tensorPickle("FloatStorage", 2), zip.Deflate, map[string][]byte{"0": make([]byte, 10<<20)})
	_, err := pytorch.Read("x", bomb)
	refused(t, err, "compressed")
	// Names that leave the folder lead nowhere: members are looked up, never
	// written.
	_, err = pytorch.Read("x", torchZip(t, strings.Replace(tensorPickle("FloatStorage", 2), "X\x01\x00\x00\x000", "X\x06\x00\x00\x00../../", 1), zip.Store, nil))
	refused(t, err, "no member")
}

// TestFailure31_DeepPickle: values nested without end are refused, and neither
// reading nor naming them exhausts the stack.
func TestFailure31_DeepPickle(t *testing.T) {
	const depth = 100_000
	nested := "\x80\x02)" + strings.Repeat("\x85", depth) + "."
	magic := "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
	for name, c := range map[string]struct{ raw, says string }{
		"version": {magic + nested + "\x80\x02}.", "format version"},
		"object":  {magic + "\x80\x02M\xe9\x03.\x80\x02}." + nested + "\x80\x02].", "expected a dictionary"},
		"key":     {magic + "\x80\x02M\xe9\x03.\x80\x02}.\x80\x02})" + strings.Repeat("\x85", depth) + "Ns.\x80\x02].", "no tensors"},
		// _rebuild_from_type_v2(itself, None, the same again, ...).
		"calls": {magic + "\x80\x02M\xe9\x03.\x80\x02}.\x80\x02ctorch._tensor\n_rebuild_from_type_v2\nq\x00)" +
			strings.Repeat("q\x010h\x00Nh\x01\x87", depth) + "R.\x80\x02].", "a call of itself"},
	} {
		_, err := pytorch.Read("x", []byte(c.raw))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, expected it to say %q", name, err, c.says)
		}
	}
}

// TestFailure31_CutOff: a file that was not fetched to its end is refused,
// whatever is left, and within the numbers of a tensor the message names it.
func TestFailure31_CutOff(t *testing.T) {
	for file, tensors := range map[string][]string{
		"checkpoint_zip.pt":    {"tensor w", "tensor v", "tensor n"},
		"checkpoint_legacy.pt": {"tensor w", "tensor v", "tensor n"},
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for n := 0; n < len(raw); n += 13 {
			_, err := pytorch.Read("x", raw[:n])
			if err == nil {
				t.Fatalf("%s: accepted with %d of %d bytes", file, n, len(raw))
			}
			for _, tensor := range tensors {
				named[tensor] = named[tensor] || strings.Contains(err.Error(), tensor)
			}
		}
		for _, tensor := range tensors {
			if !named[tensor] {
				t.Errorf("%s: cut off at any length, %s is never named", file, tensor)
			}
		}
	}
}

// TestFailure32_FlippedBit: the member's own checksum finds it.
func TestFailure32_FlippedBit(t *testing.T) {
	z := torchZip(t, tensorPickle("FloatStorage", 2), zip.Store, map[string][]byte{"0": {0, 0, 128, 63, 0, 0, 0, 64}})
	at := bytes.Index(z, []byte{0, 0, 128, 63})
	z[at] ^= 1
	_, err := pytorch.Read("x", z)
	refused(t, err, "checksum")
}

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
