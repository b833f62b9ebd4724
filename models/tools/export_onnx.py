"""Exports classifiers of torchvision to ONNX with random weights, with the logits and input
gradient of the exported model, for TestONNXExports:

    python export_onnx.py DIR [name ...]          # torchvision's networks, both exporters
    python export_onnx.py ../format/onnx/testdata tiny        # the small network that is committed

Needs the packages onnx and, for the second exporter, onnxscript.
"""
import json, sys, warnings
import numpy as np
import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)  # an operator of its own, which the first exporter lacks


class Tiny(nn.Module):
    """A layer of each kind that the importer knows."""

    def __init__(s):
        super().__init__()
        s.c1, s.b1 = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        s.dw, s.b2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False), nn.BatchNorm2d(8)
        s.se1, s.se2 = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        s.c2 = nn.Conv2d(8, 8, 3, padding=(1, 0))
        s.fc1, s.fc2 = nn.Linear(64, 12), nn.Linear(12, 5)

    def forward(s, x):
        x = (x - 0.5) / torch.tensor([0.25, 0.5, 0.75]).view(1, 3, 1, 1)
        x = torch.cat([x[:, 2:3] * 2 + 0.1, x[:, 0].unsqueeze(1), x[:, 1:2]], 1)
        y = F.leaky_relu(s.b1(s.c1(x)), 0.1)
        z = F.silu(s.b2(F.relu6(s.dw(y))))
        w = F.hardsigmoid(s.se2(F.relu(s.se1(z.mean((2, 3), keepdim=True)))))
        z = z * w + y
        n, c, h, v = z.shape
        z = z.view(n, 2, c // 2, h, v).transpose(1, 2).reshape(n, c, h, v)
        a, b = z.chunk(2, 1)
        z = torch.cat([a - b, F.hardswish(a)], 1)
        z = F.max_pool2d(F.pad(z, (0, 1, 1, 0)), 3, 2, 1)
        z = F.avg_pool2d(torch.tanh(s.c2(z)), 2, 1, ceil_mode=True)[:, :, ::1, ::1]
        z = torch.sigmoid(z).flatten(1)
        return s.fc2(F.dropout(F.relu(s.fc1(z)), training=s.training))


def build(name):
    torch.manual_seed(1)
    if name == "tiny":
        return Tiny(), 16
    more = dict(init_weights=False, transform_input=True) if name == "inception_v3" else {}
    return getattr(torchvision.models, name)(weights=None, **more), 299 if name == "inception_v3" else 224


def forget_traces(file):
    """Drops the stack traces that the second exporter leaves, with the paths of its machine."""
    model = onnx.load(file)
    for part in [model.graph, *model.functions]:
        for node in part.node:
            kept = [p for p in node.metadata_props if "stack_trace" not in p.key]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
    onnx.save(model, file)


def main():
    folder = sys.argv[1]
    for name in sys.argv[2:] or ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "densenet121", "shufflenet_v2_x1_0",
                                 "efficientnet_b0", "inception_v3", "mobilenet_v2", "convnext_tiny", "vit_b_16", "swin_t",
                                 "maxvit_t"]:
        m, side = build(name)
        for mod in m.modules():
            if isinstance(mod, nn.BatchNorm2d):
                mod.running_mean.normal_(0, 0.1)
                mod.running_var.uniform_(0.5, 1.5)
            if isinstance(mod, nn.Linear) and not mod.weight.any():  # as torchvision begins: no gradient would pass
                nn.init.normal_(mod.weight, 0, 0.02)
        m.eval()
        for p in m.parameters():
            p.requires_grad_(False)
        x = torch.rand(1, 3, side, side)
        for tag, options in {"13": dict(dynamo=False, opset_version=13), "17": dict(dynamo=False, opset_version=17),
                             "18dynamo": dict(dynamo=True, opset_version=18), "20dynamo": dict(dynamo=True, opset_version=20)}.items():
            file = f"{folder}/{name}-{tag}.onnx"
            batch = dict(dynamic_axes={"x": {0: "n"}, "logits": {0: "n"}}) if tag == "13" else {}
            extra = dict(external_data=False) if options["dynamo"] else {}
            try:
                torch.onnx.export(m, (x,), file, input_names=["x"], output_names=["logits"], verbose=False, **options, **batch, **extra)
            except Exception as e:
                print(name, tag, "export:", str(e).splitlines()[:1])
                continue
            if options["dynamo"]:
                forget_traces(file)
        d = m.double()
        far = 0.0
        for seed in range(3):
            v = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).float()
            grads = []
            for dtype in (torch.float64, torch.float32):
                xd = v.to(dtype).requires_grad_()
                z = d.to(dtype)(xd)
                (z * (((torch.arange(z.shape[1]) * 7 + 3) % 11 - 5).to(dtype) / 5)).sum().backward()
                grads.append(xd.grad.double())
                if dtype == torch.float64 and seed == 0:
                    out = dict(logits=z.detach().flatten().tolist(), x=v, gradient=xd.grad.float())
            d = m.double()
            far = max(far, float((grads[1] - grads[0]).norm() / grads[0].norm()))
        out["x"], out["gradient"] = ([float(f"{t:.8g}") for t in v.flatten().tolist()] for v in (out["x"], out["gradient"]))
        out["float32"] = far
        json.dump(out, open(f"{folder}/{name}.json", "w"))
        print(name, "float32 gradient of PyTorch itself:", far, flush=True)


main()
