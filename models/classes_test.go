package models_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sapf/models"
	"sapf/models/data"
)

func TestClassIndex(t *testing.T) {
	imagenet := data.ImageNetClasses()
	cardigans := []string{}
	for _, c := range imagenet {
		if strings.EqualFold(c, "cardigan") {
			cardigans = append(cardigans, c)
		}
	}
	if len(cardigans) != 2 {
		t.Fatalf("ImageNet has the cardigans %q, expected the dog's and the jacket", cardigans)
	}
	for _, c := range []struct {
		classes []string
		class   string
		want    int
		says    string
	}{
		{imagenet, "cardigan", slices.Index(imagenet, "cardigan"), ""}, // the jacket
		{imagenet, "Cardigan", slices.Index(imagenet, "Cardigan"), ""}, // the dog
		{imagenet, "CARDIGAN", 0, "264 (Cardigan) or 474 (cardigan)"},
		{[]string{"crane", "crane"}, "crane", 0, "give the index"},
		{data.CIFAR10Classes, "DOG", 5, ""},
		{data.CIFAR10Classes, "5", 5, ""},
		{data.CIFAR10Classes, "10", 0, "10, expected 0 to 9"},
		{data.CIFAR10Classes, "-1", 0, "expected 0 to 9"},
		{data.CIFAR10Classes, "dgo", 0, `did you mean "dog"`},
		{[]string{"7", "1", "0"}, "1", 1, ""}, // names that are numbers win
		{[]string{"7", "1", "0"}, "0", 2, ""},
		{[]string{"7", "1", "0"}, "2", 2, ""},
	} {
		got, err := models.ClassIndex(c.classes, c.class)
		switch {
		case c.says == "" && (err != nil || got != c.want):
			t.Errorf("%s is class %d (%v), expected %d", c.class, got, err, c.want)
		case c.says != "":
			refused(t, err, c.says)
		}
	}
}

func TestClassNames(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ content, want string }{
		"a.txt":      {"\ufeffcat\r\nbig dog\n", "cat|big dog"},
		"list.json":  {`["cat", "big dog"]`, "cat|big dog"},
		"map.json":   {`{"1": "big dog", "0": "cat"}`, "cat|big dog"},
		"keras.json": {`{"0": ["n01", "cat"], "1": ["n02", "big dog"]}`, "cat|big dog"},
		"index.json": {`{"cat": 0, "big dog": 1}`, "cat|big dog"},
		"a.csv":      {"index,name\n1,big dog\n0,cat\n", "cat|big dog"},
		"one.csv":    {"cat\n\"big, dog\"\n", "cat|big, dog"},
		"gap.json":   {`{"0": "cat", "2": "dog"}`, "!none of class 1"},
		"bad.csv":    {"0,cat\nx,dog\n", "!row 2"},
		"hole.txt":   {"cat\n\ndog\n", "!class 1 has no name"},
		"empty.txt":  {"", "!no name"},
		"bad.json":   {`{"a": true}`, "!expected an index"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := data.ClassNames(file)
		if says, bad := strings.CutPrefix(c.want, "!"); bad {
			refused(t, err, name, says)
		} else if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if names, err := data.ClassNames("CIFAR10"); err != nil || names[5] != "dog" {
		t.Errorf("cifar10: %q, %v", names, err)
	}
	_, err := data.ClassNames("cifar11")
	refused(t, err, "cifar11", "imagenet")
	m, err := models.Load("cwnet", models.LoadOptions{ClassNames: "mnist"})
	if err != nil || m.Classes()[5] != "5" {
		t.Errorf("%q, %v", m.Classes(), err)
	}
}

// TestGuessedNames: names that no one gave are said to be a guess.
func TestGuessedNames(t *testing.T) {
	m, err := models.Load("format/onnx/testdata/tiny-17.onnx", models.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	has := func(m *models.Model) bool {
		return slices.ContainsFunc(m.Card().Warnings, func(w string) bool { return strings.Contains(w, "does not name its") })
	}
	if !has(m) {
		t.Errorf("warnings %q of %d classes, expected one about their names", m.Card().Warnings, len(m.Classes()))
	}
	names := slices.Repeat([]string{"x"}, len(m.Classes()))
	if m, err = models.Load("format/onnx/testdata/tiny-17.onnx", models.LoadOptions{Classes: names}); err != nil || has(m) {
		t.Errorf("with names given: %v, %q", err, m.Card().Warnings)
	}
	if m, err = models.Load("weights/cwnet.safetensors", models.LoadOptions{Arch: "CWNet"}); err != nil || !has(m) {
		t.Errorf("weights without a card: %v, %q", err, m.Card().Warnings)
	}
}
