//go:build !amd64

package engine

// Processors without assembly take the generic family.
var avx2Kernels, avx512Kernels *kernelSet

// pause is a short moment of a spinning loop.
//
//go:noinline
func pause() {}
