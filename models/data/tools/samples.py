"""Writes ../samples/*.png from the pictures that scikit-image's package ships (all CC0 or public
domain, see samples/SOURCES.md): a square crop, at 32x32 and at 299x299, by Pillow's bilinear filter.

    python samples.py ../samples
"""
import os, sys
import skimage
from PIL import Image

root = os.path.join(os.path.dirname(skimage.__file__), "data")
for name, file, box in (("cat", "chelsea.png", (100, 10, 300, 210)), ("chelsea", "chelsea.png", (111, 125, 285, 299)),
                        ("horse", "horse.png", (66, 0, 380, 314)), ("coffee", "coffee.png", (100, 0, 500, 400)),
                        ("rocket", "rocket.jpg", (107, 0, 534, 427))):
    crop = Image.open(os.path.join(root, file)).convert("RGB").crop(box)
    for side in (32, 299):
        out = os.path.join(sys.argv[1], f"{name}.png" if side == 32 else f"{name}_{side}.png")
        crop.resize((side, side), Image.BILINEAR).save(out, optimize=True)
