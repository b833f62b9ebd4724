"""Writes format/pytorch/testdata/checkpoint_*.pt: the same three tensors as PyTorch saves them in several ways.

    python checkpoints.py ../format/pytorch/testdata
"""
import sys
from collections import OrderedDict
import numpy as np
import torch

out = sys.argv[1]
w = torch.arange(12, dtype=torch.float32).reshape(3, 4) / 4
d = OrderedDict(w=w, v=torch.tensor([1.5, -2.0]), n=torch.tensor(7))
save = lambda name, value, **k: torch.save(value, f"{out}/checkpoint_{name}.pt", **k)
save("zip", d)
save("legacy", d, _use_new_zipfile_serialization=False)
save("wrapped", {"epoch": 3, "best": np.float64(91.5), "state_dict": {"module." + k: v for k, v in d.items()}, "lr": [0.1, None, True]})
save("parameter", OrderedDict((k, torch.nn.Parameter(v, requires_grad=v.is_floating_point())) for k, v in d.items()))
save("views", {"w": w.t().contiguous().t(), "v": torch.tensor([0.0, 1.5, 9.0, -2.0])[1::2], "n": d["n"]})
save("half", {k: v.half() if v.is_floating_point() else v for k, v in d.items()})
save("bfloat16", {k: v.bfloat16() if v.is_floating_point() else v for k, v in d.items()})
save("double", {k: v.double() if v.is_floating_point() else v for k, v in d.items()})
save("proto4", d, pickle_protocol=4)
save("module", torch.nn.Linear(2, 2))
