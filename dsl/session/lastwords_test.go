package session

import (
	"testing"
	"time"

	"sapf/dsl/display"
)

// slowVerb is a host whose Input is a verb that shows, a while after the
// interrupt, how it ended.
type slowVerb struct{ *recorder }

func (h slowVerb) Input(string, bool) (string, error) {
	defer display.Verb()()
	<-display.Context().Done()
	time.Sleep(100 * time.Millisecond)
	h.Stream("stdout", "stopped at step 7\n")
	return "", nil
}

// TestLastWordsComeBeforeTheEnd: what a verb shows last is there when an
// interrupted cell is over, and not in the next cell.
func TestLastWordsComeBeforeTheEnd(t *testing.T) {
	r := &recorder{}
	s, err := New(slowVerb{r}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	o, _ := interrupt(t, s, "import \"sapf/dsl/display\"\ndisplay.To().Input(\"\", false)")
	if o.Err == nil || o.Err.Name != "Interrupted" {
		t.Fatalf("outcome %+v, expected an interrupt", o.Err)
	}
	if got := r.take(); got != "stopped at step 7\n" {
		t.Errorf("when the cell was over it had shown %q", got)
	}
}
