//go:build unix

package early_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sapf/kernel/early"
)

// TestMain plays a kernel that does nothing but take the ports that the test
// names, a line each.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "kernel" {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			port, _ := strconv.Atoi(in.Text())
			fmt.Println(take(port))
		}
		return
	}
	os.Exit(m.Run())
}

// take is where the socket of a port listens.
func take(port int) string {
	f := early.Take(port)
	if f == nil {
		return "nothing"
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return err.Error()
	}
	return l.Addr().String()
}

// start starts this program as a kernel. What it returns has that take a port.
func start(t *testing.T, connection string) (take func(port int) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "connection.json")
	if err := os.WriteFile(path, []byte(connection), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "kernel", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	answers := bufio.NewReader(out)
	return func(port int) string {
		t.Helper()
		fmt.Fprintln(in, port)
		line, err := answers.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
}

// freePorts are ports that nobody has at the moment.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", early.IP+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func TestListensBeforeMain(t *testing.T) {
	p := freePorts(t, 5)
	for _, format := range []string{
		`{"shell_port": %d, "iopub_port": %d, "stdin_port": %d, "control_port": %d, "hb_port": %d, "ip": "127.0.0.1", "key": "a-b", "transport": "tcp"}`,
		"{\n  \"transport\":\"tcp\",\n  \"ip\":\"127.0.0.1\",\n  \"shell_port\":%d,\n  \"iopub_port\":%d,\n  \"stdin_port\":%d,\n  \"control_port\":%d,\n  \"hb_port\":%d\n}",
	} {
		t.Run("", func(t *testing.T) {
			take := start(t, fmt.Sprintf(format, p[0], p[1], p[2], p[3], p[4]))
			take(0) // it runs: connections come from before the kernel takes the port
			for _, port := range p {
				address := net.JoinHostPort(early.IP, strconv.Itoa(port))
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					continue
				}
				conn.Close()
				if got := take(port); got != address {
					t.Errorf("port %d: %s", port, got)
				}
				if got := take(port); got != "nothing" {
					t.Errorf("port %d is there twice: %s", port, got)
				}
			}
		})
	}
}

// TestLeavesItToTheKernel: what is not plain is not opened early.
func TestLeavesItToTheKernel(t *testing.T) {
	taken, err := net.Listen("tcp", early.IP+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	inUse, port := taken.Addr().(*net.TCPAddr).Port, freePorts(t, 1)[0]
	for _, c := range []struct{ name, text string }{
		{"not here", fmt.Sprintf(`{"transport":"tcp","ip":"0.0.0.0","shell_port":%d}`, port)},
		{"local socket", `{"transport":"ipc","ip":"/tmp/x","shell_port":1}`},
		{"any port", `{"transport":"tcp","ip":"127.0.0.1","shell_port":0}`},
		{"no port", `{"transport":"tcp","ip":"127.0.0.1","shell_port":99999999999999999999,"hb_port":-1,"iopub_port":"`},
		{"taken", fmt.Sprintf(`{"transport":"tcp","ip":"127.0.0.1","shell_port":%d}`, inUse)},
		{"empty", ""},
		{"cut off", `{"transport"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			take := start(t, c.text)
			for _, p := range []int{0, 1, port, inUse} {
				if got := take(p); got != "nothing" {
					t.Errorf("port %d: %s", p, got)
				}
			}
		})
	}
}

// TestFirst: this package is initialised before every package that needs unicode.
func TestFirst(t *testing.T) {
	cmd := exec.Command(os.Args[0], "kernel", "/nonexistent")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "init" {
			order = append(order, f[1])
		}
	}
	us, unicode := slices.Index(order, "sapf/kernel/early"), slices.Index(order, "unicode")
	if us < 0 || unicode < 0 || us > unicode {
		t.Errorf("initialised in the order %v", order)
	}
}
