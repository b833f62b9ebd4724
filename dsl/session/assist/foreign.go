package assist

import "strings"

// The lines of a cell that are no Go: magics, and commands of the shell.

// withFiles are the magics whose arguments are files or folders.
var withFiles = map[string]bool{"%cd": true, "%%writefile": true, "%extend": true}

// completeForeign completes the word of a magic, and the files that it or a
// command of the shell is given.
func (k Known) completeForeign(code string, cursor int) (Completion, bool) {
	start := strings.LastIndexByte(code[:cursor], '\n') + 1
	start += len(code[start:cursor]) - len(strings.TrimLeft(code[start:cursor], " \t"))
	line := code[start:cursor]
	word, rest, spaced := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(line, "%") && !spaced && leads(code[:start]):
		var all []candidate
		for _, name := range k.Magics {
			all = append(all, candidate{name, "magic"})
		}
		return match(all, line, start, cursor), true
	case withFiles[word] && leads(code[:start]):
	case strings.HasPrefix(line, "!") && !strings.HasPrefix(line, "!=") && (spaced || rest != ""):
	default:
		return Completion{}, false
	}
	from := strings.LastIndexAny(code[:cursor], " \t\"'=<>|&;") + 1
	return match(files(code[from:cursor]), code[from:cursor], from, cursor), true
}

// leads tells whether nothing but magics stands in code.
func leads(code string) bool {
	for _, line := range strings.Split(code, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "%") {
			return false
		}
	}
	return true
}

// withoutMagics blanks the words of magics, behind which there may be Go.
func withoutMagics(code string) string {
	at := 0
	for _, line := range strings.SplitAfter(code, "\n") {
		trimmed := strings.TrimLeft(line, " \t")
		if word, _, _ := strings.Cut(strings.TrimRight(trimmed, "\n"), " "); strings.HasPrefix(word, "%") {
			from := at + len(line) - len(trimmed)
			code = code[:from] + strings.Repeat(" ", len(word)) + code[from+len(word):]
		} else if trimmed != "" && trimmed != "\n" {
			break
		}
		at += len(line)
	}
	return code
}
