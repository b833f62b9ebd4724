package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/internal/toy"
	"sapf/sapf/sweep/queue/natsq"
	"sapf/sapf/sweep/remote"
	"sapf/sapf/sweep/runs"
	"sapf/sapf/sweep/spec"
)

// workerMode is the mode in which this command is a worker of a URL, with so many
// slots.
const workerMode = "worker"

func worker(url, slots string) error {
	n, err := strconv.Atoi(slots)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	_, err = remote.Work(context.Background(), remote.WorkOptions{Conn: nc, Slots: n, Catalogue: toy.Catalogue})
	return err
}

// served serves a sweep to workers in processes of their own, with so many slots
// and no more processors each, and returns the seconds from the first result to
// the last, and what processor time the hub took.
func served(d *runs.Dir, workers, slots int) (seconds float64, cpu time.Duration, err error) {
	s, err := natsq.Start(natsq.ServerOptions{Store: filepath.Join(d.Path, "queue"), Host: "127.0.0.1", Port: -1})
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		return 0, 0, err
	}
	defer nc.Close()
	var first, last time.Time
	var before time.Duration
	var begin sync.Once
	_, err = remote.Serve(context.Background(), d, remote.ServeOptions{Conn: nc, Catalogue: toy.Catalogue, Progress: func(p runs.Progress) {
		begin.Do(func() { // the folder is ready
			for range workers {
				cmd := exec.Command(os.Args[0], workerMode, s.URL(), strconv.Itoa(slots))
				cmd.Env = append(os.Environ(), fmt.Sprint("GOMAXPROCS=", min(slots, runtime.NumCPU())))
				cmd.Stderr = os.Stderr
				if e := cmd.Start(); e != nil {
					fmt.Fprintln(os.Stderr, "load:", e)
					continue
				}
				go cmd.Wait()
			}
		})
		if p.Done > p.Kept && first.IsZero() {
			first, before = time.Now(), processor()
		}
		if p.Over() && last.IsZero() {
			last, cpu = time.Now(), processor()-before
		}
	}})
	return last.Sub(first).Seconds(), cpu, err
}

// processor is the processor time of this process.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hub measures how many results a second go through one hub.
func hub(dir string, n []int) error {
	d, err := create(filepath.Join(dir, "sweep"), "sleep: 0", n[1])
	if err != nil {
		return err
	}
	defer d.Close()
	seconds, cpu, err := served(d, n[0], 4)
	if err != nil {
		return err
	}
	jobs := float64(len(d.Units()))
	rate := jobs / seconds
	fmt.Printf("%d workers of 4 slots, %.0f jobs: %.0f results a second, %.2f ms of the hub's processor each; jobs of 10 s: %.0f slots\n",
		n[0], jobs, rate, cpu.Seconds()*1000/jobs, rate*10)
	return nil
}

// overhead measures what jobs of some seconds take longer.
func overhead(dir string, n []int) error {
	for _, queue := range []string{"local", "hub"} {
		d, err := create(filepath.Join(dir, queue), fmt.Sprintf("sleep: %d", n[0]*1000), n[1])
		if err != nil {
			return err
		}
		jobs, seconds := len(d.Units()), 0.0
		if queue == "local" {
			start := time.Now()
			_, err = d.Run(context.Background(), runs.Options{Catalogue: toy.Catalogue, Slots: 1})
			seconds = since(start)
		} else { // from the first result on
			seconds, _, err = served(d, 1, 1)
			jobs--
		}
		inside, e := within(d)
		if err = errors.Join(err, e, d.Close()); err != nil {
			return err
		}
		inside *= float64(jobs) / float64(len(d.Units()))
		fmt.Printf("%-5s %d jobs: %.3f s, of which %.3f in the attacks: %.2f %% more\n", queue, jobs, seconds, inside, 100*(seconds/inside-1))
	}
	return nil
}

// within is the seconds that the attacks of a sweep took by their own clocks.
func within(d *runs.Dir) (seconds float64, err error) {
	err = d.EachRecord(func(_ spec.Unit, rec *sweep.Record) {
		if rec != nil {
			seconds += rec.Seconds
		}
	})
	return seconds, err
}
