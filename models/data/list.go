package data

// Listing is a source of images and where it is.
type Listing struct {
	// Name is how Load's references begin: "cat", "cifar10".
	Name string `json:"name"`
	// Where is "embedded", the file or folder found, or "" where it is missing.
	Where string `json:"where,omitempty"`
	About string `json:"about"`
}

// sets are the data sets by name, the file that shows that one is there, and
// what it is.
var sets = []struct{ name, file, about string }{
	{"cifar10", "cifar-10-batches-bin/test_batch.bin", "CIFAR-10 (Krizhevsky 2009), cifar10:0 to cifar10:9999"},
	{"cifar100", "cifar-100-binary/test.bin", "CIFAR-100 (Krizhevsky 2009), cifar100:0 to cifar100:9999"},
	{"mnist", "mnist/t10k-images-idx3-ubyte.gz", "MNIST (LeCun, Cortes, Burges), mnist:0 to mnist:9999"},
	{"imagenet", "imagenet/labels.csv", "photographs of ImageNet classes, imagenet:NAME"},
}

// List lists the samples and the data sets, embedded ones first.
func List() []Listing {
	var list []Listing
	for _, s := range samples {
		list = append(list, Listing{Name: s.Name, Where: "embedded", About: s.About})
	}
	list = append(list, Listing{Name: "fashion", Where: "embedded", About: "the first 100 test images of Fashion-MNIST (Zalando, MIT), fashion:0 to fashion:99"})
	for _, s := range sets {
		where, err := Find(s.name, s.file)
		if err != nil {
			where = ""
		}
		list = append(list, Listing{Name: s.name, Where: where, About: s.about})
	}
	return list
}
