package metric

// Row is one attack on one image and target: a row of the raw table from
// which every other table is made.
type Row struct {
	// Method is the row of the table: an attack's name, with its preset where
	// there are several.
	Method string
	// Image names the image.
	Image string
	PerTarget
	// LeftOut says why the case does not count ("the image is misclassified"),
	// or is "".
	LeftOut string
	// Forwards and Gradients are passes, Seconds the time taken.
	Forwards, Gradients int
	Seconds             float64
}

// Table1 is Table 1 of the paper: success rate and mean norms in the best, the
// average and the worst case over the targets of an image, one row a method,
// with the paper's numbers beside ours where they are known.
type Table1 struct {
	// Dataset is "cifar10" or "imagenet", and chooses the paper's numbers.
	Dataset string
	// Selection says how a case is chosen: a norm, or "per norm".
	Selection string
	// Ratios adds a line of ours/paper under each method that the paper has.
	Ratios bool
	// Images and Cases count what the rows are over, LeftOut what does not
	// count and why, each reason once.
	Images, Cases int
	LeftOut       map[string]int
	Rows          []Table1Row
}

// Table1Row is one method. Success rates are fractions; the norms of a case are
// means over its successes.
type Table1Row struct {
	Method string
	BestToWorst
	// Pixels is the mean l0 in pixels over all successes.
	Pixels float64
	// Passes (forward and backward) and Seconds are means over all cases.
	Passes, Seconds float64
	// Cases counted, and successes among them.
	Counted, Succeeded int
}

// PerNorm as a selection gives every norm its own best and worst target.
const PerNorm Norm = "per norm"

// NewTable1 makes the table from raw results. Methods come in the order in
// which they first appear. by is the norm that chooses the best and the worst
// target of an image, PerNorm for each norm's own. A case with LeftOut set
// counts nowhere but in the caption.
func NewTable1(dataset string, by Norm, results []Row) Table1 {
	t := Table1{Dataset: dataset, Selection: string(by), LeftOut: map[string]int{}}
	var methods, images []string
	seen, known := map[[2]any]bool{}, map[[2]string]bool{}
	of := map[[2]string][]Row{} // the rows of a method and an image, in order
	for _, r := range results {
		if r.LeftOut != "" {
			t.LeftOut[r.LeftOut]++
			continue
		}
		if key := [2]string{"method", r.Method}; !known[key] {
			known[key] = true
			methods = append(methods, r.Method)
		}
		if key := [2]string{"image", r.Image}; !known[key] {
			known[key] = true
			images = append(images, r.Image)
		}
		if key := [2]any{r.Image, r.Target}; !seen[key] {
			seen[key] = true
			t.Cases++
		}
		key := [2]string{r.Method, r.Image}
		of[key] = append(of[key], r)
	}
	t.Images = len(images)
	for _, m := range methods {
		t.Rows = append(t.Rows, tableRow(m, by, images, of))
	}
	return t
}

func tableRow(method string, by Norm, images []string, of map[[2]string][]Row) Table1Row {
	row := Table1Row{Method: method}
	var best, worst, average mean
	perImage := 0
	for _, image := range images {
		var targets []PerTarget
		for _, r := range of[[2]string{method, image}] {
			targets = append(targets, r.PerTarget)
			row.Counted++
			row.Passes += float64(r.Forwards + r.Gradients)
			row.Seconds += r.Seconds
			if r.Success {
				row.Succeeded++
				row.Pixels += float64(r.L0Pixels)
				average.add(CaseNorms{1, float64(r.L0), r.L1, r.L2, r.Linf})
			}
		}
		if len(targets) == 0 {
			continue
		}
		perImage++
		var c BestToWorst
		if by == PerNorm {
			c = BestToWorstPerNorm(targets)
		} else {
			c = BestToWorstBy(by, targets)
		}
		best.successes += c.Best.Success
		worst.successes += c.Worst.Success
		if c.Average.Success > 0 {
			best.add(c.Best)
			worst.add(c.Worst)
		}
	}
	row.Best, row.Worst, row.Average = best.of(), worst.of(), average.of()
	if perImage > 0 {
		row.Best.Success = best.successes / float64(perImage)
		row.Worst.Success = worst.successes / float64(perImage)
		row.Average.Success = float64(row.Succeeded) / float64(row.Counted)
		row.Passes /= float64(row.Counted)
		row.Seconds /= float64(row.Counted)
	}
	if row.Succeeded > 0 {
		row.Pixels /= float64(row.Succeeded)
	}
	return row
}

// mean adds up cases.
type mean struct {
	n         int
	sum       CaseNorms
	successes float64
}

func (m *mean) add(c CaseNorms) {
	m.n++
	m.sum.L0 += c.L0
	m.sum.L1 += c.L1
	m.sum.L2 += c.L2
	m.sum.Linf += c.Linf
}

func (m *mean) of() CaseNorms {
	if m.n == 0 {
		return CaseNorms{}
	}
	n := float64(m.n)
	return CaseNorms{0, m.sum.L0 / n, m.sum.L1 / n, m.sum.L2 / n, m.sum.Linf / n}
}
