"""What people do with their networks before they are attacked: exports of all kinds, checkpoints of all kinds, heads, shapes and element
types. Each file is loaded, and logits and gradient are held against PyTorch's in double precision; or it is refused, and the message must say why.

    python unforeseen.py SAPF FOLDER [CASE ...]

Prints a row a case. Needs torch, onnx, onnxscript, safetensors, numpy and pillow.
"""
import base64, contextlib, copy, io, json, os, pickle, subprocess, sys, warnings
import numpy as np, onnx, torch, torch.nn as nn, torch.nn.functional as F
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from PIL import Image

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)
sapf, folder, only = sys.argv[1], sys.argv[2], sys.argv[3:]
os.makedirs(folder, exist_ok=True)
cases = []


def case(f):
    cases.append((f.__name__, f))
    return f


class Net(nn.Module):
    """Convolutions, a norm, attention and a head; end is what it does to its logits, first to its image."""

    def __init__(s, channels=3, classes=10, end=lambda z: z, first=lambda x: x, pool=True, side=32):
        super().__init__()
        s.c1, s.b1, s.c2 = nn.Conv2d(channels, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 16, 3, 2, 1)
        s.norm, s.att = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True)
        s.head, s.end, s.first, s.pool = nn.Linear(16, classes), end, first, pool
        g = torch.Generator().manual_seed(1)
        with torch.no_grad():
            s.b1.running_mean.copy_(torch.randn(8, generator=g) * 0.1)
            s.b1.running_var.copy_(torch.rand(8, generator=g) + 0.5)

    def forward(s, x):
        x = F.gelu(s.b1(s.c1(s.first(x))))
        x = F.relu(s.c2(x)).flatten(2).transpose(1, 2)
        y = s.norm(x)
        x = x + s.att(y, y, y, need_weights=False)[0]
        return s.end(s.head(x.mean(1)))


class Plain(nn.Module):
    """Without attention."""

    def __init__(s, channels=3, classes=10):
        super().__init__()
        s.body = nn.Sequential(nn.Conv2d(channels, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(),
                               nn.AdaptiveAvgPool2d(1), nn.Flatten())
        s.fc = nn.Linear(8, classes)

    def forward(s, x):
        return s.fc(s.body(x))


def net(cls=Net, **k):
    torch.manual_seed(0)
    n = cls(**k).eval()
    for p in n.parameters():
        p.requires_grad_(False)
    return n


def export(n, name, x=None, dynamo=False, opset=17, names=("x",), outputs=("logits",), **k):
    file = f"{folder}/{name}.onnx"
    x = torch.rand(1, 3, 32, 32) if x is None else x
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(n, (x,), file, dynamo=dynamo, input_names=list(names), output_names=list(outputs),
                          **({"opset_version": opset} if opset else {}), **({"verbose": False} if dynamo else {}), **k)
    return file


def far(a, b):
    return float(np.linalg.norm(np.asarray(a, float) - b) / max(1e-30, np.linalg.norm(b)))


def ask(file, flags, shape, kernels=None):
    c, height, width = shape
    pixels = np.random.default_rng(0).integers(1, 256, (height, width, c)).astype(np.uint8)
    Image.fromarray(pixels if c == 3 else pixels[:, :, 0]).save(f"{folder}/picture.png")
    run = subprocess.run([sapf, "gradient", "--model", file, "--image", f"{folder}/picture.png", "--target", "1", "--loss", "ce", "--json", *flags],
                         capture_output=True, text=True, env=dict(os.environ, **({"SAPF_KERNELS": kernels} if kernels else {})))
    x = pixels.transpose(2, 0, 1)[None].astype("f4") / np.float32(255)
    return (json.loads(run.stdout) if run.returncode == 0 else " ".join(run.stderr.split()).replace(folder + "/", "")), x


def agrees(name, file, n, shape=(3, 32, 32), flags=(), logits=lambda z: z, tolerance=1e-5):
    got, x = ask(file, flags, shape)
    if isinstance(got, str):
        return row(name, "REFUSED", got)
    v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    z = logits(copy.deepcopy(n).double()(v))
    F.cross_entropy(z, torch.tensor([1])).backward()
    gradient = lambda got: far(np.frombuffer(base64.b64decode(got["gradient_f32_chw_base64"]), "<f4").reshape(x.shape), v.grad.numpy())
    a, b = far(got["logits"], z[0].detach().numpy()), gradient(got)
    if b >= 10 * tolerance:  # where a ReLU at its border makes float32 follow another linear piece
        b = gradient(ask(file, flags, shape, "float64")[0])
    row(name, "agrees" if a < tolerance and b < 10 * tolerance else "DIFFERS", f"{a:.1e}\t{b:.1e}")


def refused(name, file, *words, flags=(), shape=(3, 32, 32)):
    got, _ = ask(file, flags, shape)
    if not isinstance(got, str):
        return row(name, "ACCEPTED", "")
    missing = [w for w in words if w not in got]
    row(name, "refused, as it should" if not missing else f"REFUSED WITHOUT {missing}", got)


def row(name, verdict, text):
    print(name, verdict, text, sep="\t", flush=True)


def edit(file, change, to=None):
    m = onnx.load(file)
    change(m)
    onnx.save(m, to or file)
    return to or file


def graph(name, nodes, weights, shape, outputs=(("y", (1, 4)),), dtype=T.FLOAT, opset=17, **k):
    """A file written with onnx.helper."""
    g = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", dtype, shape)], [h.make_tensor_value_info(o, T.FLOAT, s) for o, s in outputs],
                     [nh.from_array(np.asarray(w), key) for key, w in weights.items()])
    m = h.make_model(g, opset_imports=[h.make_opsetid("", opset)], ir_version=8, **k)
    onnx.checker.check_model(m)
    onnx.save(m, f"{folder}/{name}.onnx")
    return f"{folder}/{name}.onnx"


