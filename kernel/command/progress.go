package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"sapf/models/plain"
	"sapf/models/train"
	"sapf/sapf/attack"
)

// bar is the progress of a command, on a terminal only.
type bar struct{ p *progressbar.ProgressBar }

func newBar(w io.Writer, quiet bool) *bar {
	if quiet || !isTerminal(w) {
		return &bar{}
	}
	return &bar{progressbar.NewOptions(1, progressbar.OptionSetWriter(w), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (b *bar) show(p attack.Progress) {
	round := fmt.Sprint(p.Trial)
	if p.Trials > 0 { // not every method knows how many it will take
		round += fmt.Sprintf("/%d", p.Trials)
	}
	b.set(p.Done, p.Total, fmt.Sprintf("%s round %s %s loss %.3g", p.Method, round, p.Stage, p.Loss))
}

func (b *bar) set(done, total int, what string) {
	if b.p != nil {
		b.p.ChangeMax(max(total, 1))
		b.p.Describe(plain.Text(what))
		b.p.Set(done)
	}
}

func (b *bar) clear() {
	if b.p != nil {
		b.p.Clear()
	}
}

// status is the line that says how far training is: rewritten on a terminal,
// elsewhere a line now and then, and one for each epoch.
type status struct {
	w        io.Writer
	terminal bool
	last     time.Duration
}

// statusEvery is the time between lines where they stay.
const statusEvery = 30 * time.Second

func newStatus(w io.Writer, quiet bool) *status {
	if quiet {
		w = io.Discard
	}
	return &status{w: w, terminal: isTerminal(w)}
}

func (s *status) show(p train.Progress) {
	if p.Point == nil && !s.terminal && p.Elapsed-s.last < statusEvery {
		return
	}
	s.last = p.Elapsed
	text := fmt.Sprintf("epoch %d/%d step %d/%d loss %.4f training accuracy %.1f %% rate %.4g %s",
		p.Epoch, p.Epochs, p.Step, p.Steps, p.Loss, 100*p.Right, p.Rate, p.Elapsed.Round(time.Second))
	if v := p.Point; v != nil && v.Images > 0 {
		text += fmt.Sprintf("; test loss %.4f accuracy %.2f %% of %d", v.Loss, v.Accuracy, v.Images)
		if v.Robust > 0 {
			text += fmt.Sprintf(", attacked %.2f %%", v.Robust)
		}
	}
	s.clear()
	fmt.Fprint(s.w, text)
	if p.Point != nil || !s.terminal {
		fmt.Fprintln(s.w)
	}
}

// clear removes the line on a terminal.
func (s *status) clear() {
	if s.terminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}
