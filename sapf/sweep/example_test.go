package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/engine"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep"
)

// linear is a classifier of two classes on images of four pixels: the sum of the
// left two against that of the right two.
func linear() *models.Model {
	net := &engine.Net{Name: "halves", Input: engine.Shape{C: 1, H: 1, W: 4}, Nodes: []engine.Node{
		{Name: "fc", Op: &engine.Dense{In: 4, Out: 2, W: []float32{4, 4, 0, 0, 0, 0, 4, 4}}, In: []int{engine.Input}},
	}}
	m, err := models.New(net, models.Card{Name: "halves", Classes: []string{"left", "right"}})
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// picture is brighter on the left.
func picture() data.Image {
	x := data.NewImage("picture", 1, 1, 4)
	copy(x.Pix, []float32{0.75, 0.5, 0.25, 0.25})
	x.Label = 0
	return x
}

// Run is the one way to run attacks: images are classified, goals checked, and
// what comes back is measured on its image alone. With a store nothing is run
// twice.
func ExampleRun() {
	m, x := linear(), picture()
	tasks := []attack.Task{
		{Image: x, Goal: attack.Goal{Label: 0, Target: 1}, Attack: &baseline.FGSM{Epsilon: 0.25}},
		{Image: x, Goal: attack.Goal{Label: 0, Target: 1}, Attack: &baseline.FGSM{Epsilon: 0.125}},
	}
	store := sweep.NewMemory()
	for range 2 {
		fmt.Println(len(store.All()), "of", len(tasks), "are there")
		outcomes, err := sweep.Run(context.Background(), m, tasks, sweep.Options{Store: store})
		if err != nil {
			log.Fatal(err)
		}
		for _, o := range outcomes {
			fmt.Printf("success %v, %d entries, linf %.3f\n", o.Measured.Success, o.Measured.L0, o.Measured.Linf)
		}
	}
	// Output:
	// 0 of 2 are there
	// success true, 4 entries, linf 0.250
	// success false, 4 entries, linf 0.125
	// 2 of 2 are there
	// success true, 4 entries, linf 0.250
	// success false, 4 entries, linf 0.125
}

// An attack in words, as the command line has it: a wrong word is told with the
// nearest right one.
func ExampleNewAttack() {
	a, err := sweep.NewAttack("sigma-zero", "", map[string]string{"steps": "50"})
	fmt.Println(a.Name(), err)
	for _, set := range []map[string]string{{"stepz": "50"}, {"steps": "many"}} {
		_, err = sweep.NewAttack("sigma-zero", "", set)
		fmt.Println(err)
	}
	_, err = sweep.NewAttack("sigmazero", "", nil)
	before, _, _ := strings.Cut(err.Error(), " (there are")
	fmt.Println(before)
	// Output:
	// sigma-zero <nil>
	// sigma-zero: unknown option "stepz", did you mean "steps"?
	// sigma-zero: option steps: "many", expected a whole number
	// unknown method "sigmazero", did you mean "sigma-zero"?
}

// A target is a class's name or its number, and never the image's own class.
func ExampleGoalOf() {
	classes := []string{"cat", "dog", "frog"}
	goal, err := sweep.GoalOf(classes, 0, "dog")
	fmt.Println(goal.Target, err)
	goal, err = sweep.GoalOf(classes, 0, "")
	fmt.Println(goal.Target == attack.None, err)
	_, err = sweep.GoalOf(classes, 0, "frogs")
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// true <nil>
	// target "frogs" is none of the model's 3 classes, did you mean "frog"?
}

// A key names a task by everything that its outcome depends on.
func ExampleKey() {
	m, x := linear(), picture()
	task := attack.Task{Image: x, Goal: attack.Goal{Label: 0, Target: 1}, Attack: &baseline.FGSM{Epsilon: 0.25}}
	first, err := sweep.Key(m, task)
	fmt.Println(len(first), err)
	again, _ := sweep.Key(m, task)
	task.Image = x.Clone()
	task.Image.Pix[0] += 0.125
	other, _ := sweep.Key(m, task)
	fmt.Println(again == first, other == first, errors.Is(err, sweep.ErrNoKey))
	// Output:
	// 64 <nil>
	// true false false
}
