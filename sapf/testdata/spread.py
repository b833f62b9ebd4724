"""The searches of golden/attacks.json in PyTorch, each from several copies of
its image that differ by noise of 1e-6: how far the authors' procedure repeats
itself. Prints one JSON line a search.

    python spread.py DATA PAIR > spread.jsonl

DATA is the folder with data/, models/ and golden/. Pair 0 is the images
themselves and copies number 1; pair 1, copies 2 and 3; and so on. All searches
of a pair run as one batch, float32, one thread: some twenty minutes.
"""

import json
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../models/engine/bench"))
from compare_pytorch import CW

data, pair = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
net = CW().eval()
net.load_state_dict(torch.load(os.path.join(data, "models", "cwnet.pth")))
net = net.to(memory_format=torch.channels_last)
for p in net.parameters():
    p.requires_grad_(False)
with open(os.path.join(data, "golden", "attacks.json")) as f:
    golden = json.load(f)
with open(os.path.join(data, "data", "cifar-10-batches-bin", "test_batch.bin"), "rb") as f:
    records = f.read()


def image(name):
    at = 3073 * int(name.split(":")[1]) + 1
    return torch.frombuffer(bytearray(records[at : at + 3072]), dtype=torch.uint8).float().div(255).view(3, 32, 32)


def total(v):
    return v.sum((1, 2, 3), keepdim=True)


class Searches:
    """The authors' program with lambda2 = 0, of a batch of images and targets."""

    def __init__(self, x, target, k):
        self.x, self.target = x.contiguous(memory_format=torch.channels_last), target
        self.own = F.one_hot(target, 10).bool()
        self.k, self.n = k.view(-1, 1, 1, 1), x[0].numel()

    def slope(self):
        v = self.x + self.delta * self.g
        point = v.clamp(0, 1).requires_grad_(True)
        z = net(point)
        hinge = F.relu(z.masked_fill(self.own, -1e4).amax(1) - z[self.own])
        return torch.autograd.grad(hinge.sum(), point)[0] * ((v >= 0) & (v <= 1))

    def delta_stage(self, steps):
        for step in range(1, steps + 1):
            self.delta = self.delta - self.eta_d * (2 * self.delta * self.g * self.g + self.lam * self.g * self.slope())
            if step % 50 == 0:
                self.eta_d = max(0.9 * self.eta_d, 0.001)

    def mask_stage(self, steps):
        z1, z2, z4 = torch.zeros_like(self.g), torch.zeros_like(self.g), torch.zeros_like(self.lam)
        r1, r2, r4 = 5e-3, 5e-3, 1e-4
        for step in range(1, steps + 1):
            y1 = (self.g + z1 / r1).clamp(0, 1)
            a = self.g + z2 / r2 - 0.5
            y2 = self.n**0.5 / 2 * a / total(a * a).sqrt() + 0.5
            grad = 2 * self.g * self.delta * self.delta + self.lam * self.delta * self.slope() + z1 + z2 + z4
            grad += r1 * (self.g - y1) + r2 * (self.g - y2) + r4 * (total(self.g) - self.k)
            self.g = self.g - self.eta_g * grad
            z1 += r1 * (self.g - y1)
            z2 += r2 * (self.g - y2)
            z4 += r4 * (total(self.g) - self.k)
            r1, r2, r4 = min(1.01 * r1, 20), min(1.01 * r2, 20), min(1.01 * r4, 0.01)
            if step % 50 == 0:
                self.eta_g = max(0.9 * self.eta_g, 0.001)

    def round(self, lam):
        """One run with a lambda1 for each search."""
        self.lam = torch.tensor(lam).view(-1, 1, 1, 1)
        self.delta, self.g = torch.zeros_like(self.x), torch.ones_like(self.x)
        self.eta_d = self.eta_g = 0.1
        self.delta_stage(2000)
        self.mask_stage(2000)
        self.g = (self.g > 0.5).float()
        self.delta_stage(1000)
        noise = (self.x + self.delta * self.g).clamp(0, 1) - self.x
        with torch.no_grad():
            hit = net(self.x + noise).argmax(1) == self.target
        return [
            dict(lambda1=l, success=bool(h), selected=int(g.sum()), l1=d.abs().sum().item(), l2=d.norm().item(), linf=d.abs().max().item())
            for l, h, g, d in zip(lam, hit, self.g, noise)
        ]

    def run(self):
        count = len(self.x)
        lam, low, high = [1e-3] * count, [0.0] * count, [100.0] * count
        rounds = [[] for _ in range(count)]
        for number in range(6):
            for i, r in enumerate(self.round(lam)):
                rounds[i].append(r)
                if r["success"]:
                    high[i] = min(high[i], lam[i])
                else:
                    low[i] = max(low[i], lam[i])
                lam[i] = lam[i] * 10 if high[i] == 100.0 else (low[i] + high[i]) / 2
            print("round", number + 1, "of 6", file=sys.stderr, flush=True)
        return rounds


torch.manual_seed(1 + pair)
cases = [(g, 2 * pair + i) for g in golden for i in range(2)]
x = torch.stack([image(g["image"]) for g, _ in cases])
noise = 1e-6 * torch.randn(x.shape)
if pair == 0:
    noise[::2] = 0
searches = Searches((x + noise).clamp(0, 1), torch.tensor([g["target"] for g, _ in cases]), torch.tensor([float(g["k"]) for g, _ in cases]))
for (g, copy), rounds in zip(cases, searches.run()):
    best = ([r for r in rounds if r["success"]] or rounds)[-1]
    print(json.dumps(dict(image=g["image"], target=g["target"], k=g["k"], copy=copy, **best, rounds=rounds)))
