package licences

import (
	"os/exec"
	"testing"

	"sapf/kernel/command/licences/notice"
)

// TestNoticeIsWhole: the notice is that of the modules that the program is linked
// from today.
func TestNoticeIsWhole(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not there")
	}
	want, err := notice.Collect("../../..")
	if err != nil {
		t.Skipf("the modules can't be listed: %v", err)
	}
	if want != Text {
		t.Error("the notice is old: run go generate ./kernel/command/licences")
	}
}
