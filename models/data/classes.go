package data

// CIFAR10Classes are the classes of CIFAR-10, in the order of its labels.
var CIFAR10Classes = []string{
	"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
}

// FashionClasses are the classes of Fashion-MNIST, in the order of its labels.
var FashionClasses = []string{
	"T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
}
