"""Where the sapf program is, and how it is run."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading


@functools.cache
def program():
    """The path of the program that came with this package."""
    name = "sapf.exe" if os.name == "nt" else "sapf"
    places = [sysconfig.get_path("scripts"), os.path.dirname(sys.executable)]
    for scheme in ("posix_user", "nt_user"):
        if scheme in sysconfig.get_scheme_names():
            places.append(sysconfig.get_path("scripts", scheme))
    for place in places:
        file = os.path.join(place, name)
        if os.access(file, os.X_OK):
            return file
    file = shutil.which(name)
    if file is None:
        raise FileNotFoundError("the program sapf is neither in %s nor on the PATH" % ", ".join(places))
    return file


def run(arguments, failed_is_fine=False):
    """Run the program and return its standard output. Its progress and warnings go
    to standard error as they come; its last line there is the error's message."""
    process = subprocess.Popen([program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    message = ""

    def watch():
        nonlocal message
        for line in process.stderr:
            if line.startswith("sapf: "):
                message = line[len("sapf: "):].strip()
            elif line.strip():
                print(line.rstrip(), file=sys.stderr, flush=True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        out = process.stdout.read()
        code = process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # it keeps what it has, and ends
        process.wait()
        raise
    finally:
        watcher.join()
        process.stdout.close()
        process.stderr.close()
    if code == 0 or code == 1 and failed_is_fine:
        return out
    message = message or "sapf ended with exit code %d" % code
    if code == 2:
        raise ValueError(message)
    if code == 130:
        raise KeyboardInterrupt(message)
    raise RuntimeError(message)
