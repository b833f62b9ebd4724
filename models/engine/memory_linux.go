package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// adviseHuge asks the system to put memory on huge pages, also what it has put
// on small ones already. A system that can't is as good, only slower.
func adviseHuge(v []float32) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
	if unix.Madvise(b, unix.MADV_HUGEPAGE) == nil {
		_ = unix.Madvise(b, unix.MADV_COLLAPSE)
	}
}
