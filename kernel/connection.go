package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"sapf/kernel/early"
	"sapf/kernel/zmtp"
	"sapf/models/bounded"
	"sapf/models/plain"
)

// Connection is a connection file: where a kernel listens, and the key that its
// messages are signed with ("Connection files" in jupyter_client's documentation).
type Connection struct {
	Transport       string `json:"transport"` // "tcp" or "ipc"
	IP              string `json:"ip"`        // of ipc: the path that "-PORT" is put behind
	ShellPort       int    `json:"shell_port"`
	ControlPort     int    `json:"control_port"`
	IOPubPort       int    `json:"iopub_port"`
	StdinPort       int    `json:"stdin_port"`
	HeartbeatPort   int    `json:"hb_port"`
	Key             string `json:"key"`
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name"`
	// The kernel's CURVE keys in Z85, where the client wants CURVE (jupyter_client 8.9).
	CurvePublicKey string `json:"curve_publickey"`
	CurveSecretKey string `json:"curve_secretkey"`
}

// maxConnectionFile is far above any connection file's length.
const maxConnectionFile = 64 << 10

// ReadConnection reads and checks a connection file. It refuses a file that
// someone else could have written, an address that others on the network can
// reach unless allowRemote, and an empty key unless allowUnsigned. Warnings are
// things that are bearable and should be known.
func ReadConnection(path string, allowRemote, allowUnsigned bool) (c Connection, warnings []string, err error) {
	wrap := func(err error) error { return fmt.Errorf("connection file %s: %w", path, err) }
	f, err := os.Open(path)
	if err != nil {
		return c, nil, wrap(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c, nil, wrap(err)
	}
	if err := checkOwner(info); err != nil {
		return c, nil, wrap(err)
	}
	if mode := info.Mode().Perm(); permissions && mode&0o022 != 0 {
		return c, nil, wrap(fmt.Errorf("mode %#o lets others write it: 0600 expected", mode))
	} else if permissions && mode&0o044 != 0 {
		warnings = append(warnings, fmt.Sprintf("connection file %s has mode %#o: others on this machine can read its key (0600 expected)", path, mode))
	}
	text, err := bounded.ReadAll(f, maxConnectionFile)
	if err != nil {
		return c, nil, wrap(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, nil, wrap(plain.BadJSON(err))
	}
	if err := c.check(allowRemote, allowUnsigned); err != nil {
		return c, nil, wrap(err)
	}
	return c, warnings, nil
}

func (c Connection) check(allowRemote, allowUnsigned bool) error {
	switch c.Transport {
	case "tcp":
		if ip := net.ParseIP(c.IP); !allowRemote && c.IP != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("ip %q can be reached from other machines: 127.0.0.1 expected (set SAPF_ALLOW_REMOTE=1 to allow it)", c.IP)
		}
	case "ipc":
		if c.IP == "" {
			return errors.New("transport ipc lacks its path in ip")
		}
	default:
		return fmt.Errorf("transport tcp or ipc expected, got %q", c.Transport)
	}
	ports := map[int]string{}
	for _, p := range c.ports() {
		if p.port < 0 || p.port > 65535 || (p.port == 0 && c.Transport == "ipc") {
			return fmt.Errorf("%s: port from 1 to 65535 expected, got %d", p.name, p.port)
		}
		if other := ports[p.port]; other != "" && p.port != 0 {
			return fmt.Errorf("%s and %s have the same port %d", other, p.name, p.port)
		}
		ports[p.port] = p.name
	}
	if c.Key == "" && !allowUnsigned {
		return errors.New("key is empty: anyone on this machine could run code (set SAPF_ALLOW_UNSIGNED=1 to allow it)")
	}
	if (c.CurvePublicKey == "") != (c.CurveSecretKey == "") {
		return errors.New("curve_publickey and curve_secretkey go together, got one of them")
	}
	return nil
}

func (c Connection) ports() []struct {
	name string
	port int
} {
	return []struct {
		name string
		port int
	}{
		{"shell_port", c.ShellPort}, {"control_port", c.ControlPort}, {"iopub_port", c.IOPubPort},
		{"stdin_port", c.StdinPort}, {"hb_port", c.HeartbeatPort},
	}
}

// endpoint is where the channel with a port listens.
func (c Connection) endpoint(port int) string {
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	ip := c.IP
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return fmt.Sprintf("tcp://%s:%d", ip, port)
}

// opened is the listener of a port that was opened before main, or nil.
func (c Connection) opened(port int) net.Listener {
	if c.Transport != "tcp" || c.IP != early.IP {
		return nil
	}
	f := early.Take(port)
	if f == nil {
		return nil
	}
	defer f.Close() // the listener has a copy
	l, err := net.FileListener(f)
	if err != nil {
		return nil
	}
	return l
}

// keys are the CURVE keys, or nil.
func (c Connection) keys() (*zmtp.Keys, error) {
	if c.CurvePublicKey == "" {
		return nil, nil
	}
	return zmtp.ParseKeys(c.CurvePublicKey, c.CurveSecretKey)
}
