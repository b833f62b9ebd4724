//go:build unix

package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// permissions says that a file's mode means something here.
const permissions = true

// checkOwner refuses a file that neither this user nor root owns.
func checkOwner(info fs.FileInfo) error {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Uid != 0 && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("owned by user %d: user %d expected", s.Uid, os.Geteuid())
	}
	return nil
}
