package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sapf/sapf"
)

// CheckpointEvery is the number of passes between two checkpoints of a file:
// seconds to minutes of an attack on images of ImageNet's size. A cancelled attack
// saves the step it has come to besides.
const CheckpointEvery = 250

// WithCheckpointFile returns a context whose SAPF attack keeps its state in a
// file, replaced in one piece every so many passes, and goes on from the file
// if it is there. Once the attack is done, remove the file. Attacks other than
// SAPF start again.
func WithCheckpointFile(ctx context.Context, path string, every int) (context.Context, error) {
	state, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ctx, fmt.Errorf("read checkpoint %s: %w", path, err)
	}
	return sapf.WithCheckpoints(ctx, sapf.Checkpoints{
		Every:  every,
		Resume: state,
		Save: func(state []byte) error {
			return writeFile(filepath.Dir(path), filepath.Base(path), func(f *os.File) error {
				_, err := f.Write(state)
				return err
			})
		},
	}), nil
}
