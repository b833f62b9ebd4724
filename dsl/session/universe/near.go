package universe

import (
	"fmt"
	"slices"

	"sapf/models/nearest"
)

// DidYouMean is a hint at the nearest of the known names, if one is near.
func DidYouMean(name string, known []string) string {
	most := 2
	switch {
	case len(name) < 3:
		return ""
	case len(name) < 5:
		most = 1
	}
	best := nearest.Within(most, name, slices.Sorted(slices.Values(known)))
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}
