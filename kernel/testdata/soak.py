"""One kernel for hours: the first notebooks again and again, with interrupts and
restarts at random.

Usage: python soak.py [--rounds N] [--seed N] NOTEBOOK...

Each round runs the cells of every notebook (with quick = true) in one kernel.
Some cells are interrupted while they run, and now and then the kernel is
restarted. After each round it prints, as a line of JSON, what the kernel and its
children hold: processes, memory, threads, open files, and the goroutines of the
process that runs the cells. The last line says what grew between the first third
of the rounds and the last. It ends with 1 if that is more than the rounds vary,
or if the kernel did not answer.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time

import nbformat
import psutil
from jupyter_client.manager import KernelManager

PATIENCE = 600  # seconds for a cell on a busy machine
GROWTH = 1.25  # of the medians; caches fill in the first rounds


def cells(path):
    """The code of a notebook's cells, quick."""
    out = []
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            out.append(cell.source)
            if "parameters" in cell.metadata.get("tags", []):
                out.append("quick = true")
    return out


class Kernel:
    def __init__(self, name):
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel(stderr=open(os.devnull, "w"))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code, interrupt=None):
        """Runs a cell, interrupts it after so many seconds, and returns its text."""
        text = []

        def listen(message):
            if message["msg_type"] == "stream":
                text.append(message["content"]["text"])

        if interrupt is None:
            reply = self.client.execute_interactive(code, output_hook=listen, timeout=PATIENCE)
            return reply["content"]["status"], "".join(text)
        asked = self.client.execute(code)
        time.sleep(interrupt)
        self.manager.interrupt_kernel()
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == asked:
                break
        while True:  # what it said until it was idle again
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and message["parent_header"].get("msg_id") == asked:
                return reply["content"]["status"], ""

    def restart(self):
        self.manager.restart_kernel(now=random.random() < 0.5)
        self.client.wait_for_ready(timeout=PATIENCE)

    def holds(self):
        """What the kernel's processes hold between two cells."""
        text = ""
        while not text:  # an interrupt that came after its cell was over ends this one
            _, text = self.run('import "runtime"\nruntime.GC()\nfmt.Println("goroutines", runtime.NumGoroutine())')
        root = psutil.Process(self.manager.provisioner.process.pid)
        everyone = [root] + root.children(recursive=True)
        return {
            "processes": len(everyone),
            "megabytes": round(sum(p.memory_info().rss for p in everyone) / 1e6, 1),
            "threads": sum(p.num_threads() for p in everyone),
            "files": sum(p.num_fds() for p in everyone),
            "goroutines": int(text.split()[-1]),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernel", default="sapf")
    parser.add_argument("notebooks", nargs="+")
    args = parser.parse_args()
    random.seed(args.seed)
    books = [cells(path) for path in args.notebooks]
    kernel, rounds, interrupts, restarts = Kernel(args.kernel), [], 0, 0
    for i in range(args.rounds):
        for book in books:
            if random.random() < 0.1:
                kernel.restart()
                restarts += 1
            for code in book:
                if random.random() < 0.1:  # what comes after may fail: names are missing
                    kernel.run(code, interrupt=random.random())
                    interrupts += 1
                else:
                    kernel.run(code)
        held = kernel.holds()
        rounds.append(held)
        print(json.dumps({"round": i + 1, "interrupts": interrupts, "restarts": restarts, **held}), flush=True)
    third = max(1, len(rounds) // 3)
    grew = {}
    for what in rounds[0]:
        first = statistics.median(r[what] for r in rounds[:third])
        last = statistics.median(r[what] for r in rounds[-third:])
        if last > GROWTH * first + 2:
            grew[what] = [first, last]
    status, text = kernel.run('fmt.Println("still", 6*7)')
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=False)
    print(json.dumps({"rounds": len(rounds), "interrupts": interrupts, "restarts": restarts, "grew": grew}), flush=True)
    sys.exit(1 if status != "ok" or "still 42" not in text or (grew and len(rounds) >= 9) else 0)


if __name__ == "__main__":
    main()
