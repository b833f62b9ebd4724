//go:build !unix

package zmtp

// writeNow writes nothing: here a connection can't be asked not to wait.
func writeNow(uintptr, []byte) int { return 0 }
