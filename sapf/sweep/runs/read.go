package runs

import (
	"runtime"
	"sync"

	"sapf/sapf/sweep"
	"sapf/sapf/sweep/spec"
)

// stretch is the number of groups that are read together.
const stretch = 64

// eachRecord calls f for every attack of the groups in their order, with its
// record, or nil where there is no whole result. Files are read by as many
// goroutines as there are processors; f is called by one at a time.
func (d *Dir) eachRecord(groups []spec.Group, f func(group int, u spec.Unit, rec *sweep.Record)) error {
	type part struct {
		records [][]*sweep.Record
		err     error
	}
	workers := runtime.GOMAXPROCS(0)
	n := (len(groups) + stretch - 1) / stretch
	parts := make([]chan part, n)
	for i := range parts {
		parts[i] = make(chan part, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range workers {
		wg.Go(func() {
			for i := range next {
				var p part
				for _, g := range groups[i*stretch : min((i+1)*stretch, len(groups))] {
					recs := make([]*sweep.Record, len(g.Units))
					for k, u := range g.Units {
						raw, err := d.Raw(u.Key)
						if err != nil {
							p.err = err
							break
						}
						if raw == nil {
							continue
						}
						rec, err := sweep.DecodeRecord(raw)
						if err != nil {
							p.err = err
							break
						}
						recs[k] = &rec
					}
					p.records = append(p.records, recs)
				}
				parts[i] <- p
			}
		})
	}
	go func() {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-stop:
				return
			}
		}
	}()
	defer wg.Wait()
	defer close(stop)
	for i := range n {
		p := <-parts[i]
		if p.err != nil {
			return p.err
		}
		for k, recs := range p.records {
			at := i*stretch + k
			for j, rec := range recs {
				f(at, groups[at].Units[j], rec)
			}
		}
	}
	return nil
}

// EachRecord calls f for every attack of the plan, in its order, with its
// record, or nil where there is none yet. The plan's name of the image is the
// record's.
func (d *Dir) EachRecord(f func(u spec.Unit, rec *sweep.Record)) error {
	return d.eachRecord(d.groups, func(_ int, u spec.Unit, rec *sweep.Record) {
		if rec != nil {
			rec.Image = d.Plan.Images[u.Image].Name
		}
		f(u, rec)
	})
}
