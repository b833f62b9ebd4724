package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// v3Eps is the epsilon of batch norm in torchvision's MobileNetV3; timm's has
// PyTorch's own.
const v3Eps = 1e-3

// v3Row is a row of tables 1 and 2 of Howard et al.: kernel, hidden channels,
// output channels, squeeze-and-excitation, hard swish in place of ReLU, stride.
type v3Row struct {
	kernel, hidden, out int
	squeeze, swish      bool
	stride              int
}

var v3Large = []v3Row{
	{3, 16, 16, false, false, 1},
	{3, 64, 24, false, false, 2}, {3, 72, 24, false, false, 1},
	{5, 72, 40, true, false, 2}, {5, 120, 40, true, false, 1}, {5, 120, 40, true, false, 1},
	{3, 240, 80, false, true, 2}, {3, 200, 80, false, true, 1}, {3, 184, 80, false, true, 1}, {3, 184, 80, false, true, 1},
	{3, 480, 112, true, true, 1}, {3, 672, 112, true, true, 1},
	{5, 672, 160, true, true, 2}, {5, 960, 160, true, true, 1}, {5, 960, 160, true, true, 1},
}

var v3Small = []v3Row{
	{3, 16, 16, true, false, 2},
	{3, 72, 24, false, false, 2}, {3, 88, 24, false, false, 1},
	{5, 96, 40, true, true, 2}, {5, 240, 40, true, true, 1}, {5, 240, 40, true, true, 1},
	{5, 120, 48, true, true, 1}, {5, 144, 48, true, true, 1},
	{5, 288, 96, true, true, 2}, {5, 576, 96, true, true, 1}, {5, 576, 96, true, true, 1},
}

func init() {
	registerImageNet("mobilenet_v3_large", "MobileNetV3-Large (Howard et al. ICCV 2019, table 1)",
		func(p *Params) (*engine.Net, error) {
			return buildMobileNetV3(p, "mobilenet_v3_large", v3Large, 960, 1280)
		})
	registerImageNet("mobilenet_v3_small", "MobileNetV3-Small (Howard et al. ICCV 2019, table 2)",
		func(p *Params) (*engine.Net, error) {
			return buildMobileNetV3(p, "mobilenet_v3_small", v3Small, 576, 1024)
		})
}

func buildMobileNetV3(p *Params, name string, rows []v3Row, last, features int) (*engine.Net, error) {
	b := newBuilder(p, name, imageNetInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	if p.Has("conv_stem.weight") {
		return timmMobileNetV3(b, rows, last, features, x)
	}
	x = b.convBN("features.0.0", "features.0.1", v3Eps, engine.HardSwish, square(16, 3, 2, 1), x)
	for i, r := range rows {
		x = v3Block(b, fmt.Sprintf("features.%d.block.", i+1), r, x)
	}
	end := fmt.Sprintf("features.%d", len(rows)+1)
	x = b.convBN(end+".0", end+".1", v3Eps, engine.HardSwish, square(last, 1, 1, 0), x)
	x = b.Add("avgpool", &engine.GlobalAvgPool{}, x)
	x = b.Add("classifier.1", &engine.Activation{Func: engine.HardSwish}, b.dense("classifier.0", features, x))
	return b.net(b.head("classifier.3", imageNetClasses, x))
}

func (r v3Row) act() engine.ActKind {
	if r.swish {
		return engine.HardSwish
	}
	return engine.ReLU
}

// v3Block expands, filters each channel on its own, weighs the channels and
// projects.
func v3Block(b *builder, block string, r v3Row, in int) int {
	x, i := in, 0
	unit := func(k int) (conv, bn string) { return fmt.Sprintf("%s%d.0", block, k), fmt.Sprintf("%s%d.1", block, k) }
	if r.hidden != b.Shape(in).C {
		conv, bn := unit(i)
		x = b.convBN(conv, bn, v3Eps, r.act(), square(r.hidden, 1, 1, 0), x)
		i++
	}
	conv, bn := unit(i)
	x = b.convBN(conv, bn, v3Eps, r.act(), depthwise(r.hidden, r.kernel, r.stride), x)
	i++
	if r.squeeze {
		x = b.squeeze(fmt.Sprintf("%s%d.", block, i), "fc1", "fc2", x)
		i++
	}
	conv, bn = unit(i)
	x = b.convBN(conv, bn, v3Eps, "", square(r.out, 1, 1, 0), x)
	return b.shortcut(block, r.stride, in, x)
}

// depthwise filters each channel on its own.
func depthwise(channels, kernel, stride int) convSpec {
	s := square(channels, kernel, stride, kernel/2)
	s.groups = channels
	return s
}

// shortcut adds the block's input where the shapes are equal.
func (b *builder) shortcut(block string, stride, in, x int) int {
	if stride == 1 && b.Shape(in).C == b.Shape(x).C {
		return b.Add(block+"add", &engine.Add{}, in, x)
	}
	return x
}

// squeeze weighs the channels by two 1x1 convolutions of their means and a hard
// sigmoid (Hu et al. CVPR 2018, as MobileNetV3 has it): a quarter of the channels
// in between, rounded to a multiple of 8.
func (b *builder) squeeze(block, reduce, expand string, in int) int {
	c := b.Shape(in).C
	inner := divisible(float64(c) / 4)
	x := b.Add(block+"mean", &engine.GlobalAvgPool{}, in)
	x = b.relu(block+"relu", b.conv(block+reduce, inner, 1, 1, 0, x))
	x = b.Add(block+"gate", &engine.Activation{Func: engine.HardSigmoid, Alpha: 1.0 / 6, Beta: 0.5}, b.conv(block+expand, c, 1, 1, 0, x))
	return b.Add(block+"scale", &engine.Mul{}, in, x)
}

// divisible is v rounded to a multiple of 8, at least 8 and no less than 0.9 v.
func divisible(v float64) int {
	n := max(8, int(float64(v)+4)/8*8)
	if float64(n) < 0.9*v {
		n += 8
	}
	return n
}
