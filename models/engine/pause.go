package engine

// pause is a short moment of a spinning loop.
//
//go:noinline
func pause() {}
