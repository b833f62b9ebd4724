package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

func codec(t testing.TB) *Codec {
	t.Helper()
	c, err := NewCodec("hmac-sha256", []byte("a0436f6c-1916-498b-8eb9-e81ab9368e84"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	a, b := codec(t), codec(t)
	parent := json.RawMessage(`{"msg_id":"p","unknown":[1, 2]}`)
	frames := a.Encode("stream", parent, nil, json.RawMessage(`{"name":"stdout"}`), []byte("buffer"))
	m, err := b.Decode(append([][]byte{[]byte("peer"), []byte("topic")}, frames...))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Type != "stream" || m.Header.Version != Version || len(m.Peers) != 2 || string(m.Parent) != string(parent) ||
		string(m.Content) != `{"name":"stdout"}` || len(m.Buffers) != 1 || string(m.Metadata) != "{}" {
		t.Errorf("got %+v", m)
	}
}

// The signature is that of the protocol's document: HMAC over the four parts, in
// hexadecimal. The value is from Python:
//
//	hmac.new(b"key", b'{"a":1}{}{}{"b":2}', hashlib.sha256).hexdigest()
func TestSignatureAgainstPython(t *testing.T) {
	c, _ := NewCodec("hmac-sha256", []byte("key"))
	got := fmt.Sprintf("%x", c.sign([][]byte{[]byte(`{"a":1}`), []byte("{}"), []byte("{}"), []byte(`{"b":2}`)}))
	if want := "0206f42f4ae2a48f6054ab91271f90c100f7022f55fb1f23de6377624d533752"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFailure65_MessagesThatAreNone(t *testing.T) {
	c := codec(t)
	good := c.Encode("x", nil, nil, nil)
	for name, frames := range map[string][][]byte{
		"no frames": nil, "one frame": {[]byte("x")}, "no delimiter": good[1:], "no content": good[:5],
		"only the delimiter": {[]byte(delimiter)}, "10^4 frames": make([][]byte, 10000),
	} {
		if _, err := c.Decode(frames); !errors.Is(err, ErrFrames) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailure66_Signatures(t *testing.T) {
	c, other := codec(t), codec(t)
	other.key = []byte("another")
	fresh := func() [][]byte { return c.Encode("x", nil, nil, nil) }
	with := func(signature string) [][]byte {
		f := fresh()
		f[1] = []byte(signature)
		return f
	}
	good := fresh()
	for name, frames := range map[string][][]byte{
		"empty": with(""), "not hexadecimal": with("zz"), "half": with(string(good[1][:32])), "another's": other.Encode("x", nil, nil, nil),
		"long": with(string(good[1]) + "00"), "changed content": append(append([][]byte{}, good[:5]...), []byte(`{"code":"evil"}`)),
	} {
		if _, err := c.Decode(frames); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Decode(good); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Decode(good); !errors.Is(err, ErrReplay) {
		t.Errorf("replayed: %v", err)
	}
	upper := fresh()
	upper[1] = bytes.ToUpper(upper[1])
	if _, err := c.Decode(upper); err != nil {
		t.Errorf("in capitals: %v", err)
	}
	lower := append([][]byte{}, upper...)
	lower[1] = bytes.ToLower(upper[1])
	if _, err := c.Decode(lower); !errors.Is(err, ErrReplay) {
		t.Errorf("replayed in other letters: %v", err)
	}
}

func TestReplayMemoryIsBounded(t *testing.T) {
	c := codec(t)
	for i := range remembered + 1000 {
		if !c.fresh(fmt.Sprint(i)) {
			t.Fatal("a new signature is taken for an old one")
		}
	}
	if len(c.seen) != remembered || len(c.ring) != remembered {
		t.Errorf("%d signatures are kept", len(c.seen))
	}
	if c.fresh(fmt.Sprint(remembered + 999)) {
		t.Error("the newest signature is forgotten")
	}
}

func TestFailure67_SignedNonsense(t *testing.T) {
	c := codec(t)
	sign := func(parts ...string) [][]byte {
		f := [][]byte{[]byte(delimiter), nil}
		var raw [][]byte
		for _, p := range parts {
			raw = append(raw, []byte(p))
		}
		f[1] = fmt.Appendf(nil, "%x", c.sign(raw))
		return append(f, raw...)
	}
	head := `{"msg_id":"%d","msg_type":"execute_request"}`
	for i, parts := range [][]string{
		{"", "{}", "{}", "{}"}, {"{", "{}", "{}", "{}"}, {"[]", "{}", "{}", "{}"}, {`{"msg_id":1}`, "{}", "{}", "{}"}, {`{"msg_type":"x"}`, "{}", "{}", "{}"},
		{fmt.Sprintf(head, 1), "", "{}", "{}"}, {fmt.Sprintf(head, 2), "{}", "[]", "{}"}, {fmt.Sprintf(head, 3), "{}", "{}", `"text"`},
		{fmt.Sprintf(head, 4), "{}", "{}", `{"code": NaN}`}, {fmt.Sprintf(head, 5), "{}", "{}", "{\"code\": \"\xff"},
	} {
		if _, err := c.Decode(sign(parts...)); !errors.Is(err, ErrJSON) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestSchemes(t *testing.T) {
	for _, s := range []string{"hmac-sha256", "hmac-sha512", ""} {
		if _, err := NewCodec(s, []byte("k")); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, err := NewCodec("hmac-md5", []byte("k")); err == nil {
		t.Error("hmac-md5 was taken")
	}
}

func FuzzDecode(f *testing.F) {
	c := codec(f)
	for _, fr := range [][][]byte{c.Encode("execute_request", nil, nil, json.RawMessage(`{"code":"1"}`))} {
		f.Add(bytes.Join(fr, []byte{0}))
	}
	f.Add([]byte("\x00<IDS|MSG>\x00\x00{}\x00{}\x00{}\x00{}"))
	unsigned, err := NewCodec("", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frames := bytes.Split(b, []byte{0})
		c.Decode(frames)
		if m, err := unsigned.Decode(frames); err == nil && (m.Header.ID == "" || m.Header.Type == "") {
			t.Fatal("a message without id or type was taken")
		}
	})
}
