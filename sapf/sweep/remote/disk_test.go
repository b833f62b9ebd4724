//go:build linux

package remote

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/runs"
)

// diskSize is the size of the disk that fills up; page what the smallest file
// takes of it.
const (
	diskSize = 4 << 20
	page     = 4096
)

// fullDisk runs a sweep on a disk of its own, which is full but for a few files,
// until it pauses with a message, makes room, and sees it end. Nothing partial
// may be there meanwhile.
func fullDisk(ctx context.Context, disk, name string) error {
	if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprintf("size=%d", diskSize)); err != nil {
		fmt.Println("no disk:", err)
		return nil
	}
	dir := filepath.Join(disk, "sweep")
	p, err := toy.Plan("sleep: 0", 5, 2, 1)
	if err != nil {
		return err
	}
	d, err := runs.Create(dir, p, runs.Shard{})
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	ballast := filepath.Join(disk, "ballast")
	free := func() int64 {
		var s syscall.Statfs_t
		syscall.Statfs(disk, &s)
		return int64(s.Bfree) * s.Bsize
	}
	// Room for the lock's signature, the file of attempts and a few results.
	if err := os.WriteFile(ballast, make([]byte, free()-8*page), 0o644); err != nil {
		return err
	}
	var said atomic.Value
	paused := make(chan struct{})
	o := wayOptions{term: term, notice: func(s string) {
		if strings.Contains(s, "no space left") && said.CompareAndSwap(nil, s) {
			close(paused)
		}
	}}
	type answer struct {
		p   runs.Progress
		err error
	}
	over := make(chan answer, 1)
	go func() {
		p, err := map[string]way{"local": local, "embedded": embedded}[name].run(ctx, dir, o)
		over <- answer{p, err}
	}()
	select {
	case <-paused:
	case a := <-over:
		return fmt.Errorf("it did not pause: %+v, %v", a.p, a.err)
	case <-time.After(patience):
		return fmt.Errorf("it does not pause")
	}
	if err := wholeOnly(dir); err != nil {
		return err
	}
	select {
	case a := <-over:
		return fmt.Errorf("it gave up: %+v, %v", a.p, a.err)
	case <-time.After(time.Second):
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	a := <-over
	if a.err != nil || a.p.Done != 10 || a.p.Dead != 0 {
		return fmt.Errorf("%+v, %v", a.p, a.err)
	}
	fmt.Println("paused:", said.Load())
	return wholeOnly(dir)
}

// wholeOnly refuses results that are not whole.
func wholeOnly(dir string) error {
	d, err := runs.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	st, err := d.Status()
	if err == nil && st.Corrupt > 0 {
		err = fmt.Errorf("a partial result: %+v", st)
	}
	return err
}

// TestFailure46_DiskFull: the sweep pauses with a message; nothing partial is
// left; when there is room it goes on by itself. The disk is one in memory that
// only a child of ours sees.
func TestFailure46_DiskFull(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"local", "embedded"} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = environment(t, "full", t.TempDir(), name)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			if os.Getuid() != 0 {
				cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
				cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
				cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
			}
			out, err := cmd.CombinedOutput()
			switch {
			case err != nil && cmd.ProcessState == nil || strings.Contains(string(out), "no disk:"):
				t.Skipf("no disk of its own can be made here: %v %s", err, out)
			case err != nil || !strings.Contains(string(out), "no space left"):
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// lockedFolder tries to plan and to go on with sweeps where nothing may be
// written, as somebody who may not write everywhere.
func lockedFolder(dir string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			fmt.Println("no other user:", err)
			return nil
		}
	}
	p, err := toy.Plan("sleep: 0", 1, 1, 1)
	if err != nil {
		return err
	}
	_, made := runs.Create(filepath.Join(dir, "empty", "sweep"), p, runs.Shard{})
	_, again := runs.Create(filepath.Join(dir, "planned"), p, runs.Shard{})
	_, resumed := runs.Resume(filepath.Join(dir, "planned"), runs.Shard{})
	_, results := runs.Resume(filepath.Join(dir, "results only"), runs.Shard{})
	if d, err := runs.Open(filepath.Join(dir, "results only")); err != nil {
		return err
	} else if st, err := d.Status(); err != nil || st.Missing != 1 || st.Holder != "" { // of one, which is damaged
		return fmt.Errorf("to look at it: %+v, %v", st, err)
	}
	for what, err := range map[string]error{"a new folder": made, "a planned one": again, "one that is to go on": resumed, "one whose results cannot be written": results} {
		if err == nil || !strings.Contains(err.Error(), "permission denied") {
			return fmt.Errorf("%s: %v, expected a refusal", what, err)
		}
	}
	return nil
}

// TestFailure61_ReadOnly: a place that cannot be written to is refused before
// anything runs, and nothing is left in it. It can be looked at, though a result is
// damaged.
func TestFailure61_ReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"planned", "results only"} {
		plan(t, filepath.Join(dir, name), "sleep: 0", 1, 1, 1)
	}
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	run(t, filepath.Join(dir, "results only"))
	results, err := filepath.Glob(filepath.Join(dir, "results only", "results", "*", "*.json"))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	must(t, os.Truncate(results[0], 10))
	lock := func(mode os.FileMode) {
		for _, name := range []string{"empty", "planned", "planned/results", "results only/results", "results only/results/" + filepath.Base(filepath.Dir(results[0]))} {
			must(t, os.Chmod(filepath.Join(dir, name), mode))
		}
	}
	if os.Getuid() == 0 { // the other user may come in and read
		for at := dir; at != "/"; at = filepath.Dir(at) {
			info, err := os.Stat(at)
			must(t, err)
			if mode := info.Mode().Perm() | 0o055; mode != info.Mode().Perm() {
				must(t, os.Chmod(at, mode))
				defer os.Chmod(at, info.Mode().Perm())
			}
		}
		must(t, os.Chmod(filepath.Join(dir, "results only"), 0o777))
	}
	lock(0o555)
	defer lock(0o755)
	before := listing(t, dir)
	cmd := exec.Command(os.Args[0])
	cmd.Env = environment(t, "locked", dir)
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "no other user") {
		t.Skipf("there is nobody here who may not write everywhere: %s", out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("left behind:\n%s\nwas\n%s", after, before)
	}
}
