//go:build !unix

package early

import "errors"

// listen leaves it to the kernel.
func listen(int) (int, error) { return 0, errors.ErrUnsupported }
