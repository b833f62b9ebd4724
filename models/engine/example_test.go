package engine_test

import (
	"fmt"
	"log"

	"sapf/models/engine"
)

// tiny is logits = W x for images of one row of three pixels.
func tiny() *engine.Net {
	return &engine.Net{
		Name:  "tiny",
		Input: engine.Shape{1, 1, 3},
		Nodes: []engine.Node{
			{Name: "flatten", Op: &engine.Flatten{}, In: []int{engine.Input}},
			{Name: "logits", Op: &engine.Dense{In: 3, Out: 2, W: []float32{1, 0, -1, 2, 2, 2}}, In: []int{0}},
		},
		Output: 1,
	}
}

// A network is compiled once; a Runner makes steps: logits, and the gradient of
// any weighting of them with respect to the images.
func ExampleCompile() {
	profile, err := engine.ParseProfile("generic,direct")
	if err != nil {
		log.Fatal(err)
	}
	program, err := engine.Compile(tiny(), profile)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := program.Runner(2, 1) // two images a step, one thread
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()
	x := []float32{1, 2, 3, 0.5, 0, 0}
	logits, dx := make([]float32, 2*2), make([]float32, len(x))
	runner.Forward(x, logits)
	fmt.Println("logits  ", logits)
	runner.Backward([]float32{1, -1, 0, 1}, dx) // of z0 - z1 for the first, z1 for the second
	fmt.Println("gradient", dx)
	// Output:
	// logits   [-2 12 0.5 1]
	// gradient [-1 -2 -3 2 2 2]
}

func ExampleNet_Shapes() {
	n := tiny()
	shapes, err := n.Shapes()
	fmt.Println(shapes, err)
	n.Nodes[1].Op = &engine.Dense{In: 4, Out: 2, W: make([]float32, 8)}
	_, err = n.Shapes()
	fmt.Println(err)
	// Output:
	// [3x1x1 2x1x1] <nil>
	// network tiny: layer logits (Dense): input 3x1x1 has 3 numbers, the weights want 4
}

func ExampleParseProfile() {
	p, err := engine.ParseProfile("float64")
	fmt.Println(p, err)
	_, err = engine.ParseProfile("avx1024")
	fmt.Println(err)
	// Output:
	// float64 <nil>
	// SAPF_KERNELS "avx1024": unknown word "avx1024"; want float64, generic, avx2, avx512 or neon, and direct or winograd
}
