"""Models and images of Python as files, and back."""

import os
import sys

import numpy


def _torch(value):
    """The module torch, if value is one of its."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, (torch.Tensor, torch.nn.Module)):
        return torch
    return None


def array(value):
    """A tensor or what numpy takes for one as an array."""
    if _torch(value):
        value = value.detach().cpu().numpy()
    return numpy.asarray(value)


def pixels(images):
    """Images as an array of float32 or uint8."""
    if isinstance(images, (list, tuple)):
        images = numpy.stack([array(x) for x in images])
    values = array(images)
    if values.ndim not in (2, 3, 4):
        raise ValueError("images of shape %s, expected N x C x H x W or C x H x W" % (values.shape,))
    if values.dtype != "uint8":
        values = values.astype("float32")
    return numpy.ascontiguousarray(values)


def like(images, adversarial, shape):
    """Adversarial images N x C x H x W as what was given: a tensor on its device, one
    image without N, channels last where they were."""
    if len(shape) == 2:
        adversarial = adversarial[0, 0]
    else:
        height = shape[-3:]
        if height[0] not in (1, 3) and height[2] in (1, 3):
            adversarial = numpy.moveaxis(adversarial, 1, -1)
        if len(shape) == 3 and len(adversarial) == 1:
            adversarial = adversarial[0]
    torch = _torch(images)
    if torch:
        kind = images.dtype if images.dtype.is_floating_point else torch.float32
        return torch.from_numpy(numpy.ascontiguousarray(adversarial)).to(images.device, kind)
    return adversarial


def file(model, images, folder):
    """A model as the program names it: a module becomes an ONNX file in folder."""
    torch = _torch(model)
    if torch is None:
        return os.fspath(model)
    if images is None:
        raise ValueError("a module needs images, whose shape its file is made for")
    shape = images.shape[1:]
    if shape[0] not in (1, 3) and shape[-1] in (1, 3):
        shape = (shape[-1], *shape[:-1])
    path = os.path.join(folder, "model.onnx")
    training = model.training
    first = next(model.parameters(), None)
    example = torch.zeros((1, *shape), device=first.device if first is not None else "cpu")
    model.eval()
    try:
        with torch.no_grad():
            torch.onnx.export(model, (example,), path, input_names=["image"], output_names=["logits"], verbose=False)
    finally:
        model.train(training)
    return path
