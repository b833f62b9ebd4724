// Package natsq is a queue of jobs on NATS JetStream: a server within the
// process, or a cluster elsewhere, with the same client code.
//
// What is where (NAME is the sweep's):
//
//	stream sapf-jobs-NAME         sapf.jobs.NAME.ID, a work queue, one message a job at most
//	consumer workers              one message a free slot; what is not acknowledged is delivered again
//	bucket sapf-results-NAME      key: digest of the result, and the file until it is collected; the first wins
//	bucket sapf-dead-NAME         jobs given up
//	bucket sapf-tries-NAME        how often each job was begun
//	objects sapf-blobs-NAME       the plan, models, images, large results
//	bucket sapf-workers-NAME      who is at work, with a time to live
//	bucket sapf-sweeps            key NAME: what a worker must be like
//
// Nothing here is the truth: all of it can be deleted, and is made again from
// the plan and the results on the hub's disk.
package natsq

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// ServerOptions are those of a server within the process.
type ServerOptions struct {
	// Store is the folder of its streams. Only one server may have it open: the
	// caller holds a lock.
	Store string
	// Host and Port are where it listens; Port 0 lets nobody but this process in,
	// -1 takes a free one.
	Host string
	Port int
	// TLS, where set, is spoken by everybody; Keys are the public NKeys of those
	// who may come in.
	TLS  *tls.Config
	Keys []string
	// Name, ClusterPort and Routes make it a node of a cluster: its name, the port
	// on which nodes talk to each other, and the addresses of all of them
	// (nats://HOST:PORT).
	Name        string
	ClusterPort int
	Routes      []string
}

// ready is how long a server may take to start.
const ready = 10 * time.Second

// Server is a NATS server within the process.
type Server struct {
	s       *server.Server
	options ServerOptions
}

// Start starts a server.
func Start(o ServerOptions) (*Server, error) {
	options := &server.Options{
		ServerName: "sapf", Host: o.Host, Port: o.Port, DontListen: o.Port == 0,
		JetStream: true, StoreDir: o.Store, SyncAlways: true,
		NoSigs: true, NoLog: true, MaxPayload: 1 << 20,
		TLSConfig: o.TLS, TLS: o.TLS != nil,
	}
	if o.TLS != nil {
		options.TLSVerify = o.TLS.ClientAuth == tls.RequireAndVerifyClientCert
		options.TLSTimeout = 5
	}
	if o.ClusterPort != 0 {
		options.ServerName = o.Name
		options.Cluster = server.ClusterOpts{Name: "sapf", Host: o.Host, Port: o.ClusterPort}
		options.Routes = server.RoutesFromStr(strings.Join(o.Routes, ","))
	}
	for _, k := range o.Keys {
		options.Nkeys = append(options.Nkeys, &server.NkeyUser{Nkey: k})
	}
	if o.Port > 0 { // the server itself does not say why it cannot listen
		l, err := net.Listen("tcp", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
		if err != nil {
			return nil, fmt.Errorf("listen for workers: %w", err)
		}
		l.Close()
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("set up a NATS server on %s: %w", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), err)
	}
	s.Start()
	if !s.ReadyForConnections(ready) {
		s.Shutdown()
		return nil, errors.New("nats server: not ready after 10 s: is the store's disk full?")
	}
	return &Server{s, o}, nil
}

// URL is where the server listens.
func (s *Server) URL() string { return s.s.ClientURL() }

// Connect connects within the process.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append([]nats.Option{nats.InProcessServer(s.s)}, options...)...)
}

// Close stops the server.
func (s *Server) Close() {
	s.s.Shutdown()
	s.s.WaitForShutdown()
}
