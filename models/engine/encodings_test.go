package engine

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestNEONEncodings has GNU's assembler assemble the instructions that Go's does
// not know, from the names beside their words.
func TestNEONEncodings(t *testing.T) {
	const as, objcopy = "aarch64-linux-gnu-as", "aarch64-linux-gnu-objcopy"
	for _, tool := range []string{as, objcopy} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%v: no second assembler (Debian's binutils-aarch64-linux-gnu)", err)
		}
	}
	text, err := os.ReadFile("neon_arm64.s")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`WORD +\$0x([0-9a-f]{8}) // (.*)`).FindAllSubmatch(text, -1)
	if len(words) < 1000 || len(words) != strings.Count(string(text), "WORD") {
		t.Fatalf("%d words with a name, of %d", len(words), strings.Count(string(text), "WORD"))
	}
	var names strings.Builder
	for _, w := range words {
		names.Write(append(w[2], '\n'))
	}
	dir := t.TempDir()
	object, binaryFile := filepath.Join(dir, "names.o"), filepath.Join(dir, "names.bin")
	assemble := exec.Command(as, "-o", object, "-")
	assemble.Stdin = strings.NewReader(names.String())
	for _, c := range []*exec.Cmd{assemble, exec.Command(objcopy, "-O", "binary", "-j", ".text", object, binaryFile)} {
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	code, err := os.ReadFile(binaryFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(code) != 4*len(words) {
		t.Fatalf("%d bytes of %d instructions", len(code), len(words))
	}
	for i, w := range words {
		want, err := strconv.ParseUint(string(w[1]), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.LittleEndian.Uint32(code[4*i:]); uint64(got) != want {
			t.Fatalf("%s: %s has %08x, we have %08x", w[2], as, got, want)
		}
	}
}
