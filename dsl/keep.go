package dsl

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"sapf/sapf"
	"sapf/sapf/metric"
	"sapf/sapf/option"
	"sapf/sapf/sweep"
)

// MeasureAll runs many attacks as AttackAll does and returns what was measured,
// a row each, in the order of the cases. Each measurement is kept in a file of
// the folder dir as soon as its batch is done, and a case whose file is there
// is not run again: a second call goes on where the first one stopped. The
// file's name is a digest of all that decides the result: the method with every
// option, the weights, the image, the goal, the numerics profile. With dir ""
// nothing is kept.
//
//	rows := MeasureAll("runs/table1", m, cases...)
//	Show(metric.NewTable1("cifar10", "l2", rows))
func MeasureAll(dir string, m *Model, cases ...Case) []metric.Measured {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			fail("MeasureAll", err)
		}
	}
	rows := make([]*metric.Measured, len(cases))
	files := make([]string, len(cases))
	var missing []Case
	var at []int
	for i, c := range cases {
		t, err := c.task(m)
		if err != nil {
			fail("MeasureAll", fmt.Errorf("case %d: %w", i, err))
		}
		if dir != "" {
			files[i] = filepath.Join(dir, keyOf(t)+".json")
			if rows[i], err = readMeasured(files[i]); err != nil {
				fail("MeasureAll", err)
			}
		}
		if rows[i] == nil {
			missing, at = append(missing, c), append(at, i)
		}
	}
	attackAll("MeasureAll", m, missing, len(cases)-len(missing), func(i int, o *Outcome) {
		row := measuredOf(o)
		rows[at[i]] = &row
		if dir != "" {
			if err := writeMeasured(files[at[i]], row); err != nil {
				fail("MeasureAll", err)
			}
		}
	})
	var out []metric.Measured
	for _, r := range rows {
		if r != nil {
			out = append(out, *r)
		}
	}
	return out
}

// measuredOf is an outcome as a row of a table. An image that the model gets
// wrong counts nowhere.
func measuredOf(o *Outcome) metric.Measured {
	row := metric.Measured{
		Method: o.Result.Method, Image: o.Image.Name,
		Outcome:  metric.Outcome{Target: o.Goal.Target, Success: o.Measured.Success, Norms: o.Measured.Norms},
		Forwards: o.Result.Forwards, Gradients: o.Result.Gradients, Seconds: o.Seconds,
	}
	if o.Image.Label >= 0 && o.Image.Label != o.Clean.Class {
		row.LeftOut = "the image is misclassified"
	}
	return row
}

// keyOf is the digest of all that decides a task's result.
func keyOf(t *sweep.Task) string {
	pixels := make([]byte, 0, 4*len(t.Image.Pix))
	for _, v := range t.Image.Pix {
		pixels = binary.LittleEndian.AppendUint32(pixels, math.Float32bits(v))
	}
	image := sha256.Sum256(pixels)
	text, err := json.Marshal(map[string]any{ // maps are written with their keys in order
		"schema": 1, "method": t.Attack.Name(), "options": valuesOf(t.Attack), "model": t.Model.Card().SHA256,
		"image": hex.EncodeToString(image[:]), "label": t.Goal.Label, "target": t.Goal.Target,
		"profile": t.Model.Profile().String(),
	})
	if err != nil {
		fail("MeasureAll", fmt.Errorf("options of %s: %w", t.Attack.Name(), err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// valuesOf are the options of an attack, every one resolved.
func valuesOf(a sapf.Attack) map[string]any {
	switch a := a.(type) {
	case sapf.Options:
		if s, err := a.Resolve(); err == nil {
			return s.Map()
		}
	case sapf.Matched:
		all := valuesOf(a.Options)
		if a.To != nil {
			all["to"] = a.To.Name()
			for name, value := range valuesOf(a.To) {
				all["to."+name] = value
			}
		}
		return all
	}
	return option.Values(a)
}

// readMeasured reads a kept row, or returns nil where there is none.
func readMeasured(file string) (*metric.Measured, error) {
	raw, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var row metric.Measured
	if err := json.Unmarshal(raw, &row); err != nil {
		return nil, fmt.Errorf("kept result %s: %w (remove the file to run that attack again)", file, err)
	}
	return &row, nil
}

// writeMeasured writes a row in full or not at all.
func writeMeasured(file string, row metric.Measured) error {
	raw, err := json.MarshalIndent(row, "", "  ")
	if err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".kept-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(raw, '\n'))
	if e := f.Sync(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(f.Name(), file)
}
