"""Saves networks of timm as a training program does (a wrapper's prefix, an argparse.Namespace beside them, other numbers of
classes) and compares `sapf gradient` on them with PyTorch in double precision.

    python compare_timm.py path/to/sapf FOLDER        (needs torch, timm, numpy, pillow)
"""
import argparse, base64, json, subprocess, sys
import numpy as np
import timm
import torch
import torch.nn as nn
from PIL import Image

NETWORKS = [  # timm's name, ours, classes
    ("mobilenetv3_small_100", "mobilenet_v3_small", 1000), ("mobilenetv2_100", "mobilenet_v2", 1000), ("mobilenetv3_large_100", "mobilenet_v3_large", 12),
    ("resnet34", "resnet34", 10), ("vgg16", "vgg16", 10), ("vgg11_bn", "vgg11_bn", 1000), ("resnext50_32x4d", "resnext50_32x4d", 1000),
    ("wide_resnet50_2", "wide_resnet50_2", 1000)]
sapf, folder = sys.argv[1:]
picture = np.asarray(Image.fromarray(np.random.default_rng(0).integers(0, 256, (28, 28, 3)).astype(np.uint8)).resize((224, 224), Image.BICUBIC))
Image.fromarray(picture).save(f"{folder}/picture.png")
mean, std = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def far(a, b):
    return float(np.linalg.norm(np.asarray(a, float) - b) / np.linalg.norm(b))


for name, arch, classes in NETWORKS:
    torch.manual_seed(0)
    net = timm.create_model(name, pretrained=False, num_classes=classes).eval()
    g = torch.Generator().manual_seed(1)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
            m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
    file = f"{folder}/{name}.pth"
    torch.save({"state_dict": {"module." + k: v for k, v in net.state_dict().items()}, "args": argparse.Namespace(lr=0.1)}, file)

    def step(dtype):
        x = torch.tensor(picture.transpose(2, 0, 1)[None].astype("f4") / np.float32(255), dtype=dtype, requires_grad=True)
        z = net.to(dtype)((x - mean.to(dtype)) / std.to(dtype))
        nn.functional.cross_entropy(z, torch.tensor([1])).backward()
        return z[0].detach().double().numpy(), x.grad[0].double().numpy()

    single, (z, grad) = step(torch.float32)[1], step(torch.float64)
    run = subprocess.run([sapf, "gradient", "--model", file, "--arch", arch.upper(), "--image", f"{folder}/picture.png", "--target", "1", "--loss", "ce", "--json"],
                         capture_output=True, text=True)
    if run.returncode:
        print(f"{name:24s} REFUSED {run.stderr.strip()}", flush=True)
        continue
    got = json.loads(run.stdout)
    raw = np.frombuffer(base64.b64decode(got["gradient_f32_chw_base64"]), "<f4").reshape(grad.shape)
    print(f"{name:24s} logits {far(got['logits'], z):.1e} gradient {far(raw, grad):.1e} (PyTorch's float32: {far(single, grad):.1e})", flush=True)
