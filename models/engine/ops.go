package engine

// Padding is the number of zero rows and columns around an image.
type Padding struct{ Top, Left, Bottom, Right int }

// Conv is a two-dimensional convolution (cross-correlation, as in PyTorch).
type Conv struct {
	In, Out, Groups      int
	KernelH, KernelW     int
	StrideH, StrideW     int
	DilationH, DilationW int
	Pad                  Padding
	// W has length Out*(In/Groups)*KernelH*KernelW, OIHW.
	W []float32
	// B has length Out, or is nil.
	B []float32
}

// Dense is y = W x + b over the flattened (C,H,W) input.
type Dense struct {
	In, Out int
	// W has length Out*In, row-major.
	W []float32
	// B has length Out, or is nil.
	B []float32
}

// BatchNorm is batch normalisation in inference: per channel
// y = (x-Mean)/sqrt(Var+Eps)*Gamma + Beta.
type BatchNorm struct {
	Gamma, Beta, Mean, Var []float32
	Eps                    float64
}

// Affine is y = x*Scale + Shift, per channel (length C) or for all
// channels alike (length 1).
type Affine struct{ Scale, Shift []float64 }

// ActKind names an activation function.
type ActKind string

// The activation functions.
const (
	ReLU        ActKind = "relu"
	ReLU6       ActKind = "relu6"
	LeakyReLU   ActKind = "leaky_relu" // slope Alpha below 0
	Sigmoid     ActKind = "sigmoid"
	SiLU        ActKind = "silu"
	HardSigmoid ActKind = "hard_sigmoid" // max(0, min(1, Alpha*x + Beta))
	HardSwish   ActKind = "hard_swish"   // x * max(0, min(1, x/6 + 1/2))
	Clip        ActKind = "clip"         // clamp to [Alpha, Beta]
	Tanh        ActKind = "tanh"
)

// Activation is an entrywise function.
type Activation struct {
	Func        ActKind
	Alpha, Beta float64
}

// MaxPool takes the maximum of each window; ties go to the first entry in
// row order.
type MaxPool struct {
	KernelH, KernelW, StrideH, StrideW int
	Pad                                Padding
	CeilMode                           bool
}

// AvgPool takes the mean of each window.
type AvgPool struct {
	KernelH, KernelW, StrideH, StrideW int
	Pad                                Padding
	CeilMode, CountIncludePad          bool
}

// GlobalAvgPool is the mean over each channel: C x 1 x 1.
type GlobalAvgPool struct{}

// Add is the sum of two or more inputs of one shape; an input of C x 1 x 1 is
// broadcast over rows and columns.
type Add struct{}

// Mul is the product of two inputs; C x 1 x 1 is broadcast.
type Mul struct{}

// Concat joins inputs along the channels.
type Concat struct{}

// Flatten makes a vector of C*H*W, channels first.
type Flatten struct{}

// Pad2D surrounds the image with a constant.
type Pad2D struct {
	Pad   Padding
	Value float64
}

// Slice takes channels [C0,C1) and every StrideH-th row and StrideW-th column.
// C1 = 0 means all channels.
type Slice struct{ C0, C1, StrideH, StrideW int }

// PadChannels adds zero channels Before and After (ResNet's option A shortcut).
type PadChannels struct{ Before, After int }

// ChannelShuffle splits the channels into Groups and interleaves them.
type ChannelShuffle struct{ Groups int }

// Softmax over the channels of a C x 1 x 1 input.
type Softmax struct{}
