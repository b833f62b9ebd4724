package pytorch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sapf/models/format"
)

// What the format before zip starts with: three pickles, of which the first is
// this number and the second the version.
const (
	legacyMagic   = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	legacyVersion = 1001
)

// readLegacy reads the format of torch.save before 1.6: pickles of the magic
// number, the version, facts of the system, the object, the storages' keys;
// then each storage, its length in 8 bytes first.
func readLegacy(raw []byte) (any, error) {
	if len(raw) > 262 && string(raw[257:262]) == "ustar" {
		return nil, errors.New("a tar archive, as PyTorch 0.1 wrote it; save the file again with a later one")
	}
	nothing := func(any) (any, error) { return nil, errors.New("a persistent id") }
	var head [3]any
	var err error
	for i := range head {
		if head[i], raw, err = unpickle(raw, torchClass, nothing); err != nil {
			return nil, err
		}
		if i == 0 && head[0] != legacyMagic {
			return nil, errors.New("a pickle, but not one of torch.save (magic number missing)")
		}
	}
	if version, ok := head[1].(int64); !ok || version != legacyVersion {
		return nil, fmt.Errorf("format version %d (%T), expected %d", version, head[1], legacyVersion)
	}
	storages := storageTable{}
	v, raw, err := unpickle(raw, torchClass, storages.resolve(nil))
	if err != nil {
		return nil, err
	}
	keys, raw, err := unpickle(raw, torchClass, nothing)
	if err != nil {
		return nil, fmt.Errorf("list of storages: %w", err)
	}
	list, ok := keys.(*pyList)
	if !ok {
		return nil, fmt.Errorf("list of storages: a %T", keys)
	}
	for _, k := range list.items {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || s.raw != nil {
			return nil, fmt.Errorf("storage %q is not one that a tensor names once", key)
		}
		if len(raw) < 8 {
			return nil, fmt.Errorf("%s is cut off before its storage %s", viewOf(v, s), key)
		}
		n, width := binary.LittleEndian.Uint64(raw), uint64(format.Width[s.dtype])
		raw = raw[8:]
		if n > uint64(len(raw))/width {
			return nil, fmt.Errorf("%s: storage %s has %d entries of %d bytes, but %d bytes are left", viewOf(v, s), key, n, width, len(raw))
		}
		s.raw, raw = raw[:n*width:n*width], raw[n*width:]
	}
	return v, nil
}
