package models

import (
	"fmt"
	"strconv"
	"strings"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/nearest"
	"sapf/models/zoo"
)

// ClassIndex finds a class by its name or its index. A name spelled exactly so
// wins over one that differs in upper and lower case; one that fits several
// classes is refused with their indices. The error begins with the class.
func ClassIndex(classes []string, class string) (int, error) {
	if i, err := strconv.Atoi(class); err == nil && strconv.Itoa(i) == class && !hasName(classes, class) {
		if i < 0 || i >= len(classes) {
			return 0, fmt.Errorf("%d, expected 0 to %d or a class's name", i, len(classes)-1)
		}
		return i, nil
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		var found []string
		at := 0
		for i, c := range classes {
			if same(c, class) {
				found, at = append(found, fmt.Sprintf("%d (%s)", i, c)), i
			}
		}
		switch {
		case len(found) == 1:
			return at, nil
		case len(found) > 1:
			return 0, fmt.Errorf("%q may be %s: give the index", class, strings.Join(found, " or "))
		}
	}
	return 0, fmt.Errorf("%q is none of the model's %d classes, did you mean %q?", class, len(classes), nearest.Of(class, classes))
}

// hasName reports whether a class is called so, be it a number (MNIST's are).
func hasName(classes []string, name string) bool {
	for _, c := range classes {
		if c == name {
			return true
		}
	}
	return false
}

// outputs is how many logits a network has, 0 if it is broken.
func outputs(net *engine.Net) int {
	shapes, err := net.Shapes()
	if err != nil {
		return 0
	}
	return shapes[net.Output].Len()
}

// guessClasses names the classes of a network whose file does not: 1,000 are
// ImageNet's, 10 or 100 of a 3x32x32 image CIFAR's. Otherwise nil. Whoever takes
// the guess warns of it (unnamed).
func guessClasses(net *engine.Net) []string {
	cifar := engine.Shape{C: 3, H: 32, W: 32}
	switch n := outputs(net); {
	case n == len(data.ImageNetClasses()) && net.Input.C == 3:
		return data.ImageNetClasses()
	case n == len(data.CIFAR10Classes) && net.Input == cifar:
		return data.CIFAR10Classes
	case n == len(data.CIFAR100Classes()) && net.Input == cifar:
		return data.CIFAR100Classes()
	}
	return nil
}

// classesOf are the names of an architecture's classes, or a guess, as far as the
// network has as many.
func classesOf(arch *zoo.Architecture, net *engine.Net) ([]string, error) {
	if _, err := net.Shapes(); err != nil {
		return nil, err
	}
	if names := arch.Classes(); len(names) == outputs(net) {
		return names, nil
	}
	return guessClasses(net), nil
}

// unnamed is the warning that a file does not name its classes: names are what
// they are taken for, nil if for nothing.
func unnamed(names []string) string {
	if len(names) == 0 {
		return "the file does not name its classes; --classes does"
	}
	return fmt.Sprintf("the file does not name its %d classes: %s, %s, ... is a guess from their number; --classes says which they are", len(names), names[0], names[1])
}
