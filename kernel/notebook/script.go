package notebook

import (
	"regexp"
	"strings"
)

// FromScript turns Go source into a notebook. Lines that begin with `// %%`
// part it into cells, `// %% [markdown]` ones of commented text, as editors and
// jupytext write them; without such lines the script is one cell.
func FromScript(source string) *Notebook {
	n := &Notebook{Metadata: map[string]any{}}
	source = strings.ReplaceAll(source, "\r\n", "\n")
	if strings.HasPrefix(source, "#!") { // so that a script can be executable
		source = "//" + source[2:]
	}
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
	comment = regexp.MustCompile(`^// ?`)
)

func uncomment(body []string) string {
	lines := make([]string, len(body))
	for i, l := range body {
		lines[i] = comment.ReplaceAllString(l, "")
	}
	return strings.Join(lines, "\n")
}
