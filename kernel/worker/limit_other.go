//go:build !linux

package worker

// limitMemory does nothing: only Linux bounds what a process may map.
func limitMemory() {}
