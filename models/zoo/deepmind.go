package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// The networks of Gowal et al., "Uncovering the Limits of Adversarial Training"
// (2020), and of those who trained them further, under RobustBench's names
// (DMWideResNet, DMPreActResNet). Their convolutions pad as TensorFlow does, and
// their activation is SiLU (Swish), which files do not say. The mean and deviation
// of CIFAR-10 are part of the network, and not of its file.
func init() {
	for _, w := range []struct{ depth, wide int }{{28, 10}, {34, 10}, {34, 20}, {70, 16}, {94, 16}, {106, 16}} {
		name := fmt.Sprintf("dm_wrn%d_%d", w.depth, w.wide)
		register(&Architecture{
			Name: name, About: fmt.Sprintf("Wide ResNet-%d-%d with SiLU (Gowal et al. 2020), RobustBench's DMWideResNet", w.depth, w.wide), Input: cifarInput,
			Normalisation: cifarStdText, Classes: cifarClasses,
			Build: func(p *Params) (*engine.Net, error) { return buildDMWRN(p, name, (w.depth-4)/6, w.wide) },
		})
	}
	register(&Architecture{
		Name: "dm_preactresnet18", About: "Pre-activation ResNet-18 with SiLU (Gowal et al. 2020), RobustBench's DMPreActResNet", Input: cifarInput,
		Normalisation: cifarStdText, Classes: cifarClasses, Build: buildDMPreAct,
	})
}

// normSiLU is batch norm and SiLU, before a convolution.
func (b *builder) normSiLU(name string, in int) int {
	return b.Add(name+".silu", &engine.Activation{Func: engine.SiLU}, b.batchNorm(name, torchEps, in))
}

// same is a 3 x 3 convolution without bias that pads as TensorFlow's SAME does for
// even sizes: of a stride of 2 below and on the right only.
func (b *builder) same(name string, out, stride, in int) int {
	c := b.Shape(in).C
	pad := engine.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}
	if stride == 2 {
		pad.Top, pad.Left = 0, 0
	}
	return b.Add(name, &engine.Conv{In: c, Out: out, Groups: 1, KernelH: 3, KernelW: 3, StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1,
		Pad: pad, W: b.Take(name+".weight", out, c, 3, 3)}, in)
}

// buildDMWRN has three stages of n blocks, of 16, 32 and 64 times wide channels. A
// block that changes the channels has a 1x1 convolution of its first activation
// as shortcut.
func buildDMWRN(p *Params, name string, n, wide int) (*engine.Net, error) {
	b := newBuilder(p, name, cifarInput)
	x := b.plain("init_conv", 16, 3, 1, b.normalise(cifarMean, cifarStd, engine.Input))
	for stage := range 3 {
		planes := (16 << stage) * wide
		for i := range n {
			block := fmt.Sprintf("layer.%d.block.%d.", stage, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			first := b.normSiLU(block+"batchnorm_0", x)
			y := b.same(block+"conv_0", planes, stride, first)
			y = b.plain(block+"conv_1", planes, 3, 1, b.normSiLU(block+"batchnorm_1", y))
			if b.Shape(x).C != planes {
				x = b.plain(block+"shortcut", planes, 1, stride, first)
			}
			x = b.Add(block+"add", &engine.Add{}, x, y)
		}
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, b.normSiLU("batchnorm", x))
	return b.net(b.head("logits", 10, x))
}

// buildDMPreAct has four stages of two blocks, whose shortcuts are 3x3
// convolutions of the block's input.
func buildDMPreAct(p *Params) (*engine.Net, error) {
	b := newBuilder(p, "dm_preactresnet18", cifarInput)
	x := b.plain("conv_2d", 64, 3, 1, b.normalise(cifarMean, cifarStd, engine.Input))
	for stage := range 4 {
		planes := 64 << stage
		for i := range 2 {
			block := fmt.Sprintf("layer_%d.%d.", stage, i)
			stride := 1
			if i == 0 && stage > 0 {
				stride = 2
			}
			y := b.same(block+"conv_2d_1", planes, stride, b.normSiLU(block+"batchnorm_0", x))
			y = b.plain(block+"conv_2d_2", planes, 3, 1, b.normSiLU(block+"batchnorm_1", y))
			if stride != 1 || b.Shape(x).C != planes {
				x = b.same(block+"shortcut", planes, stride, x)
			}
			x = b.Add(block+"add", &engine.Add{}, y, x)
		}
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, b.normSiLU("batchnorm", x))
	return b.net(b.head("logits", 10, x))
}
