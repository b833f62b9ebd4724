// Package toy is an attack for tests of sweeps: it takes the time that it is
// told to, changes one entry, and fails in every way that a job can.
package toy

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/sweep/spec"
)

// Attack is the toy. The zero value does nothing, at once.
type Attack struct {
	// Sleep is the milliseconds that an attack takes, in steps of 5.
	Sleep int `range:"[0,inf)"`
	// Mode is what goes wrong on the target On: nothing, a panic, the end of the
	// process, steps that stop, a number that is none, an error.
	Mode string `oneof:"fine panic exit hang nan error"`
	On   int    `range:"[-1,inf)"`
	// Gate, where set, is a file that attacks on images from the After-th on wait
	// for, making steps.
	Gate  string
	After int `range:"[0,inf)"`
	// Seed tells attacks apart.
	Seed int
	// Log, where set, is a file that gets a line for each attack that begins.
	Log string
	// Code is the version of its code.
	Code string
}

// Name is "toy".
func (Attack) Name() string { return "toy" }

// Version is the code's.
func (a Attack) Version() string {
	if a.Code == "" {
		return "1"
	}
	return a.Code
}

// Run changes the entry whose number is the target's.
func (a *Attack) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	options, err := attack.Options(a)
	if err != nil {
		return attack.Result{}, err
	}
	r := attack.Result{Method: a.Name(), Goal: goal, Status: attack.Failed, Adversarial: x.Clone(), Options: options}
	if a.Log != "" {
		f, err := os.OpenFile(a.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return r, err
		}
		fmt.Fprintln(f, goal.Target)
		if err := f.Close(); err != nil {
			return r, err
		}
	}
	for done := 0; done < a.Sleep; done += 5 {
		if ctx.Err() != nil {
			r.Status = attack.Cancelled
			return r, nil
		}
		time.Sleep(5 * time.Millisecond)
		attack.Report(ctx, attack.Progress{Method: a.Name(), Done: done, Total: a.Sleep})
	}
	for !a.open(x) {
		if ctx.Err() != nil {
			r.Status = attack.Cancelled
			return r, nil
		}
		time.Sleep(5 * time.Millisecond)
		attack.Report(ctx, attack.Progress{Method: a.Name(), Done: a.Sleep, Total: a.Sleep + 1})
	}
	r.Adversarial.Pix[goal.Target] = 1 - r.Adversarial.Pix[goal.Target]
	if goal.Target != a.On {
		return r, nil
	}
	switch a.Mode {
	case "panic":
		panic("the toy panics")
	case "exit":
		p, err := os.FindProcess(os.Getpid())
		if err != nil {
			return r, err
		}
		p.Kill()
		select {}
	case "hang":
		select {}
	case "nan":
		r.Adversarial.Pix[0], r.Const = float32(math.NaN()), math.Inf(1)
	case "error":
		return r, errors.New("the toy fails")
	}
	return r, nil
}

// open reports whether an attack on an image, a record of a set, need not wait.
func (a *Attack) open(x data.Image) bool {
	var record int
	if n, _ := fmt.Sscanf(x.Name, "fashion:%d", &record); a.Gate == "" || n != 1 || record < a.After {
		return true
	}
	_, err := os.Stat(a.Gate)
	return err == nil
}

// Catalogue finds the toy and, by other names, the attacks of the registry.
func Catalogue(name string) (attack.Attack, error) {
	if name == "toy" {
		return &Attack{}, nil
	}
	return spec.Registry(name)
}

// Plan is a sweep of toys on embedded images: options of the method, as YAML
// has them, and numbers of images and of targets of each.
func Plan(options string, images, targets, batch int) (*spec.Plan, error) {
	s, err := spec.Parse(fmt.Appendf(nil, `
model: cwmnist
images: {set: fashion, first: %d}
targets: {random: %d}
methods: [{name: toy, options: {%s}}]
batch: %d
`, images, targets, options, batch))
	if err != nil {
		return nil, err
	}
	return spec.Resolve(context.Background(), s, Catalogue)
}
