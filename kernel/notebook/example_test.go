package notebook_test

import (
	"fmt"
	"log"

	"sapf/kernel/notebook"
)

// A script in the form that editors and jupytext write becomes a notebook.
func ExampleFromScript() {
	n := notebook.FromScript("// %% [markdown]\n// # A study\n// %%\nk := 200\n// %%\nk * 2\n")
	for _, c := range n.Cells {
		fmt.Printf("%s: %q\n", c.Type, c.Source)
	}
	// Output:
	// markdown: "# A study"
	// code: "k := 200"
	// code: "k * 2"
}

// Parameters are the variables of the cell tagged "parameters". Values are
// checked against the defaults' types, and set by a cell behind that one.
func ExampleNotebook_Inject() {
	n := &notebook.Notebook{Metadata: map[string]any{}, Cells: []notebook.Cell{{
		ID: "a", Type: notebook.Code, Source: "k := 200\npicture := \"cat\"",
		Metadata: map[string]any{"tags": []any{"parameters"}},
	}}}
	parameters, err := n.Parameters()
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range parameters {
		fmt.Println(p.Name, "is", p.Default)
	}
	fmt.Println(n.Inject(map[string]string{"k": "many"}))
	if err := n.Inject(map[string]string{"picture": "a \"big\" dog"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.Cells[1].Source)
	// Output:
	// k is 200
	// picture is "cat"
	// parameter k: whole number expected (the default is 200), got "many"
	// // Parameters of this run
	// picture = "a \"big\" dog"
}
