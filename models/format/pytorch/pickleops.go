package pytorch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The operations of the restricted pickle reader, in groups.

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
		if _, inert := v.(pyOpaque); inert {
			return nil
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
		if _, inert := v.(pyOpaque); inert {
			return nil
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
	case 'R', 0x81, 0x92: // REDUCE, NEWOBJ, NEWOBJ_EX: call
		if op == 0x92 { // with keywords, which no class of ours has
			if _, err := u.pop(); err != nil {
				return err
			}
		}
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
