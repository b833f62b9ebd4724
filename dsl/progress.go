package dsl

import (
	"fmt"
	"html"
	"time"

	"sapf/dsl/display"
)

// minInterval keeps a progress display at no more than ten updates a second.
const minInterval = 100 * time.Millisecond

// progress is the one display of a long verb: a bar that is replaced in place.
type progress struct {
	verb    string
	handle  string
	started time.Time
	last    time.Time
	shown   bool
	over    bool
	// fraction is how much was done at the last step.
	fraction float64
	// left ends what an interrupt waits for.
	left func()
}

func newProgress(verb string) *progress {
	return &progress{
		verb: verb, handle: fmt.Sprintf("progress-%d", displays.Add(1)), started: time.Now(),
		left: display.Verb(),
	}
}

// detach is for a verb that goes on after its cell: no interrupt waits for it.
func (p *progress) detach() { p.left() }

// fail shows that the verb ended without a result. Verbs defer it: after finish
// it does nothing.
func (p *progress) fail() {
	defer p.left()
	if !p.shown || p.over {
		return
	}
	p.over = true
	how := "ended with an error"
	if display.Context().Err() != nil {
		how = "stopped"
	}
	p.show(p.fraction, clock(time.Since(p.started)), how, "")
}

// step shows that done of total steps are over, if it is time to.
func (p *progress) step(done, total int, what string) {
	now := time.Now()
	p.fraction = float64(done) / float64(max(total, 1))
	if now.Sub(p.last) < minInterval || total <= 0 {
		return
	}
	p.last = now
	eta := ""
	if done > 0 {
		left := time.Duration(float64(now.Sub(p.started)) * float64(total-done) / float64(done))
		eta = "ETA " + clock(left)
	}
	p.show(p.fraction, fmt.Sprintf("%d/%d", done, total), what, eta)
}

// finish shows how the verb ended, always.
func (p *progress) finish(fraction float64, what string) {
	p.over = true
	p.show(fraction, clock(time.Since(p.started)), what, "")
}

func (p *progress) show(fraction float64, count, what, eta string) {
	fraction = min(max(fraction, 0), 1)
	text := fmt.Sprintf("%s %3.0f%% %s %s", p.verb, 100*fraction, count, what)
	if eta != "" {
		text += " " + eta
	}
	// A compiled program's terminal has a place for progress.
	if t, ok := display.To().(interface{ Progress(text string, over bool) }); ok {
		p.shown = true
		t.Progress(text, p.over)
		return
	}
	page := fmt.Sprintf(`<div style="display:flex;align-items:center;gap:10px;font-size:13px">`+
		`<span>%s</span><div style="width:240px;height:10px;background:#e0e0e0;border-radius:5px">`+
		`<div style="width:%.1f%%;height:10px;background:#0072b2;border-radius:5px"></div></div>`+
		`<span style="font-variant-numeric:tabular-nums">%s</span><span>%s</span><span style="color:#6e6e6e">%s</span></div>`,
		html.EscapeString(p.verb), 100*fraction, html.EscapeString(count), html.EscapeString(what), html.EscapeString(eta))
	b := display.Bundle{Data: map[string]any{"text/html": page, "text/plain": text}}
	if p.shown {
		display.To().Update(b, p.handle)
		return
	}
	p.shown = true
	display.To().Display(b, p.handle)
}

// clock writes a duration as people say it: "3 s", "2 min 5 s".
func clock(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
