package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"sapf/kernel/exit"
	"sapf/sapf/sweep/queue/natsq"
)

// authority makes certificates that are good for an hour.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.file, _ = a.issue("ca", a.cert)
	return a
}

// issue makes a certificate and its key, and returns their files.
func (a *authority) issue(name string, c *x509.Certificate) (cert, key string) {
	a.t.Helper()
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if signer == nil { // its own
		signer, a.key = k, k
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

// newKey makes an NKey: a file with its seed, and its public half.
func newKey(t *testing.T) (seed, public string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	seed = filepath.Join(t.TempDir(), "seed.nk")
	if err := os.WriteFile(seed, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return seed, public
}

// TestSweepServeSecure: hub and worker on a port with TLS and NKeys. A worker
// without a key, with another key, without TLS, or that trusts somebody else gets
// nothing; the one who may come in does the sweep, and both end.
func TestSweepServeSecure(t *testing.T) {
	a, stranger := newAuthority(t, "ours"), newAuthority(t, "somebody else's")
	cert, key := a.issue("server", &x509.Certificate{SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	hubSeed, hubKey := newKey(t)
	workerSeed, workerKey := newKey(t)
	otherSeed, _ := newKey(t)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte("# who may come in\n"+hubKey+"\n"+workerKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := filepath.Join(t.TempDir(), "sweep")
	served := make(chan string, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		code, _, stderr := call(t, ctx, "sweep", "serve", write(t, smallSweep), "-o", dir, "--listen", address,
			"--tls-cert", cert, "--tls-key", key, "--tls-ca", a.file, "--nkeys", keys, "--nkey", hubSeed)
		served <- fmt.Sprint(code, " ", stderr)
	}()
	worker := func(patience time.Duration, args ...string) (int, string) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		code, stdout, stderr := call(t, ctx, append([]string{"worker", "--url", "nats://" + address, "--cache", t.TempDir()}, args...)...)
		return code, stdout + stderr
	}
	for what, args := range map[string][]string{
		"no key":         {"--tls-ca", a.file},
		"another key":    {"--tls-ca", a.file, "--nkey", otherSeed},
		"no TLS":         {"--nkey", workerSeed},
		"another's root": {"--tls-ca", stranger.file, "--nkey", workerSeed},
	} {
		if code, said := worker(3*time.Second, args...); code == exit.Done || strings.Contains(said, "results handed in") && !strings.Contains(said, "0 results") {
			t.Errorf("%s: exit code %d, %s", what, code, said)
		}
	}
	select {
	case said := <-served:
		t.Fatalf("the hub ended: %s", said)
	default:
	}
	if code, said := worker(2*time.Minute, "--tls-ca", a.file, "--nkey", workerSeed); code != exit.Done || !strings.Contains(said, "18 results handed in") {
		t.Errorf("exit code %d, %s", code, said)
	}
	select {
	case said := <-served:
		if !strings.HasPrefix(said, "0 ") {
			t.Error(said)
		}
	case <-time.After(time.Minute):
		t.Fatal("the hub does not end")
	}
	if out, _ := want(t, exit.Done, "sweep", "status", dir); !strings.Contains(out, "18 of 18 attacks done") {
		t.Error(out)
	}
}

// TestSweepServeRefuses: what would let everybody in, unasked, and what does not
// fit together.
func TestSweepServeRefuses(t *testing.T) {
	a := newAuthority(t, "ours")
	cert, key := a.issue("server", &x509.Certificate{SerialNumber: big.NewInt(2)})
	seed, public := newKey(t)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(public), 0o600); err != nil {
		t.Fatal(err)
	}
	file := write(t, smallSweep)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--listen"},
		{[]string{"--listen", "127.0.0.1:4222", "--url", "nats://127.0.0.1"}, "--listen"},
		{[]string{"--listen", "4222"}, "expected HOST:PORT"},
		{[]string{"--listen", "127.0.0.1:70000"}, "from 1 to 65535"},
		{[]string{"--listen", "0.0.0.0:4222"}, "--open"},
		{[]string{"--listen", ":4222", "--tls-cert", cert, "--tls-key", key}, "--nkeys"},
		{[]string{"--listen", "127.0.0.1:4222", "--nkeys", keys}, "--nkey"},
		{[]string{"--listen", "127.0.0.1:4222", "--tls-cert", cert}, "and --tls-key \"\", expected both"},
		{[]string{"--listen", "127.0.0.1:4222", "--nkeys", cert, "--nkey", seed}, "NKey"},
		{[]string{"--listen", "127.0.0.1:4222", "--tls-ca", keys}, "no certificate"},
		{[]string{"--url", "nats://127.0.0.1:1", "--nkey", cert}, "nkey"},
	} {
		args := append([]string{"sweep", "serve", file, "-o", filepath.Join(t.TempDir(), "x")}, c.args...)
		if _, stderr := want(t, exit.Request, args...); !strings.Contains(stderr, c.want) || strings.Count(strings.TrimSpace(stderr), "\n") > 1 {
			t.Errorf("%q: %s, want %s", c.args, stderr, c.want)
		}
	}
}

// TestNobodyAnswers: a port that is taken is named at once; a server that is not
// there, and a server that has no sweep, after a moment.
func TestNobodyAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if code, _, stderr := call(t, t.Context(), "sweep", "serve", write(t, smallSweep), "-o", filepath.Join(t.TempDir(), "x"), "--listen", address); code != exit.Failed || !strings.Contains(stderr, "address already in use") {
		t.Errorf("a port that is taken: exit code %d, %s", code, stderr)
	}
	l.Close()
	says := func(want string) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		said := &watched{text: want, seen: stop}
		left := time.AfterFunc(time.Minute, stop)
		defer left.Stop()
		Main(ctx, []string{"worker", "--url", "nats://" + address}, io.Discard, said)
		if !strings.Contains(said.String(), want) {
			t.Errorf("the worker said %q, want %q", said.String(), want)
		}
	}
	says("nobody answers at nats://" + address)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	s, err := natsq.Start(natsq.ServerOptions{Store: t.TempDir(), Host: "127.0.0.1", Port: number})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	says("waiting for a sweep")
}

// watched keeps what is written, and calls seen when a text has come.
type watched struct {
	mu sync.Mutex
	strings.Builder
	text string
	seen func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Builder.Write(p)
	if strings.Contains(w.Builder.String(), w.text) {
		w.seen()
	}
	return len(p), nil
}
