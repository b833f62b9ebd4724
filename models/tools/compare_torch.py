"""Writes testdata/torch.json: logits and input gradients of every architecture by PyTorch
in double precision, with the weights of models.Random (seed 0) and RandomImage 1.

    python compare_torch.py ../testdata/torch.json [architecture ...]     (dm_*: ROBUSTBENCH=FOLDER, its package unpacked)

Of long vectors a sample is kept, with the norm of the whole. "float32" is how far PyTorch's own
float32 gradient is from its double-precision one, the worst of three images: among millions of
units some stand so near a kink of ReLU or a tie of a pool that rounding decides their side.
"""
import importlib.util, json, os, sys, warnings
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


class Basic(nn.Module):
    def __init__(s, cin, planes, stride):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(cin, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        s.conv2, s.bn2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        s.shortcut = nn.Sequential()
        if stride != 1 or cin != planes:
            s.shortcut = nn.Sequential(nn.Conv2d(cin, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(s, x):
        return F.relu(s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x))))) + s.shortcut(x))


class Neck(nn.Module):
    def __init__(s, cin, planes, stride):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(cin, planes, 1, bias=False), nn.BatchNorm2d(planes)
        s.conv2, s.bn2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        s.conv3, s.bn3 = nn.Conv2d(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)
        s.shortcut = nn.Sequential()
        if stride != 1 or cin != 4 * planes:
            s.shortcut = nn.Sequential(nn.Conv2d(cin, 4 * planes, 1, stride, bias=False), nn.BatchNorm2d(4 * planes))

    def forward(s, x):
        y = F.relu(s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x))))))
        return F.relu(s.bn3(s.conv3(y)) + s.shortcut(x))


class PreAct(nn.Module):
    def __init__(s, cin, planes, stride, of_activation):
        super().__init__()
        s.bn1, s.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, planes, 3, stride, 1, bias=False)
        s.bn2, s.conv2 = nn.BatchNorm2d(planes), nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        s.of_activation = of_activation
        s.shortcut = nn.Sequential(*([nn.Conv2d(cin, planes, 1, stride, bias=False)] if stride != 1 or cin != planes else []))

    def forward(s, x):
        y = F.relu(s.bn1(x))
        x = s.shortcut(y if s.of_activation and len(s.shortcut) else x)
        return s.conv2(F.relu(s.bn2(s.conv1(y)))) + x


class Cifar(nn.Module):
    """A 3x3 convolution, four stages and a dense layer."""

    def __init__(s, block, blocks, expansion=1, first_norm=True):
        super().__init__()
        s.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        s.bn1 = nn.BatchNorm2d(64) if first_norm else nn.Sequential()
        s.first_norm, cin = first_norm, 64
        for k, n in enumerate(blocks):
            layers = []
            for i in range(n):
                layers.append(block(cin, 64 << k, 2 if i == 0 and k > 0 else 1))
                cin = (64 << k) * expansion
            setattr(s, f"layer{k + 1}", nn.Sequential(*layers))
        s.linear = nn.Linear(cin, 10)

    def forward(s, x):
        x = s.conv1(x)
        if s.first_norm:
            x = F.relu(s.bn1(x))
        x = s.layer4(s.layer3(s.layer2(s.layer1(x))))
        return s.linear(x.mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(s, cin, planes, stride):
        super().__init__()
        s.bn1, s.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, planes, 3, stride, 1, bias=False)
        s.bn2, s.conv2 = nn.BatchNorm2d(planes), nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        s.convShortcut = nn.Conv2d(cin, planes, 1, stride, bias=False) if cin != planes else None

    def forward(s, x):
        y = F.relu(s.bn1(x))
        z = s.conv2(F.relu(s.bn2(s.conv1(y))))
        return z + (s.convShortcut(y) if s.convShortcut else x)


class WideStage(nn.Module):
    def __init__(s, n, cin, planes, stride):
        super().__init__()
        s.layer = nn.Sequential(*[WideBlock(cin if i == 0 else planes, planes, stride if i == 0 else 1) for i in range(n)])

    def forward(s, x):
        return s.layer(x)