def invented(*shape, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * 0.3).astype("f4")


class Of(nn.Module):
    """A function as a module."""

    def __init__(s, f):
        super().__init__()
        s.f, s.parts = f, nn.ModuleList(m for m in f.__defaults__ or () if isinstance(m, nn.Module))
        s.eval()  # the export puts all parts back into the whole's mode

    def forward(s, x):
        return s.f(x, *s.parts)


@case
def every_opset():
    for opset in range(9, 24):
        for dynamo in (False, True):
            name = f"opset {opset} {'dynamo' if dynamo else 'torchscript'}"
            n = net(Plain if opset < 14 else Net)
            try:
                file = export(n, name.replace(" ", "_"), dynamo=dynamo, opset=opset)
            except Exception as e:
                row(name, "NOT EXPORTED", str(e).splitlines()[0][:100])
                continue
            agrees(name, file, n)


@case
def defaults():
    n = net()
    file = f"{folder}/defaults.onnx"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(n, (torch.rand(1, 3, 32, 32),), file)
    agrees("torch.onnx.export with no options", file, n)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(n, (torch.rand(1, 3, 32, 32),), dynamo=True).save(f"{folder}/program.onnx")
    agrees("ONNXProgram.save", f"{folder}/program.onnx", n)


@case
def dynamic():
    n = net()
    agrees("open batch", export(n, "batch", dynamic_axes={"x": {0: "n"}, "logits": {0: "n"}}), n)
    d = torch.export.Dim
    agrees("open batch, dynamo", export(n, "batchd", torch.rand(2, 3, 32, 32), dynamo=True, opset=None, dynamic_shapes={"x": {0: d("n")}}), n)
    p = net(Plain)
    all4 = {"x": {0: "n", 2: "h", 3: "w"}}
    agrees("open batch, rows, columns", export(p, "hw", dynamic_axes=all4), p, (3, 32, 48), ["--input", "3x32x48"])
    agrees("open rows and columns of a network with attention", export(net(), "hwatt", dynamic_axes=all4), net(), (3, 24, 40), ["--input", "3x24x40"])
    agrees("open rows, dynamo", export(p := net(Plain), "hwd", torch.rand(2, 3, 32, 32), dynamo=True, opset=None,
                                      dynamic_shapes={"x": {0: d("n"), 2: d("h", min=8), 3: d("w", min=8)}}), p, (3, 40, 24), ["--input", "3x40x24"])
    refused("open rows and nothing said", export(net(Plain), "hw2", dynamic_axes=all4), "--input 3x224x224")
    agrees("batch fixed to 8", export(n := net(), "eight", torch.rand(8, 3, 32, 32)), n)
    agrees("batch fixed to 8, dynamo", export(n := net(), "eightd", torch.rand(8, 3, 32, 32), dynamo=True, opset=None), n)


@case
def normalised():
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    n = net(first=lambda x: (x - mean.to(x)) / std.to(x))
    agrees("normalisation inside", export(n, "inside"), n)
    flags = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]
    agrees("normalisation outside, --mean --std", export(net(), "outside"), n, flags=flags)
    agrees("pixels 0 to 255, --scale", export(net(), "scale"), net(first=lambda x: x * 255), flags=["--scale", "255"])
    agrees("image resized inside", export(n := net(first=lambda x: F.interpolate(x, (32, 32), mode="bilinear", align_corners=False)), "resized",
                                        torch.rand(1, 3, 48, 48)), n, (3, 48, 48))
    agrees("centre crop and BGR", export(n := net(first=lambda x: x.flip(1)[:, :, 4:36, 4:36]), "crop", torch.rand(1, 3, 40, 40)), n, (3, 40, 40))
    agrees("clamped first", export(n := net(first=lambda x: x.clamp(0, 1) * 2 - 1), "clamp"), n)


