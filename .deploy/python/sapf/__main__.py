"""python -m sapf: the program, with this environment's arguments."""

import os
import sys

from ._program import program

if os.name == "nt":  # exec would detach from the console
    import subprocess

    sys.exit(subprocess.call([program(), *sys.argv[1:]]))
os.execv(program(), [program(), *sys.argv[1:]])
