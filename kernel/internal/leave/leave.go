// Package leave stops waiting for what can't be stopped.
package leave

import "context"

// When returns what f returns, or the error of ctx, whichever comes first. F is
// for work that does not heed a context, such as reading a pipe that nobody
// writes to: it goes on by itself until the program ends.
func When[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
