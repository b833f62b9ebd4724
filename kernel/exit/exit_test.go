package exit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestCode(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, x := range []struct {
		err  error
		want int
	}{
		{nil, Done},
		{errors.New("no such method"), Request},
		{Fail(errors.New("no luck")), Failed},
		{fmt.Errorf("cell 3: %w", Fail(errors.New("no luck"))), Failed},
		{Wrong(full), Failed},
		{Wrong(errors.New("no such file")), Request},
		{fmt.Errorf("write x: %w", full), Failed},
		{fmt.Errorf("attack: %w", context.Canceled), Interrupted},
		{errors.Join(Mark(Interrupted, errors.New("interrupted")), Fail(full)), Interrupted},
	} {
		if got := Code(x.err); got != x.want {
			t.Errorf("%v: code %d, want %d", x.err, got, x.want)
		}
	}
	if Fail(nil) != nil || Wrong(nil) != nil {
		t.Error("no error became one")
	}
}
