"""Writes testdata/torch.json: logits and input gradients of every architecture by PyTorch
in double precision, with the weights of models.Random (seed 0) and RandomImage 1.

    python compare_torch.py ../testdata/torch.json [architecture ...]

Of long vectors a sample is kept, with the norm of the whole. "float32" is how far PyTorch's own
float32 gradient is from its double-precision one, the worst of three images: among millions of
units some stand so near a kink of ReLU or a tie of a pool that rounding decides their side.
"""
import json, sys, warnings
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

warnings.filterwarnings("ignore")
M = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def uniform(state, n):
    with np.errstate(over="ignore"):
        z = np.arange(n, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(state) + np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype("f8") / (1 << 24)


def fill(name, shape):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & M
    u = uniform(h, int(np.prod(shape)))
    lo, width = -0.1, 0.2
    if name.endswith("running_var") or (len(shape) == 1 and name.endswith(".weight")):
        lo, width = 0.5, 1.0
    elif len(shape) > 1:
        bound = np.sqrt(6 / float(np.prod(shape[1:])))
        lo, width = -bound, 2 * bound
    return torch.from_numpy((lo + width * u).astype("f4").reshape(shape)).double()


def image(c, h, w, seed):
    return torch.from_numpy(uniform(seed, c * h * w).reshape(c, h, w))


class CW(nn.Module):
    def __init__(s, c, a, b, h, flat):
        super().__init__()
        s.conv1, s.conv2 = nn.Conv2d(c, a, 3), nn.Conv2d(a, a, 3)
        s.conv3, s.conv4 = nn.Conv2d(a, b, 3), nn.Conv2d(b, b, 3)
        s.fc1, s.fc2, s.fc3 = nn.Linear(flat, h), nn.Linear(h, h), nn.Linear(h, 10)

    def forward(s, x):
        x = F.max_pool2d(F.relu(s.conv2(F.relu(s.conv1(x)))), 2)
        x = F.max_pool2d(F.relu(s.conv4(F.relu(s.conv3(x)))), 2).flatten(1)
        return s.fc3(F.relu(s.fc2(F.relu(s.fc1(x)))))


class CifarBlock(nn.Module):
    def __init__(s, cin, cout, stride):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        s.conv2, s.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        s.stride, s.pad = stride, (cout - cin) // 2

    def forward(s, x):
        y = s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x)))))
        if s.stride == 2:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, s.pad, s.pad))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    def __init__(s, n):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        stage = lambda i, o, st: nn.Sequential(CifarBlock(i, o, st), *[CifarBlock(o, o, 1) for _ in range(n - 1)])
        s.layer1, s.layer2, s.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        s.linear = nn.Linear(64, 10)

    def forward(s, x):
        x = s.layer3(s.layer2(s.layer1(F.relu(s.bn1(s.conv1(x))))))
        return s.linear(x.mean((2, 3)))


class SmallBlock(nn.Module):
    def __init__(s, cin, cout, stride):
        super().__init__()
        s.conv1, s.conv2 = nn.Conv2d(cin, cout, 3, stride, 1), nn.Conv2d(cout, cout, 3, 1, 1)
        s.shortcut = nn.Sequential(*([nn.Conv2d(cin, cout, 1, stride)] if stride == 2 else []))

    def forward(s, x):
        return F.relu(s.conv2(F.relu(s.conv1(x))) + s.shortcut(x))


class SmallResNet(nn.Module):
    def __init__(s, planes, stages, flat):
        super().__init__()
        s.conv1 = nn.Conv2d(3, planes, 3, 2, 1)
        cin = planes
        for k in range(stages):
            setattr(s, f"layer{k + 1}", nn.Sequential(SmallBlock(cin, 2 * planes, 2), SmallBlock(2 * planes, 2 * planes, 1)))
            cin = 2 * planes
        s.stages = stages
        s.linear1, s.linear2 = nn.Linear(flat, 100), nn.Linear(100, 10)

    def forward(s, x):
        x = F.relu(s.conv1(x))
        for k in range(s.stages):
            x = getattr(s, f"layer{k + 1}")(x)
        return s.linear2(F.relu(s.linear1(x.flatten(1))))


