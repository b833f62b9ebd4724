package universe

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// preferred is the order of packages of one name, where it is not that of the
// standard library before others and of the alphabet.
var preferred = []string{"math/rand/v2", "math/rand", "text/template", "text/scanner", "image/draw"}

// byName are the import paths of the packages of each name, the likeliest first.
func (u *Universe) byName() map[string][]string {
	if u.names != nil {
		return u.names
	}
	u.names = map[string][]string{}
	for _, path := range u.Paths() {
		name := u.Tables[path].name
		if name == "" {
			name = path[strings.LastIndexByte(path, '/')+1:]
		}
		u.names[name] = append(u.names[name], path)
	}
	rank := func(path string) int {
		if i := slices.Index(preferred, path); i >= 0 {
			return i
		}
		first, _, _ := strings.Cut(path, "/")
		if strings.Contains(first, ".") || first == "sapf" {
			return len(preferred) + 1
		}
		return len(preferred)
	}
	for _, paths := range u.names {
		slices.SortStableFunc(paths, func(a, b string) int { return rank(a) - rank(b) })
	}
	return u.names
}

// Names are the names of all packages, sorted.
func (u *Universe) Names() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Sorted(maps.Keys(u.byName()))
}

// PackageFor is the package that a cell means by a name that nothing else has:
// the likeliest that has all the members, or else one of the standard library
// whose path is the name, so that the error is about the member. It is nil if
// there is none.
func (u *Universe) PackageFor(name string, members map[string]bool) *types.Package {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, path := range u.byName()[name] {
		if pkg, err := u.load(path); err == nil && HasAll(pkg, members) {
			return pkg
		}
	}
	if _, standard := u.Tables[name]; standard {
		if pkg, err := u.load(name); err == nil {
			return pkg
		}
	}
	return nil
}

// missing is the error of a package that is not there.
func (u *Universe) missing(path string) error {
	hint := DidYouMean(path, u.Paths())
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !strings.HasPrefix(first, ".") {
		return fmt.Errorf("package %s is not compiled in%s: run %%extend %s", path, hint, path)
	}
	return fmt.Errorf("package %s is not one that cells can import%s", path, hint)
}

// HasAll tells whether a package exports all the members.
func HasAll(pkg *types.Package, members map[string]bool) bool {
	for m := range members {
		if !token.IsExported(m) || pkg.Scope().Lookup(m) == nil {
			return false
		}
	}
	return true
}
