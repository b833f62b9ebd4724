package models

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/zoo"
)

// Random builds an architecture with invented weights, for measuring and for
// comparing layers with other implementations. Equal seeds give equal weights.
// Load("random:resnet50") is Random with seed 0.
//
// Weights are uniform with He's variance 2/fan_in; biases and running means lie
// in +-0.1, scales and running variances in [0.5,1.5).
func Random(arch string, seed uint64, o LoadOptions) (*Model, error) {
	a, err := zoo.Find(arch)
	if err != nil {
		return nil, err
	}
	profile, err := o.profile()
	if err != nil {
		return nil, err
	}
	net, err := zoo.NewNet(arch, func(name string, shape []int) []float32 { return randomTensor(seed, name, shape) })
	if err != nil {
		return nil, err
	}
	card := Card{Name: "random:" + arch, Architecture: a.Name, Normalisation: a.Normalisation,
		Recipe: fmt.Sprintf("random weights, seed %d", seed), Warnings: []string{"random weights: it was never trained"}}
	card.Classes = a.Classes()
	if cost, err := net.Cost(); err == nil {
		card.Parameters = int64(cost.Parameters)
	}
	m, err := NewWithProfile(net, card, profile)
	if err != nil {
		return nil, err
	}
	return m.adapt(o)
}

// randomTensor fills a tensor by its name, its shape and the seed: entry i is
// made of the top 24 bits of splitmix64, so that any language makes the same.
func randomTensor(seed uint64, name string, shape []int) []float32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	state := h.Sum64() ^ seed*0x9e3779b97f4a7c15
	entries, fan := 1, 1 // fan: of one output
	for k, d := range shape {
		entries *= d
		if k > 0 {
			fan *= d
		}
	}
	lo, width := -0.1, 0.2
	switch {
	case strings.HasSuffix(name, "running_var"), len(shape) == 1 && strings.HasSuffix(name, ".weight"):
		lo, width = 0.5, 1
	case len(shape) > 1:
		bound := math.Sqrt(6 / float64(fan))
		lo, width = -bound, 2*bound
	}
	out := make([]float32, entries)
	for i := range out {
		u := float64(splitmix(state+uint64(i)*0x9e3779b97f4a7c15)>>40) / (1 << 24)
		out[i] = float32(lo + float64(width*u))
	}
	return out
}

// RandomImage has independent 24-bit pixels, uniform in [0,1): unlike a picture
// it has no two equal windows, so that no pool or activation stands on a tie
// where rounding decides the gradient.
func RandomImage(s engine.Shape, seed uint64) data.Image {
	m := data.NewImage(fmt.Sprintf("random %d", seed), s.C, s.H, s.W)
	for i := range m.Pix {
		m.Pix[i] = float32(float64(splitmix(seed+uint64(i)*0x9e3779b97f4a7c15)>>40) / (1 << 24))
	}
	return m
}

// splitmix is the output function of SplitMix64 (Steele, Lea and Flood,
// OOPSLA 2014).
func splitmix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
