package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// A restricted reader of Python pickles, for the state dicts of PyTorch. It
// knows the operations that torch.save uses (protocols 0 to 5, PEP 3154 and
// Python's pickletools) and no others, builds plain values only, and turns a
// name into something only where the list of classes below has it: no code of
// the file can run. It never allocates more than the file's own bytes ask for.
//
// A pickle library is not used here because the ones there are allocate
// by lengths that the file claims, and print the values they refuse, which
// overflows the stack on a list that holds itself.

// Values: nil, bool, int64, float64, string, and the following.
type (
	pyTuple []any
	// pyDict keeps the order of insertion; OrderedDict is one too.
	pyDict struct {
		keys   []any
		values []any
	}
	pyList struct{ items []any }
	// pyClass is a name that the list of classes has.
	pyClass struct {
		name string
		call func(args pyTuple) (any, error)
	}
	// pyOpaque stands for a value nobody asks for.
	pyOpaque struct{}
	pyMark   struct{}
)

// get returns the value of a string key, the last where there are several.
func (d *pyDict) get(key string) any {
	var v any
	for i, k := range d.keys {
		if k == key {
			v = d.values[i]
		}
	}
	return v
}

// forbiddenError names a class that a state dict has no need of.
type forbiddenError struct{ class string }

func (e *forbiddenError) Error() string {
	return fmt.Sprintf("the pickle wants %s, which a state dict has no need of: refused, nothing of the file was run; save the weights alone with torch.save(model.state_dict(), file)", e.class)
}

// unpickler is one run over the bytes of a pickle.
type unpickler struct {
	raw   []byte
	at    int
	stack []any
	memo  map[int]any
	// class resolves "module.name"; persistent resolves a persistent id.
	class      func(name string) (*pyClass, bool)
	persistent func(id any) (any, error)
}

var errPickleEnd = errors.New("the pickle is cut off")

// unpickle reads one pickle and returns its value and the bytes after it.
func unpickle(raw []byte, class func(string) (*pyClass, bool), persistent func(any) (any, error)) (any, []byte, error) {
	u := &unpickler{raw: raw, memo: map[int]any{}, class: class, persistent: persistent}
	for {
		start := u.at
		op, err := u.bytes(1)
		if err != nil {
			return nil, nil, err
		}
		if op[0] == '.' {
			v, err := u.pop()
			return v, u.raw[u.at:], err
		}
		if err := u.step(op[0]); err != nil {
			return nil, nil, fmt.Errorf("pickle byte %d (operation %q): %w", start, op[0], err)
		}
	}
}

func (u *unpickler) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(u.raw)-u.at) {
		return nil, errPickleEnd
	}
	b := u.raw[u.at : u.at+int(n)]
	u.at += int(n)
	return b, nil
}

// number reads a little-endian number of 1, 2, 4 or 8 bytes.
func (u *unpickler) number(width uint64) (uint64, error) {
	b, err := u.bytes(width)
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v, err
}

// counted reads a length of the given width and as many bytes.
func (u *unpickler) counted(width uint64) ([]byte, error) {
	n, err := u.number(width)
	if err != nil {
		return nil, err
	}
	return u.bytes(n)
}

func (u *unpickler) line() (string, error) {
	i := strings.IndexByte(string(u.raw[u.at:min(len(u.raw), u.at+1024)]), '\n')
	if i < 0 {
		return "", errPickleEnd
	}
	b, err := u.bytes(uint64(i) + 1)
	return string(b[:i]), err
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errors.New("the stack is empty")
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

// top is the value that an operation changes in place.
func (u *unpickler) top() (any, error) {
	if len(u.stack) == 0 {
		return nil, errors.New("the stack is empty")
	}
	return u.stack[len(u.stack)-1], nil
}

// popMark takes everything above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("there is no mark")
}

func (u *unpickler) popN(n int) (pyTuple, error) {
	if len(u.stack) < n {
		return nil, errors.New("the stack is too short")
	}
	items := append(pyTuple(nil), u.stack[len(u.stack)-n:]...)
	u.stack = u.stack[:len(u.stack)-n]
	return items, nil
}

// step carries out one operation other than STOP.
func (u *unpickler) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		_, err := u.number(1)
		return err
	case 0x95: // FRAME: its contents follow as they are
		n, err := u.number(8)
		if err == nil && n > uint64(len(u.raw)-u.at) {
			err = errPickleEnd
		}
		return err
	case '(':
		u.push(pyMark{})
	case '0':
		_, err := u.pop()
		return err
	case '1':
		_, err := u.popMark()
		return err
	case '2':
		v, err := u.top()
		u.push(v)
		return err
	case 'N':
		u.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		u.push(op == 0x88)
	case 'J', 'K', 'M', 'I', 'L', 0x8a, 0x8b, 'G', 'F':
		return u.numeric(op)
	case 0x8c, 'X', 0x8d, 'U', 'T', 'C', 'B', 0x8e, 'V':
		return u.text(op)
	case ')', 't', 0x85, 0x86, 0x87, ']', 'l', 'a', 'e', '}', 'd', 's', 'u', 0x8f:
		return u.container(op)
	case 'q', 'r', 0x94, 'h', 'j', 'p', 'g':
		return u.memory(op)
	case 'c', 0x93, 'R', 0x81, 'b', 'Q':
		return u.object(op)
	default:
		return fmt.Errorf("not an operation that torch.save uses")
	}
	return nil
}

