package engine

// Processors without assembly take the generic family.
var avx2Kernels, avx512Kernels *kernelSet
