package zoo

import (
	"fmt"

	"sapf/models/data"
	"sapf/models/engine"
)

var cifarInput = engine.Shape{C: 3, H: 32, W: 32}

func cifarClasses() []string { return data.CIFAR10Classes }

// torchEps is PyTorch's default epsilon of batch norm.
const torchEps = 1e-5

func init() {
	for _, depth := range []int{20, 32, 44, 56} {
		name := fmt.Sprintf("resnet%d", depth)
		register(&Architecture{
			Name:          name,
			About:         fmt.Sprintf("ResNet-%d for CIFAR-10 (He et al. CVPR 2016, section 4.2), option A shortcuts; akamaster/pytorch_resnet_cifar10's names", depth),
			Input:         cifarInput,
			Normalisation: "(x - (.485, .456, .406)) / (.229, .224, .225)",
			Classes:       cifarClasses,
			Build:         func(p *Params) (*engine.Net, error) { return buildResNetCIFAR(p, name, (depth-2)/6) },
		})
	}
}

// buildResNetCIFAR is three stages of n blocks with 16, 32 and 64 channels.
func buildResNetCIFAR(p *Params, name string, n int) (*engine.Net, error) {
	b := newBuilder(p, name, cifarInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	x = b.convBN("conv1", "bn1", torchEps, engine.ReLU, square(16, 3, 1, 1), x)
	for stage := range 3 {
		planes := 16 << stage
		for i := range n {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			y := b.convBN(block+"conv1", block+"bn1", torchEps, engine.ReLU, square(planes, 3, stride, 1), x)
			y = b.convBN(block+"conv2", block+"bn2", torchEps, "", square(planes, 3, 1, 1), y)
			if stride == 2 { // option A: every second pixel, new channels zero
				x = b.Add(block+"shortcut.slice", &engine.Slice{StrideH: 2, StrideW: 2}, x)
				x = b.Add(block+"shortcut.pad", &engine.PadChannels{Before: planes / 4, After: planes / 4}, x)
			}
			x = b.relu(block+"relu2", b.Add(block+"add", &engine.Add{}, y, x))
		}
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, x)
	return b.net(b.head("linear", 10, x))
}