@case
def heads():
    for name, end, back in (("softmax", lambda z: z.softmax(1), lambda p: p.log()), ("log_softmax", lambda z: z.log_softmax(1), None),
                            ("sigmoid a class", lambda z: z.sigmoid(), lambda p: (p / (1 - p)).log()), ("logits times 1000", lambda z: z * 1000, None)):
        n = net(end=end)
        plain = net(end=(lambda z: z) if back else end)
        file = export(n, "head_" + name.replace(" ", "_"))
        got, x = ask(file, [], (3, 32, 32))
        if isinstance(got, str):
            row(name + " at the end", "REFUSED", got)
            continue
        agrees(name + " at the end", file, plain)
        if back:
            agrees(name + " at the end, --probabilities", file, n, flags=["--probabilities"])
    n = net(classes=1)
    refused("a single logit", export(n, "single"), "--binary")
    two = lambda z: torch.cat([torch.zeros_like(z), z], 1)
    agrees("a single logit, --binary", f"{folder}/single.onnx", n, flags=["--binary"], logits=two)
    agrees("sigmoid of a single logit, --binary", export(net(classes=1, end=torch.sigmoid), "binary"), net(classes=1), flags=["--binary"], logits=two)
    agrees("batch of scalars, --binary", export(net(classes=1, end=lambda z: z.squeeze(1)), "scalar"), net(classes=1), flags=["--binary"], logits=two)
    agrees("11 classes", export(n := net(classes=11), "eleven"), n)
    agrees("logits N x 10 x 1 x 1", export(n := net(end=lambda z: z[:, :, None, None]), "four"), n, logits=lambda z: z.flatten(1))
    agrees("argmax as a second output", export(net(end=lambda z: (z, z.argmax(1))), "argmax", outputs=("logits", "class")), net())
    agrees("features and logits, --output", export(net(end=lambda z: (z * 2, z)), "two", outputs=("features", "logits")), net(), flags=["--output", "logits"])
    refused("two vectors and nothing said", export(net(end=lambda z: (z * 2, z)), "two2", outputs=("a", "b")), "a, b", "--output")
    agrees("a dictionary of outputs", export(net(end=lambda z: {"logits": z}), "dict", dynamo=True, opset=None, outputs=("logits",)), net())
    agrees("logits and auxiliary logits in training's style", export(net(end=lambda z: (z, z.flip(1))), "aux", outputs=("logits", "aux_logits")), net(),
           flags=["--output", "logits"])
    agrees("mean of five crops", export(n := Of(lambda x, m=net(): torch.stack([m(x), m(x.flip(3))]).mean(0)), "tta"), n)
    agrees("an ensemble, softmaxes averaged and logarithm", export(n := Of(lambda x, a=net(), b=net(classes=10): torch.log((a(x).softmax(1) + b(x.flip(3)).softmax(1)) / 2)), "ensemble"), n)


@case
def shapes():
    for side in ((33, 47), (5, 5), (64, 32), (31, 1)):
        n = net()
        agrees(f"images {side[0]}x{side[1]}", export(n, f"side{side[0]}", torch.rand(1, 3, *side)), n, (3, *side))
    agrees("one channel, 28x28", export(n := net(channels=1), "grey", torch.rand(1, 1, 28, 28)), n, (1, 28, 28))
    mnist = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)).eval()
    agrees("perceptron of 28x28", export(mnist, "mlp", torch.rand(1, 1, 28, 28)), mnist, (1, 28, 28))
    flat = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)).eval()
    refused("perceptron of 784 numbers", export(flat, "flat", torch.rand(1, 784)), "shape", shape=(1, 28, 28))
    refused("image without a batch", export(Of(lambda x, m=net(): m(x[None])[0]), "unbatched", torch.rand(3, 32, 32)), "shape")
    refused("video", export(Of(lambda x, m=net(): m(x[:, :, 0])), "video", torch.rand(1, 3, 4, 32, 32)), "shape")
    refused("two inputs", export_two(), "2 inputs")
    n = net()
    file = edit(export(n, "names"), lambda m: [setattr(v, "name", "бild 图") for v in m.graph.input])
    edit(file, lambda m: [i.__setitem__(k, "бild 图") for node in m.graph.node for i in [node.input] for k, v in enumerate(i) if v == "x"])
    agrees("names with letters of all kinds", file, n)
    os.replace(file, f"{folder}/мой netz 图.onnx")
    agrees("a file's name with blanks and letters of all kinds", f"{folder}/мой netz 图.onnx", n)
    os.replace(f"{folder}/мой netz 图.onnx", f"{folder}/model.bin")
    agrees("an ONNX file of another extension", f"{folder}/model.bin", n)


def export_two():
    class Two(nn.Module):
        def __init__(s):
            super().__init__()
            s.m = net()

        def forward(s, x, y):
            return s.m(x + y)
    file = f"{folder}/two_inputs.onnx"
    torch.onnx.export(Two().eval(), (torch.rand(1, 3, 32, 32),) * 2, file, dynamo=False, opset_version=17)
    return file


