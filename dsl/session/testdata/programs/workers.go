package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

type job struct{ id, n int }
type result struct {
	job
	sum int
	err error
}

var errOdd = errors.New("odd one out")

func work(ctx context.Context, id int, jobs <-chan job, out chan<- result, wg *sync.WaitGroup) {
	defer wg.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case j, ok := <-jobs:
			if !ok {
				return
			}
			r := result{job: j}
			for i := 1; i <= j.n; i++ {
				r.sum += i
			}
			if j.n == 13 {
				r.err = fmt.Errorf("job %d: %w", j.id, errOdd)
			}
			out <- r
		}
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	_ = cancel

	jobs, out := make(chan job), make(chan result, 4)
	var wg sync.WaitGroup
	for w := 0; w < 3; w++ {
		wg.Add(1)
		go work(ctx, w, jobs, out, &wg)
	}
	go func() {
		for i := range 20 {
			jobs <- job{i, i}
		}
		close(jobs)
	}()
	go func() { wg.Wait(); close(out) }()
	sums := make([]int, 20)
	var failed []error
	for r := range out {
		sums[r.id] = r.sum
		if r.err != nil {
			failed = append(failed, r.err)
		}
	}
	fmt.Println(sums, failed, errors.Is(failed[0], errOdd))

	var n atomic.Int64
	var mu sync.Mutex
	seen := map[int]bool{}
	var g sync.WaitGroup
	for i := range 10 {
		g.Go(func() {
			n.Add(int64(i))
			mu.Lock()
			defer mu.Unlock()
			seen[i%4] = true
		})
	}
	g.Wait()
	fmt.Println(n.Load(), len(seen))
	var once sync.Once
	for range 3 {
		once.Do(func() { fmt.Println("once") })
	}
	done := make(chan struct{})
	tick := time.NewTicker(time.Millisecond)
	count := 0
	go func() { time.Sleep(30 * time.Millisecond); close(done) }()
loop:
	for {
		select {
		case <-tick.C:
			count++
			if count > 5 {
				tick.Stop()
				break loop
			}
		case <-done:
			break loop
		}
	}
	fmt.Println(count > 0)
	f := sync.OnceValue(func() int { fmt.Println("computing"); return 42 })
	fmt.Println(f(), f())
	c2, cancel2 := context.WithCancelCause(context.Background())
	cancel2(errOdd)
	<-c2.Done()
	fmt.Println(c2.Err(), context.Cause(c2) == errOdd)
	type key struct{}
	c3 := context.WithValue(c2, key{}, "v")
	fmt.Println(c3.Value(key{}), c3.Value(1))
}
