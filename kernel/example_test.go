package kernel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sapf/kernel"
)

// A connection file is checked before anything listens: who may write it, where
// it makes the kernel listen, and that there is a key.
func ExampleReadConnection() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "connection.json")
	for _, ip := range []string{"127.0.0.1", "0.0.0.0"} {
		text := `{"transport": "tcp", "ip": "` + ip + `", "shell_port": 5001, "control_port": 5002, "iopub_port": 5003,
			"stdin_port": 5004, "hb_port": 5005, "key": "a0436f6c", "signature_scheme": "hmac-sha256"}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			panic(err)
		}
		c, _, err := kernel.ReadConnection(file, false, false)
		if err != nil {
			fmt.Println(strings.ReplaceAll(err.Error(), file, "FILE"))
			continue
		}
		fmt.Println("shell on port", c.ShellPort, "signed with", c.SignatureScheme)
	}
	// Output:
	// shell on port 5001 signed with hmac-sha256
	// connection file FILE: ip "0.0.0.0" can be reached from other machines: 127.0.0.1 expected (set SAPF_ALLOW_REMOTE=1 to allow it)
}
