package command

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sapf/kernel/exit"
)

// readParquet opens a file with pandas and with DuckDB, and prints each one's
// types of columns and rows as JSON.
const readParquet = `
import json, sys
import duckdb, pandas
file = sys.argv[1]
frame = pandas.read_parquet(file)
table = duckdb.read_parquet(file)
print(json.dumps({
    "pandas": {"types": {c: str(t) for c, t in frame.dtypes.items()},
               "rows": [{c: None if pandas.isna(v) else getattr(v, "item", lambda: v)() for c, v in row.items()}
                        for row in frame.to_dict(orient="records")]},
    "duckdb": {"types": dict(zip(table.columns, map(str, table.types))),
               "rows": [dict(zip(table.columns, row)) for row in table.fetchall()]},
    "mean": duckdb.sql(f"select method, avg(l2), count(*) from '{file}' group by method order by method").fetchall(),
}))
`

// TestSweepParquetElsewhere: pandas and DuckDB read the file that a sweep writes,
// with the right types and the same values as JSON lines have.
func TestSweepParquetElsewhere(t *testing.T) {
	python := os.Getenv("SAPF_PANDAS")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pandas, duckdb, fastparquet").CombinedOutput(); err != nil {
		t.Skipf("no Python with pandas, fastparquet and duckdb (%s): %v %s", python, err, out)
	}
	dir := filepath.Join(t.TempDir(), "s")
	want(t, exit.Done, "sweep", "run", write(t, smallSweep), "-o", dir)
	file := filepath.Join(dir, "rows.parquet")
	want(t, exit.Done, "sweep", "table", dir, "--rows", "-f", "parquet", "-o", file)
	lines, _ := want(t, exit.Done, "sweep", "table", dir, "--rows", "-f", "jsonl")
	cmd := exec.Command(python, "-c", readParquet, file)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type reader struct {
		Types map[string]string
		Rows  []map[string]any
	}
	var got struct {
		Pandas, DuckDB reader
		Mean           [][]any
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, c := range []struct {
		column, pandas, duckdb string
	}{
		{"method", "str object", "VARCHAR"}, {"success", "bool boolean object", "BOOLEAN"}, {"l0", "int64 Int64 float64", "BIGINT"},
		{"l2", "float64", "DOUBLE"}, {"target", "int64 Int64 float64", "BIGINT"}, {"seconds", "float64", "DOUBLE"}, {"options", "str object", "VARCHAR"},
	} {
		if kind := got.Pandas.Types[c.column]; kind == "" || !strings.Contains(c.pandas, kind) {
			t.Errorf("pandas: column %s is %q, want one of %s", c.column, kind, c.pandas)
		}
		if kind := got.DuckDB.Types[c.column]; kind != c.duckdb {
			t.Errorf("DuckDB: column %s is %q, want %s", c.column, kind, c.duckdb)
		}
	}
	all := strings.Split(strings.TrimSpace(lines), "\n")
	if len(got.Pandas.Rows) != len(all) || len(got.DuckDB.Rows) != len(all) || len(got.Mean) != 3 && len(got.Mean) != 2 {
		t.Fatalf("%d and %d rows, want %d; %v", len(got.Pandas.Rows), len(got.DuckDB.Rows), len(all), got.Mean)
	}
	for i, line := range all {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		for _, column := range []string{"method", "success", "success_8bit", "target", "label", "l0", "l0_pixels", "l1", "l2", "linf", "image"} {
			if p, d := got.Pandas.Rows[i][column], got.DuckDB.Rows[i][column]; p != row[column] || d != row[column] {
				t.Errorf("row %d, %s: pandas %v, DuckDB %v, JSON %v", i, column, p, d, row[column])
			}
		}
	}
}
