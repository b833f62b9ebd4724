package metric

import "sapf/sapf/attack"

// Outcome is one target of an image: whether the attack succeeded and with
// which norms.
type Outcome struct {
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

// Cases are the best, the average and the worst case over the targets of one
// image.
type Cases struct{ Best, Average, Worst Case }

// Case is one of them. Success is 1 or 0, for the average the fraction of
// targets. The norms are means over the successful targets that the case
// takes; without a success they are 0 and mean nothing.
type Case struct {
	Success          float64
	L0, L1, L2, Linf float64
}

// CasesBy returns the cases of one image as Carlini and Wagner (S&P 2017)
// define them: the best case succeeds if any target does, and is the
// successful target of smallest norm; the worst succeeds if all do, and is the
// successful target of largest norm; the average is the mean over the
// successful targets. Of equal norms the first target counts.
func CasesBy(by Norm, outcomes []Outcome) Cases {
	var c Cases
	var best, worst *Outcome
	n := 0
	for i := range outcomes {
		o := &outcomes[i]
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
	c.Average.Success = float64(n) / float64(len(outcomes))
	c.Best, c.Worst = caseOf(best), caseOf(worst)
	if n < len(outcomes) {
		c.Worst.Success = 0
	}
	return c
}

func caseOf(o *Outcome) Case {
	return Case{Success: 1, L0: float64(o.L0), L1: o.L1, L2: o.L2, Linf: o.Linf}
}

// CasesPerNorm returns the cases with each norm's own extreme, as the script
// of StrAttack takes them: the targets behind two norms of one case may
// differ.
func CasesPerNorm(outcomes []Outcome) Cases {
	c := CasesBy(L2, outcomes)
	l0, l1, linf := CasesBy(L0, outcomes), CasesBy(L1, outcomes), CasesBy(Linf, outcomes)
	c.Best.L0, c.Best.L1, c.Best.Linf = l0.Best.L0, l1.Best.L1, linf.Best.Linf
	c.Worst.L0, c.Worst.L1, c.Worst.Linf = l0.Worst.L0, l1.Worst.L1, linf.Worst.Linf
	return c
}