@case
def elements():
    n = net()
    agrees("double", export(net().double(), "double", torch.rand(1, 3, 32, 32).double()), n)
    agrees("half", export(net(Plain).half(), "half", torch.rand(1, 3, 32, 32).half()), net(Plain).half().float(), tolerance=1e-5)
    agrees("bfloat16", export(net(Plain).bfloat16(), "bfloat", torch.rand(1, 3, 32, 32).bfloat16()), net(Plain).bfloat16().float(), tolerance=1e-5)
    agrees("uint8 pixels, cast inside", export(Of(lambda x, m=net(): m(x.float() / 255)), "uint8", torch.randint(0, 255, (1, 3, 32, 32), dtype=torch.uint8)), net())
    agrees("autocast to bfloat16 within", export_autocast(), net(), tolerance=2e-2)
    agrees("rows first", export(Of(lambda x, m=net(): m(x.permute(0, 3, 1, 2))), "nhwc", torch.rand(1, 32, 32, 3)), net())
    agrees("rows first, uint8, mean and std", export(Of(lambda x, m=net(): m((x.permute(0, 3, 1, 2).float() - 127.5) / 127.5)), "nhwc8",
                                                 torch.randint(0, 255, (1, 32, 32, 3), dtype=torch.uint8)), net(first=lambda x: (x * 255 - 127.5) / 127.5))
    agrees("channels_last", export(net().to(memory_format=torch.channels_last), "cl", torch.rand(1, 3, 32, 32).to(memory_format=torch.channels_last)), net())


def export_autocast():
    m = net(Plain)

    class Auto(nn.Module):
        def __init__(s):
            super().__init__()
            s.m = net()

        def forward(s, x):
            with torch.autocast("cpu", torch.bfloat16):
                return s.m(x).float()
    return export(Auto().eval(), "autocast", dynamo=True, opset=None)


@case
def operators():
    """Layers that a network may have besides the usual ones; what is refused must say what and how to export."""
    apart = lambda x: x.flatten(1) + torch.arange(3072) / 1e6  # no two alike, where it is a matter of taste which one is the larger
    blocks = {
        "einsum attention": lambda x: torch.einsum("bnd,bmd->bnm", x.flatten(2), x.flatten(2)).softmax(-1),
        "cosine similarity": lambda x: F.normalize(x.flatten(2), dim=2) @ F.normalize(x.flatten(2), dim=2).transpose(1, 2),
        "weight norm": torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
        "spectral norm": torch.nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
        "group norm": nn.GroupNorm(1, 3), "instance norm": nn.InstanceNorm2d(3, affine=True), "RMSNorm": nn.RMSNorm(32),
        "pixel unshuffle": nn.PixelUnshuffle(2), "unfold": nn.Unfold(4, stride=4), "cumsum": lambda x: x.cumsum(2),
        "local response norm": nn.LocalResponseNorm(3), "GLU": nn.GLU(2), "maxout": lambda x: x.view(1, 3, 16, 2, 32).max(3)[0],
        "top singular: norm": lambda x: x / (x.norm(dim=1, keepdim=True) + 1e-3), "std": lambda x: x.std((2, 3)), "logsumexp": lambda x: x.logsumexp(3),
        "GeM pooling": lambda x: x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3), "AvgPool count": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        "adaptive pool 7": nn.AdaptiveAvgPool2d(8), "LPPool": nn.LPPool2d(2, 2), "upsample nearest": nn.Upsample(scale_factor=2),
        "upsample bicubic": nn.Upsample(scale_factor=2, mode="bicubic"), "roll": lambda x: x.roll((3, 5), (2, 3)), "reflect pad": nn.ReflectionPad2d(2),
        "circular pad": lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"), "softplus": nn.Softplus(), "PReLU": nn.PReLU(3), "hardtanh": nn.Hardtanh(0.2015, 0.7015),
        "ELU": nn.ELU(), "SELU": nn.SELU(), "Mish": nn.Mish(), "CELU": nn.CELU(), "GELU tanh": nn.GELU("tanh"), "softsign": nn.Softsign(), "threshold": nn.Threshold(0.5005, 0.1),
        "hardshrink": nn.Hardshrink(0.4015), "softshrink": nn.Softshrink(0.2015), "sin, cos": lambda x: x.sin() + x.cos(), "atan2": lambda x: torch.atan2(x, x + 1),
        "where": lambda x: torch.where(x > 0.5, x, x * 0.1), "scatter a mask": lambda x: x.masked_fill(torch.eye(32, dtype=torch.bool), 0.25),
        "max of dim": lambda x: apart(x).view(1, 3, 32, 32).amax((2, 3)), "prod": lambda x: x.prod(1), "var": lambda x: x.var(1), "floor divide": lambda x: x - (x * 4).floor() / 8,
        "rsqrt": lambda x: (x + 0.1).rsqrt(), "transposed convolution": nn.ConvTranspose2d(3, 4, 3, 2, 1, 1), "dilated, grouped": nn.Conv2d(3, 6, 3, dilation=2, groups=3),
        "string padding same": nn.Conv2d(3, 4, 4, padding="same"), "reflect convolution": nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        "bilinear": lambda x: x.flatten(2).transpose(1, 2) @ x.flatten(2), "tril mask": lambda x: x.masked_fill(torch.ones(32, 32).triu(1).bool(), float("-inf")).softmax(-1),
        "scaled_dot_product_attention": lambda x: F.scaled_dot_product_attention(x, x, x), "causal attention": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        "embedding of positions": lambda x: x + torch.arange(32).float() / 32, "grid_sample": lambda x: F.grid_sample(x, (torch.zeros(1, 8, 8, 2) + 0.1).to(x), align_corners=False),
        "affine grid": lambda x: F.grid_sample(x, F.affine_grid(torch.tensor([[[0.9, 0.1, 0.0], [-0.1, 0.9, 0.1]]]).to(x), (1, 3, 24, 24), align_corners=False), align_corners=False),
        "FFT": lambda x: torch.fft.rfft2(x).abs(), "topk": lambda x: apart(x).topk(20)[0], "sort": lambda x: apart(x).sort(1)[0][:, :50], "median": lambda x: x.flatten(2).median(2)[0],
        "LSTM": lambda x, m=nn.LSTM(32, 16, batch_first=True): m(x[:, 0])[0], "GRU": lambda x, m=nn.GRU(32, 16, batch_first=True): m(x[:, 0])[0],
    }
    for name, f in blocks.items():
        for dynamo in (False, True):
            torch.manual_seed(0)
            body = f if isinstance(f, nn.Module) else Of(f)
            width = body(torch.rand(1, 3, 32, 32)).flatten(1).shape[1]
            n = nn.Sequential(body, nn.Flatten(), nn.Linear(width, 5)).eval()
            for p in n.parameters():
                p.requires_grad_(False)
            kind = f"{name}, {'dynamo' if dynamo else 'torchscript'}"
            try:
                file = export(n, "op_" + kind.replace(" ", "_").replace(",", ""), dynamo=dynamo, opset=None if dynamo else 17)
            except Exception as e:
                row(kind, "NOT EXPORTED", (str(e).strip().splitlines() or [""])[0][:100])
                continue
            try:
                agrees(kind, file, n, tolerance=1e-4)
            except Exception as e:
                row(kind, "NOT COMPARED", str(e)[:100])


