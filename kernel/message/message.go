// Package message is the envelope of Jupyter's messages: frames to a checked
// Message and back (Jupyter's "Messaging in Jupyter", "The Wire Protocol").
package message

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
	"time"
)

// Version is the messaging protocol spoken. 5.5 stands on iopub_welcome from an
// XPUB socket, kernel_info on the control channel and supported_features.
const Version = "5.5"

// Header says what a message is and who sent it.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"` // RFC 3339
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

// Message is one message, in or out.
type Message struct {
	// Peers are the routing frames before the delimiter, without the identity
	// of the socket's peer itself; on iopub the one frame is the topic.
	Peers [][]byte
	// Header of an incoming message; that of an outgoing one is made by Encode.
	Header Header
	// Raw is the header as it came: what an answer carries as its parent.
	Raw json.RawMessage
	// Parent is the header of what this message answers.
	Parent   json.RawMessage
	Metadata json.RawMessage
	Content  json.RawMessage
	Buffers  [][]byte
}

// delimiter ends the routing frames.
const delimiter = "<IDS|MSG>"

// Reasons for refusing a message; each is counted by the codec.
var (
	ErrFrames    = errors.New("frames do not make a message")
	ErrSignature = errors.New("signature does not match")
	ErrReplay    = errors.New("message was here before")
)

// ErrJSON is wrapped where a message is signed rightly and its JSON is wrong.
var ErrJSON = errors.New("message is not the JSON it should be")

// remembered is how many signatures the replay check keeps: as many as
// jupyter_client's Session does.
const remembered = 1 << 16

// Codec signs, checks and numbers the messages of one kernel.
type Codec struct {
	hash    func() hash.Hash
	key     []byte // empty: nothing is signed or checked
	session string
	count   atomic.Uint64

	mu   sync.Mutex
	seen map[string]struct{}
	ring []string // the signatures in seen, oldest at next
	next int
}

// NewCodec makes a codec for a connection file's key and signature scheme. An
// empty key means unsigned messages, which the caller must have allowed.
func NewCodec(scheme string, key []byte) (*Codec, error) {
	c := &Codec{key: key, session: ID(), seen: map[string]struct{}{}}
	switch scheme {
	case "hmac-sha256", "":
		c.hash = sha256.New
	case "hmac-sha512":
		c.hash = sha512.New
	default:
		return nil, fmt.Errorf("signature scheme: hmac-sha256 or hmac-sha512 expected, got %.40q", scheme)
	}
	return c, nil
}

// ID makes an identifier like a random UUID.
func ID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (c *Codec) sign(parts [][]byte) []byte {
	if len(c.key) == 0 {
		return nil
	}
	mac := hmac.New(c.hash, c.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// fresh says whether a signature is new, and remembers it.
func (c *Codec) fresh(signature string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, old := c.seen[signature]; old {
		return false
	}
	if len(c.ring) < remembered {
		c.ring = append(c.ring, signature)
	} else {
		delete(c.seen, c.ring[c.next])
		c.ring[c.next] = signature
		c.next = (c.next + 1) % remembered
	}
	c.seen[signature] = struct{}{}
	return true
}

// Decode checks frames and takes them apart: routing frames, delimiter,
// signature, header, parent header, metadata, content, buffers. With an error
// that wraps ErrJSON the message has whatever could be read.
func (c *Codec) Decode(frames [][]byte) (Message, error) {
	at := -1
	for i, f := range frames {
		if string(f) == delimiter {
			at = i
			break
		}
	}
	if at < 0 || len(frames) < at+6 {
		return Message{}, fmt.Errorf("%w: %d of them, delimiter at %d", ErrFrames, len(frames), at)
	}
	signature, parts := frames[at+1], frames[at+2:at+6]
	if len(c.key) > 0 {
		given := make([]byte, hex.DecodedLen(len(signature)))
		// A signature that is not hexadecimal compares unequal, in the same time.
		n, _ := hex.Decode(given, signature)
		if subtle.ConstantTimeCompare(given[:n], c.sign(parts)) != 1 {
			return Message{}, ErrSignature
		}
		if !c.fresh(string(given[:n])) {
			return Message{}, ErrReplay
		}
	}
	m := Message{
		Peers: frames[:at], Raw: parts[0], Parent: parts[1], Metadata: parts[2], Content: parts[3], Buffers: frames[at+6:],
	}
	if err := json.Unmarshal(parts[0], &m.Header); err != nil {
		m.Raw = json.RawMessage("{}")
		return m, fmt.Errorf("%w: header: %v", ErrJSON, err)
	}
	if m.Header.ID == "" || m.Header.Type == "" {
		return m, fmt.Errorf("%w: header lacks msg_id or msg_type", ErrJSON)
	}
	for _, p := range []struct {
		name string
		text []byte
	}{{"parent header", parts[1]}, {"metadata", parts[2]}, {"content", parts[3]}} {
		if err := checkObject(p.text); err != nil {
			return m, fmt.Errorf("%w: %s: %v", ErrJSON, p.name, err)
		}
	}
	return m, nil
}

// checkObject says what is wrong with the text of a JSON object. It takes the
// object apart only where something is.
func checkObject(text []byte) error {
	if json.Valid(text) {
		if start := bytes.TrimLeft(text, " \t\r\n"); start[0] == '{' {
			return nil
		}
	}
	var object map[string]json.RawMessage
	return json.Unmarshal(text, &object)
}

// Encode makes the frames of a new message of a type, with parent being the raw
// header of what it answers (nil for none). It returns the frames from the
// delimiter on; the caller puts routing frames or a topic in front.
func (c *Codec) Encode(kind string, parent, metadata, content json.RawMessage, buffers ...[]byte) [][]byte {
	header, err := json.Marshal(Header{
		ID:      fmt.Sprintf("%s_%d", c.session, c.count.Add(1)),
		Session: c.session, Username: "kernel", Type: kind, Version: Version,
		Date: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	parts := [][]byte{header, object(parent), object(metadata), object(content)}
	frames := make([][]byte, 0, 6+len(buffers))
	frames = append(frames, []byte(delimiter), []byte(hex.EncodeToString(c.sign(parts))))
	return append(append(frames, parts...), buffers...)
}

func object(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return []byte("{}")
	}
	return raw
}
