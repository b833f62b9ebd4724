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
)

func (f Family) String() string {
	switch f {
	case Float64:
		return "float64"
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("Family(%d)", int(f))
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
	switch p.Family {
	case Float64, Generic:
		return nil
	case AVX2:
		if haveAVX2 {
			return nil
		}
	case AVX512:
		if haveAVX512 {
			return nil
		}
	default:
		return fmt.Errorf("kernels %v: want float64, generic, avx2 or avx512", p.Family)
	}
	return fmt.Errorf("kernels %v: this processor lacks them; use SAPF_KERNELS=generic", p.Family)
}

// DefaultProfile is the fastest that this processor runs, or what the
// environment's SAPF_KERNELS asks for: words separated by commas out of
// float64, generic, avx2, avx512 and direct, winograd.
func DefaultProfile() (Profile, error) { return ParseProfile(os.Getenv("SAPF_KERNELS")) }

// ParseProfile reads a profile as SAPF_KERNELS gives it ("avx2,direct"; a
// profile's String is understood as well). What it does not name is chosen for
// this processor.
func ParseProfile(s string) (Profile, error) {
	p := Profile{Family: Generic, Algorithm: Winograd}
	switch {
	case haveAVX512:
		p.Family = AVX512
	case haveAVX2:
		p.Family = AVX2
	}
	for _, word := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ',' || r == '-' || r == ' ' }) {
		switch word {
		case "float64":
			p.Family = Float64
		case "generic":
			p.Family = Generic
		case "avx2":
			p.Family = AVX2
		case "avx512":
			p.Family = AVX512
		case "direct":
			p.Algorithm = Direct
		case "winograd":
			p.Algorithm = Winograd
		default:
			return Profile{}, fmt.Errorf("SAPF_KERNELS %q: unknown word %q; want float64, generic, avx2 or avx512, and direct or winograd", s, word)
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
func (f Family) kernels() *kernelSet {
	switch f {
	case AVX2:
		return avx2Kernels
	case AVX512:
		return avx512Kernels
	}
	return genericKernels
}
