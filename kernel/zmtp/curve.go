package zmtp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"
	"golang.org/x/crypto/nacl/secretbox"
)

// Keys is a CURVE key pair (rfc.zeromq.org/spec/26).
type Keys struct{ Public, Secret [32]byte }

// ParseKeys reads a key pair in Z85, forty characters each, and checks that the
// public key is the secret one's.
func ParseKeys(public, secret string) (*Keys, error) {
	var k Keys
	for _, p := range []struct {
		name, text string
		key        *[32]byte
	}{{"public", public, &k.Public}, {"secret", secret, &k.Secret}} {
		b, err := decodeZ85(p.text)
		if err != nil {
			return nil, fmt.Errorf("CURVE %s key: %w", p.name, err)
		}
		if len(b) != 32 {
			return nil, fmt.Errorf("CURVE %s key: 40 characters of Z85 expected, got %d", p.name, len(p.text))
		}
		copy(p.key[:], b)
	}
	derived, err := curve25519.X25519(k.Secret[:], curve25519.Basepoint)
	if err != nil {
		return nil, fmt.Errorf("CURVE secret key: %w", err)
	}
	if [32]byte(derived) != k.Public {
		return nil, errors.New("CURVE public key does not belong to the secret key")
	}
	return &k, nil
}

// z85 is the alphabet of rfc.zeromq.org/spec/32.
const z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

