package zoo

import (
	"fmt"

	"sapf/models/engine"
)

// vggPool stands for a pool among the channels of the convolutions.
const vggPool = 0

// vggLayers are the configurations of table 1: A, B, D and E.
var vggLayers = map[int][]int{
	11: {64, vggPool, 128, vggPool, 256, 256, vggPool, 512, 512, vggPool, 512, 512, vggPool},
	13: {64, 64, vggPool, 128, 128, vggPool, 256, 256, vggPool, 512, 512, vggPool, 512, 512, vggPool},
	16: {64, 64, vggPool, 128, 128, vggPool, 256, 256, 256, vggPool, 512, 512, 512, vggPool, 512, 512, 512, vggPool},
	19: {64, 64, vggPool, 128, 128, vggPool, 256, 256, 256, 256, vggPool, 512, 512, 512, 512, vggPool, 512, 512, 512, 512, vggPool},
}

func init() {
	for _, depth := range []int{11, 13, 16, 19} {
		name := fmt.Sprintf("vgg%d", depth)
		registerImageNet(name, fmt.Sprintf("VGG-%d without batch norm (Simonyan and Zisserman ICLR 2015)", depth),
			func(p *Params) (*engine.Net, error) { return buildVGG(p, name, vggLayers[depth], false) })
		registerImageNet(name+"_bn", fmt.Sprintf("VGG-%d with batch norm (Simonyan and Zisserman ICLR 2015)", depth),
			func(p *Params) (*engine.Net, error) { return buildVGG(p, name+"_bn", vggLayers[depth], true) })
		registerCIFAR(name+"_bn_cifar", fmt.Sprintf("VGG-%d with batch norm for 32x32 images; the names of kuangliu/pytorch-cifar and chengyangfu/pytorch-vgg-cifar10", depth),
			func(p *Params) (*engine.Net, error) { return buildVGGCIFAR(p, name+"_bn_cifar", vggLayers[depth]) })
	}
}

// vggFeatures are the convolutions and pools. Their numbers are those of
// nn.Sequential, which counts batch norms and activations too.
func vggFeatures(b *builder, layers []int, batchNorm bool, x int) int {
	i := 0
	at := func(k int) string { return fmt.Sprintf("features.%d", i+k) }
	for _, out := range layers {
		switch {
		case out == vggPool:
			x = b.maxPool(at(0), 2, 2, 0, x)
			i++
		case batchNorm:
			x = b.relu(at(2), b.batchNorm(at(1), torchEps, b.conv(at(0), out, 3, 1, 1, x)))
			i += 3
		default:
			x = b.relu(at(1), b.conv(at(0), out, 3, 1, 1, x))
			i += 2
		}
	}
	return x
}

func buildVGG(p *Params, name string, layers []int, batchNorm bool) (*engine.Net, error) {
	b := newBuilder(p, name, imageNetInput)
	x := vggFeatures(b, layers, batchNorm, b.normalise(imageNetMean, imageNetStd, engine.Input))
	if p.Has("pre_logits.fc1.weight") { // timm has the dense layers as convolutions
		x = b.relu("pre_logits.act1", b.conv("pre_logits.fc1", 4096, 7, 1, 0, x))
		x = b.relu("pre_logits.act2", b.conv("pre_logits.fc2", 4096, 1, 1, 0, x))
		return b.net(b.head("head.fc", imageNetClasses, x))
	}
	x = b.Add("flatten", &engine.Flatten{}, x)
	x = b.relu("classifier.1", b.dense("classifier.0", 4096, x))
	x = b.relu("classifier.4", b.dense("classifier.3", 4096, x))
	return b.net(b.head("classifier.6", imageNetClasses, x))
}

// buildVGGCIFAR ends in one dense layer (kuangliu) or in three, two of them after
// a dropout (chengyangfu).
func buildVGGCIFAR(p *Params, name string, layers []int) (*engine.Net, error) {
	b := newBuilder(p, name, cifarInput)
	x := b.Add("flatten", &engine.Flatten{}, vggFeatures(b, layers, true, engine.Input))
	if p.Has("classifier.1.weight") {
		x = b.relu("classifier.2", b.dense("classifier.1", 512, x))
		x = b.relu("classifier.5", b.dense("classifier.4", 512, x))
		return b.net(b.head("classifier.6", 10, x))
	}
	return b.net(b.head("classifier", 10, x))
}
