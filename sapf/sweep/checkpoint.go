package sweep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sapf/models/atomicfile"
	"sapf/sapf"
)

// CheckpointEvery is the number of passes between two checkpoints of a file:
// seconds to minutes of an attack on images of ImageNet's size. A cancelled
// attack saves the step it has come to besides.
const CheckpointEvery = 250

// checkpointMagic begins a checkpoint's file; the SHA-256 of the state and the
// state follow.
const checkpointMagic = "sapf checkpoint 1\n"

// Checkpoint is a file in which a SAPF attack keeps its state, replaced in one
// piece every so many passes, and from which it goes on if it is there.
type Checkpoint struct {
	path  string
	every int
	state []byte // to go on from, nil for a new attack
}

// OpenCheckpoint reads the file, if it is there, and refuses one that is no
// whole checkpoint: it is never overwritten. every is the number of passes
// between two saves; 0 means CheckpointEvery. What a killed attack has left beside
// the file goes.
func OpenCheckpoint(path string, every int) (*Checkpoint, error) {
	if err := atomicfile.Sweep(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if every <= 0 {
		every = CheckpointEvery
	}
	c := &Checkpoint{path: path, every: every}
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if c.state, err = decodeCheckpoint(raw); err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c, nil
}

// Resumes reports whether there is a state to go on from.
func (c *Checkpoint) Resumes() bool { return c.state != nil }

// Remove removes the file of an attack that is done, if one was written.
func (c *Checkpoint) Remove() error {
	if c.state == nil {
		return nil
	}
	c.state = nil
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the checkpoint of a finished attack: %w", err)
	}
	return nil
}

// with is a context whose SAPF attack keeps its state in the file.
func (c *Checkpoint) with(ctx context.Context) context.Context {
	return sapf.WithCheckpoints(ctx, sapf.Checkpoints{
		Every:  c.every,
		Resume: c.state,
		Save: func(state []byte) error {
			if err := atomicfile.WriteFile(c.path, encodeCheckpoint(state)); err != nil {
				return err
			}
			c.state = state
			return nil
		},
	})
}

func encodeCheckpoint(state []byte) []byte {
	sum := sha256.Sum256(state)
	return append(append([]byte(checkpointMagic), sum[:]...), state...)
}

func decodeCheckpoint(raw []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(checkpointMagic))
	if !ok {
		return nil, errors.New("the file is no checkpoint of this version, expected a new name or one to go on from")
	}
	if len(rest) < sha256.Size {
		return nil, fmt.Errorf("the file ends after %d bytes: it is torn", len(raw))
	}
	state := rest[sha256.Size:]
	if sum := sha256.Sum256(state); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil, errors.New("the checksum does not fit: the file is damaged")
	}
	return state, nil
}
