"""Exports every classifier of torchvision and well-known ones of timm to ONNX with both of PyTorch's exporters, random weights and
seed 0, and holds `sapf gradient` against PyTorch: logits and the gradient of the cross-entropy to the input.

    python architectures.py run SAPF FOLDER [NAME ...]     one process a file; goes on where FOLDER/table.tsv ends
    python architectures.py table FOLDER                   the table as Markdown

A network agrees if its logits are within 1e-4 of PyTorch's in double precision (relative l2 distance), and its gradient within 1e-3,
with float32 kernels or, where a ReLU near zero makes float32 follow another linear piece, with SAPF_KERNELS=float64.
PyTorch sees the picture twice in a batch: with one image, the gradient that PyTorch 2.15.0 has for BatchNorm2d in eval mode is wrong where
pixels become rows behind it (x.flatten(2).transpose(1, 2), as in LeViT), and contradicts differences of PyTorch's own outputs. Such differences
are asked in any case, and a row says so if they contradict the gradient that is compared with.
Needs torch, torchvision, timm, onnx, onnxscript, numpy and pillow.
"""
import base64, contextlib, io, json, os, subprocess, sys, tempfile, time, warnings

# The first of each family first: what an architecture is refused for, its larger sisters are refused for too.
FIRST = ("shufflenet_v2_x0_5 mobilenet_v3_small squeezenet1_0 mnasnet0_5 regnet_y_400mf regnet_x_400mf mobilenet_v2 efficientnet_b0 "
         "googlenet densenet121 resnet18 inception_v3 resnext50_32x4d swin_v2_t convnext_tiny swin_t maxvit_t efficientnet_v2_s "
         "wide_resnet50_2 vit_b_32 alexnet vgg11 vgg11_bn").split()
TIMM = ("vit_tiny_patch16_224 deit_tiny_patch16_224 deit3_small_patch16_224 mobilevit_xs convnext_atto convnextv2_atto mixer_b16_224 poolformer_s12 "
        "swin_tiny_patch4_window7_224 ecaresnet26t hrnet_w18_small resnest14d skresnet18 tresnet_m tf_efficientnet_b0 dm_nfnet_f0 "
        "nf_resnet26 levit_128s xcit_nano_12_p16_224 coat_tiny crossvit_tiny_240 pit_ti_224 cait_xxs24_224 beit_base_patch16_224 "
        "eva02_tiny_patch14_224 mobilenetv3_small_100 mobilenetv4_conv_small mobileone_s0 repvgg_a0 ghostnet_100 gernet_s regnety_002 "
        "res2net50_14w_8s inception_v4 xception41 dpn48b cspdarknet53 vovnet39a efficientformer_l1 edgenext_xx_small fastvit_t8 "
        "efficientvit_b0 focalnet_tiny_srf maxvit_tiny_tf_224 coatnet_nano_rw_224 resmlp_12_224 gmlp_s16_224 convmixer_768_32 "
        "volo_d1_224 twins_svt_small davit_tiny mvitv2_tiny nest_tiny hiera_tiny_224 sequencer2d_s visformer_tiny tiny_vit_5m_224 "
        "repghostnet_050 hardcorenas_a lcnet_050 rexnet_100 selecsls42 pvt_v2_b0 inception_next_tiny starnet_s1 rdnet_tiny").split()
TOO_LARGE = {"vit_h_14": "2.5 GB", "regnet_y_128gf": "2.6 GB"}


def networks():
    import torchvision
    names = torchvision.models.list_models(module=torchvision.models)
    return [("torchvision", n) for n in FIRST] + [("timm", n) for n in TIMM] + [("torchvision", n) for n in names if n not in FIRST]