class WRN(nn.Module):
    def __init__(s, depth, wide):
        super().__init__()
        n = (depth - 4) // 6
        s.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        s.block1, s.block2, s.block3 = WideStage(n, 16, 16 * wide, 1), WideStage(n, 16 * wide, 32 * wide, 2), WideStage(n, 32 * wide, 64 * wide, 2)
        s.bn1, s.fc = nn.BatchNorm2d(64 * wide), nn.Linear(64 * wide, 10)

    def forward(s, x):
        x = F.relu(s.bn1(s.block3(s.block2(s.block1(s.conv1(x))))))
        return s.fc(x.mean((2, 3)))


class VGGCifar(nn.Module):
    def __init__(s, depth):
        super().__init__()
        s.features = getattr(tv, f"vgg{depth}_bn")(weights=None, init_weights=False).features
        s.classifier = nn.Linear(512, 10)

    def forward(s, x):
        return s.classifier(s.features(x).flatten(1))


def deepmind(make):
    """A network of RobustBench's own classes, which divide by the deviation themselves."""
    folder = os.environ["ROBUSTBENCH"] + "/robustbench/model_zoo/architectures/dm_wide_resnet.py"
    spec = importlib.util.spec_from_file_location("dm_wide_resnet", folder)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return make(module)


tv = torchvision.models
imagenet = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
robust = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
plain = ((0.0,), (1.0,))
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
    **{n: (lambda n=n: getattr(tv, n)(weights=None), (3, 224, 224), imagenet) for n in (
        "resnet34", "resnet101", "resnet152", "wide_resnet50_2", "wide_resnet101_2", "resnext50_32x4d", "vgg11", "vgg13", "vgg19",
        "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "mobilenet_v3_large", "mobilenet_v3_small")},
    "resnet18_cifar": (lambda: Cifar(Basic, (2, 2, 2, 2)), (3, 32, 32), plain),
    "resnet34_cifar": (lambda: Cifar(Basic, (3, 4, 6, 3)), (3, 32, 32), plain),
    "resnet50_cifar": (lambda: Cifar(Neck, (3, 4, 6, 3), 4), (3, 32, 32), plain),
    "preactresnet18": (lambda: Cifar(lambda i, o, st: PreAct(i, o, st, False), (2, 2, 2, 2), first_norm=False), (3, 32, 32), plain),
    "preactresnet18_v2": (lambda: Cifar(lambda i, o, st: PreAct(i, o, st, True), (2, 2, 2, 2), first_norm=False), (3, 32, 32), plain),
    **{f"wrn{d}_{w}": (lambda d=d, w=w: WRN(d, w), (3, 32, 32), plain) for d, w in ((28, 4), (28, 10), (34, 10))},
    "dm_wrn28_10": (lambda: deepmind(lambda dm: dm.DMWideResNet(10, 28, 10, dm.Swish)), (3, 32, 32), plain),
    "dm_preactresnet18": (lambda: deepmind(lambda dm: dm.DMPreActResNet(10, 18, 0, dm.Swish)), (3, 32, 32), plain),
    **{f"vgg{d}_bn_cifar": (lambda d=d: VGGCifar(d), (3, 32, 32), plain) for d in (11, 13, 16, 19)},
    # transform_input as with torchvision's pretrained weights, after its usual normalisation
    "inception_v3": (lambda: tv.inception_v3(weights=None, init_weights=False, transform_input=True), (3, 299, 299), imagenet),
}


def weights_of(m):
    return {k: v if k.endswith("num_batches_tracked") or k in ("mean", "std") else fill(k, tuple(v.shape)) for k, v in m.state_dict().items()}


def sample(v, n):
    v = v.flatten().tolist()
    step = max(1, len(v) // n)
    return {"step": step, "norm": float(np.linalg.norm(v)), "values": [float(f"{x:.9g}") for x in v[::step][:n]]}


out = sys.argv[1]
names = sys.argv[2:] or [a for a in ARCHS if "ROBUSTBENCH" in os.environ or not a.startswith("dm_")]
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
