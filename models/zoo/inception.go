package zoo

import (
	"fmt"

	"sapf/models/data"
	"sapf/models/engine"
)

func init() {
	register(&Architecture{
		Name:  "inception_v3",
		About: "Inception-v3 (Szegedy et al. CVPR 2016), the paper's ImageNet network; torchvision's names (inception_v3_google-1a9a5a14.pth), auxiliary head ignored",
		Input: engine.Shape{C: 3, H: 299, W: 299},
		// torchvision normalises by ImageNet's mean and deviation and then
		// undoes that (transform_input): (x-mean)/std * std/0.5 + (mean-0.5)/0.5.
		Normalisation: "2 x - 1",
		Classes:       data.ImageNetClasses,
		Build:         buildInceptionV3,
	})
}

// inception writes the modules of torchvision's Inception3, whose basic unit is
// a convolution without bias, batch norm with epsilon 1e-3, and ReLU.
type inception struct {
	*builder
	module string
}

const inceptionEps = 1e-3

func (b inception) unit(name string, s convSpec, in int) int {
	name = b.module + name
	return b.convBN(name+".conv", name+".bn", inceptionEps, engine.ReLU, s, in)
}

// wide is a 1 x n convolution, tall an n x 1 one; both keep the size.
func wide(out, n int) convSpec {
	return convSpec{out: out, kh: 1, kw: n, stride: 1, pw: n / 2}
}

func tall(out, n int) convSpec {
	return convSpec{out: out, kh: n, kw: 1, stride: 1, ph: n / 2}
}

// pooled is the 3x3 mean around each pixel; the padding counts.
func (b inception) pooled(in int) int {
	return b.Add(b.module+"pool", &engine.AvgPool{KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1,
		Pad: engine.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}, CountIncludePad: true}, in)
}

func (b inception) concat(in ...int) int { return b.Add(b.module+"concat", &engine.Concat{}, in...) }

// a is figure 5: 35 x 35.
func (b inception) a(poolFeatures, in int) int {
	x1 := b.unit("branch1x1", square(64, 1, 1, 0), in)
	x5 := b.unit("branch5x5_2", square(64, 5, 1, 2), b.unit("branch5x5_1", square(48, 1, 1, 0), in))
	x3 := b.unit("branch3x3dbl_1", square(64, 1, 1, 0), in)
	x3 = b.unit("branch3x3dbl_2", square(96, 3, 1, 1), x3)
	x3 = b.unit("branch3x3dbl_3", square(96, 3, 1, 1), x3)
	pool := b.unit("branch_pool", square(poolFeatures, 1, 1, 0), b.pooled(in))
	return b.concat(x1, x5, x3, pool)
}

// reduceB is figure 10: 35 x 35 to 17 x 17.
func (b inception) reduceB(in int) int {
	x3 := b.unit("branch3x3", square(384, 3, 2, 0), in)
	dbl := b.unit("branch3x3dbl_1", square(64, 1, 1, 0), in)
	dbl = b.unit("branch3x3dbl_2", square(96, 3, 1, 1), dbl)
	dbl = b.unit("branch3x3dbl_3", square(96, 3, 2, 0), dbl)
	return b.concat(x3, dbl, b.maxPool(b.module+"pool", 3, 2, 0, in))
}

// c is figure 6: 17 x 17 with factorised 7x7 convolutions of c channels.
func (b inception) c(c, in int) int {
	x1 := b.unit("branch1x1", square(192, 1, 1, 0), in)
	x7 := b.unit("branch7x7_1", square(c, 1, 1, 0), in)
	x7 = b.unit("branch7x7_2", wide(c, 7), x7)
	x7 = b.unit("branch7x7_3", tall(192, 7), x7)
	dbl := b.unit("branch7x7dbl_1", square(c, 1, 1, 0), in)
	dbl = b.unit("branch7x7dbl_2", tall(c, 7), dbl)
	dbl = b.unit("branch7x7dbl_3", wide(c, 7), dbl)
	dbl = b.unit("branch7x7dbl_4", tall(c, 7), dbl)
	dbl = b.unit("branch7x7dbl_5", wide(192, 7), dbl)
	pool := b.unit("branch_pool", square(192, 1, 1, 0), b.pooled(in))
	return b.concat(x1, x7, dbl, pool)
}

// reduceD takes 17 x 17 to 8 x 8.
func (b inception) reduceD(in int) int {
	x3 := b.unit("branch3x3_2", square(320, 3, 2, 0), b.unit("branch3x3_1", square(192, 1, 1, 0), in))
	x7 := b.unit("branch7x7x3_1", square(192, 1, 1, 0), in)
	x7 = b.unit("branch7x7x3_2", wide(192, 7), x7)
	x7 = b.unit("branch7x7x3_3", tall(192, 7), x7)
	x7 = b.unit("branch7x7x3_4", square(192, 3, 2, 0), x7)
	return b.concat(x3, x7, b.maxPool(b.module+"pool", 3, 2, 0, in))
}

// e is figure 7: 8 x 8 with the outputs of split 3x3 convolutions side by side.
func (b inception) e(in int) int {
	x1 := b.unit("branch1x1", square(320, 1, 1, 0), in)
	x3 := b.unit("branch3x3_1", square(384, 1, 1, 0), in)
	x3a, x3b := b.unit("branch3x3_2a", wide(384, 3), x3), b.unit("branch3x3_2b", tall(384, 3), x3)
	dbl := b.unit("branch3x3dbl_2", square(384, 3, 1, 1), b.unit("branch3x3dbl_1", square(448, 1, 1, 0), in))
	dbla, dblb := b.unit("branch3x3dbl_3a", wide(384, 3), dbl), b.unit("branch3x3dbl_3b", tall(384, 3), dbl)
	pool := b.unit("branch_pool", square(192, 1, 1, 0), b.pooled(in))
	return b.concat(x1, x3a, x3b, dbla, dblb, pool)
}

func buildInceptionV3(p *Params) (*engine.Net, error) {
	p.Skip("AuxLogits.")
	stem := inception{builder: newBuilder(p, "inception_v3", engine.Shape{C: 3, H: 299, W: 299})}
	module := func(name string) inception { return inception{stem.builder, name + "."} }
	x := stem.Add("normalise", &engine.Affine{Scale: []float64{2}, Shift: []float64{-1}}, engine.Input)
	x = stem.unit("Conv2d_1a_3x3", square(32, 3, 2, 0), x)
	x = stem.unit("Conv2d_2a_3x3", square(32, 3, 1, 0), x)
	x = stem.unit("Conv2d_2b_3x3", square(64, 3, 1, 1), x)
	x = stem.maxPool("maxpool1", 3, 2, 0, x)
	x = stem.unit("Conv2d_3b_1x1", square(80, 1, 1, 0), x)
	x = stem.unit("Conv2d_4a_3x3", square(192, 3, 1, 0), x)
	x = stem.maxPool("maxpool2", 3, 2, 0, x)
	for i, poolFeatures := range []int{32, 64, 64} {
		x = module(fmt.Sprintf("Mixed_5%c", 'b'+i)).a(poolFeatures, x)
	}
	x = module("Mixed_6a").reduceB(x)
	for i, c := range []int{128, 160, 160, 192} {
		x = module(fmt.Sprintf("Mixed_6%c", 'b'+i)).c(c, x)
	}
	x = module("Mixed_7a").reduceD(x)
	x = module("Mixed_7b").e(x)
	x = module("Mixed_7c").e(x)
	x = stem.Add("avgpool", &engine.GlobalAvgPool{}, x)
	return stem.net(stem.head("fc", imageNetClasses, x))
}
