"""JupyterLab in a headless browser, driven as a person would.

Usage: python lab.py NOTEBOOK SCREENSHOTS

Opens NOTEBOOK with the kernel sapf, runs all of it, interrupts an attack,
restarts the kernel, completes with Tab and reads documentation with Shift-Tab,
and leaves a picture of each step in the folder SCREENSHOTS. Needs JupyterLab,
Playwright and a Chromium ($SAPF_CHROMIUM, or the one on the PATH).
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import sync_playwright

# What a step may take, in milliseconds: a notebook on a machine with other
# things to do.
PATIENCE = 240_000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_lab(root, port):
    # Without this JupyterLab asks whether it may fetch news.
    settings = os.path.join(root, ".settings", "@jupyterlab", "apputils-extension")
    os.makedirs(settings)
    with open(os.path.join(settings, "notification.jupyterlab-settings"), "w") as f:
        f.write('{"fetchNews": "false", "checkForUpdates": false}')
    os.environ["JUPYTERLAB_SETTINGS_DIR"] = os.path.join(root, ".settings")
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", f"--ServerApp.root_dir={root}", "--IdentityProvider.token=",
         "--ServerApp.password=", "--expose-app-in-browser", "--allow-root", "--LabApp.collaborative=False"],
        stdout=subprocess.DEVNULL, stderr=open(os.path.join(root, "lab.log"), "w"),
    )
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1)
            return lab
        except OSError:
            time.sleep(0.2)
    raise SystemExit("JupyterLab does not start:\n" + open(os.path.join(root, "lab.log")).read())


class Lab:
    def __init__(self, page, shots):
        self.page, self.shots, self.n = page, shots, 0

    def shot(self, name):
        self.n += 1
        self.page.wait_for_timeout(300)  # for what is still being drawn
        self.page.screenshot(path=os.path.join(self.shots, f"{self.n}-{name}.png"))
        print("ok", name, flush=True)

    def command(self, name):
        """Give a command, and not wait for what it does: a cell's run, say."""
        self.page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}'); }}")
        self.page.wait_for_timeout(100)

    def state(self):
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status ?? 'none'")

    def wait_state(self, wanted):
        deadline = time.time() + PATIENCE / 1000
        while self.state() != wanted:
            if time.time() > deadline:
                raise SystemExit(f"the kernel is {self.state()}, not {wanted}")
            time.sleep(0.05)

    def cells(self):
        """Outputs of the code cells, as (execution count, list of output types, text)."""
        return self.page.evaluate("""
          window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code').map(c => {
            const o = c.model.outputs.toJSON();
            return [c.model.executionCount, o.map(x => x.output_type), JSON.stringify(o)];
          })""")

    def run_last(self, source, kind):
        """Run a new last cell and wait until it shows an output of that kind."""
        self.new_cell(source)
        self.command("notebook:run-cell")
        deadline = time.time() + PATIENCE / 1000
        while kind not in self.cells()[-1][1]:
            if time.time() > deadline or kind != "error" and "error" in self.cells()[-1][1]:
                raise SystemExit(f"{source}: no {kind}: {self.cells()[-1]}")
            time.sleep(0.05)

    def to_end(self):
        """Scroll to the last cell and its output."""
        self.page.evaluate("""async () => {
          const n = window.jupyterapp.shell.currentWidget.content, last = n.widgets[n.widgets.length - 1];
          await n.scrollToItem(n.widgets.length - 1, 'end');
          last.node.scrollIntoView({block: 'center'});
        }""")

    def new_cell(self, source):
        """A new last cell, in edit mode, with its source in it and the cursor at its end."""
        self.page.evaluate("""() => {
          const n = window.jupyterapp.shell.currentWidget.content;
          n.activeCellIndex = n.widgets.length - 1; n.deselectAll();
        }""")
        self.command("notebook:insert-cell-below")
        self.command("notebook:enter-edit-mode")
        self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content").click()
        self.page.evaluate("""source => {
          const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
          cell.model.sharedModel.setSource(source);
          cell.editor.setCursorPosition(cell.editor.getPositionAt(source.length));
        }""", source)


def main(notebook, shots):
    os.makedirs(shots, exist_ok=True)
    root = tempfile.mkdtemp(prefix="lab-")
    shutil.copy(notebook, os.path.join(root, "n.ipynb"))
    port = free_port()
    server = start_lab(root, port)
    try:
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=os.environ.get("SAPF_CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(PATIENCE)
            page.goto(f"http://127.0.0.1:{port}/lab/tree/n.ipynb?reset")
            page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel")
            lab = Lab(page, shots)
            lab.wait_state("idle")
            lab.shot("open")

            # Run all; on the way there is a picture of progress, at the end none failed.
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(".jp-OutputArea img")
            page.evaluate("document.querySelector('.jp-OutputArea img').scrollIntoView({block: 'center'})")
            lab.shot("running")
            deadline = time.time() + PATIENCE / 1000
            while any(c[0] is None for c in lab.cells()) or lab.state() != "idle":
                if time.time() > deadline:
                    raise SystemExit(f"not all cells ran: {[c[0] for c in lab.cells()]}")
                if any("error" in c[1] for c in lab.cells()):
                    raise SystemExit("a cell failed: " + str([c[2][:500] for c in lab.cells() if "error" in c[1]]))
                time.sleep(0.2)
            assert any("image/png" in c[2] for c in lab.cells()), "no picture"
            assert any("sapf" in c[2] and "100%" in c[2] for c in lab.cells()), "no progress that came to its end"
            page.evaluate("document.querySelectorAll('.jp-OutputArea img')[0].scrollIntoView()")
            lab.shot("ran")

            # Interrupt an attack.
            lab.run_last('r2 := Attack(m, x, Target("truck"), Options{K: 100})', "display_data")
            assert lab.state() == "busy", lab.state()
            lab.to_end()
            lab.shot("attack")
            start = time.time()
            lab.command("notebook:interrupt-kernel")
            lab.wait_state("idle")
            print(f"interrupted after {time.time() - start:.2f} s", flush=True)
            assert "error" in lab.cells()[-1][1], lab.cells()[-1][2][:500]
            lab.to_end()
            lab.shot("interrupted")

            # Variables are still there.
            lab.run_last("k + 1", "execute_result")
            lab.wait_state("idle")

            # Tab and Shift-Tab.
            lab.new_cell("Factor")
            page.keyboard.press("Tab")
            page.wait_for_function("document.querySelector('.jp-Notebook .jp-mod-active .cm-content').innerText.includes('Factorize') || document.querySelector('.jp-Completer:not(.lm-mod-hidden)')")
            lab.shot("completion")
            page.keyboard.press("Escape")
            lab.new_cell("Attack(")
            page.keyboard.press("Shift+Tab")
            page.wait_for_selector(".jp-Tooltip")
            page.wait_for_timeout(300)
            text = page.inner_text(".jp-Tooltip")
            assert "Attack" in text, text
            lab.shot("documentation")
            page.keyboard.press("Escape")

            # Restart: what was defined is gone.
            lab.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
            lab.wait_state("idle")
            lab.run_last("k", "error")
            lab.to_end()
            lab.shot("restarted")
            browser.close()
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
