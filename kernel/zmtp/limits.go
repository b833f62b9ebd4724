package zmtp

import "time"

// Limits bounds what peers can make the process hold. The zero value of a
// field means its default.
type Limits struct {
	// FrameBytes is the longest frame taken, by default 64 MiB.
	FrameBytes int64
	// MessageBytes is the longest message taken, by default 128 MiB.
	MessageBytes int64
	// Parts is the most frames in a message, by default 256.
	Parts int
	// Peers is the most connections at a time, by default 256. One more takes the
	// place of the oldest that nobody vouches for (Socket.Vouch).
	Peers int
	// QueueBytes is how much may wait for one peer to read, by default 256 MiB;
	// the message that goes beyond it is dropped for that peer alone.
	QueueBytes int64
	// Handshake is how long a peer may take to say who it is, by default 10 s.
	Handshake time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.FrameBytes == 0 {
		l.FrameBytes = 64 << 20
	}
	if l.MessageBytes == 0 {
		l.MessageBytes = 128 << 20
	}
	if l.Parts == 0 {
		l.Parts = 256
	}
	if l.Peers == 0 {
		l.Peers = 256
	}
	if l.QueueBytes == 0 {
		l.QueueBytes = 256 << 20
	}
	if l.Handshake == 0 {
		l.Handshake = 10 * time.Second
	}
	return l
}