func decodeZ85(s string) ([]byte, error) {
	if len(s)%5 != 0 {
		return nil, fmt.Errorf("Z85 comes in groups of 5 characters, got %d", len(s))
	}
	b := make([]byte, 0, len(s)/5*4)
	for i := 0; i < len(s); i += 5 {
		var v uint64
		for _, c := range []byte(s[i : i+5]) {
			digit := strings.IndexByte(z85, c)
			if digit < 0 {
				return nil, fmt.Errorf("%q is not a Z85 character", c)
			}
			v = v*85 + uint64(digit)
		}
		if v > 1<<32-1 {
			return nil, fmt.Errorf("Z85 group %q is too large", s[i:i+5])
		}
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b, nil
}

// sealed is the channel of the CURVE mechanism after its handshake: each frame
// is a MESSAGE whose box holds the frame's flags and body.
type sealed struct {
	plain
	shared     [32]byte // precomputed from the two short-term keys
	sent, seen uint64   // short nonces; theirs must grow
}

const (
	messageName = "\x07MESSAGE"
	// overhead is what a box adds to a frame: name, short nonce, tag, flags.
	overhead = len(messageName) + 8 + box.Overhead + 1
)

func shortNonce(prefix string, n uint64) *[24]byte {
	var nonce [24]byte
	copy(nonce[:16], prefix)
	binary.BigEndian.PutUint64(nonce[16:], n)
	return &nonce
}

func longNonce(prefix string, n []byte) *[24]byte {
	var nonce [24]byte
	copy(nonce[:8], prefix)
	copy(nonce[8:], n)
	return &nonce
}

func (s *sealed) read(limit int64, hold func(int64) error) (frame, error) {
	f, err := readFrame(s.r, limit+int64(overhead), hold)
	if err != nil {
		return frame{}, err
	}
	if len(f.body) < overhead || string(f.body[:len(messageName)]) != messageName {
		return frame{}, fmt.Errorf("%w: CURVE MESSAGE expected", ErrProtocol)
	}
	n := binary.BigEndian.Uint64(f.body[len(messageName):])
	if n <= s.seen {
		return frame{}, fmt.Errorf("%w: CURVE nonce %d after %d", ErrProtocol, n, s.seen)
	}
	s.seen = n
	open, ok := box.OpenAfterPrecomputation(nil, f.body[len(messageName)+8:], shortNonce("CurveZMQMESSAGEC", n), &s.shared)
	if !ok {
		return frame{}, fmt.Errorf("%w: CURVE box does not open", ErrProtocol)
	}
	return frame{more: open[0]&1 != 0, command: open[0]&2 != 0, body: open[1:]}, nil
}

func (s *sealed) write(f frame) error {
	s.sent++
	var flags byte
	if f.more {
		flags |= 1
	}
	if f.command {
		flags |= 2
	}
	body := make([]byte, 0, len(f.body)+overhead)
	body = append(body, messageName...)
	body = binary.BigEndian.AppendUint64(body, s.sent)
	inner := append(append(make([]byte, 0, 1+len(f.body)), flags), f.body...)
	body = box.SealAfterPrecomputation(body, inner, shortNonce("CurveZMQMESSAGES", s.sent), &s.shared)
	return s.plain.write(frame{body: body})
}

// curveHandshake is the server's side of CurveZMQ: HELLO, WELCOME, INITIATE,
// READY. Whoever knows the server's public key may in: it is in the connection
// file, which only the user can read, and every message is signed besides.
func curveHandshake(p plain, keys *Keys, metadata []byte) (channel, map[string]string, error) {
	expect := func(name string, size int) ([]byte, error) {
		f, err := p.read(handshakeFrame, nil)
		if err != nil {
			return nil, unexpected(err)
		}
		got, data, err := parseCommand(f.body)
		if err == nil && (!f.command || got != name || len(data) < size) {
			err = fmt.Errorf("%w: CURVE %s expected, got %.20q of %d bytes", ErrProtocol, name, got, len(data))
		}
		return data, err
	}
	refused := func(what string) error { return fmt.Errorf("%w: CURVE %s does not open", ErrProtocol, what) }

	// HELLO: version (2), padding (72), client's short-term key (32), nonce (8),
	// box of 64 zeros from that key to our long-term key.
	hello, err := expect("HELLO", 2+72+32+8+64+box.Overhead)
	if err != nil {
		return nil, nil, err
	}
	var client [32]byte
	copy(client[:], hello[74:106])
	if _, ok := box.Open(nil, hello[114:], shortNonce("CurveZMQHELLO---", binary.BigEndian.Uint64(hello[106:114])), &client, &keys.Secret); !ok {
		return nil, nil, refused("HELLO")
	}

	// WELCOME: nonce (16), box of our short-term key (32) and the cookie (96),
	// from our long-term key. The connection's state is kept in this function,
	// so the cookie need only be told from any other.
	public, secret, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	var random struct{ cookieKey, cookieNonce, welcomeNonce [32]byte }
	for _, b := range [][]byte{random.cookieKey[:], random.cookieNonce[:], random.welcomeNonce[:]} {
		if _, err := rand.Read(b); err != nil {
			return nil, nil, err
		}
	}
	cookie := append([]byte(nil), random.cookieNonce[:16]...)
	cookie = secretbox.Seal(cookie, append(client[:len(client):len(client)], secret[:]...), longNonce("COOKIE--", random.cookieNonce[:16]), &random.cookieKey)
	welcome := append([]byte(nil), random.welcomeNonce[:16]...)
	welcome = box.Seal(welcome, append(public[:len(public):len(public)], cookie...), longNonce("WELCOME-", random.welcomeNonce[:16]), &client, &keys.Secret)
	if err := p.write(command("WELCOME", welcome)); err != nil {
		return nil, nil, err
	}
	if err := p.flush(); err != nil {
		return nil, nil, err
	}

	// INITIATE: the cookie (96), nonce (8), box of the client's long-term key
	// (32), its vouch (16+80) and its metadata, between the short-term keys. The
	// vouch is a box of its short-term key and our long-term key, from its
	// long-term key to our short-term one.
	initiate, err := expect("INITIATE", 96+8+32+96+box.Overhead)
	if err != nil {
		return nil, nil, err
	}
	if string(initiate[:96]) != string(cookie) {
		return nil, nil, refused("cookie")
	}
	s := &sealed{plain: p}
	box.Precompute(&s.shared, &client, secret)
	s.seen = binary.BigEndian.Uint64(initiate[96:104])
	open, ok := box.OpenAfterPrecomputation(nil, initiate[104:], shortNonce("CurveZMQINITIATE", s.seen), &s.shared)
	if !ok {
		return nil, nil, refused("INITIATE")
	}
	var longTerm [32]byte
	copy(longTerm[:], open)
	vouch, ok := box.Open(nil, open[48:128], longNonce("VOUCH---", open[32:48]), &longTerm, secret)
	if !ok || string(vouch) != string(client[:])+string(keys.Public[:]) {
		return nil, nil, refused("vouch")
	}
	properties, err := parseProperties(open[128:])
	if err != nil {
		return nil, nil, err
	}

	s.sent = 1
	ready := binary.BigEndian.AppendUint64(nil, s.sent)
	ready = box.SealAfterPrecomputation(ready, metadata, shortNonce("CurveZMQREADY---", s.sent), &s.shared)
	if err := p.write(command("READY", ready)); err != nil {
		return nil, nil, err
	}
	return s, properties, p.flush()
}
