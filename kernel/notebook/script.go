package notebook

import (
	"regexp"
	"strings"
)

// FromScript turns Go source into a notebook. Lines that begin with `// %%`
// part it into cells, `// %% [markdown]` ones of commented text, as editors and
// jupytext write them; without such lines the script is one cell. A package
// clause is blanked, which keeps the lines' numbers.
func FromScript(source string) *Notebook {
	n := &Notebook{Metadata: map[string]any{}}
	source = strings.ReplaceAll(source, "\r\n", "\n")
	if strings.HasPrefix(source, "#!") { // so that a script can be executable
		source = "//" + source[2:]
	}
	source = blankPackage(source)
	cell := Cell{Type: Code}
	var body []string
	end := func(first bool) {
		text := strings.Join(body, "\n")
		if cell.Type == Markdown {
			text = uncomment(body)
		}
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			cell.Source, cell.Metadata = strings.Trim(text, "\n"), map[string]any{}
			if first && cell.Type == Code {
				cell.Source = strings.TrimRight(text, "\n") // line numbers are the file's
			}
			cell.ID = freeID(len(n.Cells), nil)
			n.Cells = append(n.Cells, cell)
		}
		body = nil
	}
	first := true
	for _, line := range strings.Split(source, "\n") {
		if m := marker.FindStringSubmatch(line); m != nil {
			end(first)
			first = false
			cell = Cell{Type: Code}
			if m[1] != "" {
				cell.Type = Markdown
			}
			continue
		}
		body = append(body, line)
	}
	end(first)
	return n
}

var (
	marker  = regexp.MustCompile(`^//\s*%%(?:.*(\[(?:markdown|md)\]))?`)
	clause  = regexp.MustCompile(`(?m)^package\s+\w+[ \t]*;?`)
	comment = regexp.MustCompile(`^// ?`)
)

func blankPackage(source string) string {
	at := clause.FindStringIndex(source)
	if at == nil {
		return source
	}
	// Only comments may stand before the clause; elsewhere the word is text.
	for _, line := range strings.Split(source[:at[0]], "\n") {
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "//") {
			return source
		}
	}
	return source[:at[0]] + strings.Repeat(" ", at[1]-at[0]) + source[at[1]:]
}

func uncomment(body []string) string {
	lines := make([]string, len(body))
	for i, l := range body {
		lines[i] = comment.ReplaceAllString(l, "")
	}
	return strings.Join(lines, "\n")
}
