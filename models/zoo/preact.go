package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// asItIs is the normalisation of networks that RobustBench keeps: none.
const asItIs = "x in [0,1] as it is"

func init() {
	for _, r := range []struct {
		name, about string
		blocks      []int
		branch      residual
	}{
		{"resnet18_cifar", "ResNet-18 for 32x32 images, a 3x3 convolution first; kuangliu/pytorch-cifar's and RobustBench's names", []int{2, 2, 2, 2}, basicBlock},
		{"resnet34_cifar", "ResNet-34 for 32x32 images, a 3x3 convolution first; kuangliu/pytorch-cifar's and RobustBench's names", []int{3, 4, 6, 3}, basicBlock},
		{"resnet50_cifar", "ResNet-50 for 32x32 images, a 3x3 convolution first; kuangliu/pytorch-cifar's and RobustBench's names", []int{3, 4, 6, 3}, bottleneck(1, 1)},
	} {
		registerCIFAR(r.name, r.about, func(p *Params) (*engine.Net, error) {
			b := newBuilder(p, r.name, cifarInput)
			x := b.convBN("conv1", "bn1", torchEps, engine.ReLU, square(64, 3, 1, 1), engine.Input)
			x = stages(b, r.blocks, r.branch, "shortcut", x)
			x = b.Add("pool", &engine.GlobalAvgPool{}, x)
			return b.net(b.head("linear", 10, x))
		})
	}
	// The tensors of the two are the same: their files do not say which they are.
	registerCIFAR("preactresnet18", "Pre-activation ResNet-18 (He et al. ECCV 2016), shortcuts of the block's input; RobustBench's PreActResNet18",
		func(p *Params) (*engine.Net, error) { return buildPreAct(p, "preactresnet18", false) })
	registerCIFAR("preactresnet18_v2", "Pre-activation ResNet-18 (He et al. ECCV 2016), shortcuts of the activation; kuangliu/pytorch-cifar's and RobustBench's PreActBlockV2",
		func(p *Params) (*engine.Net, error) { return buildPreAct(p, "preactresnet18_v2", true) })
	for _, w := range []struct{ depth, wide int }{{28, 4}, {28, 10}, {34, 10}, {34, 15}, {34, 20}, {40, 2}, {70, 16}} {
		name := fmt.Sprintf("wrn%d_%d", w.depth, w.wide)
		registerCIFAR(name, fmt.Sprintf("Wide ResNet-%d-%d (Zagoruyko and Komodakis BMVC 2016); the names of TRADES and RobustBench", w.depth, w.wide),
			func(p *Params) (*engine.Net, error) { return buildWRN(p, name, (w.depth-4)/6, w.wide) })
	}
}

// registerCIFAR registers a network of 32x32 images that are not normalised.
func registerCIFAR(name, about string, build func(p *Params) (*engine.Net, error)) {
	register(&Architecture{Name: name, About: about, Input: cifarInput, Normalisation: asItIs, Classes: cifarClasses, Build: build})
}

// normRelu is batch norm and ReLU, before a convolution.
func (b *builder) normRelu(name string, in int) int {
	return b.relu(name+".relu", b.batchNorm(name, torchEps, in))
}

// plain is a k x k convolution without bias that keeps the size but for the
// stride.
func (b *builder) plain(name string, out, k, stride, in int) int {
	s := square(out, k, stride, k/2)
	s.noBias = true
	return b.convOf(name, s, in)
}

// buildPreAct has blocks of batch norm, ReLU, convolution, twice. Where a block
// changes the shape its shortcut is a 1x1 convolution: of the input, or of the
// first activation.
func buildPreAct(p *Params, name string, ofActivation bool) (*engine.Net, error) {
	b := newBuilder(p, name, cifarInput)
	x := b.plain("conv1", 64, 3, 1, engine.Input)
	for stage := range 4 {
		planes := 64 << stage
		for i := range 2 {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			first := b.normRelu(block+"bn1", x)
			y := b.plain(block+"conv1", planes, 3, stride, first)
			y = b.plain(block+"conv2", planes, 3, 1, b.normRelu(block+"bn2", y))
			if stride != 1 || b.Shape(x).C != planes {
				if ofActivation {
					x = first
				}
				x = b.plain(block+"shortcut.0", planes, 1, stride, x)
			}
			x = b.Add(block+"add", &engine.Add{}, y, x)
		}
	}
	if p.Has("bn.weight") {
		x = b.normRelu("bn", x)
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, x)
	return b.net(b.head("linear", 10, x))
}

// buildWRN has three stages of n pre-activation blocks, of 16, 32 and 64 times
// wide channels. Where a block changes the channels, its shortcut is a 1x1
// convolution of the first activation.
func buildWRN(p *Params, name string, n, wide int) (*engine.Net, error) {
	p.Skip("sub_block1.") // there in some files of RobustBench, in no forward pass
	b := newBuilder(p, name, cifarInput)
	x := b.plain("conv1", 16, 3, 1, engine.Input)
	for stage := range 3 {
		planes := (16 << stage) * wide
		for i := range n {
			block := fmt.Sprintf("block%d.layer.%d.", stage+1, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			first := b.normRelu(block+"bn1", x)
			y := b.plain(block+"conv1", planes, 3, stride, first)
			y = b.plain(block+"conv2", planes, 3, 1, b.normRelu(block+"bn2", y))
			if b.Shape(x).C != planes {
				x = b.plain(block+"convShortcut", planes, 1, stride, first)
			}
			x = b.Add(block+"add", &engine.Add{}, x, y)
		}
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, b.normRelu("bn1", x))
	if p.Has("fc.weight") && !p.Has("fc.bias") { // bias_last=False
		p.Add("fc.bias", make([]float32, p.Outputs("fc.weight", 10)))
	}
	return b.net(b.head("fc", 10, x))
}
