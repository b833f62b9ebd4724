package kernel

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync"
)

// maxHistory is how many cells are remembered.
const maxHistory = 10000

// past is one cell that ran with store_history.
type past struct {
	Line          int
	Input, Output string
}

// history is the cells of this session, which is session 0; it has no others.
type history struct {
	mu    sync.Mutex
	cells []past
}

func (h *history) add(line int, input string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.cells) == maxHistory {
		h.cells = append(h.cells[:0], h.cells[1:]...)
	}
	h.cells = append(h.cells, past{Line: line, Input: input})
}

// setOutput keeps the text form of a cell's value.
func (h *history) setOutput(line int, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.cells) - 1; i >= 0; i-- {
		if h.cells[i].Line == line {
			h.cells[i].Output = text
			return
		}
	}
}

// answer is the content of history_reply.
func (h *history) answer(raw json.RawMessage) content {
	var q struct {
		Access  string `json:"hist_access_type"`
		Output  bool   `json:"output"`
		Raw     bool   `json:"raw"`
		Session int    `json:"session"`
		Start   int    `json:"start"`
		Stop    *int   `json:"stop"`
		N       *int   `json:"n"`
		Pattern string `json:"pattern"`
		Unique  bool   `json:"unique"`
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return failure("MessageError", "history_request: "+err.Error())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []past
	switch q.Access {
	case "range": // of session 0, or of one so many back, which are not kept
		for _, c := range h.cells {
			if q.Session == 0 && c.Line >= q.Start && (q.Stop == nil || c.Line < *q.Stop) {
				found = append(found, c)
			}
		}
	case "tail", "":
		found = h.cells
	case "search":
		pattern := q.Pattern
		if pattern == "" {
			pattern = "*"
		}
		last := map[string]int{}
		for i, c := range h.cells {
			last[c.Input] = i
		}
		for i, c := range h.cells {
			if globs(pattern, c.Input) && (!q.Unique || last[c.Input] == i) {
				found = append(found, c)
			}
		}
	default:
		return failure("MessageError", fmt.Sprintf("hist_access_type: range, tail or search expected, got %.40q", q.Access))
	}
	if q.Access != "range" && q.N != nil && *q.N >= 0 && *q.N < len(found) {
		found = found[len(found)-*q.N:]
	}
	items := make([]any, len(found))
	for i, c := range found {
		items[i] = []any{0, c.Line, c.Input}
		if q.Output {
			output := any(c.Output)
			if c.Output == "" {
				output = nil
			}
			items[i] = []any{0, c.Line, []any{c.Input, output}}
		}
	}
	return content{"status": "ok", "history": items}
}

// globs matches text with * and ?, as SQLite's GLOB does for IPython: both also
// match slashes and newlines, which path.Match stops at.
func globs(pattern, text string) bool {
	flat := strings.NewReplacer("/", "\x00", "\\", "\x01")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(text))
	return ok && err == nil
}
