"""Runs adv-lib's FMN-l0 and sigma-zero on the models that attackbench scores.

    pip install torch==2.* adv-lib==0.2.8
    python reference.py $SAPF_DATA reference.json

Writes the smallest l0 of the first 20 CIFAR-10 test records, 0 where the model
errs on the clean image, as {model: {attack: [l0 ...]}}.
"""
import json, sys, types

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

visdom = types.ModuleType("visdom")  # adv-lib imports it for its plots
visdom.Visdom = object
sys.modules.setdefault("visdom", visdom)

import adv_lib.attacks as adv_lib

torch.set_num_threads(1)
torch.manual_seed(0)
data, out = sys.argv[1:3]
STEPS, IMAGES = 1000, 20


class CW(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3)
        self.conv3, self.conv4 = nn.Conv2d(64, 128, 3), nn.Conv2d(128, 128, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(3200, 256), nn.Linear(256, 256), nn.Linear(256, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x - 0.5)))), 2)
        x = F.max_pool2d(F.relu(self.conv4(F.relu(self.conv3(x)))), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    """A residual block; the shortcut drops every second pixel and pads channels."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.pad, self.stride = (cout - cin) // 2, stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, self.pad, self.pad)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for i, (cin, cout, stride) in enumerate([(16, 16, 1), (16, 32, 2), (32, 64, 2)], 1):
            blocks = [Block(cin, cout, stride), Block(cout, cout, 1), Block(cout, cout, 1)]
            setattr(self, f"layer{i}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - self.mean) / self.std)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def load(net, state):
    net.load_state_dict({k.removeprefix("module."): v for k, v in state.items()})
    return net.eval().requires_grad_(False)


models = {
    "cwnet": load(CW(), torch.load(data + "/models/cwnet.pth", weights_only=True)),
    "resnet20": load(ResNet20(), torch.load(data + "/models/resnet20-12fca82f.th", map_location="cpu", weights_only=False)["state_dict"]),
}
raw = np.fromfile(data + "/data/cifar-10-batches-bin/test_batch.bin", np.uint8).reshape(-1, 3073)[:IMAGES]
x = torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).astype("f4") / np.float32(255))
y = torch.from_numpy(raw[:, 0].astype("i8"))
attacks = {
    "fmn-l0 (adv-lib)": lambda model: adv_lib.fmn(model, x, y, norm=0, steps=STEPS),
    "sigma-zero (adv-lib)": lambda model: adv_lib.sigma_zero(model, x, y, num_steps=STEPS),
}
found = {}
for name, model in models.items():
    right = model(x).argmax(1) == y
    found[name] = {}
    for attack, run in attacks.items():
        adv = run(model).detach()
        l0 = (adv != x).flatten(1).sum(1)
        hit = model(adv).argmax(1) != y
        found[name][attack] = [int(d) if h else 3072 for d, h in zip(l0 * right, hit)]
        print(name, attack, f"median {np.median(found[name][attack])}, {int(hit.sum())} of {IMAGES}", flush=True)
        with open(out, "w") as f:
            f.write(json.dumps(found, indent=1) + "\n")
