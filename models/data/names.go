package data

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sapf/models/bounded"
	"sapf/models/plain"
)

// classLists are the lists of class names that are known by name.
var classLists = map[string]func() []string{
	"imagenet": ImageNetClasses,
	"cifar10":  func() []string { return CIFAR10Classes },
	"cifar100": CIFAR100Classes,
	"fashion":  func() []string { return FashionClasses },
	"mnist":    func() []string { return DigitClasses },
}

// maxNamesBytes bounds a file of class names: ImageNet's has 30 kB.
const maxNamesBytes = 4 << 20

// ClassNames reads names of classes, in the order of the logits: those of a data
// set (imagenet, cifar10, cifar100, fashion, mnist), or of a file. A file holds
// one name a line, a JSON list, a JSON object from index to name (or to a list
// that ends in the name, as Keras has ImageNet's), or, as .csv, a name in the last
// column after its index in the first.
func ClassNames(ref string) ([]string, error) {
	if list := classLists[strings.ToLower(ref)]; list != nil {
		return list(), nil
	}
	fail := func(err error) ([]string, error) {
		return nil, fmt.Errorf("class names %s: %w (expected one of %s, or a file of names)", ref, err, strings.Join(slices.Sorted(maps.Keys(classLists)), ", "))
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil:
		return fail(err)
	case !info.Mode().IsRegular() || info.Size() > maxNamesBytes:
		return fail(fmt.Errorf("not a file of up to %d bytes", maxNamesBytes))
	}
	raw, err := bounded.ReadFile(ref, maxNamesBytes)
	if err != nil {
		return fail(err)
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(raw), "\ufeff"))
	var names []string
	switch {
	case strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{"):
		names, err = jsonNames(text)
	case strings.EqualFold(filepath.Ext(ref), ".csv"):
		names, err = csvNames(text)
	default:
		for line := range strings.Lines(text) {
			names = append(names, strings.TrimSpace(line))
		}
	}
	if err != nil {
		return fail(err)
	}
	for i, name := range names {
		if name == "" {
			return fail(fmt.Errorf("class %d has no name", i))
		}
	}
	if len(names) == 0 {
		return fail(fmt.Errorf("no name in it"))
	}
	return names, nil
}

func jsonNames(text string) ([]string, error) {
	var names []string
	if strings.HasPrefix(text, "[") {
		err := json.Unmarshal([]byte(text), &names)
		return names, plain.BadJSON(err)
	}
	var entries map[string]any
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		return nil, plain.BadJSON(err)
	}
	byIndex := map[int]string{}
	for key, v := range entries {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[len(list)-1]
		}
		name, isText := v.(string)
		i, err := strconv.Atoi(key)
		if index, ok := v.(float64); ok { // from name to index
			name, isText, i, err = key, true, int(index), nil
		}
		if !isText || err != nil {
			return nil, fmt.Errorf("entry %q, expected an index and a name", key)
		}
		byIndex[i] = name
	}
	return inOrder(byIndex)
}

// csvNames reads rows of a name, or of an index and a name; a first row without
// an index is the header of the others.
func csvNames(text string) ([]string, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	var names []string
	byIndex := map[int]string{}
	for k, row := range rows {
		name := strings.TrimSpace(row[len(row)-1])
		if len(row) == 1 {
			names = append(names, name)
			continue
		}
		i, err := strconv.Atoi(strings.TrimSpace(row[0]))
		switch {
		case err == nil:
			byIndex[i] = name
		case k > 0:
			return nil, fmt.Errorf("row %d begins with %q, expected an index", k+1, row[0])
		}
	}
	if len(byIndex) == 0 {
		return names, nil
	}
	return inOrder(byIndex)
}

func inOrder(byIndex map[int]string) ([]string, error) {
	var names []string
	for i := range len(byIndex) {
		name, ok := byIndex[i]
		if !ok {
			return nil, fmt.Errorf("%d names, but none of class %d", len(byIndex), i)
		}
		names = append(names, name)
	}
	return names, nil
}
