"""Times a whole SAPF attack against the authors' procedure in PyTorch.

Both sides attack the same CIFAR-10 test image with the same weights and the
settings of the authors' program (preset reference without its group block,
which is no part of plain SAPF), float32 networks, on the CPU. They alternate;
the script prints the seconds of every run, the medians and their ratio, and what
the attacks found: the iteration is chaotic in its tail, so the norms agree
roughly. One round of the lambda1 search is 5000 gradients; --rounds 6 is the
whole search.

    go build -o /tmp/sapf .
    python models/engine/bench/compare_attack.py /tmp/sapf cwnet.pth test_batch.bin
"""

import argparse
import json
import os
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

from compare_pytorch import CW, stolen

K = 200


class Procedure:
    """One (image, target) of the authors' program, with lambda2 = 0."""

    def __init__(self, net, x, target):
        self.net, self.x, self.target = net, x, target
        self.n = x.numel()

    def hinge(self, logits):
        others = logits.clone()
        others[0, self.target] = -1e4
        return F.relu(others.max() - logits[0, self.target])

    def slope(self):
        """The gradient of the loss at clip(x + delta*G), and where the clip lets it through."""
        v = self.x + self.delta * self.g
        point = v.clamp(0, 1).requires_grad_(True)
        slope = torch.autograd.grad(self.hinge(self.net(point)), point)[0]
        return slope * ((v >= 0) & (v <= 1))

    def delta_stage(self, steps, lam):
        for step in range(1, steps + 1):
            s = self.slope()
            self.delta -= self.eta_d * (2 * self.delta * self.g * self.g + lam * self.g * s)
            if step % 50 == 0:
                self.eta_d = max(0.9 * self.eta_d, 0.001)

    def mask_stage(self, steps, lam):
        z1, z2, z4 = torch.zeros_like(self.g), torch.zeros_like(self.g), torch.zeros(())
        r1, r2, r4 = 5e-3, 5e-3, 1e-4
        for step in range(1, steps + 1):
            y1 = (self.g + z1 / r1).clamp(0, 1)
            a = self.g + z2 / r2 - 0.5
            y2 = self.n**0.5 / 2 * a / a.norm() + 0.5
            s = self.slope()
            grad = 2 * self.g * self.delta * self.delta + lam * self.delta * s + z1 + z2 + z4
            grad += r1 * (self.g - y1) + r2 * (self.g - y2) + r4 * (self.g.sum() - K)
            self.g = self.g - self.eta_g * grad
            z1 += r1 * (self.g - y1)
            z2 += r2 * (self.g - y2)
            z4 += r4 * (self.g.sum() - K)
            r1, r2, r4 = min(1.01 * r1, 20), min(1.01 * r2, 20), min(1.01 * r4, 0.01)
            if step % 50 == 0:
                self.eta_g = max(0.9 * self.eta_g, 0.001)

    def round(self, lam, shrink):
        self.delta, self.g = torch.zeros_like(self.x), torch.ones_like(self.x)
        self.eta_d = self.eta_g = 0.1
        self.delta_stage(2000 // shrink, lam)
        self.mask_stage(2000 // shrink, lam)
        self.g = (self.g > 0.5).float()
        self.delta_stage(1000 // shrink, lam)
        noise = (self.x + self.delta * self.g).clamp(0, 1) - self.x
        with torch.no_grad():
            hit = self.net(self.x + noise).argmax().item() == self.target
        return hit, noise

    def search(self, rounds, lam, shrink):
        low, high, best = 0.0, 100.0, None
        for r in range(rounds):
            hit, noise = self.round(lam, shrink)
            if hit:
                best, high = (lam, noise), min(high, lam)
            else:
                low = max(low, lam)
            lam = lam * 10 if high == 100.0 else (low + high) / 2
        return best


def describe(best):
    if best is None:
        return "no success"
    lam, noise = best
    return f"lambda1 {lam:g}, l0 {int((noise != 0).sum())}, l2 {noise.norm().item():.3f}"


def network(weights):
    """The C&W network in the memory layout that is fastest here, without gradients of its weights."""
    net = CW().eval()
    net.load_state_dict(torch.load(weights))
    for p in net.parameters():
        p.requires_grad_(False)
    return net.to(memory_format=torch.channels_last)


def image(batch, record):
    """A record of CIFAR-10's file, [1,3,32,32] in [0,1]."""
    with open(batch, "rb") as f:
        f.seek(3073 * record + 1)
        x = torch.frombuffer(bytearray(f.read(3072)), dtype=torch.uint8)
    return x.float().div(255).view(1, 3, 32, 32).contiguous(memory_format=torch.channels_last)


def fastest(procedure, threads, lam):
    """The number of threads that is fastest in a short run."""
    trials = {}
    for t in threads:
        torch.set_num_threads(t)
        procedure.round(lam, 20)
        start = time.perf_counter()
        procedure.round(lam, 20)
        trials[t] = time.perf_counter() - start
    return min(trials, key=trials.get)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sapf", help="the built program")
    ap.add_argument("weights", help="cwnet.pth")
    ap.add_argument("images", help="test_batch.bin of CIFAR-10")
    ap.add_argument("--record", type=int, default=0)
    ap.add_argument("--target", type=int, default=5)
    ap.add_argument("--rounds", type=int, default=1, help="of the lambda1 search")
    ap.add_argument("--lambda1", type=float, default=1.0, help="of the first round")
    ap.add_argument("--shrink", type=int, default=1, help="take so many times fewer steps")
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--threads", default="1,2", help="of PyTorch; the fastest counts")
    args = ap.parse_args()

    procedure = Procedure(network(args.weights), image(args.images, args.record), args.target)

    def theirs():
        start = time.perf_counter()
        best = procedure.search(args.rounds, args.lambda1, args.shrink)
        return time.perf_counter() - start, describe(best)

    options = dict(lambda2=0, k=K, search_rounds=args.rounds, lambda1=args.lambda1,
                   delta_steps=2000 // args.shrink, mask_steps=2000 // args.shrink, tune_steps=1000 // args.shrink)
    command = [args.sapf, "attack", "--json", "--model", args.weights, "--arch", "cwnet", "--image", f"cifar10:{args.record}",
               "--target", str(args.target), "--preset", "reference"]
    for name, value in options.items():
        command += ["--set", f"{name}={value}"]

    def ours():
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        r = json.loads(done.stdout)
        what = f"lambda1 {r['lambda1']:g}, l0 {r['l0']}, l2 {r['l2']:.3f}" if r["success"] else "no success"
        return r["seconds"], f"{what} [{r['profile']}, {r['gradients']} gradients]"

    threads = fastest(procedure, map(int, args.threads.split(",")), args.lambda1)
    torch.set_num_threads(threads)
    print(f"PyTorch {torch.__version__} on {threads} threads, {os.cpu_count()} processors, {args.rounds} rounds, steps divided by {args.shrink}")
    a, b, lost = [], [], stolen()
    for _ in range(args.repeat):
        seconds, what = ours()
        a.append(seconds)
        print(f"  ours    {seconds:7.2f} s  {what}", flush=True)
        seconds, what = theirs()
        b.append(seconds)
        print(f"  PyTorch {seconds:7.2f} s  {what}", flush=True)
    a1, b1 = statistics.median(a), statistics.median(b)
    print(f"medians {a1:.2f} and {b1:.2f} s, ratio {b1 / a1:.2f}; minima {min(a):.2f} and {min(b):.2f} s, {min(b) / min(a):.2f}; stolen {(stolen() - lost) / 100:.1f} s")


if __name__ == "__main__":
    main()
