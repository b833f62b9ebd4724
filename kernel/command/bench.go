package command

import (
	"context"
	"fmt"
	"time"

	"sapf/models"
	"sapf/models/engine"
)

type benchCmd struct {
	Model   string        `default:"cwnet" predictor:"model" help:"Model: a name or a file."`
	Batch   []int         `default:"1,9" min:"1" help:"Batch sizes."`
	Threads []int         `default:"1,2" min:"1" help:"Numbers of threads."`
	Time    time.Duration `default:"2s" min:"1ms" help:"Time for each."`
	JSON    bool          `help:"Print JSON, a line for each batch size and number of threads."`
}

func (c *benchCmd) Run(ctx context.Context, out output) error {
	m, err := modelFlags{Model: c.Model}.load(ctx)
	if err != nil {
		return err
	}
	for _, batch := range c.Batch {
		for _, threads := range c.Threads {
			if batch > engine.MaxBatch || threads > engine.MaxThreads {
				return fmt.Errorf("batch %d with %d threads, expected up to %d and %d", batch, threads, engine.MaxBatch, engine.MaxThreads)
			}
			t, err := models.Bench(ctx, m, batch, threads, c.Time)
			if err != nil {
				return failed(err)
			}
			if err := out.print(c.JSON, t); err != nil {
				return failed(err)
			}
		}
	}
	return nil
}
