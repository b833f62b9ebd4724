"""Writes golden.json: gradients and optimizer steps of a small network by PyTorch in double precision.

    python golden.py > golden.json

Weights, images and labels come from a formula that golden_test.go has as well.
"""
import json
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
SHAPES = {"conv1.weight": (6, 2, 3, 3), "conv1.bias": (6,), "conv2.weight": (5, 6, 3, 3), "conv2.bias": (5,),
          "fc1.weight": (8, 20), "fc1.bias": (8,), "fc2.weight": (4, 8), "fc2.bias": (4,)}


def numbers(seed, scale, *shape):
    n = 1
    for d in shape:
        n *= d
    k = torch.arange(n)
    # Float32, since that is what the engine takes.
    return (((k * 7919 + seed * 104729) % 1009).to(torch.float32) / 1009 - 0.5).double().mul(scale).reshape(shape)


def network():
    return {name: numbers(i + 1, 0.5, *shape).requires_grad_() for i, (name, shape) in enumerate(SHAPES.items())}


def loss(p, x, y):
    h = F.relu(F.conv2d(x, p["conv1.weight"], p["conv1.bias"]))
    h = F.max_pool2d(F.relu(F.conv2d(h, p["conv2.weight"], p["conv2.bias"])), 2).flatten(1)
    h = F.relu(F.linear(h, p["fc1.weight"], p["fc1.bias"]))
    return F.cross_entropy(F.linear(h, p["fc2.weight"], p["fc2.bias"]), y)


def digits(t):
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


x, y = numbers(99, 2.0, 6, 2, 9, 9), torch.arange(6) % 4
p = network()
loss(p, x, y).backward()
out = {"gradients": {name: digits(v.grad) for name, v in p.items()}, "runs": {}}
makers = {
    "sgd": lambda v: torch.optim.SGD(v, lr=0.1, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda v: torch.optim.SGD(v, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda v: torch.optim.Adam(v, lr=0.01, weight_decay=1e-3),
}
for name, maker in makers.items():
    p = network()
    optimizer, losses = maker(list(p.values())), []
    for _ in range(5):
        optimizer.zero_grad()
        value = loss(p, x, y)
        value.backward()
        optimizer.step()
        losses.append(float(f"{value.item():.9g}"))
    out["runs"][name] = {"losses": losses, "parameters": {k: digits(v) for k, v in p.items()}}
print("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in out.items()) + "\n}")
