package zoo

import (
	"fmt"

	"sapf/models/engine"
)

func init() {
	registerImageNet("mobilenet_v2", "MobileNetV2 (Sandler et al. CVPR 2018, table 2)", buildMobileNetV2)
}

func buildMobileNetV2(p *Params) (*engine.Net, error) {
	b := newBuilder(p, "mobilenet_v2", imageNetInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	timm := p.Has("conv_stem.weight")
	stem, last, head := "features.0", "features.18", "classifier.1"
	if timm {
		head = "classifier"
		x = b.convBN("conv_stem", "bn1", torchEps, engine.ReLU6, square(32, 3, 2, 1), x)
	} else {
		x = b.convBN(stem+".0", stem+".1", torchEps, engine.ReLU6, square(32, 3, 2, 1), x)
	}
	feature := 1
	// Table 2: expansion t, channels c, blocks n, stride s of the first.
	for stage, row := range []struct{ t, c, n, s int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
	} {
		for i := range row.n {
			stride := 1
			if i == 0 {
				stride = row.s
			}
			if timm {
				x = timmResidual(b, fmt.Sprintf("blocks.%d.%d.", stage, i), timmBlock{kernel: 3, hidden: row.t * b.Shape(x).C, out: row.c, stride: stride,
					act: engine.ReLU6, noExpansion: row.t == 1}, x)
			} else {
				x = invertedResidual(b, fmt.Sprintf("features.%d.", feature), row.t, row.c, stride, x)
			}
			feature++
		}
	}
	if timm {
		x = b.convBN("conv_head", "bn2", torchEps, engine.ReLU6, square(1280, 1, 1, 0), x)
	} else {
		x = b.convBN(last+".0", last+".1", torchEps, engine.ReLU6, square(1280, 1, 1, 0), x)
	}
	x = b.Add("pool", &engine.GlobalAvgPool{}, x)
	return b.net(b.head(head, imageNetClasses, x))
}

// invertedResidual expands t times, filters each channel on its own and
// projects to out channels without an activation.
func invertedResidual(b *builder, block string, t, out, stride, in int) int {
	x, i, hidden := in, 0, t*b.Shape(in).C
	if t != 1 {
		x = b.convBN(block+"conv.0.0", block+"conv.0.1", torchEps, engine.ReLU6, square(hidden, 1, 1, 0), x)
		i++
	}
	depthwise := square(hidden, 3, stride, 1)
	depthwise.groups = hidden
	x = b.convBN(fmt.Sprintf("%sconv.%d.0", block, i), fmt.Sprintf("%sconv.%d.1", block, i), torchEps, engine.ReLU6, depthwise, x)
	x = b.convBN(fmt.Sprintf("%sconv.%d", block, i+1), fmt.Sprintf("%sconv.%d", block, i+2), torchEps, "", square(out, 1, 1, 0), x)
	if stride == 1 && b.Shape(in).C == out {
		x = b.Add(block+"add", &engine.Add{}, in, x)
	}
	return x
}
