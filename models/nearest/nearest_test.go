package nearest_test

import (
	"fmt"
	"testing"

	"sapf/models/nearest"
)

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name       string
		candidates []string
		most       int
		of, within string
	}{
		{"lamda1", []string{"k", "lambda1", "lambda2"}, 2, "lambda1", "lambda1"},
		{"fmn", []string{"jsma", "fgsm", "fmn-l0"}, 1, "fmn-l0", ""},
		{"step", []string{"k", "step_size", "steps"}, 1, "steps", "steps"},
		{"stepsize", []string{"steps", "step_size"}, 0, "step_size", ""},
		{"RESNET20", []string{"ResNet18", "resnet20"}, 0, "resnet20", "resnet20"},
		{"b", []string{"ab", "ba", "bc"}, 1, "ab", "ab"}, // the first of equal ones
		{"café", []string{"cafés", "cafe"}, 1, "cafés", "cafés"},
		{"quite different", []string{"k"}, 3, "k", ""},
		{"", []string{"k"}, 3, "k", "k"},
		{"k", nil, 3, "", ""},
	} {
		if got := nearest.Of(c.name, c.candidates); got != c.of {
			t.Errorf("nearest to %q: %q, expected %q", c.name, got, c.of)
		}
		if got := nearest.Within(c.most, c.name, c.candidates); got != c.within {
			t.Errorf("within %d edits of %q: %q, expected %q", c.most, c.name, got, c.within)
		}
	}
}

func ExampleOf() {
	fmt.Println(nearest.Of("Lamda1", []string{"k", "lambda1", "lambda2"}))
	// Output: lambda1
}
