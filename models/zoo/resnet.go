package zoo

import (
	"fmt"

	"sapf/models/engine"
)

func init() {
	for _, r := range []struct {
		name, about string
		blocks      []int
		branch      residual
	}{
		{"resnet18", "ResNet-18 (He et al. CVPR 2016), basic blocks", []int{2, 2, 2, 2}, basicBlock},
		{"resnet34", "ResNet-34 (He et al. CVPR 2016), basic blocks", []int{3, 4, 6, 3}, basicBlock},
		{"resnet50", "ResNet-50 (He et al. CVPR 2016), bottlenecks with the stride in the 3x3", []int{3, 4, 6, 3}, bottleneck(1, 1)},
		{"resnet101", "ResNet-101 (He et al. CVPR 2016), bottlenecks with the stride in the 3x3", []int{3, 4, 23, 3}, bottleneck(1, 1)},
		{"resnet152", "ResNet-152 (He et al. CVPR 2016), bottlenecks with the stride in the 3x3", []int{3, 8, 36, 3}, bottleneck(1, 1)},
		{"wide_resnet50_2", "Wide ResNet-50-2 (Zagoruyko and Komodakis BMVC 2016)", []int{3, 4, 6, 3}, bottleneck(2, 1)},
		{"wide_resnet101_2", "Wide ResNet-101-2 (Zagoruyko and Komodakis BMVC 2016)", []int{3, 4, 23, 3}, bottleneck(2, 1)},
		{"resnext50_32x4d", "ResNeXt-50 32x4d (Xie et al. CVPR 2017)", []int{3, 4, 6, 3}, bottleneck(2, 32)},
	} {
		registerImageNet(r.name, r.about, func(p *Params) (*engine.Net, error) { return buildResNet(p, r.name, r.blocks, r.branch) })
	}
}

// residual is the branch of a block beside its shortcut, without the last
// activation.
type residual func(b *builder, block string, planes, stride, in int) int

func basicBlock(b *builder, block string, planes, stride, in int) int {
	x := b.convBN(block+"conv1", block+"bn1", torchEps, engine.ReLU, square(planes, 3, stride, 1), in)
	return b.convBN(block+"conv2", block+"bn2", torchEps, "", square(planes, 3, 1, 1), x)
}

// bottleneck gives 4 planes through an inner width of wide planes, in groups.
func bottleneck(wide, groups int) residual {
	return func(b *builder, block string, planes, stride, in int) int {
		inner := square(wide*planes, 3, stride, 1)
		inner.groups = groups
		x := b.convBN(block+"conv1", block+"bn1", torchEps, engine.ReLU, square(wide*planes, 1, 1, 0), in)
		x = b.convBN(block+"conv2", block+"bn2", torchEps, engine.ReLU, inner, x)
		return b.convBN(block+"conv3", block+"bn3", torchEps, "", square(4*planes, 1, 1, 0), x)
	}
}

// buildResNet is a 7x7 convolution, a pool and four stages.
func buildResNet(p *Params, name string, blocks []int, branch residual) (*engine.Net, error) {
	b := newBuilder(p, name, imageNetInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	x = b.convBN("conv1", "bn1", torchEps, engine.ReLU, square(64, 7, 2, 3), x)
	x = b.maxPool("maxpool", 3, 2, 1, x)
	x = stages(b, blocks, branch, "downsample", x)
	x = b.Add("avgpool", &engine.GlobalAvgPool{}, x)
	return b.net(b.head("fc", imageNetClasses, x))
}

// stages are four stages of blocks, each with twice the channels and, but for the
// first, half the size. A shortcut that changes the shape is a 1x1 convolution.
func stages(b *builder, blocks []int, branch residual, shortcut string, x int) int {
	for stage, n := range blocks {
		planes := 64 << stage
		for i := range n {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			y := branch(b, block, planes, stride, x)
			if out := b.Shape(y).C; stride != 1 || b.Shape(x).C != out {
				x = b.convBN(block+shortcut+".0", block+shortcut+".1", torchEps, "", square(out, 1, stride, 0), x)
			}
			x = b.relu(block+"relu", b.Add(block+"add", &engine.Add{}, y, x))
		}
	}
	return x
}
