package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sapf/dsl/session"
	"sapf/dsl/session/syntax"
	"sapf/kernel/worker"
)

// executeRequest is the content of execute_request.
type executeRequest struct {
	Code         *string           `json:"code"`
	Silent       bool              `json:"silent"`
	StoreHistory *bool             `json:"store_history"` // by default: unless silent
	Expressions  map[string]string `json:"user_expressions"`
	AllowStdin   *bool             `json:"allow_stdin"`   // by default true
	StopOnError  *bool             `json:"stop_on_error"` // by default true
}

func orTrue(b *bool) bool { return b == nil || *b }

// cell is the request that runs, with the means to stop it.
type cell struct {
	request
	kernel *kernel
	asked  executeRequest
	cancel context.CancelFunc
	// interrupted is when the first interrupt came (kernel.mu).
	interrupted time.Time
	// aborted are the cells that waited when this one failed.
	aborted []request
}

var _ worker.Sink = (*cell)(nil)

// How many cells may wait, and how many bytes of them.
const (
	maxQueue      = 10000
	maxQueueBytes = 128 << 20
)

// enqueue puts a cell behind those that wait.
func (k *kernel) enqueue(r request) {
	k.mu.Lock()
	n, size := len(k.queue), int64(len(r.Content))
	for _, waiting := range k.queue {
		size += int64(len(waiting.Content))
	}
	full := n >= maxQueue || n > 0 && size > maxQueueBytes
	if !full {
		k.queue = append(k.queue, r)
	}
	k.mu.Unlock()
	if full {
		k.answer(r, failure("Busy", fmt.Sprintf("%d cells wait already, at most %d and %d MB expected", n, maxQueue, maxQueueBytes>>20)))
		return
	}
	select {
	case k.arrived <- struct{}{}:
	default:
	}
}

// executeLoop runs cells in the order they came, until ctx is done.
func (k *kernel) executeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.arrived:
		}
		for ctx.Err() == nil {
			k.mu.Lock()
			if len(k.queue) == 0 {
				k.mu.Unlock()
				break
			}
			r := k.queue[0]
			k.queue = k.queue[1:]
			k.mu.Unlock()
			k.execute(ctx, r)
		}
	}
}

// execute runs one cell: busy, execute_input, its output, the reply, the
// result, idle. What can leave together does: for a short cell every message of
// its own costs as much as the cell.
func (k *kernel) execute(ctx context.Context, r request) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &cell{request: r, kernel: k, cancel: cancel}
	err := c.parse()
	first := [][][]byte{k.statusNote("busy", r.Raw)}
	store := err == nil && !c.asked.Silent && orTrue(c.asked.StoreHistory)
	if store {
		k.count++
		k.history.add(k.count, *c.asked.Code)
	}
	if err == nil && !c.asked.Silent {
		first = append(first, k.note("execute_input", r.Raw, content{"code": *c.asked.Code, "execution_count": k.count}))
	}
	k.mu.Lock()
	k.running = c
	k.iopub.Publish(first...)
	k.mu.Unlock()
	var last [][][]byte
	if err != nil {
		c.fail(&session.CellError{Name: "MessageError", Message: err.Error(), Traceback: []string{"MessageError: " + err.Error()}})
	} else if name := syntax.Questioned(*c.asked.Code); name != "" {
		k.page(ctx, c, name)
	} else {
		last = c.run(ctx, store)
	}
	last = append(last, k.statusNote("idle", r.Raw))
	k.mu.Lock()
	k.running = nil
	k.iopub.Publish(last...)
	k.mu.Unlock()
	k.abort(c.aborted)
}

// run has the interpreter run the cell, and answers the request. It returns
// the result for everybody, if there is one.
func (c *cell) run(ctx context.Context, store bool) [][][]byte {
	k := c.kernel
	result := k.worker.Execute(ctx, worker.Request{
		Cell:        session.Cell{Count: k.count, Code: *c.asked.Code, Quiet: c.asked.Silent},
		Expressions: c.asked.Expressions,
	}, c)
	if result.Err != nil {
		c.fail(result.Err)
		return nil
	}
	answers := content{}
	for name, a := range result.Answers {
		answers[name] = a
	}
	k.answer(c.request, content{"status": "ok", "execution_count": k.count, "payload": []content{}, "user_expressions": answers})
	if result.Value == nil || c.asked.Silent {
		return nil
	}
	if store {
		k.history.setOutput(k.count, plainText(result.Value))
	}
	return [][][]byte{k.noteRaw("execute_result", c.Raw, splice(content{"execution_count": k.count}, result.Value))}
}

func (c *cell) parse() error {
	if err := json.Unmarshal(c.Content, &c.asked); err != nil {
		return fmt.Errorf("execute_request: %w", err)
	}
	if c.asked.Code == nil {
		return errors.New("execute_request lacks code")
	}
	if n := len(*c.asked.Code); n > maxCell {
		return fmt.Errorf("cell: at most %d bytes, got %d", maxCell, n)
	}
	return nil
}

