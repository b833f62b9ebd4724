package dsl

import (
	"sapf/sapf/metric"
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
func MeasureAll(dir string, m *Model, cases ...Case) []metric.Row {
	var store sweep.Store
	if dir != "" {
		folder, err := sweep.OpenFolder(dir)
		if err != nil {
			fail("MeasureAll", err)
		}
		store = folder
	}
	var rows []metric.Row
	for _, o := range attackAll("MeasureAll", m, store, cases) {
		rows = append(rows, o.Row())
	}
	return rows
}