def build(family, name):
    """The network with invented weights, none of them at the zeros and tiny scales that make branches vanish."""
    import torch, torch.nn as nn
    torch.manual_seed(0)
    if family == "timm":
        import timm
        net = timm.create_model(name, pretrained=False)
        side = net.default_cfg["input_size"][-1]
        if not net.default_cfg.get("fixed_input_size") and side >= 224:
            side = 128
    else:
        import torchvision
        more = dict(init_weights=False, transform_input=True) if name in ("inception_v3", "googlenet") else {}
        if name.startswith("vit"):
            more["image_size"] = 64
        net = getattr(torchvision.models, name)(weights=None, **more)
        side = {"inception_v3": 96, "maxvit_t": 224, "swin_t": 224}.get(name, 64)
        if name.startswith("swin"):
            side = 128
        if name.startswith(("alexnet", "vgg")):
            side = 224
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for m in net.modules():
            if hasattr(m, "running_var") and m.running_var is not None:
                m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
                m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
        for key, p in net.named_parameters():
            p.requires_grad_(False)
            if p.abs().max() < 1e-3 and not key.endswith("bias"):
                p.copy_(torch.randn(p.shape, generator=g) * 0.05 if p.ndim > 1 else torch.rand(p.shape, generator=g) * 0.2 + 0.2)
    return net.eval(), side


def export(net, side, exporter, file):
    import torch
    x = torch.rand(1, 3, side, side)
    names = dict(input_names=["x"], output_names=["logits"])
    if exporter == "dynamo":
        torch.onnx.export(net, (x,), file, dynamo=True, external_data=True, verbose=False, **names)
    else:
        torch.onnx.export(net, (x,), file, dynamo=False, opset_version=17, **names)


def far(a, b):
    import numpy as np
    return float(np.linalg.norm(np.asarray(a, float) - b) / np.linalg.norm(b))


def compare(sapf, folder, family, name, exporter):
    """Prints a row: family, name, exporter, side, M weights, verdict, logits, gradient, gradient in float64, PyTorch's float32."""
    import numpy as np, torch
    from PIL import Image
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    net, side = build(family, name)
    row = [family, name, exporter, side, f"{sum(p.numel() for p in net.parameters()) / 1e6:.1f}"]
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(f"{folder}/picture.png")
    file = f"{folder}/{name}-{exporter}.onnx"
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            export(net, side, exporter, file)
    except Exception as e:
        print(*row, "NOT EXPORTED: " + (str(e).strip().splitlines() or [type(e).__name__])[0][:140], sep="\t")
        return
    got = ask(sapf, folder, file)
    if isinstance(got, str):
        print(*row, "REFUSED: " + got, sep="\t")
        return
    steps = {}
    picture = torch.tensor(pixels.transpose(2, 0, 1)[None].astype("f4") / np.float32(255))
    for dtype in (torch.float32, torch.float64):
        v = picture.repeat(2, 1, 1, 1).to(dtype).contiguous().requires_grad_()
        z = net.to(dtype)(v)
        torch.nn.functional.cross_entropy(z, torch.tensor([1, 1]), reduction="sum").backward()
        steps[dtype] = z[0].detach().double().numpy(), v.grad[0].double().numpy()
    z, grad = steps[torch.float64]
    steep = np.linalg.norm(grad)
    own = slope(net, picture.double(), grad / steep) / steep if steep > 1e-7 else 1  # less is lost in the rounding of the values
    logits, gradient, double = far(got["logits"], z), far(raw(got, grad.shape), grad), None
    if gradient > 1e-3:
        double = far(raw(ask(sapf, folder, file, "float64"), grad.shape), grad)
    good = logits < 1e-4 and min(gradient, double or gradient) < 1e-3
    verdict = f"PYTORCH: its gradient is {1 / own:.2g} times its own differences" if abs(own - 1) > 1e-2 else "agrees" if good else "DIFFERS"
    print(*row, verdict, f"{logits:.1e}", f"{gradient:.1e}", "" if double is None else f"{double:.1e}",
          f"{far(steps[torch.float32][1], grad):.1e}", sep="\t")


