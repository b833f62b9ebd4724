package extend

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/traefik/yaegi/stdlib"
	"golang.org/x/mod/module"
)

// Part is one thing to compile in: a package with those below it.
type Part struct {
	// Path is an import path, with the version or branch after an @ in Version;
	// "" means that which this program has, or else the latest.
	Path    string `json:"path,omitempty"`
	Version string `json:"version,omitempty"`
	// Dir is a folder on this machine instead.
	Dir string `json:"dir,omitempty"`
}

// String is the part as it's asked for.
func (p Part) String() string {
	switch {
	case p.Dir != "":
		return p.Dir
	case p.Version != "":
		return p.Path + "@" + p.Version
	}
	return p.Path
}

// name is what parts are told apart by: of two with one name the later counts.
func (p Part) name() string { return p.Path + "\x00" + p.Dir }

// moves tells whether the version is a name, like latest, whose meaning changes.
func (p Part) moves() bool {
	return p.Version != "" && (module.CanonicalVersion(p.Version) != p.Version || p.Version == "")
}

// ParsePart reads PATH, PATH@VERSION or a folder, which begins with ./ or ../ (or
// is absolute) and is relative to from.
func ParsePart(text, from string) (Part, error) {
	if local(text) {
		dir := text
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(from, dir)
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			return Part{}, err
		}
		info, err := os.Stat(dir)
		if err != nil {
			return Part{}, fmt.Errorf("folder %s: %w", text, err)
		}
		if !info.IsDir() {
			return Part{}, fmt.Errorf("%s is a file, expected the folder of a package", text)
		}
		return Part{Dir: dir}, nil
	}
	p := Part{Path: text}
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		p.Path, p.Version = text[:at], text[at+1:]
		if p.Version == "" {
			return Part{}, fmt.Errorf("%s: no version behind @", text)
		}
	}
	first, _, _ := strings.Cut(p.Path, "/")
	if strings.HasPrefix(p.Path, "-") || strings.HasPrefix(p.Version, "-") {
		return Part{}, fmt.Errorf("%s is no import path", text)
	}
	if !strings.Contains(first, ".") {
		if info, err := os.Stat(filepath.Join(from, p.Path)); err == nil && info.IsDir() {
			return Part{}, fmt.Errorf("%s is no import path; write ./%s for the folder", text, text)
		}
		if standard(p.Path) {
			return Part{}, fmt.Errorf("%s is of the standard library, which needs no extension", text)
		}
	}
	if err := module.CheckImportPath(p.Path); err != nil {
		return Part{}, err
	}
	if !strings.Contains(first, ".") {
		return Part{}, fmt.Errorf("%s can't be fetched: an import path begins with a host's name, a folder with ./", text)
	}
	return p, nil
}

// ParseParts reads some.
func ParseParts(texts []string, from string) ([]Part, error) {
	var parts []Part
	for _, text := range texts {
		p, err := ParsePart(text, from)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func local(text string) bool {
	return text == "." || text == ".." || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") ||
		strings.HasPrefix(text, `.\`) || filepath.IsAbs(text)
}

// standard tells whether the standard library has a package.
func standard(at string) bool {
	return stdlib.Symbols[at+"/"+path.Base(at)] != nil || at == "C" || at == "unsafe"
}

// Merge is a set with more in it, in an order that does not depend on that in
// which they came.
func Merge(have, more []Part) []Part {
	out := slices.Clone(have)
	for _, p := range more {
		out = slices.DeleteFunc(out, func(q Part) bool { return q.name() == p.name() })
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Part) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// ErrNoSource is the error of a program that does not carry its sources.
var ErrNoSource = errors.New("this program does not have its sources in it: name a checkout of them with --source DIR or SAPF_SOURCE")
