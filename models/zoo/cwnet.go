package zoo

import (
	"sapf/models/data"
	"sapf/models/engine"
)

func init() {
	register(&Architecture{
		Name:          "cwnet",
		About:         "CIFAR-10 network of Carlini and Wagner (S&P 2017, table I): four 3x3 convolutions, two pools, three dense layers",
		Input:         engine.Shape{C: 3, H: 32, W: 32},
		Normalisation: "x - 0.5",
		Classes:       func() []string { return data.CIFAR10Classes },
		Build: func(p *Params) (*engine.Net, error) {
			return buildCW(p, "cwnet", engine.Shape{C: 3, H: 32, W: 32}, 64, 128, 256)
		},
	})
}

// buildCW is the family of Carlini and Wagner's networks: two blocks of two
// valid 3x3 convolutions and a 2x2 pool, then three dense layers.
func buildCW(p *Params, name string, input engine.Shape, first, second, hidden int) (*engine.Net, error) {
	b := newBuilder(p, name, input)
	x := b.Add("normalise", &engine.Affine{Scale: []float64{1}, Shift: []float64{-0.5}}, engine.Input)
	x = b.relu("relu1", b.conv("conv1", first, 3, 1, 0, x))
	x = b.relu("relu2", b.conv("conv2", first, 3, 1, 0, x))
	x = b.maxPool("pool1", 2, 2, 0, x)
	x = b.relu("relu3", b.conv("conv3", second, 3, 1, 0, x))
	x = b.relu("relu4", b.conv("conv4", second, 3, 1, 0, x))
	x = b.maxPool("pool2", 2, 2, 0, x)
	x = b.Add("flatten", &engine.Flatten{}, x)
	x = b.relu("relu5", b.dense("fc1", hidden, x))
	x = b.relu("relu6", b.dense("fc2", hidden, x))
	return b.net(b.head("fc3", 10, x))
}
