package runner

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"sapf/kernel/notebook"
	"sapf/kernel/worker"
)

// displays is where the displays with an id are, over all cells: an update
// changes each of them.
type displays map[string][]*notebook.Output

// collector turns a running cell's output into the cell's outputs.
type collector struct {
	echo     echo
	displays displays

	mu        sync.Mutex
	cell      *notebook.Cell
	clearNext bool
	ended     bool
}

var _ worker.Sink = (*collector)(nil)

// add appends an output; c.mu is held.
func (c *collector) add(o *notebook.Output) *notebook.Output {
	if c.clearNext {
		c.cell.Outputs, c.clearNext = nil, false
	}
	c.cell.Outputs = append(c.cell.Outputs, o)
	return o
}

func (c *collector) Stream(name, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return // a goroutine that outlived its cell
	}
	c.echo.stream(name, text)
	if n := len(c.cell.Outputs); n > 0 && !c.clearNext {
		if last := c.cell.Outputs[n-1]; last.Type == notebook.Stream && last.Name == name {
			last.Text += text
			return
		}
	}
	c.add(&notebook.Output{Type: notebook.Stream, Name: name, Text: text})
}

// shown is the JSON of a display.
type shown struct {
	Data      map[string]any `json:"data"`
	Metadata  map[string]any `json:"metadata"`
	Transient struct {
		DisplayID string `json:"display_id"`
	} `json:"transient"`
}

func (c *collector) Display(raw json.RawMessage) {
	var s shown
	if json.Unmarshal(raw, &s) != nil {
		return // our own child made it: can't be
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	id := s.Transient.DisplayID
	o := c.add(&notebook.Output{Type: notebook.DisplayData, Data: s.Data, Metadata: s.Metadata, DisplayID: id})
	if id != "" {
		c.displays[id] = append(c.displays[id], o)
	}
	c.echo.display(id, text(s.Data))
}

func (c *collector) Update(raw json.RawMessage) {
	var s shown
	if json.Unmarshal(raw, &s) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	for _, o := range c.displays[s.Transient.DisplayID] {
		o.Data, o.Metadata = s.Data, s.Metadata
	}
	c.echo.update(s.Transient.DisplayID, text(s.Data))
}

func (c *collector) Clear(wait bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait {
		c.clearNext = true
		return
	}
	c.cell.Outputs, c.clearNext = nil, false
}

func (c *collector) Input(context.Context, string, bool) (string, error) {
	return "", errors.New("nobody is there to answer: the notebook runs by itself")
}

// finish puts the outputs and the cell's value or error into the cell.
func (c *collector) finish(count int, r worker.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	var s shown
	switch {
	case r.Err != nil:
		c.add(&notebook.Output{Type: notebook.Error, ErrorName: r.Err.Name, ErrorValue: r.Err.Message, Traceback: r.Err.Traceback})
		c.echo.failure(r.Err.Traceback)
	case r.Value != nil && json.Unmarshal(r.Value, &s) == nil:
		c.add(&notebook.Output{Type: notebook.ExecuteResult, Data: s.Data, Metadata: s.Metadata, Count: count})
		c.echo.display("", text(s.Data))
	}
}

func text(data map[string]any) string {
	s, _ := data["text/plain"].(string)
	return s
}
