package kernel

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// FuzzConnection: whatever a connection file says, it is refused or names five
// ports of an address that only this machine reaches, and a key.
func FuzzConnection(f *testing.F) {
	f.Add([]byte(`{"transport":"tcp","ip":"127.0.0.1","shell_port":1,"control_port":2,"iopub_port":3,"stdin_port":4,"hb_port":5,"key":"k","signature_scheme":"hmac-sha256","kernel_name":"sapf"}`))
	f.Add([]byte(`{"transport":"ipc","ip":"/run/x","shell_port":1,"control_port":2,"iopub_port":3,"stdin_port":4,"hb_port":5,"key":"k"}`))
	f.Add([]byte(`{"transport":"tcp","ip":"::1","key":"k","curve_publickey":"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7","curve_secretkey":"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"}`))
	f.Add([]byte(`{"transport":"tcp","ip":"0.0.0.0","shell_port":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file := filepath.Join(t.TempDir(), "connection.json")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := ReadConnection(file, false, false)
		if err != nil {
			return
		}
		if c.Key == "" {
			t.Errorf("no key: %+v", c)
		}
		for _, p := range c.ports() {
			c.endpoint(p.port)
		}
		if c.Transport == "tcp" && c.IP != "localhost" && !net.ParseIP(c.IP).IsLoopback() {
			t.Errorf("others reach %q", c.IP)
		}
		if keys, err := c.keys(); err == nil && keys == nil && c.CurvePublicKey != "" {
			t.Errorf("keys are lost: %+v", c)
		}
	})
}
