package sweep

import (
	"context"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/engine"
	"sapf/sapf/attack"
)

// TestHeads: an attack that succeeds on a network succeeds on the same network with
// another head, or its record names the cause: probabilities at the end, logits so
// large that probabilities underflow. (Package sapf has its own test of a gradient of
// zero.)
func TestHeads(t *testing.T) {
	plain, err := models.Load("cwmnist", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, ops ...engine.Op) *models.Model {
		net := *plain.Net()
		net.Name, net.Nodes = name, slices.Clone(net.Nodes)
		for _, op := range ops {
			net.Nodes = append(net.Nodes, engine.Node{Name: name, Op: op, In: []int{net.Output}})
			net.Output = len(net.Nodes) - 1
		}
		m, err := models.New(&net, models.Card{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	times := func(v float64) engine.Op { return &engine.Affine{Scale: []float64{v}, Shift: []float64{0}} }
	heads := []*models.Model{
		with("softmax", &engine.Softmax{}), with("sharp softmax", times(10), &engine.Softmax{}), with("a thousand times", times(1000)),
		with("sigmoid", &engine.Activation{Func: engine.Sigmoid}),
		// One logit, of class 9 against the mean of the others, as --binary makes two of it.
		with("one logit", &engine.Dense{In: 10, Out: 1, W: []float32{-.1, -.1, -.1, -.1, -.1, -.1, -.1, -.1, -.1, 1}}, &engine.Dense{In: 1, Out: 2, W: []float32{0, 1}}),
	}
	x, err := LoadImage("fashion:0", plain, false)
	if err != nil {
		t.Fatal(err)
	}
	run := func(m *models.Model, method string) Record {
		set := map[string]map[string]string{
			"fgsm": {"epsilon": "0.2"}, "pgd-linf": {"epsilon": "0.2"},
			"cw-l2": {"search_steps": "1", "steps": "100", "step_size": "0.05", "initial_const": "10"},
		}[method]
		a, err := NewAttack(method, "", set)
		if err != nil {
			t.Fatal(err)
		}
		image := x
		goal := attack.Goal{Label: x.Label, Target: attack.None}
		if m.String() == "one logit" {
			image.Label, goal.Label = 1, 1
		}
		o, err := One(context.Background(), m, attack.Task{Image: image, Goal: goal, Attack: a}, Options{})
		if err != nil {
			t.Fatalf("%s on %s: %v", method, m, err)
		}
		return o.Record()
	}
	for _, method := range []string{"fgsm", "pgd-linf", "cw-l2"} {
		if r := run(plain, method); !r.Success {
			t.Errorf("%s fails on the network as it is (%s)", method, r.Note)
			continue
		}
		for _, m := range heads {
			r := run(m, method)
			says := strings.Join(append(r.Warnings, r.Note), "; ")
			cause := strings.Contains(says, "zero gradient") || strings.Contains(says, "probabilities")
			if !r.Success && !cause {
				t.Errorf("%s on %s fails, and says %q", method, m, says)
			}
			t.Logf("%-9s %-17s success %-5v %s", method, m, r.Success, says)
		}
	}
}
