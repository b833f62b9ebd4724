package sapf

// Search is the search for lambda1 (section 4.1 of the paper; the bisection
// of Carlini and Wagner, with an upper bound of Max meaning "none yet").
type Search struct {
	// Lambda1 is the value to try now, Low and High the bounds.
	Lambda1, Low, High float64
	// Trials counts the runs done.
	Trials int
	// Finished says that there is nothing left to try.
	Finished bool
}

// newSearch starts at the first lambda1 of the settings.
//
// Differs: the paper starts at 1e-3 for CIFAR-10 and 1e-2 for ImageNet, its
// program at 1e-3. Lambda1 (4).
func newSearch(s Settings) Search {
	return Search{Lambda1: s.Lambda1, High: s.Lambda1Max}
}

// Next takes the outcome of the run with Lambda1 and chooses the next value:
// after a success halfway down to the largest failure, after a failure halfway
// up to the smallest success, or Lambda1Growth times as much if there is none.
//
// Differs: the paper stops at the first success; its program runs all rounds,
// unless a success has lambda1 below 0.01 of the first value.
// StopAtFirstSuccess, SearchRounds, Lambda1Stop (3;
// TestSearchFollowsTheReference).
func (h *Search) Next(success bool, s Settings) {
	h.Trials++
	if h.Trials == s.SearchRounds || success && (s.StopAtFirstSuccess || h.Lambda1 < s.Lambda1Stop*s.Lambda1) {
		h.Finished = true
		return
	}
	if success {
		h.High = min(h.High, h.Lambda1)
	} else {
		h.Low = max(h.Low, h.Lambda1)
	}
	switch {
	case h.High < s.Lambda1Max:
		h.Lambda1 = (h.Low + h.High) / 2
	case !success:
		h.Lambda1 *= s.Lambda1Growth
	}
}
