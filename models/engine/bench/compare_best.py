"""Times `best` on all nine targets of an image against the authors' procedure in PyTorch.

Ours is a whole command, `sapf sweep run` on a folder that does not exist yet:
start, loading, nine attacks, every result on the disk. Theirs is the search
alone (30,000 gradients a target: six rounds of 2000 + 2000 + 1000 steps), one
target after the other as their program goes, on the number of threads that is
fastest in a short run.

    go build -o /tmp/sapf .
    python models/engine/bench/compare_best.py /tmp/sapf cwnet.pth test_batch.bin
"""

import argparse
import csv
import io
import os
import subprocess
import tempfile
import time

import torch

from compare_attack import K, Procedure, describe, fastest, image, network
from compare_pytorch import stolen

SPEC = """model: cwnet
images: {{set: cifar10, records: [{record}]}}
targets: all
methods:
  - {{name: best, options: {{k: {k}}}}}
"""


def ours(sapf, record):
    """Seconds of the whole command, and its rows."""
    with tempfile.TemporaryDirectory() as folder:
        spec, out = os.path.join(folder, "spec.yaml"), os.path.join(folder, "out")
        with open(spec, "w") as f:
            f.write(SPEC.format(record=record, k=K))
        start = time.perf_counter()
        subprocess.run([sapf, "sweep", "run", spec, "-o", out, "--slots", "1", "--threads", "2", "--json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - start
        table = subprocess.run([sapf, "sweep", "table", out, "--rows", "--format", "csv"], check=True, stdout=subprocess.PIPE, text=True)
        return seconds, list(csv.DictReader(io.StringIO(table.stdout)))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sapf", help="the built program")
    ap.add_argument("weights", help="cwnet.pth")
    ap.add_argument("images", help="test_batch.bin of CIFAR-10, below $SAPF_DATA as sapf finds it")
    ap.add_argument("--record", type=int, default=0)
    ap.add_argument("--repeat", type=int, default=3, help="of ours, before and after theirs")
    ap.add_argument("--threads", default="1,2", help="of PyTorch; the fastest counts")
    args = ap.parse_args()

    net, x = network(args.weights), image(args.images, args.record)
    threads = fastest(Procedure(net, x, 0), map(int, args.threads.split(",")), 1.0)
    torch.set_num_threads(threads)
    lost, a = stolen(), []

    def again():
        for _ in range(args.repeat):
            seconds, rows = ours(args.sapf, args.record)
            a.append(seconds)
            found = [r for r in rows if r["success"] == "true"]
            l2 = sum(float(r["l2"]) for r in found) / max(len(found), 1)
            print(f"  ours, {len(rows)} targets: {seconds:.2f} s, {len(found)} successes, mean l2 {l2:.3f}, "
                  f"{sum(int(r['gradients']) for r in rows) / len(rows):.0f} gradients each", flush=True)
        return [int(r["target"]) for r in rows]

    total = 0.0
    for target in again():
        start = time.perf_counter()
        best = Procedure(net, x, target).search(6, 1.0, 1)
        seconds = time.perf_counter() - start
        total += seconds
        print(f"  PyTorch {torch.__version__}, {threads} threads, to {target}: {seconds:.1f} s, {describe(best)}", flush=True)
    again()
    a.sort()
    print(f"ours {a[len(a) // 2]:.2f} s (median; minimum {a[0]:.2f}), PyTorch {total:.1f} s, "
          f"ratio {total / a[len(a) // 2]:.0f}; stolen {(stolen() - lost) / 100:.1f} s")


if __name__ == "__main__":
    main()
