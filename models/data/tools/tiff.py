"""Writes small TIFF files of many kinds into testdata/tiff, and beside each, as NAME.png, what Pillow makes of it.

    python tools/tiff.py testdata/tiff
"""
import os, struct, sys
import numpy as np
from PIL import Image

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
rng = np.random.default_rng(0)
pixels = rng.integers(0, 256, (3, 5, 3)).astype(np.uint8)
colour, grey = Image.fromarray(pixels), Image.fromarray(pixels[:, :, 0])
alpha = Image.fromarray(rng.integers(0, 256, (3, 5, 4)).astype(np.uint8))


def keep(name):
    pic = Image.open(f"{folder}/{name}.tif")
    pic.load()
    if pic.mode == "RGBA":
        white = Image.new("RGBA", pic.size, "white")
        pic = Image.alpha_composite(white, pic)
    (pic if pic.mode.startswith("I") else pic.convert("RGB")).save(f"{folder}/{name}.png")


def by_hand(name, rows, bits, photometric, **more):
    """A file of one strip; rows are bytes, more are further tags."""
    big = more.pop("big", False)
    e = ">" if big else "<"
    data = b"".join(rows)
    tags = {256: 5, 257: 3, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 3, 279: len(data), **{int(k[1:]): v for k, v in more.items()}}
    out = (b"MM\0*" if big else b"II*\0") + struct.pack(e + "I", 8 + len(data)) + data + struct.pack(e + "H", len(tags))
    for tag in sorted(tags):
        out += struct.pack(e + "HHIHH", tag, 3, 1, tags[tag], 0)
    open(f"{folder}/{name}.tif", "wb").write(out + bytes(4))


colour.save(f"{folder}/turned.tif", compression="tiff_lzw", tiffinfo={274: 6})
colour.save(f"{folder}/packbits.tif", compression="packbits")
colour.save(f"{folder}/pages.tif", save_all=True, append_images=[colour.rotate(180)])
colour.save(f"{folder}/predictor.tif", compression="tiff_lzw", tiffinfo={317: 2})
colour.quantize(6).save(f"{folder}/palette.tif")
alpha.save(f"{folder}/alpha.tif")
Image.fromarray(rng.integers(0, 65536, (3, 5)).astype(np.uint16)).save(f"{folder}/deep.tif")
grey.point(lambda v: 255 * (v > 127), "1").save(f"{folder}/bilevel.tif")
by_hand("white-is-zero", [bytes([0, 50, 100, 200, 255])] * 3, 8, 0)
by_hand("big-endian", [bytes([0, 50, 100, 200, 255])] * 3, 8, 1, big=True)
by_hand("bits-white-is-zero", [b"\xa8"] * 3, 1, 0)
for file in sorted(os.listdir(folder)):
    if file.endswith(".tif"):
        keep(file[:-4])
# Refused, with no picture beside them.
colour.convert("CMYK").save(f"{folder}/refused-cmyk.tif")
colour.save(f"{folder}/refused-jpeg.tif", compression="jpeg")
grey.convert("1").save(f"{folder}/refused-fax.tif", compression="group4")
Image.fromarray(rng.random((3, 5)).astype(np.float32)).save(f"{folder}/refused-float.tif")
by_hand("refused-planes", [bytes(range(15))] * 3, 8, 2, t277=3, t284=2)
by_hand("refused-second-sample", [bytes(range(10))] * 3, 8, 1, t277=2)
by_hand("refused-reverse", [b"\xa8"] * 3, 1, 1, t266=2)
by_hand("refused-nibbles", [b"\x0f\x1e\x70"] * 3, 4, 1)
