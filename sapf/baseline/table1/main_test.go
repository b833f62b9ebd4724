package main

import (
	"os"
	"strings"
	"testing"

	"sapf/sapf/metric"
)

// TestTablesOfTheReadme: the stored rows are read, and make the tables that the
// README prints.
func TestTablesOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, rows := range map[string]int{"cifar10-short.jsonl": 17 * 90, "cifar10-case.jsonl": 9} {
		results, err := read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != rows {
			t.Errorf("%s: %d rows, expected %d", path, len(results), rows)
		}
		table := metric.NewTable1("cifar10", metric.L2, ordered(results)).String()
		for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
			if !strings.Contains(string(readme), strings.TrimRight(line, " ")) {
				t.Errorf("%s: the README has no line\n%s", path, line)
			}
		}
	}
}
