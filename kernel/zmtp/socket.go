package zmtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is the messaging pattern of a socket.
type Kind int

const (
	// Router keeps every peer's messages apart by the peer's identity.
	Router Kind = iota
	// XPub sends to the peers that subscribed, and reports subscriptions.
	XPub
	// Rep answers each message; here always with the message itself.
	Rep
)

func (k Kind) String() string { return [...]string{"ROUTER", "XPUB", "REP"}[k] }

func (k Kind) peers() []string {
	switch k {
	case Router:
		return []string{"DEALER", "REQ", "ROUTER"}
	case XPub:
		return []string{"SUB", "XSUB"}
	default:
		return []string{"REQ", "DEALER"}
	}
}

// Options says what a socket does with what arrives. The functions are called
// on the goroutine that reads the peer: messages of one peer come in order, and
// a function that blocks holds back that peer alone.
type Options struct {
	Limits Limits
	// Budget is shared with other sockets; nil means that there is none.
	Budget *Budget
	// Keys makes the socket speak CURVE with these keys; nil means NULL.
	Keys *Keys
	// Listener listens at a tcp endpoint already; nil makes Listen do so.
	Listener net.Listener
	// Receive takes a message of a Router: the peer's identity and the frames.
	Receive func(peer string, frames [][]byte)
	// Subscribed hears of each subscription of an XPub.
	Subscribed func(peer, topic string)
}

// Counters tells what a socket refused since it was opened.
type Counters struct {
	// Refused counts connections ended for breaking the protocol or a limit.
	Refused int64
	// Dropped counts messages that were not queued because their peer does not read.
	Dropped int64
}

// Socket is a listening socket. Its methods may be called by several goroutines.
type Socket struct {
	kind     Kind
	opts     Options
	listener net.Listener
	path     string // of a local socket, to remove at the end

	mu     sync.Mutex
	peers  map[string]*peer // by identity
	order  []*peer          // by time of connection: what Publish goes through
	conns  []*connection    // by age, those still shaking hands too
	closed bool
	next   uint32
	done   sync.WaitGroup

	refused, dropped atomic.Int64
}

// ErrClosed is what a socket says after Close.
var ErrClosed = errors.New("socket closed")

// ErrNoPeer is what Send says when the addressee is not connected.
var ErrNoPeer = errors.New("no such peer")

// ErrSlowPeer is what Send says when the addressee does not read.
var ErrSlowPeer = errors.New("peer does not read: message dropped")

// Listen opens a socket at an endpoint, "tcp://127.0.0.1:5555" (port 0 picks
// one) or "ipc:///path".
func Listen(endpoint string, kind Kind, opts Options) (*Socket, error) {
	opts.Limits = opts.Limits.withDefaults()
	s := &Socket{kind: kind, opts: opts, peers: map[string]*peer{}}
	scheme, address, ok := strings.Cut(endpoint, "://")
	var err error
	switch {
	case ok && scheme == "tcp" && opts.Listener != nil:
		s.listener = opts.Listener
	case ok && scheme == "tcp":
		s.listener, err = net.Listen("tcp", address)
	case ok && scheme == "ipc":
		s.path = address
		s.listener, err = listenLocal(address)
	default:
		err = errors.New("tcp://HOST:PORT or ipc://PATH expected")
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", endpoint, err)
	}
	s.done.Add(1)
	go s.accept()
	return s, nil
}

