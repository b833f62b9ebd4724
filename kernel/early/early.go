// Package early opens a kernel's ports before the rest of the program is
// initialised.
//
// A client connects in the moment in which it has started the kernel, and
// libzmq waits 100 to 200 ms before it tries again: a kernel that listens some
// milliseconds late answers a fifth of a second late. Most of those
// milliseconds are the initialisation of packages (the interpreter's tables,
// tensors, Markdown), which happens before main. From the listen call on the
// system accepts connections by itself, so it's enough if that call comes first.
//
// Go initialises packages in the order of their import paths, each as soon as
// what it imports is initialised. Therefore this package may import nothing
// that imports unicode (strings, fmt, net, encoding/json): what doesn't is
// initialised first, what does waits for it. TestFirst holds it to that.
package early

import (
	"os"
	"strconv"
)

func init() {
	if len(os.Args) >= 3 && os.Args[1] == "kernel" {
		open(os.Args[2])
	}
}

// IP is where sockets are opened early; elsewhere it's left to the kernel.
const IP = "127.0.0.1"

// sockets are those that listen, by port, until Take takes them.
var sockets = map[int]int{}

// maxFile is far above any connection file's length.
const maxFile = 64 << 10

// open listens on the ports of IP that a connection file names. It does
// nothing about a file that it does not understand, or a port that it can't
// have: both are the kernel's to report, which reads the file properly.
func open(connectionFile string) {
	text, err := read(connectionFile)
	if err != nil || value(text, "transport") != "tcp" || value(text, "ip") != IP {
		return
	}
	for _, name := range []string{"shell_port", "control_port", "iopub_port", "stdin_port", "hb_port"} {
		port, err := strconv.Atoi(value(text, name))
		if err != nil || port < 1 || port > 65535 {
			continue
		}
		if socket, err := listen(port); err == nil {
			sockets[port] = socket
		}
	}
}

// read reads a file, none that is longer than maxFile or has no end.
func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, os.ErrInvalid
	}
	return os.ReadFile(name)
}

// value is the value of a member of a JSON object of plain strings and numbers,
// as it's written; "" if it isn't there. It may be wrong about other JSON.
func value(text []byte, name string) string {
	quoted := `"` + name + `"`
	for i := 0; i+len(quoted) <= len(text); i++ {
		if string(text[i:i+len(quoted)]) != quoted {
			continue
		}
		rest := text[i+len(quoted):]
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == ':') {
			rest = rest[1:]
		}
		end := 0
		for end < len(rest) && rest[end] != ',' && rest[end] != '}' && rest[end] != '\n' && rest[end] != ' ' {
			end++
		}
		written := string(rest[:end])
		if n := len(written); n >= 2 && written[0] == '"' && written[n-1] == '"' {
			written = written[1 : n-1]
		}
		return written
	}
	return ""
}

// Take hands over the socket that listens on a port of IP, or nil.
func Take(port int) *os.File {
	socket, ok := sockets[port]
	if !ok {
		return nil
	}
	delete(sockets, port)
	return os.NewFile(uintptr(socket), "early")
}
