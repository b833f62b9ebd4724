//go:build !linux

package remote

import (
	"context"
	"errors"
)

func fullDisk(context.Context, string, string) error { return errors.New("only on Linux") }

func lockedFolder(string) error { return errors.New("only on Linux") }
