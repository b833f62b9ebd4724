package models_test

import (
	"fmt"
	"log"

	"sapf/models"
	"sapf/models/data"
)

// The embedded network classifies the embedded cat.
func ExampleModel_Predict() {
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	x, err := data.Load("cat", data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	p, err := m.Predict(x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p)
	// Output: cat 72.7 %, dog 24.8 %, bird 0.8 %
}

// The gradient of the logit "dog" with respect to the image.
func ExampleModel_Evaluator() {
	m, err := models.Load("cwnet", models.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	e, err := m.Evaluator(1, models.Linear{})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	x := make([]float64, m.InputShape().Len()) // a black image
	dog := make([]float64, 10)
	dog[5] = 1
	step, err := e.Gradient(x, dog)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("logit %.3f, gradient of %d entries\n", step.Loss[0], len(step.Grad))
	// Output: logit 0.289, gradient of 3072 entries
}

// An architecture without trained weights, for measuring.
func ExampleRandom() {
	m, err := models.Random("inception_v3", 0, models.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	in, err := m.Inspect()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d parameters, %.1f GFLOP a forward pass\n", m.Card().Architecture, in.Parameters, float64(in.FLOPs)/1e9)
	// Output: inception_v3: 23869000 parameters, 11.4 GFLOP a forward pass
}
