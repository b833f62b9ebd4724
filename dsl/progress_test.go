package dsl

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestProgressEnds: the display of a verb that fails says so, and one that has
// finished stays as it is.
func TestProgressEnds(t *testing.T) {
	r := bind(t, context.Background())
	last := func() string {
		for id := range r.updates {
			u := r.updates[id]
			return plain(u[len(u)-1])
		}
		return ""
	}
	err := Try(func() {
		bar := newProgress("Verb")
		defer bar.fail()
		bar.last = time.Time{}
		bar.step(3, 10, "at work")
		fail("Verb", errors.New("no more"))
	})
	if err == nil || !strings.Contains(last(), "30%") || !strings.Contains(last(), "ended with an error") {
		t.Errorf("%v; the display says %q", err, last())
	}
	r = bind(t, context.Background())
	func() {
		bar := newProgress("Verb")
		defer bar.fail()
		bar.step(3, 10, "at work")
		bar.finish(1, "all done")
	}()
	if !strings.Contains(last(), "all done") {
		t.Errorf("a verb that finished says %q", last())
	}
}

// TestPicturesHaveWords: in JupyterLab only HTML has a description.
func TestPicturesHaveWords(t *testing.T) {
	f := Plot(Axes{Title: "A <title>", Y: "y"}, Curve{Name: "c", X: []float64{1, 2}, Y: []float64{-1, 3}})
	for name, b := range map[string]any{"figure": f, "image": LoadImage("cat"), "panel": Panel(1, ImageTile(LoadImage("cat"), "benign"))} {
		page, _ := render(b).Data["text/html"].(string)
		if !strings.Contains(page, `<img alt="`) || strings.Contains(page, `alt=""`) || strings.Contains(page, "<title>") {
			t.Errorf("%s: %.100s", name, page)
		}
	}
}

// TestNamesTellApart: runs of one method are named by the options in which they
// differ, and a failure has no norms in a comparison.
func TestNamesTellApart(t *testing.T) {
	bind(t, context.Background())
	m, x := embedded(t)
	lost := few(200)
	lost.Lambda1 = 1e-9
	rs := AttackAll(m, Case{x, Target("dog"), few(100)}, Case{x, Target("dog"), few(150)}, Case{x, Target("dog"), lost})
	text := rs.Table().String()
	if !strings.Contains(text, "sapf k=100 ") || !strings.Contains(text, "sapf k=150 ") {
		t.Errorf("%s", text)
	}
	for _, line := range strings.Split(Compare(rs...).String(), "\n") {
		if strings.HasPrefix(line, "l2") && !strings.HasSuffix(strings.TrimSpace(line), "-") {
			t.Errorf("a failed attack has norms: %s", line)
		}
	}
}
