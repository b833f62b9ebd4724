package engine

//go:generate asm/generate.sh

// This processor has no NEON.
var neonKernels *kernelSet

var avx512Kernels = &kernelSet{
	lanes: 16,
	tile: [3][]func(*tileArgs){
		1: {nil,
			tile512v1p1, tile512v1p2, tile512v1p3, tile512v1p4,
			tile512v1p5, tile512v1p6, tile512v1p7, tile512v1p8,
			tile512v1p9, tile512v1p10, tile512v1p11, tile512v1p12,
			tile512v1p13, tile512v1p14,
		},
		2: {nil,
			tile512v2p1, tile512v2p2, tile512v2p3, tile512v2p4,
			tile512v2p5, tile512v2p6, tile512v2p7, tile512v2p8,
			tile512v2p9, tile512v2p10, tile512v2p11, tile512v2p12,
			tile512v2p13, tile512v2p14,
		},
	},
	depthwise: []func(*tileArgs){nil,
		depthwise512p1, depthwise512p2, depthwise512p3, depthwise512p4,
		depthwise512p5, depthwise512p6, depthwise512p7, depthwise512p8,
		depthwise512p9, depthwise512p10, depthwise512p11, depthwise512p12,
		depthwise512p13, depthwise512p14,
	},
	maxForward: maxForward512, maxBackward: maxBackward512,
	combine: combine512,
	wino: [2]winoKernels{
		{winoIn4512, winoOut4512, winoSpread4512, winoCollect4512},
		{winoIn5512, winoOut5512, winoSpread5512, winoCollect5512},
	},
	rows: rowKernels{
		top: rowTop512, exp: rowExp512, scale: rowScale512, dot: rowDot512, softmaxGrad: rowSoftmaxGrad512,
		sum: rowSum512, squares: rowSquares512, norm: rowNorm512, normSums: rowNormSums512,
		normGrad: rowNormGrad512, normGradAdd: rowNormGradAdd512, gelu: rowGelu512, geluGrad: rowGeluGrad512,
		geluTanh: rowGeluTanh512, geluTanhGrad: rowGeluTanhGrad512, silu: rowSilu512, siluGrad: rowSiluGrad512,
		sigmoid: rowSigmoid512, sigmoidGrad: rowSigmoidGrad512, mul: rowMul512, mulAdd: rowMulAdd512,
	},
}

var avx2Kernels = &kernelSet{
	lanes: 8,
	tile: [3][]func(*tileArgs){
		1: {nil,
			tile256v1p1, tile256v1p2, tile256v1p3, tile256v1p4,
			tile256v1p5, tile256v1p6, tile256v1p7, tile256v1p8,
			tile256v1p9, tile256v1p10, tile256v1p11, tile256v1p12,
		},
		2: {nil,
			tile256v2p1, tile256v2p2, tile256v2p3, tile256v2p4,
			tile256v2p5, tile256v2p6,
		},
	},
	depthwise: []func(*tileArgs){nil,
		depthwise256p1, depthwise256p2, depthwise256p3, depthwise256p4,
		depthwise256p5, depthwise256p6, depthwise256p7, depthwise256p8,
		depthwise256p9, depthwise256p10, depthwise256p11, depthwise256p12,
	},
	maxForward: maxForward256, maxBackward: maxBackward256,
	combine: combine256,
	wino: [2]winoKernels{
		{winoIn4256, winoOut4256, winoSpread4256, winoCollect4256},
		{winoIn5256, winoOut5256, winoSpread5256, winoCollect5256},
	},
	rows: rowKernels{
		top: rowTop256, exp: rowExp256, scale: rowScale256, dot: rowDot256, softmaxGrad: rowSoftmaxGrad256,
		sum: rowSum256, squares: rowSquares256, norm: rowNorm256, normSums: rowNormSums256,
		normGrad: rowNormGrad256, normGradAdd: rowNormGradAdd256, gelu: rowGelu256, geluGrad: rowGeluGrad256,
		geluTanh: rowGeluTanh256, geluTanhGrad: rowGeluTanhGrad256, silu: rowSilu256, siluGrad: rowSiluGrad256,
		sigmoid: rowSigmoid256, sigmoidGrad: rowSigmoidGrad256, mul: rowMul256, mulAdd: rowMulAdd256,
	},
}
