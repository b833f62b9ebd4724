package models

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"sapf/models/data"
)

// Normalisations that networks are commonly trained with, tried where an
// accuracy is low enough to ask whether the network's own is outside its file.
var commonNormalisations = []Normalisation{
	{Scale: 1},
	{Scale: 255},
	{Mean: []float64{0.5}, Std: []float64{0.5}},
	{Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}},
	{Mean: []float64{0.4914, 0.4822, 0.4465}, Std: []float64{0.2471, 0.2435, 0.2616}},
	{Mean: []float64{0.4914, 0.4822, 0.4465}, Std: []float64{0.2023, 0.1994, 0.201}},
	{Mean: []float64{0.5071, 0.4865, 0.4409}, Std: []float64{0.2673, 0.2564, 0.2762}},
	{Mean: []float64{123.675, 116.28, 103.53}, Std: []float64{58.395, 57.12, 57.375}, Scale: 255},
	{Mean: []float64{0.1307}, Std: []float64{0.3081}},
}

// What a hint takes: an accuracy below hintBelow percent of a model whose
// accuracy nobody has measured, and a normalisation with which hintGain of
// hintImages more are right.
const (
	hintBelow  = 90
	hintGain   = 0.1
	hintImages = 200
)

// normalisationHint tries other normalisations on the first images and says which
// would make the model better by far, "" if none would.
func (m *Model) normalisationHint(ctx context.Context, o VerifyOptions, v Verification) (string, error) {
	if v.Accuracy >= hintBelow || m.card.Accuracy > 0 {
		return "", nil
	}
	set, err := data.OpenSet(o.Data, m.ImageOptions(), min(v.Images, hintImages))
	if err != nil {
		return "", err
	}
	right := func(m *Model) (n int, err error) {
		predicted, labels := make([]int, set.N), make([]int, set.N)
		err = m.classify(ctx, set, predicted, labels, nil)
		for i, p := range predicted {
			if p == labels[i] {
				n++
			}
		}
		return n, err
	}
	own, err := right(m)
	if err != nil {
		return "", err
	}
	best, of := own, Normalisation{}
	for _, n := range commonNormalisations {
		net, err := n.apply(m.net)
		if err != nil {
			continue // for other channels than the model's
		}
		c := m.WithProfile(m.profile)
		c.Threads, c.net = m.Threads, net
		if r, err := right(c); err != nil {
			if ctx.Err() != nil {
				return "", err
			}
		} else if r > best {
			best, of = r, n
		}
	}
	if float64(best-own) < hintGain*float64(set.N) {
		return "", nil
	}
	return fmt.Sprintf("of the first %d images %d are right, but %d with%s: the network seems to expect its images so", set.N, own, best, of.flags()), nil
}

// flags are the options of the command line that ask for a normalisation.
func (n Normalisation) flags() string {
	text := ""
	for _, f := range []struct {
		name string
		v    []float64
	}{{"mean", n.Mean}, {"std", n.Std}} {
		var parts []string
		for _, x := range f.v {
			parts = append(parts, strconv.FormatFloat(x, 'g', -1, 64))
		}
		if len(parts) > 0 {
			text += " --" + f.name + " " + strings.Join(parts, ",")
		}
	}
	if n.Scale != 0 {
		text += " --scale " + strconv.FormatFloat(n.Scale, 'g', -1, 64)
	}
	return text
}