@case
def written_by_hand():
    w, b = invented(4, 3 * 8 * 8), invented(4)
    dense = nn.Linear(192, 4)
    with torch.no_grad():
        dense.weight.copy_(torch.tensor(w)), dense.bias.copy_(torch.tensor(b))
    n = nn.Sequential(nn.Flatten(), dense)
    tail = [h.make_node("Flatten", ["h"], ["f"]), h.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1)]
    weights, shape = {"w": w, "b": b}, (1, 3, 8, 8)
    agrees("unused initialisers", graph("unused", [h.make_node("Relu", ["x"], ["h"])] + tail, {**weights, "never": invented(7, 7)}, shape), n, (3, 8, 8))
    agrees("nodes without names, Identity, Dropout", graph("ident", [h.make_node("Identity", ["x"], ["i"]), h.make_node("Dropout", ["i"], ["h"])] + tail, weights, shape), n, (3, 8, 8))
    agrees("weights as Constant nodes", graph("const", [h.make_node("Constant", [], [k], value=nh.from_array(v)) for k, v in weights.items()] + [h.make_node("Relu", ["x"], ["h"])] + tail, {}, shape), n, (3, 8, 8))
    agrees("weights among the inputs", inputs_too(graph("old", [h.make_node("Relu", ["x"], ["h"])] + tail, weights, shape)), n, (3, 8, 8))
    cond = {"yes": np.array(True)}
    branch = lambda name, op: h.make_graph([h.make_node(op, ["x"], [name])], name, [], [h.make_tensor_value_info(name, T.FLOAT, shape)])
    agrees("If with a constant condition", graph("if", [h.make_node("If", ["yes"], ["h"], then_branch=branch("a", "Relu"), else_branch=branch("bb", "Neg"))] + tail, {**weights, **cond}, shape), n, (3, 8, 8))
    pick = [h.make_node("ReduceMean", ["x"], ["m"], keepdims=0), h.make_node("Greater", ["m", "half"], ["dark"])]
    refused("If that depends on the image", graph("if2", pick + [h.make_node("If", ["dark"], ["h"], then_branch=branch("a", "Relu"), else_branch=branch("bb", "Neg"))] + tail,
                                                 {**weights, "half": np.array(0.5, "f4")}, shape), "If", "torch.onnx.export", shape=(3, 8, 8))
    body = h.make_graph([h.make_node("Identity", ["c"], ["c2"]), h.make_node("Relu", ["v"], ["v2"])], "body",
                        [h.make_tensor_value_info("i", T.INT64, ()), h.make_tensor_value_info("c", T.BOOL, ()), h.make_tensor_value_info("v", T.FLOAT, shape)],
                        [h.make_tensor_value_info("c2", T.BOOL, ()), h.make_tensor_value_info("v2", T.FLOAT, shape)])
    refused("Loop", graph("loop", [h.make_node("Loop", ["n", "yes", "x"], ["h"], body=body)] + tail, {**weights, **cond, "n": np.array(3)}, shape), "Loop", "torch.onnx.export", shape=(3, 8, 8))
    # As tf2onnx writes a network: rows first, turned before each convolution.
    k = invented(4, 3, 3, 3)
    tf = [h.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), h.make_node("Conv", ["t", "k", "b"], ["c"], auto_pad="SAME_UPPER", strides=[2, 2]),
          h.make_node("Clip", ["c", "zero", "six"], ["r"]), h.make_node("Transpose", ["r"], ["back"], perm=[0, 2, 3, 1]),
          h.make_node("ReduceMean", ["back"], ["m"], axes=[1, 2], keepdims=0), h.make_node("MatMul", ["m", "v"], ["mm"]), h.make_node("Add", ["mm", "b"], ["s"]), h.make_node("Softmax", ["s"], ["y"], axis=-1)]
    v = invented(4, 4, seed=3)
    conv = lambda x: F.relu6(F.conv2d(F.pad(x, (0, 1, 0, 1)), torch.tensor(k).to(x), torch.tensor(b).to(x), 2))
    agrees("as tf2onnx writes", graph("tf", tf, {"k": k, "b": b, "v": v, "zero": np.array(0, "f4"), "six": np.array(6, "f4")}, ("unk__6", 8, 8, 3)),
           Of(lambda x: conv(x).mean((2, 3)) @ torch.tensor(v).to(x) + torch.tensor(b).to(x)), (3, 8, 8))
    agrees("Conv with auto_pad SAME_LOWER", graph("lower", [h.make_node("Conv", ["x", "k", "b"], ["h0"], auto_pad="SAME_LOWER", strides=[2, 2]), h.make_node("GlobalAveragePool", ["h0"], ["g"]), h.make_node("Flatten", ["g"], ["y"])],
                                                 {"k": k, "b": b}, shape), Of(lambda x: F.conv2d(F.pad(x, (1, 0, 1, 0)), torch.tensor(k).to(x), torch.tensor(b).to(x), 2).mean((2, 3))), (3, 8, 8))
    agrees("Squeeze, Unsqueeze, Reshape of 0 and -1", graph("resh", [h.make_node("Unsqueeze", ["x", "ax"], ["u"]), h.make_node("Squeeze", ["u", "ax"], ["s"]), h.make_node("Reshape", ["s", "to"], ["f"]), h.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1)],
                                                           {**weights, "ax": np.array([2]), "to": np.array([0, -1])}, shape), n, (3, 8, 8))
    agrees("Gemm with alpha and beta", graph("gemm", [h.make_node("Flatten", ["x"], ["f"]), h.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1, alpha=0.5, beta=2.0)], weights, shape),
           Of(lambda x: 0.5 * F.linear(x.flatten(1), torch.tensor(w).to(x)) + 2 * torch.tensor(b).to(x)), (3, 8, 8))
    agrees("sparse_initializer", sparse(tail, weights, shape), nn.Sequential(nn.Flatten(), copy_of(dense, sparse_w(w))), (3, 8, 8))
    agrees("a function of the model's own", function(tail, weights, shape), n, (3, 8, 8))


