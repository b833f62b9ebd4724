"""jupyter_kernel_test for sapf, and for the kernels it is held against.

Usage: SAPF_TEST_KERNEL_NAME=sapf python conformance.py [unittest options]

Nothing is skipped that ipykernel does not skip as well. For gophernotes the
samples say the same in its dialect.
"""

import os
import unittest

import jupyter_kernel_test

NAME = os.environ.get("SAPF_TEST_KERNEL_NAME", "sapf")
PYTHON = NAME.startswith("python")


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = NAME
    language_name = "python" if PYTHON else "go"
    file_extension = ".py" if PYTHON else ".go"

    if PYTHON:
        code_hello_world = "print('hello, world')"
        code_stderr = "import sys; print('test', file=sys.stderr)"
        code_generate_error = "raise ValueError('no')"
        complete_code_samples = ["1", "def f(x):\n  return x*2\n\n\n"]
        incomplete_code_samples = ["print('''hello", "def f(x):\n  x*2"]
        invalid_code_samples = ["import = 7q"]
        completion_samples = [{"text": "zi", "matches": {"zip"}}]
        code_display_data = [{"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"}]
        code_page_something = "zip?"
        code_inspect_sample = "zip"
        code_clear_output = "from IPython.display import clear_output; clear_output()"
    else:
        code_hello_world = 'import "fmt"\nfmt.Println("hello, world")'
        code_stderr = 'import ("fmt"; "os")\nfmt.Fprintln(os.Stderr, "oops")'
        code_generate_error = 'panic("no")'
        complete_code_samples = ["x := 1", "func f() int {\n\treturn 1\n}", 'import "fmt"\nfmt.Println(1)']
        incomplete_code_samples = ["func f() {", "x := (1 +", "s := `raw"]
        invalid_code_samples = ["x := )", "var 1 = 2"]
        completion_samples = [{"text": "LoadMod", "matches": {"LoadModel"}}, {"text": "compl", "matches": {"complex", "complex128", "complex64"}}]
        code_display_data = [
            {"code": 'Show(HTML("<b>test</b>"))', "mime": "text/html"},
            {"code": 'Show(HTML("<b>test</b>"))', "mime": "text/plain"},
            {"code": "Show(LoadImage(`cat`))", "mime": "image/png"},
        ]
        code_page_something = "Factorize?"
        code_inspect_sample = "Factorize"
        code_clear_output = "ClearOutput(false)"
        if NAME == "gophernotes":
            code_page_something, code_inspect_sample = "println?", "println"
            completion_samples = [{"text": "fmt.Printl", "matches": {"Println"}}]
            code_display_data = [{"code": 'Display(display.HTML("<b>test</b>"))', "mime": "text/html"}]

    code_execute_result = [{"code": "1+2", "result": "3"}, {"code": "6*7", "result": "42"}]
    supported_history_operations = ("tail", "search") if PYTHON else ("tail", "search", "range")
    code_history_pattern = "1?2*"


if __name__ == "__main__":
    unittest.main(verbosity=2)