def cnn_a():
    return nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(2048, 100), nn.ReLU(), nn.Linear(100, 10))


imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
robust = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
tv = torchvision.models
ARCHS = {
    "cwnet": (lambda: CW(3, 64, 128, 256, 3200), (3, 32, 32), ((0.5,), (1.0,))),
    "cwmnist": (lambda: CW(1, 32, 64, 200, 1024), (1, 28, 28), ((0.5,), (1.0,))),
    "resnet20": (lambda: CifarResNet(3), (3, 32, 32), imagenet),
    "resnet32": (lambda: CifarResNet(5), (3, 32, 32), imagenet),
    "resnet44": (lambda: CifarResNet(7), (3, 32, 32), imagenet),
    "resnet56": (lambda: CifarResNet(9), (3, 32, 32), imagenet),
    "resnet2b": (lambda: SmallResNet(8, 1, 1024), (3, 32, 32), robust),
    "resnet4b": (lambda: SmallResNet(16, 2, 512), (3, 32, 32), robust),
    "cnn_a": (cnn_a, (3, 32, 32), (robust[0], (0.2023, 0.1994, 0.2010))),
    "mobilenet_v2": (lambda: tv.mobilenet_v2(weights=None), (3, 224, 224), imagenet),
    "resnet18": (lambda: tv.resnet18(weights=None), (3, 224, 224), imagenet),
    "resnet50": (lambda: tv.resnet50(weights=None), (3, 224, 224), imagenet),
    "vgg16": (lambda: tv.vgg16(weights=None), (3, 224, 224), imagenet),
    # transform_input as with torchvision's pretrained weights, after its usual normalisation
    "inception_v3": (lambda: tv.inception_v3(weights=None, init_weights=False, transform_input=True), (3, 299, 299), imagenet),
}


def weights_of(m):
    return {k: v if k.endswith("num_batches_tracked") else fill(k, tuple(v.shape)) for k, v in m.state_dict().items()}


def sample(v, n):
    v = v.flatten().tolist()
    step = max(1, len(v) // n)
    return {"step": step, "norm": float(np.linalg.norm(v)), "values": [float(f"{x:.9g}") for x in v[::step][:n]]}


out = sys.argv[1]
names = sys.argv[2:] or list(ARCHS)
try:
    result = json.load(open(out))
except FileNotFoundError:
    result = {}
torch.set_num_threads(1)
for name in names:
    make, shape, (mean, std) = ARCHS[name]
    m = make().double().eval()
    m.load_state_dict(weights_of(m))
    col = lambda v, t: torch.tensor(v, dtype=t).view(1, -1, 1, 1)

    def step(seed, dtype):
        x = image(*shape, seed)[None].to(dtype).requires_grad_()
        z = m.to(dtype)((x - col(mean, dtype)) / col(std, dtype))
        weights = ((torch.arange(z.shape[1]) * 7 + 3) % 11 - 5).to(dtype) / 5
        (z * weights).sum().backward()
        return z.detach().double(), x.grad.double()

    for p in m.parameters():
        p.requires_grad_(False)
    far = 0.0
    for seed in (3, 2, 1):
        z, g = step(seed, torch.float64)
        far = max(far, float((step(seed, torch.float32)[1] - g).norm() / g.norm()))
        m = make().double().eval()
        m.load_state_dict(weights_of(m))
    result[name] = {"logits": sample(z, 100), "gradient": sample(g, 300), "float32": float(f"{far:.2g}")}
    print(name, result[name]["logits"]["norm"], result[name]["gradient"]["norm"], far, flush=True)
text = ",\n".join(json.dumps(k) + ": " + json.dumps(result[k]) for k in sorted(result))
open(out, "w").write("{" + text + "}\n")
