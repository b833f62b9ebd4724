package zoo_test

import (
	"strings"
	"testing"

	"sapf/models/zoo"
)

// TestParameters counts the parameters that torchvision's documentation states
// (num_params), and those of the Wide ResNets as their authors do.
func TestParameters(t *testing.T) {
	var zeros []float32 // shared: nothing is computed with them
	for name, want := range map[string]int{
		"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160, "resnet152": 60_192_808,
		"wide_resnet50_2": 68_883_240, "wide_resnet101_2": 126_886_696, "resnext50_32x4d": 25_028_904,
		"vgg11": 132_863_336, "vgg13": 133_047_848, "vgg16": 138_357_544, "vgg19": 143_667_240,
		"vgg11_bn": 132_868_840, "vgg13_bn": 133_053_736, "vgg16_bn": 138_365_992, "vgg19_bn": 143_678_248,
		"mobilenet_v2": 3_504_872, "mobilenet_v3_large": 5_483_032, "mobilenet_v3_small": 2_542_856,
		"wrn28_10": 36_479_194, "wrn34_10": 46_160_474,
	} {
		got := 0
		if _, err := zoo.NewNet(name, func(tensor string, shape []int) []float32 {
			n := 1
			for _, k := range shape {
				n *= k
			}
			if !statistic(tensor) {
				got += n
			}
			if n > len(zeros) {
				zeros = make([]float32, n)
			}
			return zeros[:n:n]
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != want {
			t.Errorf("%s has %d parameters, expected %d", name, got, want)
		}
	}
}

// statistic reports whether a tensor is batch norm's, and no parameter.
func statistic(tensor string) bool {
	return strings.HasSuffix(tensor, "running_mean") || strings.HasSuffix(tensor, "running_var")
}
