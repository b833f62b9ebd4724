package remote

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/queue/queuetest"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
	"sapf/sapf/sweep/table"
)

// patience is how long anything may take on a busy machine. Leases of processes
// that are killed last for term, those that are to end within a process for brief;
// no other is to end, however slow the machine is.
const (
	patience = 120 * time.Second
	term     = 5 * time.Second
	brief    = 2 * time.Second
)

// TestMain is a run, a hub, a worker or the holder of a lock where a test asks
// for one: SAPF_TEST_SWEEP says which, in words parted by "|".
func TestMain(m *testing.M) {
	role := strings.Split(os.Getenv("SAPF_TEST_SWEEP"), "|")
	if role[0] == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := play(ctx, role)
	switch {
	case ctx.Err() != nil:
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(ctx context.Context, role []string) error {
	notice := func(s string) { fmt.Fprintln(os.Stderr, s) }
	switch role[0] {
	case "work": // for the server of a URL, its clock so many seconds ahead
		nc, err := connect(role[1])
		if err != nil {
			return err
		}
		o := WorkOptions{Conn: nc, Slots: 2, Catalogue: toy.Catalogue, Notice: notice}
		if len(role) > 2 {
			ahead, err := strconv.Atoi(role[2])
			if err != nil {
				return err
			}
			o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead) * time.Second) }
		}
		_, err = Work(ctx, o)
		return err
	case "nats": // a server on a port, with a store; as a node of a cluster: its name, port and the others' addresses
		return serveNATS(ctx, role[1:])
	case "full":
		return fullDisk(ctx, role[1], role[2])
	case "locked":
		return lockedFolder(role[1])
	}
	d, err := runs.Resume(role[1], runs.Shard{})
	if err != nil {
		return err
	}
	defer d.Close()
	switch role[0] {
	case "run":
		_, err = d.Run(ctx, runs.Options{Catalogue: toy.Catalogue, Slots: 2, Term: term, Grace: 10 * time.Second, Notice: notice})
	case "hold":
		<-ctx.Done()
	case "hub": // a server of its own on a port, or that of a URL, with so many replicas
		nc, stop, err := hubServer(role)
		if err != nil {
			return err
		}
		defer stop()
		o := ServeOptions{Conn: nc, Term: term, Look: time.Second, Catalogue: toy.Catalogue, Notice: notice}
		if len(role) > 3 {
			if o.Replicas, err = strconv.Atoi(role[3]); err != nil {
				return err
			}
		}
		_, err = Serve(ctx, d, o)
		return err
	}
	return err
}

func hubServer(role []string) (nc *nats.Conn, stop func(), err error) {
	if strings.HasPrefix(role[2], "nats://") {
		nc, err = connect(role[2])
		return nc, func() {}, err
	}
	o := natsq.ServerOptions{Store: filepath.Join(role[1], "queue"), Host: "127.0.0.1"}
	if o.Port, err = strconv.Atoi(role[2]); err != nil {
		return nil, nil, err
	}
	s, err := natsq.Start(o)
	if err != nil {
		return nil, nil, err
	}
	nc, err = s.Connect()
	return nc, s.Close, err
}

// serveNATS is a server until the context ends.
func serveNATS(ctx context.Context, role []string) error {
	port, err := strconv.Atoi(role[0])
	if err != nil {
		return err
	}
	o := natsq.ServerOptions{Store: role[1], Host: "127.0.0.1", Port: port}
	if len(role) > 2 {
		o.Name = role[2]
		if o.ClusterPort, err = strconv.Atoi(role[3]); err != nil {
			return err
		}
		o.Routes = strings.Split(role[4], ",")
	}
	s, err := natsq.Start(o)
	if err != nil {
		return err
	}
	defer s.Close()
	<-ctx.Done()
	return nil
}

func connect(url string) (*nats.Conn, error) {
	return nats.Connect(url, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { fmt.Fprintln(os.Stderr, err) }))
}

// child is a process with a role; over is closed when it has ended, said is what
// it has said by then.
type child struct {
	*exec.Cmd
	role string
	over chan struct{}
	said bytes.Buffer
}

// ended is closed when the process, if there is one, has ended.
func (c *child) ended() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.over
}

// environment is that of a process with a role; what it leaves behind when it is
// killed, temporary or in the user's cache, goes with the test.
func environment(t *testing.T, role ...string) []string {
	t.Helper()
	own := t.TempDir()
	return append(os.Environ(), "SAPF_TEST_SWEEP="+strings.Join(role, "|"), "TMPDIR="+own, "XDG_CACHE_HOME="+own)
}

