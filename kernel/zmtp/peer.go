package zmtp

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// peer is one connection after its handshake: a goroutine that reads, another
// that writes what could not be written when it was queued.
type peer struct {
	identity string
	conn     *outlet
	ch       channel
	limit    int64 // bytes that may wait
	vouched  atomic.Bool
	evicted  bool // it had to make room (Budget.mu)

	mu      sync.Mutex
	topics  map[string]int // subscriptions, counted
	waiting []frame
	writing bool  // ch and conn are in use by a goroutine that does not hold mu
	bytes   int64 // that wait or are being written, and are not yet with the system
	ended   bool
	empty   chan struct{} // closed when drained, if someone waits for that
	wake    chan struct{} // holds one token when there is something to write
}

func newPeer(conn *outlet, ch channel, limit int64) *peer {
	return &peer{conn: conn, ch: ch, limit: limit, topics: map[string]int{}, wake: make(chan struct{}, 1)}
}

// atOnce is how long messages may be that are written by whoever queues them.
const atOnce = 32 << 10

// queue adds messages, or says that too much waits already. An empty queue has
// room for them, however long they are. Short ones that find the queue empty go
// to the system at once, which saves waking a goroutine; that never waits for
// the peer to read.
func (p *peer) queue(messages ...[][]byte) bool {
	var batch []frame
	for _, frames := range messages {
		for i, f := range frames {
			batch = append(batch, frame{more: i+1 < len(frames), body: f})
		}
	}
	size := sizeOf(batch)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || (p.bytes > 0 && p.bytes+size > p.limit) {
		return false
	}
	idle := p.bytes == 0
	p.bytes += size
	if !idle || size > atOnce {
		p.waiting = append(p.waiting, batch...)
		p.signal()
		return true
	}
	p.writing = true
	p.mu.Unlock()
	p.conn.eager = true
	err := p.write(batch)
	p.conn.eager = false
	p.mu.Lock()
	p.writing = false
	if err == nil && len(p.conn.rest) == 0 {
		p.written(size)
	}
	if err != nil || p.bytes > 0 {
		p.signal() // the loop writes the rest, or meets the error
	}
	return true
}

// sizeOf is what a message counts for in the queue.
func sizeOf(frames []frame) int64 {
	var size int64
	for _, f := range frames {
		size += int64(len(f.body)) + 64 // 64 is about what the bookkeeping takes
	}
	return size
}

// write gives whole messages to the connection.
func (p *peer) write(batch []frame) error {
	for _, f := range batch {
		if err := p.ch.write(f); err != nil {
			return err
		}
	}
	return p.ch.flush()
}

// written says that so many queued bytes are with the system; p.mu is held.
func (p *peer) written(size int64) {
	p.bytes -= size
	if p.empty != nil && p.bytes == 0 {
		close(p.empty)
		p.empty = nil
	}
}

// queueCommand adds an answer of the protocol itself.
func (p *peer) queueCommand(f frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Between two whole messages only: a command may not come among the frames
	// of a message, and the queue holds whole ones.
	if !p.ended && p.bytes < p.limit {
		p.bytes += int64(len(f.body)) + 64
		p.waiting = append(p.waiting, f)
		p.signal()
	}
}

func (p *peer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// writeLoop writes what queue left until the peer ends.
func (p *peer) writeLoop() {
	for range p.wake {
		for {
			p.mu.Lock()
			if p.ended {
				p.mu.Unlock()
				return
			}
			if p.writing || p.bytes == 0 { // whoever writes will signal
				p.mu.Unlock()
				break
			}
			batch, size := p.waiting, p.bytes
			p.waiting, p.writing = nil, true
			p.mu.Unlock()
			err := p.write(batch)
			if err == nil {
				err = p.conn.finish()
			}
			p.mu.Lock()
			p.writing = false
			p.written(size)
			p.mu.Unlock()
			if err != nil {
				p.end()
				return
			}
		}
	}
}

// drain waits until everything queued has left or the deadline has come, and
// ends the peer.
func (p *peer) drain(deadline time.Time) {
	p.mu.Lock()
	empty := make(chan struct{})
	if p.bytes == 0 || p.ended {
		close(empty)
	} else {
		p.empty = empty
	}
	p.mu.Unlock()
	select {
	case <-empty:
	case <-time.After(time.Until(deadline)):
	}
	p.end()
}

// end closes the connection; both goroutines then return.
func (p *peer) end() {
	p.mu.Lock()
	p.ended = true
	p.signal()
	p.mu.Unlock()
	p.conn.Close()
}

// wanted is the messages whose topics are for this peer.
func (p *peer) wanted(messages [][][]byte) [][][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wanted [][][]byte
	for _, frames := range messages {
		topic := ""
		if len(frames) > 0 {
			topic = string(frames[0])
		}
		for prefix := range p.topics {
			if strings.HasPrefix(topic, prefix) {
				wanted = append(wanted, frames)
				break
			}
		}
	}
	return wanted
}

// subscribe adds or takes back one subscription. Cancelling what was never
// subscribed does nothing.
func (p *peer) subscribe(topic string, add bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case add:
		p.topics[topic]++
	case p.topics[topic] > 1:
		p.topics[topic]--
	default:
		delete(p.topics, topic)
	}
}