def inputs_too(file):
    return edit(file, lambda m: m.graph.input.extend([h.make_tensor_value_info(t.name, T.FLOAT, list(t.dims)) for t in m.graph.initializer]))


def sparse_w(w):
    out = np.zeros_like(w)
    out[:, ::7] = w[:, ::7]
    return out


def copy_of(dense, w):
    out = nn.Linear(192, 4)
    with torch.no_grad():
        out.weight.copy_(torch.tensor(w)), out.bias.copy_(dense.bias)
    return out


def sparse(tail, weights, shape):
    w = sparse_w(weights["w"])
    at = np.flatnonzero(w.ravel())
    values = nh.from_array(w.ravel()[at], "w")
    g = h.make_graph([h.make_node("Relu", ["x"], ["h"])] + tail, "g", [h.make_tensor_value_info("x", T.FLOAT, shape)], [h.make_tensor_value_info("y", T.FLOAT, (1, 4))],
                     [nh.from_array(weights["b"], "b")], sparse_initializer=[h.make_sparse_tensor(values, nh.from_array(at, "at"), w.shape)])
    onnx.save(h.make_model(g, opset_imports=[h.make_opsetid("", 17)], ir_version=8), f"{folder}/sparse.onnx")
    return f"{folder}/sparse.onnx"


