package command

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"sapf/kernel/exit"
	"sapf/models/bounded"
	"sapf/models/plain"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/remote"
	"sapf/sapf/sweep/runs"
)

// natsFlags say how to reach a server, and as whom.
type natsFlags struct {
	CA   string `name:"tls-ca" placeholder:"FILE" predictor:"file" help:"Certificates (PEM) that the server's must be signed by; TLS is then spoken."`
	Nkey string `placeholder:"FILE" predictor:"file" help:"Seed of the NKey to come in with."`
}

// options are those of a connection that comes back by itself, for ever.
func (f natsFlags) options(notice func(string)) ([]nats.Option, error) {
	o := []nats.Option{
		nats.Name("sapf"), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.RetryOnFailedConnect(true),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				notice(fmt.Sprintf("the server cannot be reached (%v): going on, and trying again", err))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { notice(err.Error()) }),
		nats.ReconnectHandler(func(*nats.Conn) { notice("the server is back") }),
	}
	if f.CA != "" {
		pool, err := readPool(f.CA)
		if err != nil {
			return nil, err
		}
		o = append(o, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}))
	}
	if f.Nkey != "" {
		n, err := nats.NkeyOptionFromSeed(f.Nkey)
		if err != nil {
			return nil, fmt.Errorf("nkey %s: %w", f.Nkey, err)
		}
		o = append(o, n)
	}
	return o, nil
}

// serverNames is a list of servers as it may be shown, without passwords. It refuses
// what no server of NATS can be reached by, which would be tried for ever.
func serverNames(list string) (string, error) {
	var shown []string
	for _, s := range strings.Split(list, ",") {
		s = strings.TrimSpace(s)
		if !strings.Contains(s, "://") {
			s = "nats://" + s
		}
		u, err := url.Parse(s)
		if err != nil {
			return "", errors.New("server: not an address, expected nats://HOST:PORT") // which may have a password in it
		}
		if u.Hostname() == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return "", fmt.Errorf("server %q, expected nats://HOST:PORT (or tls, ws, wss)", u.Redacted())
		}
		shown = append(shown, u.Redacted())
	}
	return strings.Join(shown, ","), nil
}

// reach connects to a server that is there, now or later. One that nobody answers
// at is named after a while.
func (f natsFlags) reach(servers string, notice func(string)) (*nats.Conn, error) {
	options, err := f.options(notice)
	if err != nil {
		return nil, err
	}
	shown, err := serverNames(servers)
	if err != nil {
		return nil, err
	}
	nc, err := nats.Connect(servers, options...)
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", shown, err)
	}
	time.AfterFunc(unheard, func() {
		if nc.Status() == nats.RECONNECTING && nc.Stats().Reconnects == 0 {
			notice(fmt.Sprintf("nobody answers at %s%s: trying again", shown, because(nc.LastError())))
		}
	})
	return nc, nil
}

// because is the reason of something, where there is one to tell.
func because(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// unheard is how long a server may be silent at first until that is said.
const unheard = 3 * time.Second

// maxKeys is far above the length of a file of keys or certificates.
const maxKeys = 16 << 20

func readPool(file string) (*x509.CertPool, error) {
	raw, err := bounded.ReadFile(file, maxKeys)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("%s: no certificate in it, expected PEM", file)
	}
	return pool, nil
}

type sweepServeCmd struct {
	Spec      string        `arg:"" optional:"" predictor:"file" help:"Specification, YAML (- reads standard input); without one, the sweep of the folder goes on."`
	Out       string        `short:"o" required:"" placeholder:"DIR" predictor:"file" help:"Folder of the sweep: its plan and results."`
	Listen    string        `placeholder:"HOST:PORT" help:"Start a NATS server there, its store in the folder."`
	URL       string        `name:"url" placeholder:"nats://HOST:PORT,..." help:"Use a NATS server or cluster that is there."`
	Cert      string        `name:"tls-cert" placeholder:"FILE" predictor:"file" help:"Certificate (PEM) of the server."`
	Key       string        `name:"tls-key" placeholder:"FILE" predictor:"file" help:"Its private key."`
	NKeys     string        `name:"nkeys" placeholder:"FILE" predictor:"file" help:"Public NKeys that may come in, one a line."`
	Open      bool          `help:"Let anybody who reaches the port in, unencrypted."`
	Replicas  int           `default:"1" min:"1" help:"Copies of every stream in a cluster."`
	Lease     time.Duration `default:"60s" min:"1ms" help:"A job that makes no step for so long is tried again, and then given up."`
	Retry     bool          `help:"Try again what was given up."`
	natsFlags `embed:""`
	JSON      bool `help:"Print the end as JSON, and no progress."`
}

