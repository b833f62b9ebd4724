package zoo

import (
	"sapf/models/data"
	"sapf/models/engine"
)

func init() {
	input := engine.Shape{C: 1, H: 28, W: 28}
	register(&Architecture{
		Name:          "cwmnist",
		About:         "MNIST network of Carlini and Wagner (S&P 2017, table I), for Fashion-MNIST here",
		Input:         input,
		Normalisation: "x - 0.5",
		Classes:       func() []string { return data.FashionClasses },
		Build: func(p *Params) (*engine.Net, error) {
			return buildCW(p, "cwmnist", input, 32, 64, 200)
		},
	})
}
