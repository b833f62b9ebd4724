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

// DigitClasses are the classes of MNIST, in the order of its labels.
var DigitClasses = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

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

// cifar100Text are the fine labels of CIFAR-100, which are in alphabetical
// order.
const cifar100Text = `
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
`

// CIFAR100Classes are the 100 fine classes of CIFAR-100, in the order of its
// labels. The slice is shared: do not change it.
var CIFAR100Classes = sync.OnceValue(func() []string { return strings.Fields(cifar100Text) })
