package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"sapf/kernel/message"
)

// inputs is the stdin channel: the kernel asks there, the client answers.
type inputs struct {
	mu      sync.Mutex // one question at a time
	replies chan message.Message
}

func (in *inputs) init() { in.replies = make(chan message.Message, 16) }

// reply takes an answer; one that nobody waits for is dropped.
func (in *inputs) reply(m message.Message) {
	if m.Header.Type == "input_reply" {
		select {
		case in.replies <- m:
		default:
		}
	}
}

// ask puts a question to the client that runs the cell, and waits for the
// answer or for the end of the cell.
func (in *inputs) ask(ctx context.Context, c *cell, prompt string, password bool) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.replies) > 0 { // answers to questions that nobody waited for
		<-in.replies
	}
	k := c.kernel
	frames := k.codec.Encode("input_request", c.Raw, nil, encode(content{"prompt": prompt, "password": password}))
	if err := k.stdin.Send(c.peer, append(append([][]byte(nil), c.Peers...), frames...)); err != nil {
		return "", fmt.Errorf("ask the client: %w", err)
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case m := <-in.replies:
		var answer struct {
			Value *string `json:"value"`
		}
		if err := json.Unmarshal(m.Content, &answer); err != nil || answer.Value == nil {
			return "", fmt.Errorf("input_reply lacks value")
		}
		return *answer.Value, nil
	}
}
