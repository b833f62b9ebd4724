package data

import (
	_ "embed"
	"strings"
	"sync"
)

// CIFAR10Classes are the classes of CIFAR-10, in the order of its labels.
var CIFAR10Classes = []string{
	"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
}

// FashionClasses are the classes of Fashion-MNIST, in the order of its labels.
var FashionClasses = []string{
	"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
}

// imageNetText has one name a line, in torchvision's order (from its
// models/_meta.py, BSD-3-Clause; the names are WordNet's).
//
//go:embed imagenet_classes.txt
var imageNetText string

// ImageNetClasses are the 1,000 classes of ILSVRC 2012, in the order of
// torchvision's labels. The slice is shared: do not change it.
var ImageNetClasses = sync.OnceValue(func() []string {
	return strings.Split(strings.TrimSpace(imageNetText), "\n")
})
