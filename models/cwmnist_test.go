package models_test

import (
	"fmt"
	"testing"

	"sapf/models"
	"sapf/models/data"
)

// TestFashionSample: the embedded network classifies the embedded images about
// as well as its card says of all 10,000 (91.18 %; two standard deviations of
// 100 images are 6 %).
func TestFashionSample(t *testing.T) {
	m, err := models.Load("cwmnist", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range 100 {
		x, err := data.Load(fmt.Sprintf("fashion:%d", i), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		if p.Class == x.Label {
			right++
		}
	}
	if right < 85 {
		t.Errorf("%d of 100 images are right, want at least 85", right)
	}
	t.Logf("%d of 100 images are right", right)
}