def slope(net, picture, direction, step=1e-5):
    """The slope of the cross-entropy along a direction, from two values of it."""
    import torch
    with torch.no_grad():
        ends = [torch.nn.functional.cross_entropy(net(picture + sign * step * torch.tensor(direction)), torch.tensor([1])).item() for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * step)


def raw(got, shape):
    import numpy as np
    return np.frombuffer(base64.b64decode(got["gradient_f32_chw_base64"]), "<f4").reshape(shape)


def ask(sapf, folder, file, kernels=None):
    env = dict(os.environ, **({"SAPF_KERNELS": kernels} if kernels else {}))
    run = subprocess.run([sapf, "gradient", "--model", file, "--image", f"{folder}/picture.png", "--target", "1", "--loss", "ce", "--json"],
                         capture_output=True, text=True, env=env)
    return json.loads(run.stdout) if run.returncode == 0 else " ".join(run.stderr.split()).replace(folder + "/", "")


def forked(f, *args):
    """The lines that f prints in a process of its own, which has the modules that this one has imported, and the last line of its complaints."""
    import torch, torchvision, timm
    torch.set_num_threads(1)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            try:
                f(*args)
                sys.stdout.flush()
                os._exit(0)
            except BaseException as e:
                os.write(2, f"\n{type(e).__name__}: {e}".encode())
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        return out.read().splitlines(), (err.read().strip().splitlines() or [str(status)])[-1]


def run(sapf, folder, only):
    os.makedirs(folder, exist_ok=True)
    table = f"{folder}/table.tsv"
    done = {tuple(line.split("\t")[:3]) for line in open(table)} if os.path.exists(table) else set()
    for exporter in ("torchscript", "dynamo"):
        for family, name in networks():
            if only and name not in only or (family, name, exporter) in done:
                continue
            began = time.time()
            row = f"{family}\t{name}\t{exporter}\t\t\t"
            if name in TOO_LARGE:
                row += f"NOT TRIED: a file of {TOO_LARGE[name]}\n"
            else:
                lines, rest = forked(compare, sapf, folder, family, name, exporter)
                lines = [l for l in lines if l.startswith(family + "\t")]
                row = lines[-1] + "\n" if lines else row + f"NOT RUN: {rest}\n"
            with open(table, "a") as f:
                f.write(row)
            print(row.rstrip(), f"({time.time() - began:.0f} s)", flush=True)
            for f in os.listdir(folder):
                if f.startswith(f"{name}-{exporter}") and "\tagrees" in row:
                    os.remove(f"{folder}/{f}")


def table(folder):
    rows = [l.rstrip("\n").split("\t") + [""] * 4 for l in open(f"{folder}/table.tsv")]
    for family in ("torchvision", "timm"):
        of = [r for r in rows if r[0] == family]
        tried = [r for r in of if not r[5].startswith("NOT")]
        names = {r[1] for r in tried}
        good = {n for n in names if all(r[5] == "agrees" for r in tried if r[1] == n)}
        print(f"\n{family}: {len({r[1] for r in of})} architectures, {len(names)} compared in {len(tried)} files: {sum(r[5] == 'agrees' for r in tried)} files agree, "
              f"{sum(r[5].startswith('REFUSED') for r in tried)} are refused, {sum(r[5] == 'DIFFERS' for r in tried)} differ; {len(good)} architectures agree in all their files ({100 * len(good) / max(1, len(names)):.0f} %)\n")
        print("| architecture | side | M weights | exporter | verdict | logits | gradient | in float64 | PyTorch's float32 |\n|---|---|---|---|---|---|---|---|---|")
        for r in of:
            print(f"| {r[1]} | {r[3]} | {r[4]} | {r[2]} | {r[5]} | {r[6]} | {r[7]} | {r[8]} | {r[9]} |")


if sys.argv[1] == "compare":
    compare(*sys.argv[2:7])
elif sys.argv[1] == "run":
    run(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    table(sys.argv[2])
