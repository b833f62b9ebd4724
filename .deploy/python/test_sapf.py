"""Tests of the wheel, in an environment that it is installed in."""

import json
import subprocess
import tempfile
import unittest

import numpy
import sapf


def images():
    """Three images that no picture of 8 bits could hold."""
    return numpy.random.default_rng(0).random((3, 3, 32, 32), dtype="float32")


class Attack(unittest.TestCase):
    def test_equals_the_command_line(self):
        x = images()
        r = sapf.attack("cwnet", x, labels=[1, 2, 3], targets=[5, 6, 7], method="sigma-zero", steps=60)
        with tempfile.TemporaryDirectory() as folder:
            numpy.savez(folder + "/x.npz", images=x, targets=[5, 6, 7], labels=[1, 2, 3])
            lines = subprocess.run(
                [sapf.program(), "attack", "--model", "cwnet", "--image", folder + "/x.npz", "--target", "stated",
                 "--method", "sigma-zero", "--set", "steps=60", "--json", "--out", folder + "/out"],
                capture_output=True, text=True).stdout.splitlines()
            command = numpy.load(folder + "/out/adversarial_nchw.npy")
        self.assertEqual(r.adversarial.dtype, numpy.float32)
        numpy.testing.assert_array_equal(r.adversarial, command)
        self.assertEqual(len(lines), 3)
        for i, line in enumerate(lines):
            row = json.loads(line)
            for column in ("success", "l0", "l2", "label", "target", "adversarial_prediction"):
                self.assertEqual(r.results[column][i], row[column], column)
            self.assertEqual(r.results.l0[i], numpy.count_nonzero(r.adversarial[i] != x[i]))

    def test_one_image_and_channels_last(self):
        x = images()
        one = sapf.attack("cwnet", x[0], targets=5, method="sigma-zero", steps=30)
        last = sapf.attack("cwnet", x.transpose(0, 2, 3, 1), targets=5, method="sigma-zero", steps=30)
        self.assertEqual(one.adversarial.shape, (3, 32, 32))
        self.assertEqual(last.adversarial.shape, (3, 32, 32, 3))
        numpy.testing.assert_array_equal(one.adversarial, last.adversarial[0].transpose(2, 0, 1))
        levels = sapf.attack("cwnet", (255 * x).astype("uint8"), method="sigma-zero", steps=5)
        self.assertEqual(levels.adversarial.dtype, numpy.float32)
        self.assertLessEqual(levels.adversarial.max(), 1)

    def test_refusals(self):
        for message, call in {
            "did you mean": lambda: sapf.attack("cwnet", images(), method="sigma-zer"),
            "3 class indices": lambda: sapf.attack("cwnet", images(), labels=[1]),
            "model cwnet takes": lambda: sapf.attack("cwnet", images()[:, :, :16]),
            "divided by 255": lambda: sapf.attack("cwnet", 255 * images()),
            "image's own label": lambda: sapf.attack("cwnet", images(), labels=[5, 5, 5], targets=5),
        }.items():
            with self.assertRaisesRegex(ValueError, message):
                call()

    def test_failure_is_a_row(self):
        r = sapf.attack("cwnet", images(), targets=5, method="fmn-l0", steps=1)
        self.assertEqual(len(r.results), 3)
        self.assertFalse(r.results.success.all())

    def test_sweep(self):
        with tempfile.TemporaryDirectory() as folder:
            spec = {"targets": ["dog"], "methods": [{"name": "fmn-l0", "options": {"steps": 10}, "grid": {"step_size": [0.5, 1]}}]}
            rows = sapf.sweep(spec, folder, model="cwnet", images=images())
            self.assertEqual(len(rows), 6)
            self.assertEqual(set(rows.method), {"fmn-l0"})
            again = sapf.sweep(spec, folder, model="cwnet", images=images())
            self.assertEqual(list(again.key), list(rows.key))

    def test_module(self):
        try:
            import onnx  # noqa: F401
            import torch
        except ImportError:
            self.skipTest("torch and onnx are not installed")
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 30 * 30, 10))
        x = torch.from_numpy(images())
        r = sapf.attack(net, x, method="sigma-zero", steps=60)
        self.assertIsInstance(r.adversarial, torch.Tensor)
        self.assertTrue(net.training)
        net.eval()
        self.assertEqual(list(net(r.adversarial).argmax(1)), list(r.results.adversarial_prediction))
        r = sapf.attack(net, x, method="best", preset="quick", k=60, confidence=1e-3)
        self.assertTrue(r.results.success.all())
        self.assertEqual(list(net(r.adversarial).argmax(1)), list(r.results.adversarial_prediction))


class Papermill(unittest.TestCase):
    def test_parameters(self):
        try:
            import nbformat
            import papermill
        except ImportError:
            self.skipTest("papermill is not installed")
        cells = [
            nbformat.v4.new_code_cell('n := 1\nname := "x"\nrate := 1.0\nquick := false\nlist := []int{1}', metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell('import "fmt"\nfmt.Println(n, name, rate, quick, list)'),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "sapf", "display_name": "Go (sapf)", "language": "go"}})
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(notebook, folder + "/in.ipynb")
            papermill.execute_notebook(folder + "/in.ipynb", folder + "/out.ipynb", progress_bar=False,
                                       parameters={"n": 7, "name": 'a "quoted"\\ néw\nline', "rate": 2.0, "quick": True, "list": [1, 2]})
            out = nbformat.read(folder + "/out.ipynb", 4)
        self.assertEqual(out.cells[-1].outputs[0].text, '7 a "quoted"\\ néw\nline 2 true [1 2]\n')


if __name__ == "__main__":
    unittest.main()
