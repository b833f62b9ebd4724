package sapf

import (
	"context"
	"fmt"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// The programme of eq. 3, solved step by step, as a notebook does.
func ExampleFactorize() {
	m, x := linear(1, engine.Shape{C: 3, H: 8, W: 8}, 4) // a linear classifier and a grey image it calls class 0
	s := Reference().InSteps(400)
	s.K, s.Lambda1, s.Lambda2, s.Round = 40, 0.1, 0, "topk"
	p, err := Factorize(m, x, attack.Goal{Label: 0, Target: 2}, s)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range s.DeltaSteps { // eq. 7
		p.DeltaStep()
	}
	for range s.MaskSteps { // eqs. 11, 13, 14 and 15
		p.ADMMStep()
	}
	p.Round()
	for range s.TuneSteps {
		p.TuneStep()
	}
	norms, _ := attack.NormsOf(x, p.Adversarial())
	fmt.Printf("%d of %d selected, l2 %.3f\n", p.Selected(), len(p.G), norms.L2)
	// Output: 40 of 192 selected, l2 0.194
}

// Every few steps a trace sees delta and G as they stand.
func ExampleWithTrace() {
	m, x := linear(1, engine.Shape{C: 3, H: 8, W: 8}, 4)
	ctx := WithTrace(context.Background(), 100, func(r TraceRow) {
		fmt.Printf("%s %d: %d above one half\n", r.Stage, r.Step, r.AboveHalf)
	})
	o := Options{K: 40, Steps: 200, SearchRounds: 1, Round: "topk", Set: map[string]any{"lambda2": 0}}
	if _, err := o.Run(ctx, m, x, attack.Goal{Label: 0, Target: 2}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// delta 100: 192 above one half
	// delta 200: 192 above one half
	// mask 100: 22 above one half
	// mask 200: 23 above one half
	// tune 100: 40 above one half
}

func ExampleNormsOf() {
	x := data.NewImage("black", 3, 2, 2)
	adversarial := x.Clone()
	adversarial.Pix[0], adversarial.Pix[4], adversarial.Pix[7] = 0.25, 0.25, 0.5 // two channels of pixel 0, one of pixel 3
	n, err := attack.NormsOf(x, adversarial)
	fmt.Println(n.L0, n.L0Pixels, n.L1, n.Linf, err)
	// Output: 3 2 1 0.5 <nil>
}

func ExampleSettings_InSteps() {
	s := Reference().InSteps(400)
	fmt.Println(s.DeltaSteps, s.MaskSteps, s.TuneSteps, s.StepEvery)
	fmt.Printf("%.4f\n", s.RhoGrowth)
	// Output:
	// 400 400 200 10
	// 1.0510
}
