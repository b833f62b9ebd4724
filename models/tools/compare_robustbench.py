"""Saves networks of RobustBench, built by its own classes with invented weights, as state dicts, and compares `sapf gradient` on them
with PyTorch in double precision.

    python compare_robustbench.py path/to/sapf FOLDER PACKAGE     (needs torch, timm, numpy, pillow; PACKAGE is robustbench unpacked)
"""
import base64, importlib.util, json, subprocess, sys, types
import numpy as np
import torch
import torch.nn as nn
from PIL import Image

sapf, folder, package = sys.argv[1:4]
for name in ("robustbench", "robustbench.model_zoo", "robustbench.model_zoo.architectures"):  # none of their __init__ runs
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [f"{package}/{name.replace('.', '/')}"]


def module(name):
    return importlib.import_module(f"robustbench.model_zoo.architectures.{name}")


dm, wide, res = module("dm_wide_resnet"), module("wide_resnet"), module("resnet")


def normalised(net):
    """A class of model_zoo/cifar10.py: the network with buffers mu and sigma of its own (Rice2020, Wong2020, ...)."""
    class Net(type(net)):
        def forward(self, x):
            return super().forward((x - self.mu) / self.sigma)
    net.__class__ = Net
    net.register_buffer("mu", torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1))
    net.register_buffer("sigma", torch.tensor([0.2471, 0.2435, 0.2616]).view(1, 3, 1, 1))
    return net


NETWORKS = [
    ("wrn28_10", "WideResNet-28-10, sub_block1", lambda: wide.WideResNet(28, widen_factor=10, sub_block1=True)),
    ("wrn34_10", "WideResNet-34-10", lambda: wide.WideResNet(34, widen_factor=10)),
    ("wrn34_10", "WideResNet-34-10, mu and sigma", lambda: normalised(wide.WideResNet(34, widen_factor=10))),
    ("wrn28_4", "WideResNet-28-4, bias_last=False", lambda: wide.WideResNet(28, widen_factor=4, bias_last=False)),
    ("preactresnet18", "PreActResNet18, mu and sigma (Wong2020, Rice2020 L2)", lambda: normalised(res.PreActResNet(res.PreActBlock, [2, 2, 2, 2]))),
    ("preactresnet18_v2", "PreActResNet18 of PreActBlockV2, bn_before_fc", lambda: res.PreActResNet(res.PreActBlockV2, [2, 2, 2, 2], bn_before_fc=True)),
    ("resnet18_cifar", "ResNet18", lambda: res.ResNet18()),
    ("resnet50_cifar", "ResNet50, mu and sigma (Engstrom2019)", lambda: normalised(res.ResNet(res.Bottleneck, [3, 4, 6, 3]))),
    ("dm_wrn28_10", "DMWideResNet-28-10, Swish (Gowal2020, Rebuffi2021, Wang2023)", lambda: dm.DMWideResNet(10, 28, 10, dm.Swish)),
    ("dm_preactresnet18", "DMPreActResNet-18, Swish (Rade2021, Rebuffi2021)", lambda: dm.DMPreActResNet(10, 18, 0, dm.Swish)),
]
only = sys.argv[4:]
pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
Image.fromarray(pixels).save(f"{folder}/picture.png")


def far(a, b):
    return float(np.linalg.norm(np.asarray(a, float) - b) / np.linalg.norm(b))


print("| RobustBench's | --arch | logits | gradient, float32 | PyTorch's float32 gradient |\n|---|---|---|---|---|")
for arch, what, make in NETWORKS:
    if only and arch not in only:
        continue
    torch.manual_seed(0)
    net = make().eval()
    g = torch.Generator().manual_seed(1)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
            m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
    file = f"{folder}/{arch}.pt"
    torch.save({"state_dict": {"module." + k: v for k, v in net.state_dict().items()}}, file)

    def step(dtype):
        x = torch.tensor(pixels.transpose(2, 0, 1)[None].astype("f4") / np.float32(255), dtype=dtype, requires_grad=True)
        z = net.to(dtype)(x)
        nn.functional.cross_entropy(z, torch.tensor([1])).backward()
        return z[0].detach().double().numpy(), x.grad[0].double().numpy()

    single, (z, grad) = step(torch.float32)[1], step(torch.float64)
    run = subprocess.run([sapf, "gradient", "--model", file, "--arch", arch, "--image", f"{folder}/picture.png", "--target", "1", "--loss", "ce", "--json"],
                         capture_output=True, text=True)
    if run.returncode:
        print(f"| {what} | {arch} | REFUSED {run.stderr.strip()}", flush=True)
        continue
    got = json.loads(run.stdout)
    raw = np.frombuffer(base64.b64decode(got["gradient_f32_chw_base64"]), "<f4").reshape(grad.shape)
    print(f"| {what} | {arch} | {far(got['logits'], z):.1e} | {far(raw, grad):.1e} | {far(single, grad):.1e} |", flush=True)
