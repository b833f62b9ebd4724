package runs

import "testing"

// TestGateGivesBack: whoever has waited for a job leaves nothing behind, in the
// gate or in the context, however many jobs there are.
func TestGateGivesBack(t *testing.T) {
	var g gate
	wait, stop := g.wait(t.Context())
	if wait.Err() != nil || len(g.waiting) != 1 {
		t.Fatal("it does not wait")
	}
	stop()
	if wait.Err() == nil || len(g.waiting) != 0 {
		t.Error("something is left of it")
	}
}
