package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPackIndex: places of results that the pack cannot have are refused when it is
// opened, before anything is allocated for them.
func TestPackIndex(t *testing.T) {
	const body = "0123456789"
	for place, good := range map[string]bool{
		"[0, 10]": true, "[4, 6]": true, "[10, 0]": true,
		"[0, 11]": false, "[5, 6]": false, "[11, 0]": false, "[12, -1]": false, "[-1, 5]": false, "[0, -1]": false,
		"[0, 4611686018427387904]": false, "[9223372036854775807, 1]": false, "[1, 9223372036854775807]": false,
	} {
		file := filepath.Join(t.TempDir(), packName)
		index := fmt.Sprintf("{%q: %s}\n", strings.Repeat("ab", 32), place)
		if err := os.WriteFile(file, fmt.Appendf(nil, "%s%s%0*d\n", body, index, packTail, len(body)), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := openPack(file)
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "is said to be") {
			t.Errorf("%s of %d bytes: %v", place, len(body), err)
		}
		if err == nil {
			p.close()
		}
	}
}