func (u *unpickler) numeric(op byte) error {
	switch op {
	case 'J', 'K', 'M': // BININT, BININT1, BININT2
		width := map[byte]uint64{'J': 4, 'K': 1, 'M': 2}[op]
		v, err := u.number(width)
		if op == 'J' {
			u.push(int64(int32(v)))
		} else {
			u.push(int64(v))
		}
		return err
	case 0x8a, 0x8b: // LONG1, LONG4: little-endian two's complement
		b, err := u.counted(map[byte]uint64{0x8a: 1, 0x8b: 4}[op])
		if err != nil {
			return err
		}
		if len(b) > 8 {
			u.push(string(b)) // only the magic number is so long
			return nil
		}
		var v int64
		if len(b) > 0 && b[len(b)-1] >= 0x80 {
			v = -1
		}
		for i := len(b) - 1; i >= 0; i-- {
			v = v<<8 | int64(b[i])
		}
		u.push(v)
		return nil
	case 'G': // BINFLOAT, big-endian
		b, err := u.bytes(8)
		if err != nil {
			return err
		}
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		return nil
	}
	s, err := u.line() // INT, LONG, FLOAT: a line of text
	if err != nil {
		return err
	}
	switch {
	case op == 'I' && (s == "00" || s == "01"):
		u.push(s == "01")
	case op == 'F':
		var v float64
		_, err = fmt.Sscanf(s, "%g", &v)
		u.push(v)
	default:
		var v int64
		_, err = fmt.Sscanf(strings.TrimSuffix(s, "L"), "%d", &v)
		u.push(v)
	}
	return err
}

func (u *unpickler) text(op byte) error {
	if op == 'V' {
		s, err := u.line()
		u.push(s)
		return err
	}
	width := map[byte]uint64{0x8c: 1, 'X': 4, 0x8d: 8, 'U': 1, 'T': 4, 'C': 1, 'B': 4, 0x8e: 8}[op]
	b, err := u.counted(width)
	u.push(string(b))
	return err
}

func (u *unpickler) container(op byte) error {
	var items []any
	var err error
	switch op {
	case 't', 'l', 'd', 'e', 'u':
		if items, err = u.popMark(); err != nil {
			return err
		}
	}
	switch op {
	case ')', 0x85, 0x86, 0x87: // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3
		t, err := u.popN(map[byte]int{')': 0, 0x85: 1, 0x86: 2, 0x87: 3}[op])
		u.push(t)
		return err
	case 't':
		u.push(pyTuple(items))
	case ']', 'l', 0x8f: // a set is kept as a list
		u.push(&pyList{items})
	case '}':
		u.push(&pyDict{})
	case 'd':
		d := &pyDict{}
		u.push(d)
		return d.add(items)
	case 'a', 'e': // APPEND, APPENDS
		if op == 'a' {
			if items, err = u.popN(1); err != nil {
				return err
			}
		}
		v, err := u.top()
		if err != nil {
			return err
		}
		l, ok := v.(*pyList)
		if !ok {
			return fmt.Errorf("append to a %T", v)
		}
		l.items = append(l.items, items...)
	case 's', 'u': // SETITEM, SETITEMS
		if op == 's' {
			if items, err = u.popN(2); err != nil {
				return err
			}
		}
		v, err := u.top()
		if err != nil {
			return err
		}
		d, ok := v.(*pyDict)
		if !ok {
			return fmt.Errorf("set an item of a %T", v)
		}
		return d.add(items)
	}
	return nil
}

// add appends keys and values in turn.
func (d *pyDict) add(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

func (u *unpickler) memory(op byte) error {
	var n uint64
	var err error
	switch op {
	case 'q', 'h':
		n, err = u.number(1)
	case 'r', 'j':
		n, err = u.number(4)
	case 0x94:
		n = uint64(len(u.memo))
	case 'p', 'g':
		var s string
		if s, err = u.line(); err == nil {
			_, err = fmt.Sscanf(s, "%d", &n)
		}
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' || op == 'g' {
		v, ok := u.memo[int(n)]
		if !ok {
			return fmt.Errorf("value %d was never stored", n)
		}
		u.push(v)
		return nil
	}
	v, err := u.top()
	u.memo[int(n)] = v
	return err
}

func (u *unpickler) object(op byte) error {
	switch op {
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		var module, name string
		if op == 'c' {
			var err error
			if module, err = u.line(); err != nil {
				return err
			}
			if name, err = u.line(); err != nil {
				return err
			}
		} else {
			t, err := u.popN(2)
			if err != nil {
				return err
			}
			m, ok1 := t[0].(string)
			n, ok2 := t[1].(string)
			if !ok1 || !ok2 {
				return errors.New("a class whose name is not text")
			}
			module, name = m, n
		}
		c, ok := u.class(module + "." + name)
		if !ok {
			return &forbiddenError{module + "." + name}
		}
		u.push(c)
	case 'R', 0x81: // REDUCE, NEWOBJ: call
		t, err := u.popN(2)
		if err != nil {
			return err
		}
		c, ok1 := t[0].(*pyClass)
		args, ok2 := t[1].(pyTuple)
		if !ok1 || !ok2 {
			return fmt.Errorf("a call of a %T with a %T", t[0], t[1])
		}
		v, err := c.call(args)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		u.push(v)
	case 'b': // BUILD sets attributes, which nobody asks for
		if len(u.stack) < 2 {
			return errors.New("the stack is too short")
		}
		u.stack = u.stack[:len(u.stack)-1]
	case 'Q': // BINPERSID
		id, err := u.pop()
		if err != nil {
			return err
		}
		v, err := u.persistent(id)
		u.push(v)
		return err
	}
	return nil
}
