"""Sparse adversarial attacks on image classifiers, by the program sapf.

    import sapf
    r = sapf.attack(net, images, labels, method="best", k=200)
    r.adversarial     # as images: a tensor of N x C x H x W where that was one
    r.results         # a pandas.DataFrame, a row for each image

Nothing is computed here: images go to the program as they are, and what comes
back is what it measured.
"""

import collections
import json
import os
import tempfile

import numpy
import pandas

from . import _model
from ._program import program, run

__all__ = ["attack", "sweep", "program", "Attacked"]

Attacked = collections.namedtuple("Attacked", "adversarial results")
Attacked.__doc__ = "What attack returns: the adversarial images, and a row for each."

# Options of the program itself that attack takes beside those of the method.
LOADING = ("arch", "classes", "mean", "std", "scale", "logit_scale", "output", "input")


def attack(model, images, labels=None, targets=None, method="sapf", *, preset=None, out=None, resize=False, **options):
    """Attack every image, and return Attacked(adversarial, results).

    model is a torch.nn.Module that takes images in [0,1] and returns logits, a
    file (.onnx, .safetensors, .pth with arch=NAME), or a name ("cwnet").
    images are N x C x H x W or one C x H x W (or channels last), floats in [0,1]
    or uint8: a tensor or an array. labels are true classes, or None; targets are
    the classes to reach, one for all or one for each, or None (untargeted).
    method is an attack's name and options are its options (`sapf attack --method
    M --options` lists them), among them k; mean and std say what is subtracted and
    divided before a network that expects it. The program's numbers are float32:
    an image on the boundary itself may be on its other side for PyTorch, so ask
    for a margin (confidence=1e-3) where both are to agree.

    out is a folder to keep pictures and results in, from which the same call goes
    on. An attack that does not succeed is a row with success False.
    """
    with tempfile.TemporaryDirectory(prefix="sapf-") as scratch:
        kept = out or os.path.join(scratch, "out")
        pixels = _model.pixels(images)
        one = pixels.ndim < 4
        arrays = {"images": pixels[None] if one else pixels}
        n = len(arrays["images"])
        if labels is not None:
            arrays["labels"] = _classes("labels", labels, n)
        arguments = ["attack", "--model", _model.file(model, arrays["images"], scratch), "--method", method, "--json", "--out", kept]
        if targets is not None:
            arrays["targets"] = _classes("targets", targets, n)
            arguments += ["--target", "stated"]
        numpy.savez(os.path.join(scratch, "images.npz"), **arrays)
        arguments += ["--image", os.path.join(scratch, "images*.npz")]  # a pattern: several, if only one
        if preset is not None:
            arguments += ["--preset", preset]
        if resize:
            arguments.append("--resize")
        for name, value in options.items():
            if name in LOADING:
                arguments += ["--" + name.replace("_", "-"), _text(value)]
            else:
                arguments += ["--set", "%s=%s" % (name, _text(value))]
        rows = [json.loads(line) for line in run(arguments, failed_is_fine=True).splitlines()]
        adversarial = numpy.load(os.path.join(kept, "adversarial_nchw.npy"))
    results = pandas.DataFrame(rows)
    results["image"] = range(len(rows))  # in the order of images
    return Attacked(_model.like(images, adversarial, pixels.shape), results)


def sweep(spec, out, *, model=None, images=None, labels=None, threads=None):
    """Run many attacks, as `sapf sweep run` does, and return a DataFrame with a row
    for each.

    spec is a specification: a file of YAML, or a dict of the same words. model and
    images, where given, take the place of its own: those of attack. out is the
    folder of the sweep; the same call goes on from what is there.
    """
    os.makedirs(out, exist_ok=True)
    if isinstance(spec, dict):
        spec = dict(spec)
        if model is not None:
            spec["model"] = os.path.abspath(_model.file(model, _model.pixels(images) if images is not None else None, out))
            if not os.path.exists(spec["model"]):
                spec["model"] = model
        if images is not None:
            arrays = {"images": _model.pixels(images)}
            if labels is not None:
                arrays["labels"] = _classes("labels", labels, len(arrays["images"]))
            file = os.path.abspath(os.path.join(out, "images.npz"))
            numpy.savez(file, **arrays)
            spec["images"] = {"names": [file]}
        text = json.dumps(spec)  # which is YAML
        spec = os.path.join(out, "asked.yaml")
        with open(spec, "w", encoding="utf-8") as f:
            f.write(text)
    elif model is not None or images is not None:
        raise ValueError("model and images go with a dict as spec, not with a file")
    folder = os.path.join(out, "sweep")
    run(["sweep", "run", os.fspath(spec), "-o", folder] + (["--threads", str(threads)] if threads else []))
    rows = run(["sweep", "table", folder, "--rows", "--format", "jsonl"])
    return pandas.DataFrame([json.loads(line) for line in rows.splitlines()])


def _classes(what, values, n):
    """Class indices, one for each of n images."""
    array = _model.array(values)
    if array.ndim == 0:
        array = numpy.full(n, array)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise ValueError("%s of shape %s and type %s, expected %d class indices" % (what, array.shape, array.dtype, n))
    return array.astype("int64")


def _text(value):
    """An option as the program reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_text(v) for v in value)
    return str(value)