// start starts a process with a role.
func start(t *testing.T, role ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0]), role: strings.Join(role, " "), over: make(chan struct{})}
	c.Env = environment(t, role...)
	c.Stderr = &c.said
	must(t, c.Start())
	go func() {
		c.Wait() // how it ended is in its state
		close(c.over)
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		<-c.over
		if t.Failed() {
			t.Logf("%s said: %s", c.role, c.said.String())
		}
	})
	return c
}

// ends waits for a process and returns its exit code, -1 if a signal ended it.
func ends(t *testing.T, c *child) int {
	t.Helper()
	if !within(patience, func() bool {
		select {
		case <-c.over:
			return true
		default:
			return false
		}
	}) {
		c.Process.Signal(syscall.SIGQUIT) // it says where it hangs
		<-c.over
		t.Fatalf("%s does not end", c.role)
	}
	return c.ProcessState.ExitCode()
}

// within waits for something to hold, and reports whether it does. It counts the
// times that it looks, not the time, so that a machine that was put to sleep with
// all its processes has not been impatient.
func within(d time.Duration, holds func() bool) bool {
	const look = 10 * time.Millisecond
	for n := d / look; !holds(); n-- {
		if n == 0 {
			return false
		}
		time.Sleep(look)
	}
	return true
}

// kill ends a process at once.
func kill(t *testing.T, cmd *child) {
	t.Helper()
	cmd.Process.Kill()
	ends(t, cmd)
}

// folder makes the folder of a sweep of toys.
func folder(t *testing.T, options string, images, targets, batch int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sweep")
	plan(t, dir, options, images, targets, batch)
	return dir
}

// plan gives a folder a plan.
func plan(t *testing.T, dir, options string, images, targets, batch int) *spec.Plan {
	t.Helper()
	p, err := toy.Plan(options, images, targets, batch)
	if err != nil {
		t.Fatal(err)
	}
	d, err := runs.Create(dir, p, runs.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs what is missing, in this process.
func run(t *testing.T, dir string) runs.Progress {
	t.Helper()
	d, err := runs.Resume(dir, runs.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p, err := d.Run(t.Context(), runs.Options{Catalogue: toy.Catalogue, Slots: 2, Term: term})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var seconds = regexp.MustCompile(`"seconds":[0-9.e+-]+`)

// rows is the table of a sweep without seconds.
func rows(t *testing.T, dir string) string {
	t.Helper()
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	attacks, snapshot, err := table.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	all, err := table.Rows(attacks, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := all.Write(&b, "jsonl"); err != nil {
		t.Fatal(err)
	}
	return seconds.ReplaceAllString(b.String(), `"seconds":0`)
}

// listing is the names of all files below a folder.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	must(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	return strings.Join(names, "\n")
}

// files counts the results of a sweep.
func files(t *testing.T, dir string) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "results", "??", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// until waits for something to hold.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !within(patience, holds) {
		t.Fatal("not in time: " + what)
	}
}

func status(t *testing.T, dir string) runs.Status {
	t.Helper()
	d, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(queuetest.FreePort(t))
}

// gate returns the options of toys that wait at a gate from the first image on, or
// a later one, and functions that open and shut it. It is open.
func gate(t *testing.T, after int) (options string, open, shut func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gate")
	open = func() { must(t, os.WriteFile(file, nil, 0o644)) }
	open()
	return fmt.Sprintf("gate: %q, after: %d", file, after), open, func() { must(t, os.Remove(file)) }
}

// work starts a worker for a server.
func work(t *testing.T, url string, ahead ...string) *child {
	t.Helper()
	return start(t, append([]string{"work", url}, ahead...)...)
}

// endWell holds that processes end, and without an error.
func endWell(t *testing.T, all ...*child) {
	t.Helper()
	for _, p := range all {
		if code := ends(t, p); code != 0 {
			t.Errorf("%s ended with %d", p.role, code)
		}
	}
}

// want fails where two texts differ.
func same(t *testing.T, dir, reference string) {
	t.Helper()
	if a, b := rows(t, dir), rows(t, reference); a != b || a == "" {
		t.Errorf("the table differs from that of an undisturbed run: %d and %d rows", strings.Count(a, "\n"), strings.Count(b, "\n"))
	}
}
