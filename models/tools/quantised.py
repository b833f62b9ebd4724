"""Quantises the network that is committed with onnxruntime.quantization, in 8 bits and in 16, and keeps ONNX Runtime's logits of the test
patterns (models.TestPattern), for TestQuantised:

    python quantised.py ../format/onnx/testdata        (needs onnxruntime, onnx, numpy)
"""
import json, sys
import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

folder = sys.argv[1]


def pattern(i, c=3, h=16, w=16):
    c, y, x = np.meshgrid(np.arange(c), np.arange(h), np.arange(w), indexing="ij")
    return (((5 + 3 * i) * x + (7 + 2 * i) * (c + 1) * y + i * x * y + 31 * c) % 256).astype("f4")[None] / np.float32(255)


class Patterns(CalibrationDataReader):
    def __init__(self):
        self.left = iter([{"x": pattern(i)} for i in range(8)])

    def get_next(self):
        return next(self.left, None)


kept = {}
for name, more in {"qdq-u8": dict(activation_type=QuantType.QUInt8, per_channel=True), "qdq-s8": dict(activation_type=QuantType.QInt8),
                   "qdq-u16": dict(activation_type=QuantType.QUInt16)}.items():
    file = f"{folder}/quantised/{name}.onnx"
    quantize_static(f"{folder}/tiny-17.onnx", file, Patterns(), quant_format=QuantFormat.QDQ, weight_type=QuantType.QInt8, **more)
    o = ort.SessionOptions()
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    run = ort.InferenceSession(file, o, providers=["CPUExecutionProvider"])
    kept[name] = [run.run(None, {"x": pattern(i)})[0].ravel().astype(float).tolist() for i in range(8)]
json.dump(kept, open(f"{folder}/quantised/logits.json", "w"), indent=1)