def function(tail, weights, shape):
    f = h.make_function("mine", "Twice", ["a"], ["b"], [h.make_node("Relu", ["a"], ["t"]), h.make_node("Relu", ["t"], ["b"])], [h.make_opsetid("", 17)])
    g = h.make_graph([h.make_node("Twice", ["x"], ["h"], domain="mine")] + tail, "g", [h.make_tensor_value_info("x", T.FLOAT, shape)], [h.make_tensor_value_info("y", T.FLOAT, (1, 4))],
                     [nh.from_array(w, k) for k, w in weights.items()])
    onnx.save(h.make_model(g, opset_imports=[h.make_opsetid("", 17), h.make_opsetid("mine", 1)], functions=[f], ir_version=8), f"{folder}/function.onnx")
    return f"{folder}/function.onnx"


@case
def outside_data():
    n = net()
    m = onnx.load(export(n, "outside_src"))
    os.makedirs(f"{folder}/sub/data", exist_ok=True)
    onnx.save_model(m, f"{folder}/sub/net.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    agrees("external data in one file", f"{folder}/sub/net.onnx", n)
    move = lambda to: edit_raw(f"{folder}/sub/net.onnx", f"{folder}/sub/moved.onnx", to)
    os.replace(f"{folder}/sub/weights.bin", f"{folder}/sub/data/weights.bin")
    agrees("external data in a subfolder", move("data/weights.bin"), n)
    agrees("external data in a subfolder, ./ before", move("./data/weights.bin"), n)
    agrees("external data in a subfolder, Windows' separators", move("data\\weights.bin"), n)
    refused("external data outside the folder", move("../weights.bin"), "weights.bin")
    refused("external data that is not there", move("gone.bin"), "gone.bin")
    m = onnx.load(f"{folder}/outside_src.onnx")
    onnx.save_model(m, f"{folder}/sub/each.onnx", save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)
    agrees("external data, a file a tensor", f"{folder}/sub/each.onnx", n)


def edit_raw(file, to, location):
    m = onnx.load(file, load_external_data=False)
    for t in m.graph.initializer:
        for e in t.external_data:
            if e.key == "location":
                e.value = location
    onnx.save(m, to)
    return to


@case
def checkpoints():
    import torchvision
    torch.manual_seed(0)
    n = torchvision.models.resnet18(num_classes=10).eval()
    for p in n.parameters():
        p.requires_grad_(False)
    d = {k: v.clone() for k, v in n.state_dict().items()}
    prefixed = lambda p: {p + k: v for k, v in d.items()}
    arch, shape = ["--arch", "resnet18"], (3, 224, 224)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    n = nn.Sequential(Of(lambda x: (x - mean.to(x)) / std.to(x)), n)  # the architecture's own

    def rounded(dtype):
        m = torchvision.models.resnet18(num_classes=10).eval()
        m.load_state_dict({k: v.to(dtype).float() if v.is_floating_point() else v for k, v in d.items()})
        return nn.Sequential(n[0], m)

    save = lambda name, value, **k: (torch.save(value, f"{folder}/{name}"), f"{folder}/{name}")[1]
    import argparse, collections, datetime, pathlib
    wrapped = {"state_dict": d, "epoch": 3, "args": argparse.Namespace(lr=0.1, path=pathlib.Path("/x")), "when": datetime.datetime.now(), "best": np.float32(3),
               "optimizer": torch.optim.SGD([nn.Parameter(torch.rand(3))], 0.1, momentum=0.9).state_dict()}
    for name, value in {
        "state dict": d, "DataParallel": prefixed("module."), "compiled": prefixed("_orig_mod."), "compiled in DataParallel": prefixed("module._orig_mod."),
        "Lightning": {"state_dict": prefixed("model."), "pytorch-lightning_version": "2.1", "hyper_parameters": {"lr": 0.1}, "callbacks": {}, "loops": {}},
        "Lightning, net in a backbone": {"state_dict": prefixed("net.backbone.")}, "wrapped with optimizer, Namespace, dates": wrapped,
        "EMA beside the weights": {"model": d, "ema": {"module": d}, "epoch": 1}, "timm's state_dict_ema": {"state_dict": d, "state_dict_ema": d, "arch": "resnet18"},
        "AveragedModel": {"n_averaged": torch.tensor(5), **prefixed("module.")}, "model_state_dict": {"model_state_dict": d, "loss": 0.5}, "half": {k: v.half() if v.is_floating_point() else v for k, v in d.items()},
        "weights": {"weights": d}, "a list": [d, 3], "net beside criterion": {**prefixed("net."), "criterion.weight": torch.ones(10)}, "on cuda, saved as cpu": collections.OrderedDict(d),
        "student and teacher": {**prefixed("student."), **prefixed("teacher.")},
    }.items():
        file = save("ck_" + name.replace(" ", "_").replace(",", "") + ".pth", value)
        ref = n
        if name == "half":
            ref = rounded(torch.half)
        if name == "student and teacher":
            refused(name, file, "student", "teacher", flags=arch, shape=shape)
            continue
        agrees("checkpoint: " + name, file, ref, shape, arch, tolerance=1e-4)
    agrees("checkpoint, no --arch", f"{folder}/ck_state_dict.pth", n, shape, tolerance=1e-4)
    refused("a whole module", save("whole.pth", n[1]), "state_dict", flags=arch, shape=shape)
    torch.jit.trace(n[1], torch.rand(1, 3, 64, 64)).save(f"{folder}/script.pt")
    refused("TorchScript", f"{folder}/script.pt", "torch.onnx.export", shape=shape)
    torch.export.save(torch.export.export(n[1], (torch.rand(1, 3, 64, 64),)), f"{folder}/program.pt2")
    refused(".pt2", f"{folder}/program.pt2", "torch.onnx.export", shape=shape)
    from safetensors.torch import save_file
    save_file(d, f"{folder}/meta.safetensors", metadata={"format": "pt", "author": "me", "notes": "{\"x\": [1, 2]}"})
    agrees("safetensors with metadata", f"{folder}/meta.safetensors", n, shape, arch, tolerance=1e-4)
    save_file({k: v.bfloat16() if v.is_floating_point() else v for k, v in prefixed("module.").items()}, f"{folder}/bf.safetensors")
    agrees("safetensors of bfloat16, module.", f"{folder}/bf.safetensors", rounded(torch.bfloat16), shape, arch, tolerance=1e-4)
    np.savez(f"{folder}/weights.npz", **{k: v.numpy() for k, v in d.items()})
    refused("weights as .npz", f"{folder}/weights.npz", "safetensors", flags=arch, shape=shape)
    pickle.dump({k: v.numpy() for k, v in d.items()}, open(f"{folder}/numpy.pkl", "wb"))
    refused("a pickle of NumPy arrays", f"{folder}/numpy.pkl", "", flags=arch, shape=shape)
    for name, head in {"keras.h5": b"\x89HDF\r\n\x1a\n", "net.keras": b"PK\x03\x04", "net.tflite": b"\x1c\x00\x00\x00TFL3", "saved_model.pb": b"\x08\x01\x12\x0a", "net.mlmodel": b"\x08\x05\x12",
                       "net.engine": b"ftrt", "net.bin": b"\x00" * 8, "config.json": b'{"architectures": ["ViT"]}', "net.py": b"import torch\n", "README.md": b"# Net\n", "net.zip": b"PK\x05\x06" + b"\0" * 18,
                       "net.tar": b"archive/data" + b"\0" * 600, "pointer.pth": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "page.pth": b"<!DOCTYPE html><html>", "empty.onnx": b""}.items():
        open(f"{folder}/{name}", "wb").write(head + b"\0" * (64 if len(head) and head[:1] in b"\x89\x1c\x08f" else 0))
        refused("file " + name, f"{folder}/{name}", "", flags=arch, shape=shape)
    os.makedirs(f"{folder}/saved_model", exist_ok=True)
    open(f"{folder}/saved_model/saved_model.pb", "wb").write(b"\x08\x01")
    refused("a TensorFlow SavedModel's folder", f"{folder}/saved_model", "", shape=shape)


@case
def quantised():
    q = lambda x, s, z: (torch.clamp(torch.round(x / s) + z, 0, 255) - z) * s
    w = invented(4, 3, 3, 3)
    ws = np.abs(w).reshape(4, -1).max(1) / 127
    wq = np.clip(np.round(w / ws[:, None, None, None]), -127, 127).astype("i1")
    nodes = [h.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]), h.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
             h.make_node("DequantizeLinear", ["wq", "ws", "wz"], ["w"], axis=0), h.make_node("Conv", ["xd", "w"], ["c"]), h.make_node("GlobalAveragePool", ["c"], ["g"]), h.make_node("Flatten", ["g"], ["y"])]
    file = graph("qdq", nodes, {"s": np.array(1 / 255, "f4"), "z": np.array(0, "u1"), "wq": wq, "ws": ws.astype("f4"), "wz": np.zeros(4, "i1")}, (1, 3, 8, 8), opset=13)
    wd = torch.tensor(wq.astype("f4") * ws[:, None, None, None].astype("f4"))
    agrees("QDQ int8", file, Of(lambda x: F.conv2d(x, wd.to(x)).mean((2, 3))), (3, 8, 8))


for name, f in cases:
    if not only or name in only:
        try:
            f()
        except Exception as e:
            row(name, "SCRIPT", f"{type(e).__name__}: {str(e)[:300]}")
