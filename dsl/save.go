package dsl

import (
	"fmt"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"sapf/models/atomicfile"
	"sapf/models/data"
	"sapf/models/format/npy"
	"sapf/sapf/figure"
	"sapf/sapf/sweep/table"
)

// tableFormats are the formats of tables by the endings of files.
var tableFormats = map[string]string{".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".md": "markdown", ".html": "html"}

// Save writes a value to a file, in the format that its name's ending says:
//
//	.csv .parquet .jsonl .md .html   a table: outcomes, a sweep, rows, NewTable, By
//	.npy                             images or adversarial images (N x C x H x W), a vector, float32 as they are
//	.png .svg                        an image, a figure
//
// An outcome with a name that ends otherwise is saved as a folder of that name:
// pictures, arrays and result.json.
//
//	rs := AttackAll(m, cases...)
//	Save("results.csv", rs)
//	Save("by-method.parquet", rs.By("method", "k"))
//	Save("adversarial.npy", rs)
//	Save("result", rs[0])
func Save(file string, v any) {
	saveAs("Save", file, strings.ToLower(filepath.Ext(file)), v)
}

// SaveCSV writes a table (see Save) as comma-separated values.
//
//	SaveCSV("results.csv", rs)
func SaveCSV(file string, v any) { saveAs("SaveCSV", file, ".csv", v) }

// SaveParquet writes a table (see Save) as a Parquet file, with typed columns.
func SaveParquet(file string, v any) { saveAs("SaveParquet", file, ".parquet", v) }

// SaveNPY writes images, the adversarial images of outcomes, or a vector as a
// NumPy array of float32 (see Save).
func SaveNPY(file string, v any) { saveAs("SaveNPY", file, ".npy", v) }

func saveAs(verb, file, ext string, v any) {
	err := save(file, ext, v)
	if err != nil && !strings.Contains(err.Error(), file) {
		err = fmt.Errorf("%s: %w", file, err)
	}
	if err != nil {
		fail(verb, err)
	}
}

func save(file, ext string, v any) error {
	write := func(content func(io.Writer) error) error { return atomicfile.Write(file, 0o644, content) }
	if format, ok := tableFormats[ext]; ok {
		t, ok := resultsOf(v)
		if !ok {
			return fmt.Errorf("a %T is no table, expected outcomes, a sweep, rows of MeasureAll or a table", v)
		}
		if ext == ".csv" || ext == ".parquet" || ext == ".jsonl" { // the numbers, not the layout for people
			t = &table.Table{Caption: t.Caption, Columns: t.Columns, Rows: t.Rows}
		}
		return write(func(w io.Writer) error { return t.Write(w, format) })
	}
	switch ext {
	case ".npy":
		if vec, ok := v.(Vec); ok {
			single := make([]float32, len(vec))
			for i, x := range vec {
				single[i] = float32(x)
			}
			return write(func(w io.Writer) error { return npy.Write(w, []int{len(vec)}, single) })
		}
		images, ok := imagesOf(v)
		if !ok {
			return fmt.Errorf("a %T has no images, expected an image, images, outcomes or a vector", v)
		}
		return write(func(w io.Writer) error { return data.SaveNPY(w, images...) })
	case ".png":
		if f, ok := v.(*figure.Figure); ok {
			raw, err := f.PNG()
			if err != nil {
				return err
			}
			return atomicfile.WriteFile(file, raw)
		}
		if images, ok := imagesOf(v); ok && len(images) == 1 {
			return write(func(w io.Writer) error { return png.Encode(w, images[0].Picture()) })
		}
		return fmt.Errorf("a %T is no picture, expected an image, an outcome or a figure", v)
	case ".svg":
		f, ok := v.(*figure.Figure)
		if !ok {
			return fmt.Errorf("a %T is no drawing, expected a figure", v)
		}
		text, err := f.SVG()
		if err == nil && text == "" {
			err = fmt.Errorf("the figure is pixels, expected a name that ends in .png")
		}
		if err != nil {
			return err
		}
		return atomicfile.WriteFile(file, []byte(text))
	}
	switch v := v.(type) {
	case *Outcome:
		return v.Outcome.Save(file)
	case Outcomes:
		for i, r := range v {
			if err := r.Outcome.Save(filepath.Join(file, fmt.Sprintf("%04d", i))); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("ending %q for a %T, expected one of .csv .parquet .jsonl .md .html .npy .png .svg", ext, v)
}

// imagesOf are the images of a value: its own, or the adversarial ones.
func imagesOf(v any) ([]Image, bool) {
	switch v := v.(type) {
	case Image:
		return []Image{v}, true
	case []Image:
		return v, true
	case *Outcome:
		return []Image{v.Adversarial()}, true
	case Outcomes:
		out := make([]Image, len(v))
		for i, r := range v {
			out[i] = r.Adversarial()
		}
		return out, true
	}
	return nil, false
}