// fail reports a cell's error, and takes the cells that wait out of the queue if
// the request wants that.
func (c *cell) fail(e *session.CellError) {
	k := c.kernel
	report := content{"ename": e.Name, "evalue": e.Message, "traceback": append([]string{}, e.Traceback...)}
	if !c.asked.Silent {
		k.publish("error", c.Raw, report)
	}
	if orTrue(c.asked.StopOnError) {
		c.aborted = k.takeQueue()
	}
	report["status"], report["execution_count"] = "error", k.count
	report["payload"], report["user_expressions"] = []content{}, content{}
	k.answer(c.request, report)
}

// abortGrace is how long cells that were sent together with one that failed may
// take to arrive. The failing cell's reply waits for it, so that a cell sent
// after that reply is never aborted.
const abortGrace = 5 * time.Millisecond

// takeQueue empties the queue and returns what was in it.
func (k *kernel) takeQueue() []request {
	time.Sleep(abortGrace)
	k.mu.Lock()
	defer k.mu.Unlock()
	waiting := k.queue
	k.queue = nil
	return waiting
}

// abort answers cells with the news that they will not run.
func (k *kernel) abort(cells []request) {
	for _, r := range cells {
		k.status("busy", r.Raw)
		reply := failure("Aborted", "a cell before this one failed")
		// "aborted" rather than the newer "error": JupyterLab and nbclient know
		// from it that the cell did not run, and leave its outputs alone.
		reply["status"], reply["execution_count"] = "aborted", k.count
		k.answer(r, reply)
		k.status("idle", r.Raw)
	}
}

// patience is how long a cell has to heed an interrupt before another one ends
// the interpreter.
const patience = 2 * time.Second

// interrupt stops the running cell. A second interrupt, should the cell go on,
// ends its process.
func (k *kernel) interrupt() {
	k.mu.Lock()
	c := k.running
	var since time.Duration
	if c != nil {
		if c.interrupted.IsZero() {
			c.interrupted = time.Now()
		}
		since = time.Since(c.interrupted)
		c.cancel()
	}
	k.mu.Unlock()
	if since > patience {
		k.worker.Kill("the cell did not heed an interrupt, and was interrupted again")
	}
}

// The cell as worker.Sink.

func (c *cell) Stream(name, text string) {
	if !c.asked.Silent {
		c.kernel.publish("stream", c.Raw, content{"name": name, "text": text})
	}
}

func (c *cell) Display(raw json.RawMessage) {
	if !c.asked.Silent {
		c.kernel.publishRaw("display_data", c.Raw, raw)
	}
}

func (c *cell) Update(raw json.RawMessage) {
	if !c.asked.Silent {
		c.kernel.publishRaw("update_display_data", c.Raw, raw)
	}
}

func (c *cell) Clear(wait bool) {
	if !c.asked.Silent {
		c.kernel.publish("clear_output", c.Raw, content{"wait": wait})
	}
}

func (c *cell) Input(ctx context.Context, prompt string, password bool) (string, error) {
	if !orTrue(c.asked.AllowStdin) {
		return "", errors.New("the client does not take questions (allow_stdin is false)")
	}
	return c.kernel.inputs.ask(ctx, c, prompt, password)
}

// page answers a cell like `Attack?` with the documentation in the client's pager.
func (k *kernel) page(ctx context.Context, c *cell, name string) {
	raw, err := k.worker.Inspect(ctx, name, len(name), 1)
	if err == nil && raw == nil {
		err = fmt.Errorf("nothing is known of %s", name)
	}
	if err != nil {
		c.fail(&session.CellError{Name: "InspectionError", Message: err.Error(), Traceback: []string{err.Error()}})
		return
	}
	var bundle struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		panic(err) // our own child made it
	}
	k.answer(c.request, content{"status": "ok", "execution_count": k.count, "user_expressions": content{},
		"payload": []content{{"source": "page", "data": bundle.Data, "start": 0}}})
}

// splice puts members in front of a JSON object that need not be read.
func splice(c content, object json.RawMessage) json.RawMessage {
	head := encode(c)
	return append(append(head[:len(head)-1:len(head)-1], ','), object[1:]...)
}

// plainText is the text form in {"data", ...}, for the history.
func plainText(value json.RawMessage) string {
	var v struct {
		Data struct {
			Text json.RawMessage `json:"text/plain"`
		} `json:"data"`
	}
	const long = 1 << 20 // pictures are not worth the reading
	if len(value) > long || json.Unmarshal(value, &v) != nil {
		return ""
	}
	var s string
	json.Unmarshal(v.Data.Text, &s)
	return strings.TrimSpace(s)
}
