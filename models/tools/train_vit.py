#!/usr/bin/env python3
"""Trains `vit`, a small vision transformer for CIFAR-10, with PyTorch on the CPU, and exports it.

    train_vit.py train DATA FOLDER [--epochs 24] [--threads 1]   DATA has data_batch_*.bin and test_batch.bin
    train_vit.py export DATA FOLDER vit.onnx                     with opset 17, weights as float32, and its card, vit.json

It stops and goes on at any epoch: FOLDER/state.pt has everything, FOLDER/log.tsv a line an epoch. Arithmetic is bfloat16 with
float32 weights. The rate warms up over the first epoch, is constant, and falls in a straight line over the last half of the epochs;
the weights that are kept are an average over the last steps.
"""
import argparse, glob, hashlib, json, os, time
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q * (d // self.heads) ** -0.5) @ k.transpose(-2, -1)
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.fc1, self.fc2 = nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    """64 tokens, one every 4x4 pixels, from a stem of three convolutions (Xiao et al., Early Convolutions Help Transformers See Better,
    2021); learned positions, pre-norm blocks, the mean of the tokens. Normalisation is inside, so that its input is in [0,1]."""

    def __init__(self, dim=64, depth=3, heads=4, hidden=128, classes=10):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.GELU(),
                                  nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.GELU(), nn.Conv2d(32, dim, 3, 2, 1))
        self.pos = nn.Parameter(torch.randn(1, 64, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, classes)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.stem((x - self.mean) / self.std)
        x = x.flatten(2).transpose(1, 2) + self.pos
        for b in self.blocks:
            x = b(x)
        return self.head(self.norm(x).mean(1))


def records(paths):
    raw = np.concatenate([np.fromfile(p, np.uint8).reshape(-1, 3073) for p in paths])
    return torch.from_numpy(raw[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(raw[:, 0].astype(np.int64))


def augment(x, gen):
    """Flips, and crops of the image padded by four, one of each image's own."""
    n = len(x)
    x = F.pad(x, (4, 4, 4, 4))
    dy, dx = (torch.randint(0, 9, (n,), generator=gen) for _ in range(2))
    rows = dy[:, None] + torch.arange(32)
    cols = dx[:, None] + torch.arange(32)
    cols = torch.where(torch.rand(n, 1, generator=gen) < 0.5, cols.flip(1), cols)
    return x[torch.arange(n)[:, None, None, None], torch.arange(3)[None, :, None, None], rows[:, None, :, None], cols[:, None, None, :]]


@torch.no_grad()
def accuracy(net, x, y):
    net.eval()
    hits = sum((net(x[i:i + 250].float() / 255).argmax(1) == y[i:i + 250]).sum().item() for i in range(0, len(x), 250))
    net.train()
    return 100 * hits / len(x)


def train(a):
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    x, y = records(sorted(glob.glob(os.path.join(a.data, "data_batch_*.bin"))))
    tx, ty = records([os.path.join(a.data, "test_batch.bin")])
    net, mean = ViT().to(memory_format=torch.channels_last), ViT()
    mean.load_state_dict(net.state_dict())
    decay = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0}], lr=1e-3, betas=(0.9, 0.99), fused=True)
    start, batch = 0, 100
    state = os.path.join(a.folder, "state.pt")
    if os.path.exists(state):
        s = torch.load(state)
        net.load_state_dict(s["net"]), mean.load_state_dict(s["mean"]), opt.load_state_dict(s["opt"])
        start = s["epoch"]
    steps = len(x) // batch
    for epoch in range(start, a.epochs):
        began, total = time.time(), 0.0
        gen = torch.Generator().manual_seed(a.seed * 1000 + epoch)
        order = torch.randperm(len(x), generator=gen)
        for i in range(steps):
            at = epoch + i / steps
            rate = a.rate * min(1, at + 1 / steps, 2 * (a.epochs - at) / a.epochs)
            for g in opt.param_groups:
                g["lr"] = rate
            pick = order[i * batch:(i + 1) * batch]
            bx = (augment(x[pick], gen).float() / 255).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(net(bx).float(), y[pick], label_smoothing=0.1)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            total += loss.item()
            with torch.no_grad():
                torch._foreach_lerp_(list(mean.parameters()), list(net.parameters()), 0.005)
        for p, q in zip(mean.buffers(), net.buffers()):
            p.copy_(q)
        torch.save({"net": net.state_dict(), "mean": mean.state_dict(), "opt": opt.state_dict(), "epoch": epoch + 1}, state + ".new")
        os.replace(state + ".new", state)
        line = f"{epoch + 1}\t{total / steps:.4f}\t{accuracy(mean, tx[:1000], ty[:1000]):.2f}\t{time.time() - began:.0f} s"
        print(line, flush=True)
        with open(os.path.join(a.folder, "log.tsv"), "a") as f:
            f.write(line + "\n")
    print(f"trained on {len(x)} images, {accuracy(mean, tx, ty):.2f} % of {len(tx)} test images")


