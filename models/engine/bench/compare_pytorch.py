"""Times the engine against PyTorch on this machine, and prints ratios.

Both sides do the same step: logits and the gradient of dot(dlogits, logits)
with respect to the images, weights frozen, float32. The two programs alternate
in short rounds of one run, so that a busy machine hurts both alike; the figures
are medians and minima over the steps of all rounds. Virtual processors may be
slowed down or taken away by what else their host does: a second pair of medians
is over the calmest third of the rounds, those in which a fixed matrix product
(PyTorch's), timed before, between and after, was fastest. The processor time of a
step is printed too. PyTorch gets its best of several
settings (memory layout, batch norm fused into convolutions), chosen by a trial
of its own. The gradients of both are compared first.

    go build -o /tmp/bench ./models/engine/bench
    python models/engine/bench/compare_pytorch.py /tmp/bench [--nets cw,resnet20]
"""

import argparse
import copy
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.backends.mha.set_fastpath_enabled(False)  # an operator that exports lack; gradients never take it


class CW(nn.Module):
    """The CIFAR-10 network of Carlini and Wagner (2017), table I."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3)
        self.conv3, self.conv4 = nn.Conv2d(64, 128, 3), nn.Conv2d(128, 128, 3)
        self.fc1, self.fc2, self.fc3 = nn.Linear(3200, 256), nn.Linear(256, 256), nn.Linear(256, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x - 0.5))))
        x = F.relu(self.conv4(F.relu(self.conv3(F.max_pool2d(x, 2)))))
        x = torch.flatten(F.max_pool2d(x, 2), 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.down, self.grow = stride != 1, (cout - cin) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.down:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow, self.grow))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """He et al. (2016), section 4.2, option A shortcuts; akamaster's names."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - self.mean) / self.std)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Normalised(nn.Module):
    """A torchvision network after the normalisation that ours contains."""

    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))

    def forward(self, x):
        return self.net((x - self.mean) / self.std)


def networks():
    import torchvision

    def mobilenet():
        net = torchvision.models.mobilenet_v2(weights=None)
        return net, Normalised(net, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

    def inception():
        net = torchvision.models.inception_v3(weights=None, aux_logits=True, init_weights=False)
        return net, Normalised(net, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])

    def plain(make):
        def build():
            net = make()
            return net, net

        return build

    def exported(name):
        def build():
            net = getattr(torchvision.models, name)(weights=None)
            for m in net.modules():
                if isinstance(m, nn.Linear) and not m.weight.any():  # as torchvision begins: no gradient would pass
                    nn.init.normal_(m.weight, 0, 0.02)
            return net, net

        return build

    # The engine's architecture ("" for an ONNX file), the side of images, the network, batches.
    return {
        "cw": ("cwnet", 32, plain(CW), [1, 9, 72]),
        "resnet20": ("resnet20", 32, plain(ResNet20), [1, 9]),
        "mobilenet_v2": ("mobilenet_v2", 224, mobilenet, [1, 9]),
        "inception_v3": ("inception_v3", 299, inception, [1, 9]),
        **{name: ("", 224, exported(name), [1, 9]) for name in ("resnet50", "efficientnet_b0", "convnext_tiny", "vit_b_16", "swin_t")},
    }


class Engine:
    def __init__(self, program):
        self.p = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **q):
        self.p.stdin.write(json.dumps(q) + "\n")
        self.p.stdin.flush()
        a = json.loads(self.p.stdout.readline())
        if a.get("error"):
            raise SystemExit("engine: " + a["error"])
        return a


def step_of(model, x, dlogits):
    def step():
        return torch.autograd.grad(model(x), x, dlogits)[0]

    return step


def timed(step, seconds):
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        t = time.perf_counter()
        step()
        times.append((time.perf_counter() - t) * 1e3)
    return times


def stolen():
    """Time, in hundredths of a second, that the host has taken from our processors."""
    try:
        with open("/proc/stat") as f:
            return int(f.readline().split()[8])
    except OSError:
        return 0


PROBE = torch.rand(320, 320)


def probe():
    """Milliseconds of a fixed piece of work on the current number of threads."""
    times = []
    for _ in range(9):
        t = time.perf_counter()
        PROBE @ PROBE
        times.append((time.perf_counter() - t) * 1e3)
    return statistics.median(times)


def median(rounds):
    return statistics.median(t for times in rounds for t in times)


