"""Latencies of Jupyter kernels, as a client sees them.

Usage: python latency.py [--runs N] KERNEL...

KERNEL is the name of an installed kernel with its language, as in sapf:go,
gophernotes:go or python3:python. Prints one JSON object for each kernel; times
are in milliseconds. The kernels are measured in turn, one at a time.
"""

import argparse
import json
import os
import statistics
import time

import zmq
from jupyter_client.manager import KernelManager

# The same work in each language.
CODE = {
    "go": {
        "trivial": "1+1",
        "imports": 'import ("fmt"; "os")',
        "spin": "for { }",
        "lines": 'for i := 0; i < 10000; i++ { fmt.Println("line", i) }',
        "order": 'for i := 0; i < 6; i++ { if i%2 == 0 { fmt.Fprintln(os.Stdout, "o", i) } else { fmt.Fprintln(os.Stderr, "e", i) } }',
        "complete": "fmt.Prin",
        "inspect": "fmt.Println",
        "picture": "Show(PNG(make([]byte, 15<<20)))",
    },
    "python": {
        "trivial": "1+1",
        "imports": "import sys, time",
        "spin": "while True: pass",
        "lines": "for i in range(10000): print('line', i)",
        "order": "for i in range(6): print('oe'[i%2], i, file=[sys.stdout, sys.stderr][i%2])",
        "complete": "sys.exi",
        "inspect": "sys.exit",
        "picture": "from IPython.display import Image, display; display(Image(data=bytes(15 << 20), format='png'))",
    },
}


def summary(values):
    values = sorted(values)
    return {
        "median": round(statistics.median(values), 2),
        "min": round(values[0], 2),
        "p95": round(values[min(len(values) - 1, int(len(values) * 0.95))], 2),
        "max": round(values[-1], 2),
        "n": len(values),
    }


class Client:
    def __init__(self, name, language):
        self.code = CODE[language]
        self.km = KernelManager(kernel_name=name)
        start = time.perf_counter()
        self.km.start_kernel(stderr=open(os.devnull, "w"))
        self.kc = self.km.client()
        self.kc.start_channels(hb=False)
        self.kc.kernel_info()
        self.kc.get_shell_msg(timeout=60)
        self.started = (time.perf_counter() - start) * 1e3
        self.kc.wait_for_ready(timeout=60)

    def close(self):
        self.kc.stop_channels()
        self.km.shutdown_kernel(now=True)

    def drain(self):
        while True:
            try:
                self.kc.get_iopub_msg(timeout=0.05)
            except Exception:
                return

    def run(self, code, timeout=60):
        """Time to reply and idle, and the messages."""
        start = time.perf_counter()
        mid = self.kc.execute(code)
        messages = self.until_idle(mid, timeout)
        while True:
            reply = self.kc.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == mid:
                break
        return (time.perf_counter() - start) * 1e3, messages, reply

    def until_idle(self, mid, timeout):
        messages = []
        while True:
            m = self.kc.get_iopub_msg(timeout=timeout)
            if m["parent_header"].get("msg_id") != mid:
                continue
            messages.append(m)
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                return messages

    def shell(self, send, timeout=30):
        start = time.perf_counter()
        mid = send()
        while True:
            m = self.kc.get_shell_msg(timeout=timeout)
            if m["parent_header"].get("msg_id") == mid:
                return (time.perf_counter() - start) * 1e3


def wire(c, code, timeout=10):
    """Time to reply and idle for a client that neither signs nor reads JSON then."""
    session, shell, iopub = c.kc.session, c.kc.shell_channel.socket, c.kc.iopub_channel.socket
    msg = session.msg("execute_request", {"code": code, "silent": False})
    frames = session.serialize(msg)
    mid = msg["header"]["msg_id"].encode()
    poller = zmq.Poller()
    poller.register(shell, zmq.POLLIN)
    poller.register(iopub, zmq.POLLIN)
    waiting = {shell, iopub}
    start = time.perf_counter()
    shell.send_multipart(frames)
    while waiting:
        ready = poller.poll(timeout * 1000)
        if not ready:
            raise TimeoutError("no reply")
        for socket, _ in ready:
            got = socket.recv_multipart()
            i = got.index(b"<IDS|MSG>")
            if mid in got[i + 3] and (socket is shell or b"idle" in got[i + 5]):
                waiting.discard(socket)
    return (time.perf_counter() - start) * 1e3


