package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// timmBlock is an inverted residual under the names of timm's EfficientNet
// family.
type timmBlock struct {
	kernel, hidden, out, stride int
	act                         engine.ActKind
	noExpansion, squeeze        bool
}

// timmResidual is conv_pw, conv_dw, se and conv_pwl with their batch norms; a
// block without expansion is conv_dw, se and conv_pw.
func timmResidual(b *builder, block string, t timmBlock, in int) int {
	x, dw, last, n := in, "bn1", "conv_pw", 2
	if !t.noExpansion {
		x = b.convBN(block+"conv_pw", block+"bn1", torchEps, t.act, square(t.hidden, 1, 1, 0), x)
		dw, last, n = "bn2", "conv_pwl", 3
	}
	x = b.convBN(block+"conv_dw", block+dw, torchEps, t.act, depthwise(t.hidden, t.kernel, t.stride), x)
	if t.squeeze {
		x = b.squeeze(block+"se.", "conv_reduce", "conv_expand", x)
	}
	x = b.convBN(block+last, fmt.Sprintf("%sbn%d", block, n), torchEps, "", square(t.out, 1, 1, 0), x)
	return b.shortcut(block, t.stride, in, x)
}

// timmMobileNetV3 continues from the normalised image.
func timmMobileNetV3(b *builder, rows []v3Row, last, features, x int) (*engine.Net, error) {
	x = b.convBN("conv_stem", "bn1", torchEps, engine.HardSwish, square(16, 3, 2, 1), x)
	stage, i := 0, 0
	for k, r := range rows {
		// A stage begins with a stride or, as in the paper's tables, with other
		// channels.
		if k > 0 && (r.stride == 2 || r.out != rows[k-1].out) {
			stage, i = stage+1, 0
		}
		x = timmResidual(b, fmt.Sprintf("blocks.%d.%d.", stage, i), timmBlock{kernel: r.kernel, hidden: r.hidden, out: r.out, stride: r.stride,
			act: r.act(), noExpansion: k == 0, squeeze: r.squeeze}, x)
		i++
	}
	end := fmt.Sprintf("blocks.%d.0.", stage+1)
	x = b.convBN(end+"conv", end+"bn1", torchEps, engine.HardSwish, square(last, 1, 1, 0), x)
	x = b.Add("pool", &engine.GlobalAvgPool{}, x)
	x = b.Add("act2", &engine.Activation{Func: engine.HardSwish}, b.conv("conv_head", features, 1, 1, 0, x))
	return b.net(b.head("classifier", imageNetClasses, x))
}
