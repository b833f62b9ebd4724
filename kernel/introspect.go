package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"sapf/kernel/kernelspec"
	"sapf/kernel/message"
	"sapf/sapf/sweep"
)

// kernelInfo is the content of kernel_info_reply.
func kernelInfo() content {
	return content{
		"status":                 "ok",
		"protocol_version":       message.Version,
		"implementation":         "sapf",
		"implementation_version": sweep.Program(),
		"language_info":          kernelspec.LanguageInfo(),
		"banner":                 "sapf: sparse adversarial attacks by perturbation factorization, in Go " + kernelspec.GoVersion() + " cells",
		"debugger":               false,
		"supported_features":     []string{},
		"help_links": []content{
			{"text": "SAPF (Fan et al., ECCV 2020)", "url": "https://www.ecva.net/papers/eccv_2020/papers_ECCV/papers/123670035.pdf"},
			{"text": "The Go language", "url": "https://go.dev/ref/spec"},
		},
	}
}

// question is the content of complete_request, inspect_request and
// is_complete_request.
type question struct {
	Code   *string `json:"code"`
	Cursor *int    `json:"cursor_pos"` // in Unicode characters
	Detail int     `json:"detail_level"`
}

// parseQuestion reads a question and turns its cursor into a byte offset. No
// cursor means the end.
func parseQuestion(r request) (q question, cursor int, err error) {
	if err := json.Unmarshal(r.Content, &q); err != nil {
		return q, 0, fmt.Errorf("%s: %w", r.Header.Type, err)
	}
	if q.Code == nil {
		return q, 0, fmt.Errorf("%s lacks code", r.Header.Type)
	}
	if len(*q.Code) > maxCell {
		return q, 0, fmt.Errorf("code: at most %d bytes, got %d", maxCell, len(*q.Code))
	}
	if q.Cursor == nil {
		return q, len(*q.Code), nil
	}
	return q, byteOffset(*q.Code, *q.Cursor), nil
}

// byteOffset is where the n-th character of s begins. Beyond the ends is at them.
func byteOffset(s string, n int) int {
	for i := range s {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(s)
}

// characters is how many characters are before a byte offset.
func characters(s string, offset int) int {
	return utf8.RuneCountInString(s[:max(0, min(offset, len(s)))])
}

func (k *kernel) complete(ctx context.Context, r request) content {
	q, cursor, err := parseQuestion(r)
	if err != nil {
		return failure("MessageError", err.Error())
	}
	c, err := k.worker.Complete(ctx, *q.Code, cursor)
	if err != nil {
		return failure("CompletionError", err.Error())
	}
	start, end := characters(*q.Code, c.Start), characters(*q.Code, c.End)
	matches := append([]string{}, c.Matches...)
	reply := content{"status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end, "metadata": content{}}
	if len(c.Kinds) == len(matches) {
		// The name under which JupyterLab and VS Code look for kinds.
		kinds := make([]content, len(matches))
		for i, m := range matches {
			kinds[i] = content{"text": m, "type": c.Kinds[i], "start": start, "end": end}
		}
		reply["metadata"] = content{"_jupyter_types_experimental": kinds}
	}
	return reply
}

func (k *kernel) inspect(ctx context.Context, r request) content {
	q, cursor, err := parseQuestion(r)
	if err != nil {
		return failure("MessageError", err.Error())
	}
	raw, err := k.worker.Inspect(ctx, *q.Code, cursor, q.Detail)
	if err != nil {
		return failure("InspectionError", err.Error())
	}
	reply := content{"status": "ok", "found": raw != nil, "data": content{}, "metadata": content{}}
	if raw != nil {
		var bundle struct{ Data, Metadata json.RawMessage }
		if err := json.Unmarshal(raw, &bundle); err != nil {
			return failure("InspectionError", err.Error())
		}
		reply["data"], reply["metadata"] = bundle.Data, bundle.Metadata
	}
	return reply
}

func (k *kernel) isComplete(ctx context.Context, r request) content {
	q, _, err := parseQuestion(r)
	if err != nil {
		return failure("MessageError", err.Error())
	}
	c, err := k.worker.IsComplete(ctx, *q.Code)
	if err != nil {
		return content{"status": "unknown"}
	}
	reply := content{"status": c.Status}
	if c.Status == "incomplete" {
		reply["indent"] = c.Indent
	}
	return reply
}
