// Package nearest finds the name that a misspelt one was meant to be.
package nearest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// beginning is how many letters of a name are enough to know it by.
const beginning = 3

// Of returns the candidate with the fewest edits (Levenshtein's distance, upper
// and lower case alike) from name, the first of equal ones, or "" if there are
// no candidates. Candidates that begin with the name, of three letters or more,
// go before all others.
func Of(name string, candidates []string) string {
	var begin []string
	for _, c := range candidates {
		if len(name) >= beginning && strings.HasPrefix(strings.ToLower(c), strings.ToLower(name)) {
			begin = append(begin, c)
		}
	}
	if len(begin) > 0 {
		candidates = begin
	}
	best, _ := of(name, candidates)
	return best
}

// Within is Of where that takes up to most edits, else "".
func Within(most int, name string, candidates []string) string {
	best, edits := of(name, candidates)
	if edits > most {
		return ""
	}
	return best
}

// DidYouMean is ", did you mean X?" where a candidate is within two edits, else
// "".
func DidYouMean(name string, candidates []string) string {
	best := Within(2, name, candidates)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", best)
}

func of(name string, candidates []string) (best string, edits int) {
	name = strings.ToLower(name)
	for i, c := range candidates {
		if d := levenshtein.ComputeDistance(name, strings.ToLower(c)); i == 0 || d < edits {
			best, edits = c, d
		}
	}
	return best, edits
}
