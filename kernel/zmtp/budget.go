package zmtp

import "sync"

// Budget bounds what the unfinished messages of all peers of several sockets
// hold together. Where it does not suffice peers are disconnected: those that
// nobody vouches for before the others, the one that holds most first. A short
// message always has room (firstRead), so that whoever comes can be heard.
type Budget struct {
	limit int64

	mu   sync.Mutex
	used int64
	held map[*peer]int64
}

// NewBudget makes a budget of so many bytes, which should be more than the
// longest message (Limits.MessageBytes): one that does not fit is refused.
func NewBudget(bytes int64) *Budget { return &Budget{limit: bytes, held: map[*peer]int64{}} }

// take adds bytes to what a peer holds. The error says that it had to go.
func (b *Budget) take(p *peer, n int64) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.evicted {
		return &LimitError{"bytes of unfinished messages", uint64(b.limit), uint64(b.used + n)}
	}
	b.held[p] += n
	b.used += n
	for b.used > b.limit && b.held[p] > firstRead {
		v := b.victim()
		got := b.used
		b.used -= b.held[v]
		delete(b.held, v)
		v.evicted = true
		v.conn.Close()
		if v == p {
			return &LimitError{"bytes of unfinished messages", uint64(b.limit), uint64(got)}
		}
	}
	return nil
}

// victim is who goes first; b.mu is held, and somebody holds something.
func (b *Budget) victim() *peer {
	var first *peer
	for p, n := range b.held {
		switch {
		case first == nil:
			first = p
		case p.vouched.Load() != first.vouched.Load():
			if first.vouched.Load() {
				first = p
			}
		case n > b.held[first]:
			first = p
		}
	}
	return first
}

// release says that a peer holds nothing any more.
func (b *Budget) release(p *peer) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= b.held[p]
	delete(b.held, p)
}