// readLoop takes frames until the connection ends or breaks a rule.
func (s *Socket) readLoop(p *peer) error {
	limits := s.opts.Limits
	hold := func(n int64) error { return s.opts.Budget.take(p, n) }
	var message [][]byte
	var size int64
	for {
		f, err := p.ch.read(limits.FrameBytes, hold)
		if err != nil {
			return err
		}
		if f.command {
			if err := s.obey(p, f.body); err != nil {
				return err
			}
			if len(message) == 0 {
				s.opts.Budget.release(p)
			}
			continue
		}
		size += int64(len(f.body))
		if size > limits.MessageBytes {
			return &LimitError{"message bytes", uint64(limits.MessageBytes), uint64(size)}
		}
		message = append(message, f.body)
		if len(message) > limits.Parts {
			return &LimitError{"message parts", uint64(limits.Parts), uint64(len(message))}
		}
		if f.more {
			continue
		}
		if err := s.deliver(p, message); err != nil {
			return err
		}
		message, size = nil, 0
		s.opts.Budget.release(p)
	}
}

// maxTopics is the most subscriptions of one peer.
const maxTopics = 1024

// deliver does with a whole message what the socket's kind asks.
func (s *Socket) deliver(p *peer, message [][]byte) error {
	switch s.kind {
	case Router:
		if s.opts.Receive != nil {
			s.opts.Receive(p.identity, message)
		}
	case Rep:
		p.vouched.Store(true)
		// The envelope, up to an empty frame, goes back as it came, and the
		// heartbeat's answer is its question: so the whole message goes back.
		if !p.queue(message) {
			s.dropped.Add(1)
		}
	case XPub: // ZMTP 3.0 subscribes by message: 1 or 0, then the topic
		if len(message) == 1 && len(message[0]) > 0 && message[0][0] <= 1 {
			return s.subscription(p, string(message[0][1:]), message[0][0] == 1)
		}
	}
	return nil
}

func (s *Socket) subscription(p *peer, topic string, add bool) error {
	p.mu.Lock()
	n := len(p.topics)
	p.mu.Unlock()
	if add && n >= maxTopics {
		return &LimitError{"subscriptions", maxTopics, uint64(n) + 1}
	}
	p.subscribe(topic, add)
	if add {
		p.vouched.Store(true)
	}
	if add && s.opts.Subscribed != nil {
		s.opts.Subscribed(p.identity, topic)
	}
	return nil
}

// obey follows a command of the protocol. Unknown ones are ignored, as libzmq
// does.
func (s *Socket) obey(p *peer, body []byte) error {
	name, data, err := parseCommand(body)
	if err != nil {
		return err
	}
	switch name {
	case "PING": // two bytes of time to live, then a context of at most 16 to send back
		if len(data) < 2 || len(data) > 2+16 {
			return fmt.Errorf("%w: PING of %d bytes", ErrProtocol, len(data))
		}
		p.queueCommand(command("PONG", data[2:]))
	case "SUBSCRIBE", "CANCEL": // ZMTP 3.1
		if s.kind == XPub {
			return s.subscription(p, string(data), name == "SUBSCRIBE")
		}
	case "ERROR":
		return fmt.Errorf("%w: peer says ERROR", ErrProtocol)
	}
	return nil
}
