package engine

// This processor has no AVX.
var avx2Kernels, avx512Kernels *kernelSet

var neonKernels = &kernelSet{
	lanes: 4,
	tile: [3][]func(*tileArgs){
		1: {nil,
			tile128v1p1, tile128v1p2, tile128v1p3, tile128v1p4,
			tile128v1p5, tile128v1p6, tile128v1p7, tile128v1p8,
			tile128v1p9, tile128v1p10, tile128v1p11, tile128v1p12,
			tile128v1p13, tile128v1p14,
		},
		2: {nil,
			tile128v2p1, tile128v2p2, tile128v2p3, tile128v2p4,
			tile128v2p5, tile128v2p6, tile128v2p7, tile128v2p8,
			tile128v2p9, tile128v2p10, tile128v2p11,
		},
	},
	depthwise: []func(*tileArgs){nil,
		depthwise128p1, depthwise128p2, depthwise128p3, depthwise128p4,
		depthwise128p5, depthwise128p6, depthwise128p7, depthwise128p8,
		depthwise128p9, depthwise128p10, depthwise128p11, depthwise128p12,
		depthwise128p13, depthwise128p14,
	},
	maxForward: maxForward128, maxBackward: maxBackward128,
	combine: combine128,
	wino: [2]winoKernels{
		{winoIn4128, winoOut4128, winoSpread4128, winoCollect4128},
		{winoIn5128, winoOut5128, winoSpread5128, winoCollect5128},
	},
	rows: plainRows,
}
