package pytorch

import (
	"errors"
	"fmt"
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
	// pyOpaque stands for a value nobody asks for, of the class of that name.
	pyOpaque struct{ class string }
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
	case 'c', 0x93, 'R', 0x81, 0x92, 'b', 'Q':
		return u.object(op)
	default:
		return fmt.Errorf("not an operation that torch.save uses")
	}
	return nil
}