def settings(model, x):
    """PyTorch's candidates: layouts, and batch norm fused where there is any."""
    variants = {"eager": model}
    if any(isinstance(m, nn.BatchNorm2d) for m in model.modules()):
        try:
            from torch.fx.experimental.optimization import fuse

            variants["fused"] = fuse(copy.deepcopy(model))
        except Exception as e:  # not every network can be traced
            print(f"  (no fusion: {e})")
    for name, m in variants.items():
        for layout, fmt in (("nchw", torch.contiguous_format), ("channels_last", torch.channels_last)):
            m2 = copy.deepcopy(m).to(memory_format=fmt)
            for p in m2.parameters():
                p.requires_grad_(False)
            yield f"{name},{layout}", m2, x.detach().contiguous(memory_format=fmt).requires_grad_(True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("engine", help="the built bench program")
    ap.add_argument("--nets", default="cw,resnet20,mobilenet_v2,inception_v3")
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--rounds", type=int, default=24)
    ap.add_argument("--seconds", type=float, default=0.2, help="of each side in each round")
    ap.add_argument("--profile", default="", help="as SAPF_KERNELS")
    ap.add_argument("--batches", help="other batches than the networks' own")
    ap.add_argument("--keep", help="folder of weights and exports, made where they are missing")
    ap.add_argument("--json", help="write the figures here too")
    args = ap.parse_args()
    engine = Engine(args.engine)
    print(f"PyTorch {torch.__version__}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in args.nets.split(","):
            arch, size, build, batches = networks()[name]
            torch.manual_seed(1)
            saved, model = build()
            for m in saved.modules():  # statistics that a trained network could have
                if isinstance(m, nn.BatchNorm2d):
                    m.running_mean.normal_(0, 0.1)
                    m.running_var.uniform_(0.5, 1.5)
            model.eval()
            if args.batches:
                batches = [int(b) for b in args.batches.split(",")]
            weights = os.path.join(args.keep or folder, name + (".pth" if arch else ".onnx"))
            if arch:
                torch.save(saved.state_dict(), weights)
            elif not os.path.exists(weights):
                example = torch.rand(1, 3, size, size)
                torch.onnx.export(model, (example,), weights, dynamo=False, opset_version=17, dynamic_axes={"x": {0: "n"}}, input_names=["x"])
            common = dict(weights=weights, arch=arch, profile=args.profile)
            rows += compare(engine, common, name, model, size, batches, args)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(rows, f, indent=1)


def compare(engine, common, name, model, size, batches, args):
    x = torch.rand(1, 3, size, size, requires_grad=True)
    y = model(x)
    d = torch.rand_like(y)
    want = torch.autograd.grad(y, x, d)[0]
    got = engine.ask(check=True, batch=1, threads=1, x=x.detach().flatten().tolist(), dlogits=d.flatten().tolist(), **common)
    grad = torch.tensor(got["grad"]).view_as(want)
    error = ((grad - want).norm() / want.norm()).item()
    print(f"{name} ({got['profile']}): gradients differ by {error:.1e} (relative l2)")
    rows = []
    for batch in batches:
        for threads in map(int, args.threads.split(",")):
            x = torch.rand(batch, 3, size, size)
            d = torch.rand(batch, y.shape[1])
            best = None
            # For two threads PyTorch may use one, if that is faster.
            for t in sorted({1, threads}):
                torch.set_num_threads(t)
                for label, m, xs in settings(model, x):
                    step = step_of(m, xs, d)
                    timed(step, 0.1)
                    ms = min(timed(step, 0.4))
                    if best is None or ms < best[0]:
                        best = ms, f"{label},{t}t", step, t
            _, label, step, t = best
            torch.set_num_threads(t)
            ours, theirs, cpu, torch_cpu, lost, slow = [], [], [], [], [], []
            for _ in range(args.rounds):
                before = stolen()
                torch.set_num_threads(threads)
                probes = [probe()]
                a = engine.ask(batch=batch, threads=threads, seconds=args.seconds, **common)
                ours.append(a["ms"])
                cpu.append(a["cpu_ms"])
                probes.append(probe())
                torch.set_num_threads(t)
                timed(step, args.seconds / 8)
                used = time.process_time()
                times = timed(step, args.seconds)
                torch_cpu.append((time.process_time() - used) * 1e3 / len(times))
                theirs.append(times)
                torch.set_num_threads(threads)
                slow.append(max(probes + [probe()]))
                lost.append(stolen() - before)
            calm = sorted(range(args.rounds), key=lambda r: slow[r])[: max(3, args.rounds // 3)]
            row = dict(net=name, profile=got["profile"], batch=batch, threads=threads, pytorch=label, gradient_error=error,
                       ours_ms=median(ours), pytorch_ms=median(theirs), ours_min=min(map(min, ours)), pytorch_min=min(map(min, theirs)),
                       ours_calm=median([ours[r] for r in calm]), pytorch_calm=median([theirs[r] for r in calm]),
                       stolen=sum(lost), stolen_calm=sum(lost[r] for r in calm))
            row["cpu_ms"], row["pytorch_cpu_ms"] = min(cpu), min(torch_cpu)
            row["ratio_cpu"] = row["pytorch_cpu_ms"] / row["cpu_ms"]
            row["ratio"], row["ratio_min"] = row["pytorch_ms"] / row["ours_ms"], row["pytorch_min"] / row["ours_min"]
            row["ratio_calm"] = row["pytorch_calm"] / row["ours_calm"]
            rows.append(row)
            print(f"  batch {batch} threads {threads} [{label}]: medians {row['ours_ms']:.3f} and {row['pytorch_ms']:.3f} ms, ratio {row['ratio']:.2f}; "
                  f"calmest {row['ours_calm']:.3f} and {row['pytorch_calm']:.3f}, {row['ratio_calm']:.2f}; minima {row['ours_min']:.3f} and {row['pytorch_min']:.3f}, "
                  f"{row['ratio_min']:.2f}; processor {row['cpu_ms']:.3f} and {row['pytorch_cpu_ms']:.3f}, {row['ratio_cpu']:.2f}; "
                  f"stolen {row['stolen'] / 100:.2f} s, {row['stolen_calm'] / 100:.2f} s of the calmest", flush=True)
    return rows


if __name__ == "__main__":
    main()
