// Package zmtp is the part of ZMTP 3.1 (rfc.zeromq.org/spec/37) that a Jupyter
// kernel needs: the listening side of ROUTER, XPUB and REP over TCP and local
// sockets, with the NULL and CURVE mechanisms.
//
// It exists because github.com/go-zeromq/zmq4 can't be guarded from outside: it
// allocates what a peer's length field asks for before a byte of it has come,
// and its XPUB never hands over subscriptions, without which the kernel can't
// send iopub_welcome. zmq4 is used as an independent client in this package's
// tests, so the two implementations check each other.
//
// What a stranger can make the process hold is bounded by Limits: bytes in a
// frame and a message, frames in a message, connections, the time a handshake
// may take, and what waits for a reader that does not read. A peer that breaks
// a limit or the protocol is disconnected and counted; nothing else happens to
// the socket. Memory for a frame grows with the bytes that arrive, never with
// the length a peer announces.
package zmtp