def pattern(i):
    """The test patterns of models/selftest.go."""
    c, y, x = np.meshgrid(np.arange(3), np.arange(32), np.arange(32), indexing="ij")
    v = (5 + 3 * i) * x + (7 + 2 * i) * (c + 1) * y + i * x * y + 31 * c
    return torch.from_numpy((v % 256).astype("f4") / np.float32(255)).double()


def export(a):
    net = ViT().eval()
    state = torch.load(os.path.join(a.folder, "state.pt"))
    net.load_state_dict(state["mean"])
    torch.onnx.export(net, (torch.rand(1, 3, 32, 32),), a.out, opset_version=17, dynamo=False, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "n"}, "logits": {0: "n"}})
    n = len(records(sorted(glob.glob(os.path.join(a.data, "data_batch_*.bin"))))[1])
    tx, ty = records([os.path.join(a.data, "test_batch.bin")])
    card = dict(name="vit", architecture="vit", about="vision transformer: three convolutions, 64 tokens of 64 numbers, 3 blocks of 4 heads", dataset="CIFAR-10",
                classes="airplane automobile bird cat deer dog frog horse ship truck".split(), accuracy=round(accuracy(net, tx, ty), 2),
                recipe=f"{n:,} images, {state['epoch']} epochs of AdamW, rate {a.rate:g} after a warm-up of one epoch, falling to 0 from epoch {a.epochs // 2} on, "
                       f"weight decay 0.05, batch 100, label smoothing 0.1, flips, crops, an average over the last 200 steps or so, seed {a.seed}",
                source="trained for this project, models/tools/train_vit.py", licence="Apache-2.0",
                sha256=hashlib.sha256(open(a.out, "rb").read()).hexdigest())
    with torch.no_grad():
        z = net.eval().double()(torch.stack([pattern(i) for i in range(8)]))
    rows = ",\n  ".join(json.dumps([round(v, 6) for v in row]) for row in z.tolist())
    open(a.out.replace(".onnx", ".json"), "w").write(json.dumps(card, indent=1)[:-2] + ',\n "self_test": [\n  ' + rows + "\n ]\n}\n")
    print(f"{card['accuracy']:.2f} % of {len(tx)} test images")


p = argparse.ArgumentParser()
sub = p.add_subparsers(required=True)
for name, run in ("train", train), ("export", export):
    q = sub.add_parser(name)
    q.set_defaults(run=run)
    q.add_argument("data")
    q.add_argument("folder")
    if name == "export":
        q.add_argument("out")
    q.add_argument("--epochs", type=int, default=24)
    q.add_argument("--threads", type=int, default=1)
    q.add_argument("--seed", type=int, default=0)
    q.add_argument("--rate", type=float, default=1e-3)
a = p.parse_args()
os.makedirs(a.folder, exist_ok=True)
a.run(a)