// listenLocal binds a local socket that only this user can connect to, in the
// place of one that a dead process left behind.
func listenLocal(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, errors.New("address already in use")
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		os.Remove(path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// Endpoint is where the socket listens, with the port that was picked.
func (s *Socket) Endpoint() string {
	if s.path != "" {
		return "ipc://" + s.path
	}
	return "tcp://" + s.listener.Addr().String()
}

// Counters tells what was refused so far.
func (s *Socket) Counters() Counters {
	return Counters{Refused: s.refused.Load(), Dropped: s.dropped.Load()}
}

func (s *Socket) accept() {
	defer s.done.Done()
	pause := time.Millisecond
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, or a peer gone again: wait and go on
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		c := &connection{Conn: conn}
		if !s.admit(c) {
			s.refused.Add(1)
			conn.Close()
			continue
		}
		go s.serve(c)
	}
}

// connection is a connection from its first moment on.
type connection struct {
	net.Conn
	peer *peer // nil while it shakes hands (Socket.mu)
}

// admit makes room for a connection, if need be in the place of the oldest one
// that nobody vouches for: a stranger's, who may only want to fill the places.
func (s *Socket) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if len(s.conns) >= s.opts.Limits.Peers {
		i := slices.IndexFunc(s.conns, func(c *connection) bool { return c.peer == nil || !c.peer.vouched.Load() })
		switch {
		case i >= 0:
		case s.kind == Router: // each has shown that it knows the key
			return false
		default: // subscribing and asking prove nothing; by chance a client stays
			i = rand.IntN(len(s.conns))
		}
		if s.conns[i].peer != nil { // else its handshake fails, and counts
			s.refused.Add(1)
		}
		s.conns[i].Close()
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	s.conns = append(s.conns, c)
	s.done.Add(1)
	return true
}

// serve is the life of one connection.
func (s *Socket) serve(c *connection) {
	conn := newOutlet(c.Conn)
	defer s.done.Done()
	defer func() {
		s.mu.Lock()
		if i := slices.Index(s.conns, c); i >= 0 {
			s.conns = slices.Delete(s.conns, i, i+1)
		}
		s.mu.Unlock()
	}()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(s.opts.Limits.Handshake))
	ch, properties, err := handshake(conn, s.kind, s.opts.Keys)
	if err == nil {
		err = checkPeer(s.kind, properties)
	}
	if err != nil {
		s.refused.Add(1)
		return
	}
	conn.SetDeadline(time.Time{})
	p := newPeer(conn, ch, s.opts.Limits.QueueBytes)
	if !s.join(p, properties["identity"]) {
		return
	}
	s.mu.Lock()
	c.peer = p
	s.mu.Unlock()
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.writeLoop()
	}()
	if err := s.readLoop(p); err != nil && breach(err) {
		s.refused.Add(1)
	}
	s.opts.Budget.release(p)
	s.leave(p)
	p.end()
	<-written
}

// Vouch says that a peer of a Router is no stranger: strangers go first where
// there is too little room. (A peer of an XPub vouches for itself when it
// subscribes, one of a Rep when it asks; that counts for little.)
func (s *Socket) Vouch(identity string) {
	s.mu.Lock()
	p := s.peers[identity]
	s.mu.Unlock()
	if p != nil {
		p.vouched.Store(true)
	}
}

// breach tells a peer's misdeed from the end of its connection.
func breach(err error) bool {
	var limit *LimitError
	return errors.Is(err, ErrProtocol) || errors.As(err, &limit)
}

// join registers a peer under the identity it chose, or under one of ours. A
// peer that comes back with its identity takes over from its old connection,
// which may not have noticed yet that it is dead.
func (s *Socket) join(p *peer, identity string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if identity == "" || identity[0] == 0 { // identities from 0 are the listening side's to give
		s.next++
		var id [5]byte
		binary.BigEndian.PutUint32(id[1:], s.next)
		identity = string(id[:])
	}
	if old := s.peers[identity]; old != nil {
		old.end()
		s.forget(old)
	}
	p.identity = identity
	s.peers[identity] = p
	s.order = append(s.order, p)
	return true
}

func (s *Socket) leave(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(p)
}

// forget removes p from the tables; s.mu is held.
func (s *Socket) forget(p *peer) {
	if s.peers[p.identity] == p {
		delete(s.peers, p.identity)
	}
	for i, q := range s.order {
		if q == p {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			return
		}
	}
}

// Send queues a message for one peer of a Router. The frames must not change
// afterwards.
func (s *Socket) Send(identity string, frames [][]byte) error {
	s.mu.Lock()
	p, closed := s.peers[identity], s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case p == nil:
		return ErrNoPeer
	case !p.queue(frames):
		s.dropped.Add(1)
		return ErrSlowPeer
	}
	return nil
}

// Publish queues messages for every peer whose subscription their first frame
// begins with; those that are given together leave together. It never waits:
// for a peer that does not read, those that find no room are dropped and
// counted. The frames must not change afterwards.
func (s *Socket) Publish(messages ...[][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock() // held throughout, so that all peers see one order
	for _, p := range s.order {
		wanted := p.wanted(messages)
		if len(wanted) == 0 || p.queue(wanted...) {
			continue
		}
		for _, m := range wanted { // where not all find room, some may
			if !p.queue(m) {
				s.dropped.Add(1)
			}
		}
	}
}

// Peers is the number of connected peers.
func (s *Socket) Peers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.order)
}

// Close stops listening, gives queued messages up to linger to leave, and ends
// every connection.
func (s *Socket) Close(linger time.Duration) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	peers := append([]*peer(nil), s.order...)
	s.mu.Unlock()
	s.listener.Close()
	deadline := time.Now().Add(linger)
	for _, p := range peers {
		p.drain(deadline)
	}
	s.mu.Lock()
	for _, conn := range s.conns { // what is left is still shaking hands
		conn.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
	if s.path != "" {
		os.Remove(s.path)
	}
}
