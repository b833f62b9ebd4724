package kernelspec_test

import (
	"fmt"
	"path/filepath"

	"sapf/kernel/kernelspec"
)

// Where Jupyter finds the kernel. Names are folders, so not all will do.
func ExamplePlace_Dir() {
	dir, err := kernelspec.Place{Prefix: "/opt/course", Name: "sapf-2"}.Dir()
	fmt.Println(filepath.ToSlash(dir), err)
	_, err = kernelspec.Place{Name: "../sapf"}.Dir()
	fmt.Println(err)
	// Output:
	// /opt/course/share/jupyter/kernels/sapf-2 <nil>
	// kernel name "../sapf": letters, digits, dots, dashes and underscores expected
}
