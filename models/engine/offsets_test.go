package engine

import "unsafe"

type offset struct {
	name      string
	got, want uintptr
}

// offsets lists the last fields of each struct and a few between: the others
// follow from the order of words.
func offsets() []offset {
	var a tileArgs
	var w winoArgs
	return []offset{
		{"tileArgs.k", unsafe.Offsetof(a.k), 32},
		{"tileArgs.add", unsafe.Offsetof(a.add), 72},
		{"tileArgs.tiles", unsafe.Offsetof(a.tiles), 112},
		{"tileArgs.hi", unsafe.Offsetof(a.hi), 120},
		{"tileArgs.index", unsafe.Offsetof(a.index), 128},
		{"tileArgs.vecs", unsafe.Offsetof(a.vecs), 144},
		{"winoArgs.t", unsafe.Offsetof(w.t), 24},
		{"winoArgs.bias", unsafe.Offsetof(w.bias), 56},
		{"winoArgs.act", unsafe.Offsetof(w.act), 112},
		{"winoArgs.mahead", unsafe.Offsetof(w.mahead), 160},
		{"winoArgs.hi", unsafe.Offsetof(w.hi), 168},
		{"poolTap.number", unsafe.Offsetof(poolTap{}.number), 8},
	}
}
