package zoo

import (
	"fmt"

	"sapf/models/engine"
)

func init() {
	registerImageNet("vgg16", "VGG-16 without batch norm (Simonyan and Zisserman ICLR 2015, configuration D)", buildVGG16)
}

func buildVGG16(p *Params) (*engine.Net, error) {
	const pool = 0
	layers := []int{64, 64, pool, 128, 128, pool, 256, 256, 256, pool, 512, 512, 512, pool, 512, 512, 512, pool}
	b := newBuilder(p, "vgg16", imageNetInput)
	x := b.normalise(imageNetMean, imageNetStd, engine.Input)
	i := 0 // the layer's number in nn.Sequential, which counts activations too
	for _, out := range layers {
		name := fmt.Sprintf("features.%d", i)
		if out == pool {
			x = b.maxPool(name, 2, 2, 0, x)
			i++
			continue
		}
		x = b.relu(fmt.Sprintf("features.%d", i+1), b.conv(name, out, 3, 1, 1, x))
		i += 2
	}
	x = b.Add("flatten", &engine.Flatten{}, x)
	x = b.relu("classifier.1", b.dense("classifier.0", 4096, x))
	x = b.relu("classifier.4", b.dense("classifier.3", 4096, x))
	return b.net(b.dense("classifier.6", imageNetClasses, x))
}
