"""Writes testdata/resize_HxW.png: testdata/resize.png scaled by Pillow's bilinear filter.

    python resize.py ../testdata
"""
import sys
import numpy as np
from PIL import Image

out = sys.argv[1]
r = np.random.default_rng(7)
noise = r.integers(0, 256, (37, 53, 3), dtype=np.uint8)
Image.fromarray(noise).save(f"{out}/resize.png")
for h, w in ((12, 20), (37, 20), (64, 53), (100, 90), (5, 120), (1, 1)):
    Image.fromarray(noise).resize((w, h), Image.BILINEAR).save(f"{out}/resize_{h}x{w}.png")
