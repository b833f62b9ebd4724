package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// CIFAR-10's mean, and its deviation as two groups of authors measured it.
var (
	cifarMean       = []float64{0.4914, 0.4822, 0.4465}
	cifarStd        = []float64{0.2471, 0.2435, 0.2616}
	cifarStdWithin  = []float64{0.2023, 0.1994, 0.2010} // mean of the images' own
	robustSource    = "alpha-beta-CROWN's models (Wang et al. NeurIPS 2021)"
	cifarStdText    = "(x - (.4914, .4822, .4465)) / (.2471, .2435, .2616)"
	cifarWithinText = "(x - (.4914, .4822, .4465)) / (.2023, .1994, .2010)"
)

func init() {
	register(&Architecture{
		Name: "resnet2b", About: "ResNet with 2 blocks, adversarially trained: " + robustSource, Input: cifarInput,
		Normalisation: cifarStdText, Classes: cifarClasses,
		Build: func(p *Params) (*engine.Net, error) { return buildSmallResNet(p, "resnet2b", 8, 1) },
	})
	register(&Architecture{
		Name: "resnet4b", About: "ResNet with 4 blocks, adversarially trained: " + robustSource, Input: cifarInput,
		Normalisation: cifarStdText, Classes: cifarClasses,
		Build: func(p *Params) (*engine.Net, error) { return buildSmallResNet(p, "resnet4b", 16, 2) },
	})
	register(&Architecture{
		Name: "cnn_a", About: "CNN-A, two 4x4 convolutions and two dense layers, robustly trained: " + robustSource, Input: cifarInput,
		Normalisation: cifarWithinText, Classes: cifarClasses, Build: buildCNNA,
	})
}

// buildSmallResNet has a strided convolution, stages of two blocks with twice
// its channels, and two dense layers; no batch norm.
func buildSmallResNet(p *Params, name string, planes, stages int) (*engine.Net, error) {
	b := newBuilder(p, name, cifarInput)
	x := b.normalise(cifarMean, cifarStd, engine.Input)
	x = b.relu("relu1", b.conv("conv1", planes, 3, 2, 1, x))
	for stage := range stages {
		for i := range 2 {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			stride := 2 - i
			y := b.relu(block+"relu1", b.conv(block+"conv1", 2*planes, 3, stride, 1, x))
			y = b.conv(block+"conv2", 2*planes, 3, 1, 1, y)
			if stride == 2 {
				x = b.conv(block+"shortcut.0", 2*planes, 1, stride, 0, x)
			}
			x = b.relu(block+"relu2", b.Add(block+"add", &engine.Add{}, y, x))
		}
	}
	x = b.Add("flatten", &engine.Flatten{}, x)
	x = b.relu("relu3", b.dense("linear1", 100, x))
	return b.net(b.head("linear2", 10, x))
}

// buildCNNA keeps the numbers that nn.Sequential gives its layers.
func buildCNNA(p *Params) (*engine.Net, error) {
	b := newBuilder(p, "cnn_a", cifarInput)
	x := b.normalise(cifarMean, cifarStdWithin, engine.Input)
	x = b.relu("1", b.conv("0", 16, 4, 2, 1, x))
	x = b.relu("3", b.conv("2", 32, 4, 2, 1, x))
	x = b.Add("4", &engine.Flatten{}, x)
	x = b.relu("6", b.dense("5", 100, x))
	return b.net(b.head("7", 10, x))
}
