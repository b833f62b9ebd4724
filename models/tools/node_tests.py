"""Writes the node tests of the onnx package for TestNodes of format/onnx:

    python node_tests.py DIR

Each is NAME.onnx and NAME.json. The first input of floating-point numbers stays an input; all
others become constants. Tests that have none, or whose numbers are not float or double, are left
out, as are those of training and of sequences.
"""
import json, sys
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

FLOATS = (np.float32, np.float64)


def main(folder):
    written = left = 0
    for case in collect_testcases(None):
        model = case.model
        domains = {o.domain for o in model.opset_import}
        if case.data_sets is None or not domains <= {"", "ai.onnx"}:
            left += 1
            continue
        inputs, outputs = case.data_sets[0]
        names = [v.name for v in model.graph.input]
        first = next((i for i, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype in FLOATS and x.size), None)
        plain = all(isinstance(x, np.ndarray) and x.dtype.kind in "fiub" for x in inputs)
        real = [isinstance(y, np.ndarray) and y.dtype in FLOATS for y in outputs]
        if first is None or not np.isfinite(inputs[first]).all() or not plain or len(inputs) != len(names) or not real or not real[0]:
            left += 1
            continue
        model = onnx.ModelProto.FromString(model.SerializeToString())
        keep = model.graph.input[first]
        for name, x in zip(names, inputs):
            if name != names[first]:
                model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(x), name))
        del model.graph.input[:]
        model.graph.input.append(keep)
        onnx.save(model, f"{folder}/{case.name}.onnx")
        x = inputs[first]
        with open(f"{folder}/{case.name}.json", "w") as f:
            json.dump(dict(input=names[first], dims=x.shape, x=np.asarray(x, "f8").flatten().tolist(), output=model.graph.output[0].name,
                           want=dict(dims=outputs[0].shape, y=[str(v) for v in np.asarray(outputs[0], "f8").flatten()])), f)
        written += 1
    print(f"{written} written to {folder}, {left} left out")


main(sys.argv[1])
