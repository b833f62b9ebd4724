package queuetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// The ports that FreePort gives are below those that systems draw for outgoing
// connections: a client that tries a port again and again while nobody listens
// there could be given that port, and be connected with itself.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

var given sync.Map // ports, by number

// FreePort is a port that nobody has at the moment, and that no other test of this
// process is given.
func FreePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		l.Close()
		if _, taken := given.LoadOrStore(port, true); !taken {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
