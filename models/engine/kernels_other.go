//go:build !amd64 && !arm64

package engine

// Processors without assembly take the generic family.
var avx2Kernels, avx512Kernels, neonKernels *kernelSet

// pause is a short moment of a spinning loop.
//
//go:noinline
func pause() {}
