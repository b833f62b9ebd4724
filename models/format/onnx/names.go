package onnx

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// nameKeys are the entries of the metadata under which exporters keep the names
// of classes.
var nameKeys = []string{"classes", "class_names", "names", "labels", "id2label"}

// pair is an entry of a Python dictionary with integer keys, as ultralytics
// writes it: {0: 'person', 1: "bicycle"}.
var pair = regexp.MustCompile(`(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")`)

// classNames reads the names of the classes: a JSON list, a JSON object from
// index to name, or a Python dictionary; nil where there are none.
func classNames(metadata map[string]string) []string {
	for _, key := range nameKeys {
		text := metadata[key]
		var list []string
		if json.Unmarshal([]byte(text), &list) == nil && len(list) > 0 {
			return list
		}
		byIndex := map[string]string{}
		if json.Unmarshal([]byte(text), &byIndex) != nil {
			clear(byIndex)
			for _, m := range pair.FindAllStringSubmatch(text, -1) {
				byIndex[m[1]] = m[2] + m[3]
			}
		}
		for i := range len(byIndex) {
			name, ok := byIndex[strconv.Itoa(i)]
			if !ok {
				list = nil
				break
			}
			list = append(list, name)
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}
