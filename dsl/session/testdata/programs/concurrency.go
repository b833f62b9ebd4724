package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

func worker(id int, jobs <-chan int, results chan<- string, wg *sync.WaitGroup) {
	defer wg.Done()
	for j := range jobs {
		results <- fmt.Sprintf("%d", j*j)
	}
	_ = id
}

func gen(ctx context.Context) <-chan int {
	ch := make(chan int)
	go func() {
		defer close(ch)
		for i := 0; ; i++ {
			select {
			case ch <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

type Account struct {
	mu  sync.Mutex
	sum int
}

func (a *Account) Add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum += n
}

func main() {
	jobs, results := make(chan int, 10), make(chan string, 10)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Add(1)
		go worker(i, jobs, results, &wg)
	}
	for i := 1; i <= 5; i++ {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	close(results)
	var out []string
	for r := range results {
		out = append(out, r)
	}
	sort.Strings(out)
	fmt.Println(out)

	ctx, cancel := context.WithCancel(context.Background())
	for v := range gen(ctx) {
		if v == 3 {
			cancel()
			break
		}
		fmt.Print(v, " ")
	}
	fmt.Println(ctx.Err())

	var a Account
	var n atomic.Int64
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			a.Add(i)
			n.Add(1)
		}()
	}
	wg.Wait()
	fmt.Println(a.sum, n.Load())

	done := make(chan struct{})
	var once sync.Once
	for range 2 {
		once.Do(func() { close(done) })
	}
	select {
	case <-done:
		fmt.Println("done")
	case <-time.After(time.Second):
		fmt.Println("timeout")
	}
	ch := make(chan int, 1)
	select {
	case v := <-ch:
		fmt.Println(v)
	default:
		fmt.Println("empty")
	}
	ch <- 7
	v, ok := <-ch
	close(ch)
	v2, ok2 := <-ch
	fmt.Println(v, ok, v2, ok2, len(ch), cap(ch))
	tick := time.NewTicker(time.Millisecond)
	count := 0
loop:
	for {
		select {
		case <-tick.C:
			if count++; count == 3 {
				tick.Stop()
				break loop
			}
		}
	}
	fmt.Println("ticks", count)
	var rw sync.RWMutex
	rw.RLock()
	rw.RUnlock()
	fs := make([]func() int, 3)
	for i := range fs {
		fs[i] = func() int { return i * i }
	}
	sum := make(chan int)
	for _, f := range fs {
		go func() { sum <- f() }()
	}
	total := 0
	for range fs {
		total += <-sum
	}
	fmt.Println(total)
	errs := make(chan error, 1)
	go func() {
		defer func() { errs <- fmt.Errorf("caught %v", recover()) }()
		var p *Account
		p.sum = 1
	}()
	fmt.Println((<-errs) != nil)
}
