package sapf

import (
	"math"
	"testing"
)

func TestSearchFollowsTheReference(t *testing.T) {
	all := func(outcome string) []float64 {
		s := Reference()
		h := newSearch(s)
		var tried []float64
		for !h.Finished {
			tried = append(tried, h.Lambda1)
			h.Next(outcome[min(len(tried), len(outcome))-1] == 'S', s)
		}
		return tried
	}
	for outcome, want := range map[string][]float64{
		"F":      {1e-3, 1e-2, 1e-1, 1, 10, 100},
		"S":      {1e-3, 5e-4, 2.5e-4, 1.25e-4, 6.25e-5, 3.125e-5},
		"FFSFSF": {1e-3, 1e-2, 0.1, 0.055, 0.0775, 0.06625},
	} {
		got := all(outcome)
		if len(got) != len(want) {
			t.Errorf("%s: tried %v, want %v", outcome, got, want)
			continue
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12*want[i] {
				t.Errorf("%s: tried %v, want %v", outcome, got, want)
				break
			}
		}
	}
	s := Reference()
	s.StopAtFirstSuccess = true
	h := newSearch(s)
	h.Next(false, s)
	if h.Next(true, s); !h.Finished || h.Trials != 2 {
		t.Errorf("stop_at_first_success: %+v", h)
	}
	s = Reference()
	s.SearchRounds = 20
	h = newSearch(s)
	for !h.Finished {
		h.Next(true, s)
	}
	if h.Trials != 8 || h.Lambda1 >= 1e-5 { // 1e-3/2^7 is the first below 0.01 of it
		t.Errorf("search of successes ended after %d rounds at %g, want 8 rounds, below 1e-5", h.Trials, h.Lambda1)
	}
}