def control(c, kind):
    start = time.perf_counter()
    msg = c.kc.session.msg(kind, {})
    c.kc.control_channel.send(msg)
    while True:
        m = c.kc.get_control_msg(timeout=5)
        if m["parent_header"].get("msg_id") == msg["header"]["msg_id"]:
            return (time.perf_counter() - start) * 1e3


def measure(name, language, runs):
    result = {"kernel": name}
    starts = []
    for _ in range(runs):
        c = Client(name, language)
        starts.append(c.started)
        c.close()
    result["start_to_kernel_info"] = summary(starts)

    c = Client(name, language)
    try:
        c.run(c.code["imports"])
        for _ in range(20):
            c.run(c.code["trivial"])
        result["trivial_cell"] = summary([c.run(c.code["trivial"])[0] for _ in range(200)])
        result["trivial_cell_wire"] = summary([wire(c, c.code["trivial"]) for _ in range(200)])
        result["kernel_info"] = summary([c.shell(c.kc.kernel_info) for _ in range(100)])
        try:
            result["complete"] = summary([c.shell(lambda: c.kc.complete(c.code["complete"], len(c.code["complete"])), 5) for _ in range(50)])
        except Exception:
            result["complete"] = "no reply"
        try:
            result["inspect"] = summary([c.shell(lambda: c.kc.inspect(c.code["inspect"], len(c.code["inspect"])), 5) for _ in range(50)])
        except Exception:
            result["inspect"] = "no reply"
        took, lost = [], 0
        for _ in range(11):
            ms, messages, _ = c.run(c.code["lines"])
            took.append(ms)
            text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
            lost += 10000 - text.count("\n")
        result["lines_10000"] = {**summary(took), "lost": lost, "messages": sum(m["msg_type"] == "stream" for m in messages)}
        _, messages, _ = c.run(c.code["order"])
        text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        result["order_kept"] = text.split() == [w for i in range(6) for w in ("oe"[i % 2], str(i))]

        if "picture" in c.code:
            took, messages, _ = c.run(c.code["picture"])
            size = sum(len(m["content"]["data"].get("image/png", "")) for m in messages if m["msg_type"] in ("display_data", "execute_result"))
            result["picture"] = {"ms": round(took, 1), "MB before idle": round(size / 1e6, 1)}

        busy, interrupts = [], []
        for _ in range(10):
            mid = c.kc.execute(c.code["spin"])
            time.sleep(0.2)
            try:
                busy.append(control(c, "kernel_info_request"))
            except Exception:
                pass
            start = time.perf_counter()
            c.km.interrupt_kernel()
            try:
                c.until_idle(mid, 10)
            except Exception:
                result["interrupt"] = "did not stop in 10 s"
                break
            interrupts.append((time.perf_counter() - start) * 1e3)
            c.kc.get_shell_msg(timeout=10)
        result["control_while_busy"] = summary(busy) if busy else "no reply"
        if interrupts and "interrupt" not in result:
            result["interrupt"] = summary(interrupts)
        if name == "sapf":
            c.run('m := LoadModel("cwnet")\nx := LoadImage("cat")')
            attacks = []
            for _ in range(5):
                mid = c.kc.execute('Attack(m, x, Target("dog"), Options{K: 200})')
                while c.kc.get_iopub_msg(timeout=30)["msg_type"] != "display_data":
                    pass
                time.sleep(0.3)
                start = time.perf_counter()
                c.km.interrupt_kernel()
                c.until_idle(mid, 30)
                attacks.append((time.perf_counter() - start) * 1e3)
                c.kc.get_shell_msg(timeout=10)
            result["interrupt_attack"] = summary(attacks)
    except Exception as e:
        result["died"] = repr(e)
    finally:
        c.close()
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=15, help="how often each kernel is started")
    p.add_argument("kernels", nargs="+")
    a = p.parse_args()
    for k in a.kernels:
        name, language = k.split(":")
        print(json.dumps(measure(name, language, a.runs)), flush=True)


if __name__ == "__main__":
    main()
