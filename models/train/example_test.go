package train_test

import (
	"context"
	"fmt"
	"log"

	"sapf/models/data"
	"sapf/models/engine"
	"sapf/models/train"
)

// Train the C&W MNIST network until it knows ten embedded images of
// Fashion-MNIST by heart.
func ExampleRun() {
	images := &train.Images{Title: "Fashion-MNIST"}
	for i := range 10 {
		x, err := data.Load(fmt.Sprintf("fashion:%d", i), data.Options{})
		if err != nil {
			log.Fatal(err)
		}
		if err := images.Train.Add([]data.Image{x}); err != nil {
			log.Fatal(err)
		}
	}
	images.Test = images.Train

	recipe, err := train.Default("cwmnist")
	if err != nil {
		log.Fatal(err)
	}
	recipe.Epochs, recipe.Batch, recipe.Dropout = 20, 10, engine.Dropout{"fc1": 0.2}
	result, err := train.Run(context.Background(), recipe, images, train.Options{})
	if err != nil {
		log.Fatal(err)
	}
	last := result.Curve[len(result.Curve)-1]
	fmt.Printf("after epoch %d: %.0f %% of %d images\n", last.Epoch, last.Accuracy, last.Images)
	// Output:
	// after epoch 20: 100 % of 10 images
}
