package zmtp

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/box"
)

// The key pair of rfc.zeromq.org's and libzmq's own examples.
const (
	examplePublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
	exampleSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
)

func TestParseKeys(t *testing.T) {
	if _, err := ParseKeys(examplePublic, exampleSecret); err != nil {
		t.Fatal(err)
	}
	for _, k := range [][2]string{{examplePublic, examplePublic}, {"", ""}, {examplePublic[1:], exampleSecret}, {examplePublic, exampleSecret[:35]},
		{strings.Repeat("~", 40), exampleSecret}, {strings.Repeat("#", 40), exampleSecret}} {
		if _, err := ParseKeys(k[0], k[1]); err == nil {
			t.Errorf("%q was taken", k)
		}
	}
	if b, err := decodeZ85("HelloWorld"); err != nil || !bytes.Equal(b, []byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}) {
		t.Errorf("the specification's example: % x, %v", b, err)
	}
}

// curveClient is the client's side of CurveZMQ, from the specification: the
// other half of what is tested. Tampering changes a command before it is sent.
type curveClient struct {
	plain
	shared     [32]byte
	sent, seen uint64
	tamper     func(step string, body []byte)
}

func (c *curveClient) handshake(t *testing.T, server *Keys) error {
	p, step := c.plain, c.tamper
	if step == nil {
		step = func(string, []byte) {}
	}
	p.w.Write(greeting("CURVE", false))
	var theirs [greetingSize]byte
	p.flush()
	if _, err := io.ReadFull(p.r, theirs[:]); err != nil {
		return err
	}
	longPublic, longSecret, _ := box.GenerateKey(rand.Reader)
	public, secret, _ := box.GenerateKey(rand.Reader)

	hello := make([]byte, 74)
	hello[0] = 1
	hello = append(hello, public[:]...)
	hello = binary.BigEndian.AppendUint64(hello, 1)
	hello = box.Seal(hello, make([]byte, 64), shortNonce("CurveZMQHELLO---", 1), &server.Public, secret)
	step("HELLO", hello)
	p.write(command("HELLO", hello))
	p.flush()

	f, err := p.read(1<<10, nil)
	if err != nil {
		return err
	}
	_, welcome, _ := parseCommand(f.body)
	open, ok := box.Open(nil, welcome[16:], longNonce("WELCOME-", welcome[:16]), &server.Public, secret)
	if !ok {
		t.Fatal("WELCOME does not open")
	}
	var short [32]byte
	copy(short[:], open)
	cookie := open[32:]

	box.Precompute(&c.shared, &short, secret)
	var nonce [16]byte
	rand.Read(nonce[:])
	vouch := box.Seal(nil, append(append([]byte{}, public[:]...), server.Public[:]...), longNonce("VOUCH---", nonce[:]), &short, longSecret)
	step("VOUCH", vouch)
	inner := append(append(append([]byte{}, longPublic[:]...), nonce[:]...), vouch...)
	inner = appendProperty(inner, "Socket-Type", "DEALER")
	initiate := append([]byte{}, cookie...)
	c.sent = 2
	initiate = binary.BigEndian.AppendUint64(initiate, c.sent)
	initiate = box.SealAfterPrecomputation(initiate, inner, shortNonce("CurveZMQINITIATE", c.sent), &c.shared)
	step("INITIATE", initiate)
	p.write(command("INITIATE", initiate))
	p.flush()
	if f, err = p.read(1<<10, nil); err != nil {
		return err
	}
	_, ready, _ := parseCommand(f.body)
	c.seen = binary.BigEndian.Uint64(ready)
	if _, ok := box.OpenAfterPrecomputation(nil, ready[8:], shortNonce("CurveZMQREADY---", c.seen), &c.shared); !ok {
		t.Fatal("READY does not open")
	}
	return nil
}

func (c *curveClient) message(flags byte, text string, nonce uint64) []byte {
	body := []byte(messageName)
	body = binary.BigEndian.AppendUint64(body, nonce)
	return box.SealAfterPrecomputation(body, append([]byte{flags}, text...), shortNonce("CurveZMQMESSAGEC", nonce), &c.shared)
}

func curvePair(t *testing.T, receive func(string, [][]byte)) (*Socket, *curveClient, net.Conn, *Keys) {
	t.Helper()
	keys, err := ParseKeys(examplePublic, exampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	s := listen(t, Router, Options{Keys: keys, Receive: receive})
	conn := raw(t, s)
	return s, &curveClient{plain: plain{bufio.NewReader(conn), bufio.NewWriter(conn)}}, conn, keys
}

func TestCurveMessages(t *testing.T) {
	got := make(chan [][]byte, 1)
	var s *Socket
	s, c, conn, keys := curvePair(t, func(peer string, frames [][]byte) {
		got <- frames
		s.Send(peer, [][]byte{[]byte("one"), bytes.Repeat([]byte("2"), 1000)})
	})
	if err := c.handshake(t, keys); err != nil {
		t.Fatal(err)
	}
	c.write(frame{body: c.message(1, "a", 3)})
	c.write(frame{body: c.message(0, strings.Repeat("b", 500), 4)})
	c.flush()
	if m := <-got; len(m) != 2 || string(m[0]) != "a" || len(m[1]) != 500 {
		t.Errorf("got %q", m)
	}
	for i, want := range []int{3, 1000} {
		f, err := c.read(1<<16, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := binary.BigEndian.Uint64(f.body[8:])
		open, ok := box.OpenAfterPrecomputation(nil, f.body[16:], shortNonce("CurveZMQMESSAGES", n), &c.shared)
		if !ok || len(open)-1 != want || (open[0]&1 != 0) != (i == 0) {
			t.Errorf("frame %d: %v, %d bytes", i, ok, len(open))
		}
	}
	// The same nonce again is a message that somebody recorded.
	c.write(frame{body: c.message(0, "again", 4)})
	c.flush()
	ended(t, conn)
	eventually(t, "counted", func() bool { return s.Counters().Refused == 1 })
}

func TestCurveRefusals(t *testing.T) {
	for _, step := range []string{"HELLO", "VOUCH", "INITIATE", "cookie"} {
		s, c, conn, keys := curvePair(t, nil)
		c.tamper = func(at string, body []byte) {
			switch {
			case at == step:
				body[len(body)-1] ^= 1
			case at == "INITIATE" && step == "cookie":
				body[20] ^= 1
			}
		}
		if err := c.handshake(t, keys); err == nil {
			t.Errorf("a tampered %s was taken", step)
		}
		ended(t, conn)
		if s.Peers() != 0 {
			t.Errorf("a tampered %s made a peer", step)
		}
	}
	// Neither may a client that does not know the server's key, nor one without CURVE.
	s, c, _, _ := curvePair(t, nil)
	other := &Keys{}
	public, secret, _ := box.GenerateKey(rand.Reader)
	other.Public, other.Secret = *public, *secret
	if err := c.handshake(t, other); err == nil {
		t.Error("a client with another server's key was taken")
	}
	conn := raw(t, s)
	conn.Write(greeting("NULL", false))
	ended(t, conn)
}
