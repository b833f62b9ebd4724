package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sapf/kernel/message"
	"sapf/kernel/zmtp"
)

// channel is the socket that a message came on.
type channel int

const (
	shellChannel channel = iota + 1
	controlChannel
	stdinChannel
)

// request is a message with where its answer goes.
type request struct {
	message.Message
	channel channel
	peer    string
}

// maxCell is the longest cell taken, in bytes. Source longer than this is data
// that should be read from a file.
const maxCell = 8 << 20

// receive takes a message from a socket, on the goroutine that reads the peer.
func (k *kernel) receive(ch channel, peer string, frames [][]byte) {
	m, err := k.codec.Decode(frames)
	r := request{m, ch, peer}
	if err != nil {
		k.refusals.add(k.log, err)
		if errors.Is(err, message.ErrJSON) && strings.HasSuffix(m.Header.Type, "_request") {
			k.answer(r, failure("MessageError", err.Error()))
		}
		return
	}
	k.socket(ch).Vouch(peer)
	switch {
	case ch == stdinChannel:
		k.inputs.reply(m)
	case m.Header.Type == "execute_request" && ch == shellChannel:
		k.enqueue(r)
	case ch == controlChannel || m.Header.Type == "kernel_info_request" || m.Header.Type == "shutdown_request":
		k.handle(r) // at once: these never wait for the interpreter
	default:
		select {
		case k.questions <- r:
		default:
			k.answer(r, failure("Busy", "too many questions wait for an answer"))
		}
	}
}

// introspectLoop answers what editors ask, one question at a time, also while a
// cell runs.
func (k *kernel) introspectLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-k.questions:
			k.handle(r)
		}
	}
}

// questionTime is how long the interpreter may think about an editor's question.
const questionTime = 5 * time.Second

// handle answers any request but execute_request, between busy and idle.
func (k *kernel) handle(r request) {
	k.status("busy", r.Raw)
	defer k.settle(r.Raw)
	ctx, cancel := context.WithTimeout(context.Background(), questionTime)
	defer cancel()
	switch r.Header.Type {
	case "kernel_info_request":
		k.answer(r, kernelInfo())
	case "complete_request":
		k.answer(r, k.complete(ctx, r))
	case "inspect_request":
		k.answer(r, k.inspect(ctx, r))
	case "is_complete_request":
		k.answer(r, k.isComplete(ctx, r))
	case "history_request":
		k.answer(r, k.history.answer(r.Content))
	case "comm_info_request":
		k.answer(r, content{"status": "ok", "comms": content{}})
	case "comm_open":
		k.refuseComm(r)
	case "comm_msg", "comm_close": // of comms that were never opened
	case "interrupt_request":
		k.interrupt()
		k.answer(r, content{"status": "ok"})
	case "shutdown_request":
		k.shutdown(r)
	case "execute_request":
		k.answer(r, failure("ProtocolError", "execute_request goes to the shell channel"))
	case "debug_request":
		k.refuseDebug(r)
	default:
		k.refusals.add(k.log, fmt.Errorf("message type %.60q is unknown", r.Header.Type))
		if strings.HasSuffix(r.Header.Type, "_request") {
			k.answer(r, failure("ProtocolError", fmt.Sprintf("message type %.60q is unknown", r.Header.Type)))
		}
	}
}

// answer sends the reply to a request back where that came from.
func (k *kernel) answer(r request, c content) { k.answerRaw(r, encode(c)) }

func (k *kernel) answerRaw(r request, c json.RawMessage) {
	kind := strings.TrimSuffix(r.Header.Type, "_request") + "_reply"
	frames := append(append([][]byte(nil), r.Peers...), k.codec.Encode(kind, r.Raw, nil, c)...)
	k.socket(r.channel).Send(r.peer, frames) // a client that is gone needs no answer
}

// socket is the socket of a channel.
func (k *kernel) socket(ch channel) *zmtp.Socket {
	switch ch {
	case controlChannel:
		return k.control
	case stdinChannel:
		return k.stdin
	}
	return k.shell
}

// failure is the content of an error reply.
func failure(name, text string) content {
	return content{"status": "error", "ename": name, "evalue": text, "traceback": []string{name + ": " + text}}
}

// status publishes what the kernel does for the request with this header.
func (k *kernel) status(state string, parent json.RawMessage) {
	k.iopub.Publish(k.statusNote(state, parent))
}

// settle ends a request that did not wait for the running cell. Clients show
// the last state they heard, whoever it was for, so while a cell runs they hear
// again that it does.
func (k *kernel) settle(parent json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	notes := [][][]byte{k.statusNote("idle", parent)}
	if k.running != nil {
		notes = append(notes, k.statusNote("busy", k.running.Raw))
	}
	k.iopub.Publish(notes...)
}

func (k *kernel) shutdown(r request) {
	var asked struct {
		Restart bool `json:"restart"`
	}
	json.Unmarshal(r.Content, &asked) // absent means false
	reply := content{"status": "ok", "restart": asked.Restart}
	k.publish("shutdown_reply", r.Raw, reply)
	k.answer(r, reply)
	select {
	case k.stopped <- struct{}{}:
	default:
	}
}

// refuseComm closes a comm that was opened to a target nobody registered.
func (k *kernel) refuseComm(r request) {
	var asked struct {
		ID string `json:"comm_id"`
	}
	json.Unmarshal(r.Content, &asked)
	k.publish("comm_close", r.Raw, content{"comm_id": asked.ID, "data": content{}})
}

// refuseDebug answers in the debug adapter protocol's own form, which is all
// that a debugger's client understands.
func (k *kernel) refuseDebug(r request) {
	var asked struct {
		Seq     int    `json:"seq"`
		Command string `json:"command"`
	}
	json.Unmarshal(r.Content, &asked)
	k.answer(r, content{"type": "response", "seq": 1, "request_seq": asked.Seq, "command": asked.Command,
		"success": false, "message": "this kernel has no debugger"})
}
