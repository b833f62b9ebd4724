package command

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/posener/complete"
)

// A shell hands its line over as it was typed, with what is special to it
// escaped or in quotes; the library that answers takes every space for the end of
// a word. So escaped characters are hidden from it, in Unicode's private use
// area, and come back in the answers.

// hiding is where the hidden characters begin.
const hiding = 0xE000

// special are the characters that a shell reads as more than themselves.
const special = " \t\\'\"`$&|;<>()[]{}*?!#"

// hide hides the escaped and quoted characters of a line; quote is the quotation
// mark that its last word is still in, or 0.
func hide(line string) (hidden string, quote rune) {
	var b strings.Builder
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			b.WriteString(hidden1(r))
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case r == quote:
			quote = 0
		case quote != 0:
			b.WriteString(hidden1(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), quote
}

// hidden1 is a character, hidden if it is special.
func hidden1(r rune) string {
	if strings.ContainsRune(special, r) {
		r += hiding
	}
	return string(r)
}

// hidden are words with their special characters hidden.
func hidden(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		var b strings.Builder
		for _, r := range w {
			b.WriteString(hidden1(r))
		}
		out[i] = b.String()
	}
	return out
}

// shown is a word with its hidden characters as they are, each with before in
// front of it.
func shown(word, before string) string {
	var b strings.Builder
	for _, r := range word {
		if r >= hiding && r < hiding+128 {
			b.WriteString(before)
			r -= hiding
		}
		b.WriteRune(r)
	}
	return b.String()
}

// answers are the answers as the shell wants them: escaped, unless within
// quotation marks, and the only one, where nothing can follow it, with the space
// that ends a word.
func answers(lines string, quote rune) string {
	words := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	if lines == "" {
		return ""
	}
	before := "\\"
	if quote != 0 {
		before = ""
	}
	for i, w := range words {
		words[i] = shown(w, before)
	}
	if end := words[0]; len(words) == 1 && quote == 0 && !strings.HasSuffix(end, "/") && !strings.HasSuffix(end, "=") {
		words[0] += " "
	}
	return strings.Join(words, "\n") + "\n"
}

// files are the files and folders that the word being typed can become; those
// whose name begins with a point only if it does.
func files(line complete.Args) []string {
	dir, base := filepath.Split(shown(line.Last, ""))
	from := dir
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(dir, "~/") {
		from = filepath.Join(home, dir[2:])
	}
	if from == "" {
		from = "."
	}
	entries, _ := os.ReadDir(from) // no folder, no files
	var found []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(from, name)); err == nil && info.IsDir() {
			name += "/"
		}
		found = append(found, dir+name)
	}
	sort.Strings(found)
	return hidden(found)
}
