package metric

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// paperTable1 holds the figures of Table 1 of Fan et al. (ECCV 2020) as printed:
// a line for each database, method and case, success rates in per cent, l0 in
// entries, the other norms in pixel units.
//
//go:embed paper_table1.csv
var paperTable1 string

// printed is a case of the paper's table as it is printed: ASR, l0, l1, l2, linf.
type printed [5]string

// paperRows are the paper's cases by data set ("cifar10", "imagenet") and method:
// best, average and worst.
var paperRows = sync.OnceValue(func() map[string]map[string][3]printed {
	rows := map[string]map[string][3]printed{"cifar10": {}, "imagenet": {}}
	lines, err := csv.NewReader(strings.NewReader(paperTable1)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("metric: the paper's table: %v", err)) // it is embedded
	}
	dataset := map[string]string{"CIFAR-10": "cifar10", "ImageNet": "imagenet"}
	place := map[string]int{"best": 0, "average": 1, "worst": 2}
	for _, line := range lines[1:] { // database, printed name, name here, case, figures
		of := rows[dataset[line[0]]]
		cases := of[line[2]]
		copy(cases[place[line[3]]][:], line[4:])
		of[line[2]] = cases
	}
	return rows
})

// PaperTable1 returns what Table 1 of the paper prints for a method of the
// registry on "cifar10" or "imagenet", and whether it has the method. Success
// rates are fractions.
func PaperTable1(dataset, method string) (BestToWorst, bool) {
	rows, ok := paperRows()[dataset][method]
	if !ok {
		return BestToWorst{}, false
	}
	return BestToWorst{Best: rows[0].values(), Average: rows[1].values(), Worst: rows[2].values()}, true
}

// values are the printed figures as numbers.
func (p printed) values() CaseNorms {
	var v [5]float64
	for i, text := range p {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(fmt.Sprintf("metric: the paper's table: %v", err)) // it is embedded
		}
		v[i] = x
	}
	return CaseNorms{Success: v[0] / 100, L0: v[1], L1: v[2], L2: v[3], Linf: v[4]}
}

// over is each figure of c as a multiple of the paper's; 0 where there is none.
func (c CaseNorms) over(paper CaseNorms) CaseNorms {
	ratio := func(a, b float64) float64 {
		if b == 0 {
			return 0
		}
		return a / b
	}
	return CaseNorms{
		ratio(c.Success, paper.Success), ratio(c.L0, paper.L0), ratio(c.L1, paper.L1),
		ratio(c.L2, paper.L2), ratio(c.Linf, paper.Linf),
	}
}

// list are the figures in the order of the table's columns.
func (c CaseNorms) list() [5]float64 { return [5]float64{c.Success, c.L0, c.L1, c.L2, c.Linf} }