func (c *sweepServeCmd) Run(ctx context.Context, out output) error {
	if (c.Listen == "") == (c.URL == "") {
		return errors.New("expected one of --listen (a server of our own) and --url (one that is there)")
	}
	run := sweepRunCmd{Spec: c.Spec, Out: c.Out, Retry: c.Retry}
	d, err := run.open(ctx, runs.Shard{})
	if err != nil {
		return err
	}
	defer d.Close()
	line := newLine(out.stderr, c.JSON)
	line.former(d)
	nc, stop, err := c.connect(line.say)
	if err != nil {
		return err
	}
	defer stop()
	defer nc.Close()
	p, err := remote.Serve(ctx, d, remote.ServeOptions{
		Conn: nc, Term: c.Lease, Replicas: c.Replicas,
		Progress: func(p runs.Progress) { line.show(p.String(), false) }, Notice: line.say,
	})
	line.clear()
	if err != nil && ctx.Err() == nil {
		return failed(err)
	}
	return finish(ctx, out, c.JSON, p, c.Out)
}

// connect starts a server, or reaches one that is there.
func (c *sweepServeCmd) connect(notice func(string)) (nc *nats.Conn, stop func(), err error) {
	if c.URL != "" {
		nc, err = c.reach(c.URL, notice)
		return nc, func() {}, err
	}
	options, err := c.options(notice)
	if err != nil {
		return nil, nil, err
	}
	o := natsq.ServerOptions{Store: filepath.Join(c.Out, "queue")}
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		o.Port, err = strconv.Atoi(port)
	}
	if err != nil || o.Port < 1 || o.Port > 65535 {
		return nil, nil, fmt.Errorf("listen %q, expected HOST:PORT with a port from 1 to 65535", c.Listen)
	}
	o.Host = host
	if err := c.secure(&o); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, nil, err
	}
	s, err := natsq.Start(o)
	if err != nil {
		return nil, nil, failed(err)
	}
	notice("workers come in with: sapf worker --url nats://" + c.Listen)
	if len(o.Keys) > 0 && c.Nkey == "" {
		s.Close()
		return nil, nil, errors.New("--nkeys without --nkey: the hub needs a key among them as well")
	}
	if nc, err = s.Connect(options...); err != nil {
		s.Close()
		return nil, nil, failed(err)
	}
	return nc, s.Close, nil
}

// secure fills in keys and certificates; a server that everybody may use has to
// be asked for.
func (c *sweepServeCmd) secure(o *natsq.ServerOptions) error {
	if c.NKeys != "" {
		raw, err := bounded.ReadFile(c.NKeys, maxKeys)
		if err != nil {
			return err
		}
		lines := bufio.NewScanner(strings.NewReader(string(raw)))
		for lines.Scan() {
			k := strings.TrimSpace(lines.Text())
			if k == "" || strings.HasPrefix(k, "#") {
				continue
			}
			if !nkeys.IsValidPublicUserKey(k) {
				return fmt.Errorf("nkeys %s: %q is no public NKey of a user, expected one like UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4", c.NKeys, plain.Text(k))
			}
			o.Keys = append(o.Keys, k)
		}
		if len(o.Keys) == 0 {
			return fmt.Errorf("nkeys %s: no key in it", c.NKeys)
		}
	}
	if (c.Cert == "") != (c.Key == "") {
		return fmt.Errorf("--tls-cert %q and --tls-key %q, expected both of them", c.Cert, c.Key)
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return fmt.Errorf("--tls-cert %s with --tls-key %s: %w", c.Cert, c.Key, err)
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	}
	local := o.Host == "localhost" || net.ParseIP(o.Host).IsLoopback()
	if !local && !c.Open && (o.TLS == nil || len(o.Keys) == 0) {
		return fmt.Errorf("%s is reached by other machines: expected --tls-cert, --tls-key and --nkeys, or --open", c.Listen)
	}
	return nil
}

type sweepWorkerCmd struct {
	URL       string        `name:"url" required:"" placeholder:"nats://HOST:PORT,..." help:"Server of the hub, or cluster."`
	Sweep     string        `placeholder:"NAME" help:"Sweep to work for (default: whichever is there)."`
	Slots     int           `min:"1" placeholder:"N" help:"Jobs at a time (default: processors)."`
	Threads   int           `min:"1" placeholder:"N" help:"Processors for each job (default: 1)."`
	Grace     time.Duration `default:"20s" min:"0s" help:"Time that jobs may take to end after an interrupt."`
	Cache     string        `placeholder:"DIR" predictor:"file" help:"Folder for models that come from the hub (default: the user's cache, or a temporary one where that cannot be written to)."`
	natsFlags `embed:""`
	JSON      bool `help:"Print the end as JSON."`
}

func (c *sweepWorkerCmd) Run(ctx context.Context, out output) error {
	line := newLine(out.stderr, c.JSON)
	nc, err := c.reach(c.URL, line.say)
	if err != nil {
		return err
	}
	defer nc.Close()
	done, err := remote.Work(ctx, remote.WorkOptions{
		Conn: nc, Sweep: c.Sweep, Slots: c.Slots, Threads: c.Threads, Grace: c.Grace, Cache: c.Cache, Notice: line.say,
	})
	line.clear()
	var refused *remote.RefusedError
	switch {
	case errors.As(err, &refused):
		return exit.Wrong(err)
	case err != nil && ctx.Err() == nil:
		return failed(err)
	}
	var end any = fmt.Sprintf("%d results handed in", done)
	if c.JSON {
		end = map[string]int{"results": done}
	}
	if err := out.print(c.JSON, end); err != nil {
		return failed(err)
	}
	return ctx.Err()
}
