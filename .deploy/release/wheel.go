package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wheel is a Python wheel (PEP 427): the program as a script, the package of
// .deploy/python, and the kernelspec, which Jupyter finds in the environment
// that the wheel is installed in.
func wheel(version string, p platform, program []byte, specs []file) (name string, content []byte, err error) {
	base := "sapf-" + version
	script := base + ".data/scripts/sapf"
	if strings.HasPrefix(p.name, "windows/") {
		script += ".exe"
	}
	files := []file{{script, 0o755, program}}
	sources, err := filepath.Glob(filepath.Join(".deploy", "python", "sapf", "*.py"))
	if err != nil || len(sources) == 0 {
		return "", nil, fmt.Errorf("no Python sources: run it at the top of the repository (%w)", err)
	}
	for _, s := range sources {
		files = append(files, file{"sapf/" + filepath.Base(s), 0o644, mustRead(s)})
	}
	for _, f := range specs {
		f.name = base + ".data/data/share/jupyter/kernels/sapf/" + f.name
		files = append(files, f)
	}
	info := base + ".dist-info/"
	files = append(files,
		file{info + "METADATA", 0o644, []byte(fmt.Sprintf(metadata, version) + string(mustRead(filepath.Join(".deploy", "python", "README.md"))))},
		file{info + "entry_points.txt", 0o644, []byte("[papermill.engine]\nsapf = sapf.papermill:Engine\n")},
		file{info + "licenses/LICENSE", 0o644, mustRead("LICENSE")},
	)
	tags := ""
	for _, t := range strings.Split(p.wheel, ".") {
		tags += "Tag: py3-none-" + t + "\n"
	}
	files = append(files, file{info + "WHEEL", 0o644, []byte("Wheel-Version: 1.0\nGenerator: sapf\nRoot-Is-Purelib: false\n" + tags)})
	record := ""
	for _, f := range files {
		sum := sha256.Sum256(f.content)
		record += fmt.Sprintf("%s,sha256=%s,%d\n", f.name, base64.RawURLEncoding.EncodeToString(sum[:]), len(f.content))
	}
	record += info + "RECORD,,\n"
	files = append(files, file{info + "RECORD", 0o644, []byte(record)})
	return fmt.Sprintf("%s-py3-none-%s.whl", base, p.wheel), zipped(files), nil
}

const metadata = `Metadata-Version: 2.4
Name: sapf
Version: %s
Summary: Sparse adversarial attacks on image classifiers: the sapf program, its Jupyter kernel, and a Python call that runs it.
License-Expression: Apache-2.0
License-File: LICENSE
Requires-Python: >=3.9
Requires-Dist: numpy
Requires-Dist: pandas
Provides-Extra: torch
Requires-Dist: torch; extra == "torch"
Requires-Dist: onnx; extra == "torch"
Requires-Dist: onnxscript; extra == "torch"
Description-Content-Type: text/markdown

`

// kernelspec is what 'sapf install' writes, with the program of the environment
// in the place of one of this machine.
func kernelspec() ([]file, error) {
	dir, err := os.MkdirTemp("", "sapf-kernelspec-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "run", ".", "install", "--prefix", dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make the kernelspec: %w\n%s", err, text)
	}
	names, err := filepath.Glob(filepath.Join(dir, "share", "jupyter", "kernels", "sapf", "*"))
	if err != nil {
		return nil, err
	}
	var files []file
	for _, n := range names {
		switch base := filepath.Base(n); filepath.Ext(n) {
		case ".json":
			spec := map[string]any{}
			if err := json.Unmarshal(mustRead(n), &spec); err != nil {
				return nil, err
			}
			// Jupyter puts its own interpreter in the place of "python".
			spec["argv"] = []string{"python", "-m", "sapf", "kernel", "{connection_file}"}
			raw, err := json.MarshalIndent(spec, "", " ")
			if err != nil {
				return nil, err
			}
			files = append(files, file{base, 0o644, raw})
		case ".png", ".svg":
			files = append(files, file{base, 0o644, mustRead(n)})
		}
	}
	return files, nil
}
