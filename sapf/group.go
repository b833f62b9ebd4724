package sapf

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"sapf/models/data"
)

// groupsOf returns the group of each entry of G, numbered from 0, and their
// number: the label image of the settings, or SLIC superpixels. A group holds
// all channels of its pixels. Labels may start anywhere and have gaps.
//
// Differs: the program takes for granted that labels start at 0, as those of
// scikit-image do up to 0.18; with a start at 1 it reads past its masks. Here
// the labels are SLIC's own (data.Superpixels, Connectivity) or Groups (24;
// TestFailure18_GroupsPartition).
func groupsOf(x data.Image, s Settings, entries int) ([]int, int, error) {
	labels := s.Groups
	if labels == nil {
		var err error
		labels, err = data.Superpixels(x, data.SuperpixelOptions{Segments: s.Segments, Compactness: s.Compactness, Connectivity: s.Connectivity})
		if err != nil {
			return nil, 0, err
		}
	}
	pixels := x.H * x.W
	if len(labels) != pixels {
		return nil, 0, fmt.Errorf("option groups: %d labels, expected %d, one a pixel", len(labels), pixels)
	}
	number := map[int]int{}
	for _, l := range labels {
		number[l] = 0
	}
	for i, l := range slices.Sorted(maps.Keys(number)) {
		number[l] = i
	}
	groups := make([]int, entries)
	for i := range groups {
		groups[i] = number[labels[i%pixels]]
	}
	return groups, len(number), nil
}

// groupNorms returns ||v^(g)||_2 for each group g.
func (f *Factorization) groupNorms(v []float64) []float64 {
	norms := make([]float64, f.NumGroups)
	for i, g := range f.GroupOf {
		norms[g] += float64(v[i] * v[i])
	}
	for g, n := range norms {
		norms[g] = math.Sqrt(n)
	}
	return norms
}

// addGroupGradient adds the subgradient of lambda2 * sum_g ||G^(g)||, which is
// lambda2 G^(g)/||G^(g)||, and 0 for a group of zeros: eq. 16, as the paper
// adds it to eq. 14.
//
// Differs: the program has a splitting variable Y3 instead; GroupMode "admm"
// adds what that contributes, Z3 + rho3 (G - Y3) (13; study.Divergences
// measures it). Plain SAPF has lambda2 = 0 in the paper and 1e-3 in the program,
// whose published run is thereby SAPF-GS: Lambda2 (14).
func (f *Factorization) addGroupGradient(grad []float64) {
	if f.GroupOf == nil {
		return
	}
	if f.Settings.GroupMode == "admm" {
		rho3 := f.RhoGroup
		for i, g := range f.G {
			grad[i] += f.Z3[i] + float64(rho3*(g-f.Y3[i]))
		}
		return
	}
	norms := f.groupNorms(f.G)
	for i, g := range f.G {
		if n := norms[f.GroupOf[i]]; n > 0 {
			grad[i] += f.Settings.Lambda2 * g / n
		}
	}
}

// updateY3 is the group soft-threshold, the proximal map of
// lambda2/rho3 * sum_g ||.||: with C = G + Z3/rho3,
// Y3^(g) = max(0, 1 - lambda2/(rho3 ||C^(g)||)) C^(g), and 0 for C^(g) = 0.
func (f *Factorization) updateY3() {
	if f.GroupOf == nil || f.Settings.GroupMode != "admm" {
		return
	}
	for i, g := range f.G {
		f.Y3[i] = g + f.Z3[i]/f.RhoGroup
	}
	scale := f.groupNorms(f.Y3)
	for g, n := range scale {
		if n > 0 {
			scale[g] = max(0, 1-f.Settings.Lambda2/(f.RhoGroup*n))
		}
	}
	for i, g := range f.GroupOf {
		f.Y3[i] *= scale[g]
	}
}

// updateZ3 is the group block's part of eq. 15: Z3 += rho3 (G-Y3).
func (f *Factorization) updateZ3() {
	if f.GroupOf == nil || f.Settings.GroupMode != "admm" {
		return
	}
	rho3 := f.RhoGroup
	for i, g := range f.G {
		f.Z3[i] += float64(rho3 * (g - f.Y3[i]))
	}
}

// GroupsTouched counts the groups in which at least one entry of G is above
// one half; 0 without groups.
func (f *Factorization) GroupsTouched() int {
	touched := make([]bool, f.NumGroups)
	n := 0
	for i, g := range f.GroupOf {
		if f.G[i] > 0.5 && !touched[g] {
			touched[g] = true
			n++
		}
	}
	return n
}
