package pytorch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readTorchZip reads the zip format: data.pkl and a stored member a storage.
func readTorchZip(raw []byte) (any, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if errors.Is(err, zip.ErrFormat) {
		return nil, cutOff(raw)
	}
	if err != nil {
		return nil, err
	}
	members := map[string]*zip.File{}
	var prefix string
	for _, f := range z.File {
		if members[f.Name] != nil {
			return nil, fmt.Errorf("member %s is there twice", f.Name)
		}
		members[f.Name] = f
		if p, ok := strings.CutSuffix(f.Name, "data.pkl"); ok {
			prefix = p
		}
	}
	if members[prefix+"constants.pkl"] != nil {
		return nil, errors.New("a TorchScript program, not a state dict: save torch.jit.load(file).state_dict(), or export it: torch.onnx.export(torch.jit.load(file).eval(), (torch.zeros(1, 3, 224, 224),), \"net.onnx\", dynamo=False, opset_version=17)")
	}
	if members[prefix+"data.pkl"] == nil {
		for name := range members {
			if strings.HasSuffix(name, "archive_format") || strings.HasSuffix(name, "models/model.json") || strings.HasSuffix(name, "serialized_exported_program.json") {
				return nil, errors.New(`a program of torch.export (.pt2), not a state dict; make it ONNX: torch.onnx.export(torch.export.load("net.pt2").module(), (torch.zeros(1, 3, 224, 224),), "net.onnx", dynamo=True, external_data=False)`)
			}
		}
		return nil, errors.New("a zip archive without data.pkl" + otherArchive(members))
	}
	if order, err := readMember(members, prefix+"byteorder", raw); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("byte order %q, expected little", order)
	}
	program, err := readMember(members, prefix+"data.pkl", raw)
	if err != nil {
		return nil, err
	}
	v, _, err := unpickle(program, torchClass, storageTable{}.resolve(func(key string, s *storage) (err error) {
		s.raw, err = readMember(members, prefix+"data/"+key, raw)
		return err
	}))
	return v, err
}

// readMember reads a member that is stored, as torch.save does: nothing can
// unpack to more than the file's own size. Its checksum is compared.
func readMember(members map[string]*zip.File, name string, raw []byte) ([]byte, error) {
	f := members[name]
	if f == nil {
		return nil, fmt.Errorf("no member %s", name)
	}
	if f.Method != zip.Store || f.UncompressedSize64 > uint64(len(raw)) {
		return nil, fmt.Errorf("member %s is compressed (%d bytes from %d), expected it stored, as torch.save does",
			name, f.UncompressedSize64, f.CompressedSize64)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("member %s: %w", name, err)
	}
	return b, nil
}

// otherArchive says whose archive it is, as far as its members tell.
func otherArchive(members map[string]*zip.File) string {
	switch {
	case members["model.weights.h5"] != nil:
		return `, a Keras network: export it to ONNX, net.export("net.onnx", format="onnx")`
	}
	for name := range members {
		if strings.HasSuffix(name, ".npy") {
			return `, arrays of NumPy (.npz): write them as safetensors, safetensors.numpy.save_file(dict(numpy.load("net.npz")), "net.safetensors")`
		}
	}
	return ""
}

// cutOff says which tensor an archive breaks off in whose directory, the last
// thing in it, is missing. data.pkl comes first and names the tensors; a storage
// starts with a header of its own (PKWARE's APPNOTE, 4.3.7).
func cutOff(raw []byte) error {
	const headerBytes = 30
	var program []byte
	last := ""
	for at := 0; ; at++ {
		k := bytes.Index(raw[at:], []byte("PK\x03\x04"))
		if k < 0 {
			break
		}
		at += k
		if at+headerBytes > len(raw) {
			break
		}
		nameEnd := at + headerBytes + int(binary.LittleEndian.Uint16(raw[at+26:]))
		body := nameEnd + int(binary.LittleEndian.Uint16(raw[at+28:]))
		if body > len(raw) {
			break
		}
		name := string(raw[at+headerBytes : nameEnd])
		if strings.HasSuffix(name, "/data.pkl") {
			program = raw[body:]
		}
		if _, key, ok := strings.Cut(name, "/data/"); ok {
			last = key
		}
	}
	storages := storageTable{}
	v, _, err := unpickle(program, torchClass, storages.resolve(nil))
	switch s := storages[last]; {
	case err != nil:
		return errors.New("the zip archive is cut off before its first tensor, or damaged: its directory is missing")
	case s == nil:
		return fmt.Errorf("the zip archive is cut off, or damaged, after member %q: its directory is missing", last)
	default:
		return fmt.Errorf("the zip archive is cut off in %s (member data/%s), or damaged: its directory is missing", viewOf(v, s), last)
	}
}
