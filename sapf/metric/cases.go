package metric

import "sapf/sapf/attack"

// PerTarget is one target of an image: whether an attack reached it, and with
// which norms.
type PerTarget struct {
	Target  int
	Success bool
	attack.Norms
}

// Norm names a norm by which the easiest and the hardest target are chosen.
type Norm string

// The norms of a table.
const (
	L0   Norm = "l0"
	L1   Norm = "l1"
	L2   Norm = "l2"
	Linf Norm = "linf"
)

// Of returns the norm's value.
func (n Norm) Of(v attack.Norms) float64 {
	switch n {
	case L0:
		return float64(v.L0)
	case L1:
		return v.L1
	case Linf:
		return v.Linf
	}
	return v.L2
}

// BestToWorst are the best, the average and the worst case over the targets of
// one image.
type BestToWorst struct{ Best, Average, Worst CaseNorms }

// CaseNorms is one of them. Success is 1 or 0, for the average the fraction of
// targets. The norms are means over the successful targets that the case
// takes; without a success they are 0 and mean nothing.
type CaseNorms struct {
	Success          float64
	L0, L1, L2, Linf float64
}

// BestToWorstBy returns the cases of one image as Carlini and Wagner (S&P 2017)
// define them: the best case succeeds if any target does, and is the
// successful target of smallest norm; the worst succeeds if all do, and is the
// successful target of largest norm; the average is the mean over the
// successful targets. Of equal norms the first target counts.
func BestToWorstBy(by Norm, targets []PerTarget) BestToWorst {
	var c BestToWorst
	var best, worst *PerTarget
	n := 0
	for i := range targets {
		o := &targets[i]
		if !o.Success {
			continue
		}
		n++
		c.Average.L0 += float64(o.L0)
		c.Average.L1 += o.L1
		c.Average.L2 += o.L2
		c.Average.Linf += o.Linf
		if best == nil || by.Of(o.Norms) < by.Of(best.Norms) {
			best = o
		}
		if worst == nil || by.Of(o.Norms) > by.Of(worst.Norms) {
			worst = o
		}
	}
	if n == 0 {
		return c
	}
	for _, v := range []*float64{&c.Average.L0, &c.Average.L1, &c.Average.L2, &c.Average.Linf} {
		*v /= float64(n)
	}
	c.Average.Success = float64(n) / float64(len(targets))
	c.Best, c.Worst = normsOf(best), normsOf(worst)
	if n < len(targets) {
		c.Worst.Success = 0
	}
	return c
}

func normsOf(o *PerTarget) CaseNorms {
	return CaseNorms{Success: 1, L0: float64(o.L0), L1: o.L1, L2: o.L2, Linf: o.Linf}
}

// BestToWorstPerNorm returns the cases with each norm's own extreme, as the
// script of StrAttack takes them: the targets behind two norms of one case may
// differ.
func BestToWorstPerNorm(targets []PerTarget) BestToWorst {
	c := BestToWorstBy(L2, targets)
	l0, l1, linf := BestToWorstBy(L0, targets), BestToWorstBy(L1, targets), BestToWorstBy(Linf, targets)
	c.Best.L0, c.Best.L1, c.Best.Linf = l0.Best.L0, l1.Best.L1, linf.Best.Linf
	c.Worst.L0, c.Worst.L1, c.Worst.Linf = l0.Worst.L0, l1.Worst.L1, linf.Worst.Linf
	return c
}
