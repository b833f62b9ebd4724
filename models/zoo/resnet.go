package zoo

import (
	"fmt"

	"sapf/models/engine"
)

func init() {
	registerImageNet("resnet18", "ResNet-18 (He et al. CVPR 2016), basic blocks", func(p *Params) (*engine.Net, error) {
		return buildResNet(p, "resnet18", []int{2, 2, 2, 2}, basicBlock, 1)
	})
	registerImageNet("resnet50", "ResNet-50 (He et al. CVPR 2016), bottlenecks with the stride in the 3x3", func(p *Params) (*engine.Net, error) {
		return buildResNet(p, "resnet50", []int{3, 4, 6, 3}, bottleneck, 4)
	})
}

// residual is the branch of a block beside its shortcut, without the last
// activation.
type residual func(b *builder, block string, planes, stride, in int) int

func basicBlock(b *builder, block string, planes, stride, in int) int {
	x := b.convBN(block+"conv1", block+"bn1", torchEps, engine.ReLU, square(planes, 3, stride, 1), in)
	return b.convBN(block+"conv2", block+"bn2", torchEps, "", square(planes, 3, 1, 1), x)
}

func bottleneck(b *builder, block string, planes, stride, in int) int {
	x := b.convBN(block+"conv1", block+"bn1", torchEps, engine.ReLU, square(planes, 1, 1, 0), in)
	x = b.convBN(block+"conv2", block+"bn2", torchEps, engine.ReLU, square(planes, 3, stride, 1), x)
	return b.convBN(block+"conv3", block+"bn3", torchEps, "", square(4*planes, 1, 1, 0), x)
}

// buildResNet is a 7x7 convolution, a pool and four stages; expansion is how
// many times planes a block gives.
func buildResNet(p *Params, name string, blocks []int, branch residual, expansion int) (*engine.Net, error) {
	b := newBuilder(p, name, imageNetInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	x = b.convBN("conv1", "bn1", torchEps, engine.ReLU, square(64, 7, 2, 3), x)
	x = b.maxPool("maxpool", 3, 2, 1, x)
	for stage, n := range blocks {
		planes := 64 << stage
		for i := range n {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			y := branch(b, block, planes, stride, x)
			if stride != 1 || b.Shape(x).C != expansion*planes {
				x = b.convBN(block+"downsample.0", block+"downsample.1", torchEps, "", square(expansion*planes, 1, stride, 0), x)
			}
			x = b.relu(block+"relu", b.Add(block+"add", &engine.Add{}, y, x))
		}
	}
	x = b.Add("avgpool", &engine.GlobalAvgPool{}, x)
	return b.net(b.dense("fc", imageNetClasses, x))
}
