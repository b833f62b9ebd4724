"""Runs adv-lib's FMN-l0 and sigma-zero on the models that attackbench scores.

    pip install torch==2.* adv-lib==0.2.8
    python reference.py $SAPF_DATA reference.json

Writes the smallest l0 of the first 20 CIFAR-10 test records, 0 where the model
errs on the clean image, as {model: {attack: [l0 ...]}}.
"""
import json, pathlib, sys, types

import numpy as np
import torch

visdom = types.ModuleType("visdom")  # adv-lib imports it for its plots
visdom.Visdom = object
sys.modules.setdefault("visdom", visdom)

import adv_lib.attacks as adv_lib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "models" / "engine" / "bench"))
from compare_pytorch import CW, ResNet20

torch.set_num_threads(1)
torch.manual_seed(0)
data, out = sys.argv[1:3]
STEPS, IMAGES = 1000, 20


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
