package study_test

import (
	"context"
	"fmt"
	"log"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf"
	"sapf/sapf/attack"
	"sapf/sapf/study"
)

// What a choice costs: the attack as it is, and with variants of it, on the same
// images and goals. (A toy: a real table takes cwnet and thousands of steps.)
func ExampleDivergences() {
	w := make([]float32, 2*3*8*8)
	for i := range w {
		w[i] = float32((i*37+i/64)%17-8) / 8
	}
	net := &engine.Net{Name: "toy", Input: engine.Shape{C: 3, H: 8, W: 8}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 192, Out: 2, W: w}, In: []int{engine.Input}},
	}}
	m, err := models.New(net, models.Card{Name: "toy", Classes: []string{"a", "b"}})
	if err != nil {
		log.Fatal(err)
	}
	x := data.NewImage("grey", 3, 8, 8)
	for i := range x.Pix {
		x.Pix[i] = 0.5
	}
	p, err := m.Predict(x)
	if err != nil {
		log.Fatal(err)
	}
	x.Label = p.Class
	s := sapf.Reference().InSteps(100)
	s.K, s.SearchRounds, s.Lambda1, s.Lambda2, s.Round = 40, 1, 1, 0, "topk"
	table, err := study.Divergences(context.Background(), m, []attack.Task{{Image: x, Goal: attack.Goal{Label: x.Label, Target: 1 - x.Label}}}, s, "tune_steps=0")
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range table.Rows {
		fmt.Printf("%s: %d of %d, %.0f selected\n", row.Name, row.Successes(), len(row.Effects), row.Mean(func(e study.Effect) float64 { return float64(e.Selected) }))
	}
	// Output:
	// as it is: 1 of 1, 40 selected
	// tune_steps=0: 0 of 1, NaN selected
}
