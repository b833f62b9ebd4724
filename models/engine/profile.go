package engine

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/cpu"
)

// Family names a set of kernels.
type Family int

// The kernel families.
const (
	// Float64 is the double-precision reference: slow, plain, the oracle.
	Float64 Family = iota
	// Generic is float32 in plain Go, for any machine.
	Generic
	// AVX2 needs AVX2 and FMA (amd64).
	AVX2
	// AVX512 needs AVX-512F, DQ, BW and VL (amd64).
	AVX512
	// NEON is for arm64.
	NEON
)

// families has a line for every Family. Of those that a machine has, the last is
// the fastest.
var families = [...]struct {
	name string
	have bool
	// kernels of nil mean double precision, or that this build has none.
	kernels *kernelSet
}{
	Float64: {name: "float64", have: true},
	Generic: {name: "generic", have: true, kernels: genericKernels},
	AVX2:    {name: "avx2", have: haveAVX2, kernels: avx2Kernels},
	AVX512:  {name: "avx512", have: haveAVX512, kernels: avx512Kernels},
	NEON:    {name: "neon", have: neonKernels != nil, kernels: neonKernels},
}

const familyNames = "float64, generic, avx2, avx512 or neon"

func (f Family) String() string {
	if f < 0 || int(f) >= len(families) {
		return fmt.Sprintf("Family(%d)", int(f))
	}
	return families[f].name
}

// Algorithm says how 3x3 convolutions of stride 1 are computed.
type Algorithm int

// The algorithms.
const (
	// Direct multiplies every tap.
	Direct Algorithm = iota
	// Winograd uses F(4x4,3x3) or F(5x5,3x3) where it is faster (Lavin and
	// Gray, 2016, "Fast Algorithms for Convolutional Neural Networks"): a
	// quarter of the products, and four to five times the rounding error.
	Winograd
)

func (a Algorithm) String() string {
	if a == Winograd {
		return "winograd"
	}
	return "direct"
}

// Profile says which kernels run. Within one profile, results are the same
// bytes at any batch size, number of threads and neighbours.
type Profile struct {
	Family    Family
	Algorithm Algorithm
}

// String is "avx512-winograd", "generic-direct" or "float64".
func (p Profile) String() string {
	if p.Family == Float64 {
		return "float64"
	}
	return p.Family.String() + "-" + p.Algorithm.String()
}

// check reports whether this machine can run the profile.
func (p Profile) check() error {
	switch {
	case p.Family < 0 || int(p.Family) >= len(families):
		return fmt.Errorf("kernels %v: want %s", p.Family, familyNames)
	case !families[p.Family].have:
		return fmt.Errorf("kernels %v: this processor lacks them; use SAPF_KERNELS=generic", p.Family)
	}
	return nil
}

// DefaultProfile is the fastest that this processor runs, or what the
// environment's SAPF_KERNELS asks for: words separated by commas out of
// float64, generic, avx2, avx512, neon and direct, winograd.
func DefaultProfile() (Profile, error) { return ParseProfile(os.Getenv("SAPF_KERNELS")) }

// ParseProfile reads a profile as SAPF_KERNELS gives it ("avx2,direct"; a
// profile's String is understood as well). What it does not name is chosen for
// this processor.
func ParseProfile(s string) (Profile, error) {
	p := Profile{Algorithm: Winograd}
	for f, family := range families {
		if family.have {
			p.Family = Family(f)
		}
	}
words:
	for _, word := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ',' || r == '-' || r == ' ' }) {
		for f, family := range families {
			if word == family.name {
				p.Family = Family(f)
				continue words
			}
		}
		switch word {
		case Direct.String():
			p.Algorithm = Direct
		case Winograd.String():
			p.Algorithm = Winograd
		default:
			return Profile{}, fmt.Errorf("SAPF_KERNELS %q: unknown word %q; want %s, and direct or winograd", s, word, familyNames)
		}
	}
	if p.Family == Float64 {
		p.Algorithm = Direct
	}
	if err := p.check(); err != nil {
		return Profile{}, fmt.Errorf("SAPF_KERNELS %q: %w", s, err)
	}
	return p, nil
}

// haveAVX2 and haveAVX512: this processor and this build have the kernels.
var (
	haveAVX2   = avx2Kernels != nil && cpu.X86.HasAVX2 && cpu.X86.HasFMA
	haveAVX512 = avx512Kernels != nil && haveAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL
)

// kernels is the code of a float32 family.
func (f Family) kernels() *kernelSet { return families[f].kernels }
