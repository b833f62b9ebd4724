package graph_test

import "sapf/models/engine"

// A small network for the tests.
var (
	shape  = engine.Shape{C: 1, H: 2, W: 2}
	affine = &engine.Affine{Scale: []float64{2}, Shift: []float64{-0.5}}
	dense  = &engine.Dense{In: 4, Out: 3, W: []float32{1, 2, 0, -1, 0.5, 0, 1, 1, -2, 1, 1, 0.25}, B: []float32{0.5, 0, -1}}
)

const image = engine.Input
